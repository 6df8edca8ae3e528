package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
	"defectdojo/parsers/stream"
)

// parseCmd prints what a parser makes of a report.
type parseCmd struct {
	ScanType string `help:"Scan type, as DefectDojo words it. Detected from the content when not given."`
	File     string `arg:"" help:"Report to read." type:"path"`
}

// parsed is what parse prints.
type parsed struct {
	ScanType   string           `json:"scan_type"`
	Runs       []gate.Run       `json:"runs"`
	Findings   []parsedFinding  `json:"findings"`
	Components []gate.Component `json:"components,omitempty"`
}

// parsedFinding is an observation with what DefectDojo derives of it.
type parsedFinding struct {
	gate.Observation
	StaticFinding  bool `json:"static_finding"`
	DynamicFinding bool `json:"dynamic_finding"`
	Files          int  `json:"files,omitempty"`
	ReqResp        int  `json:"req_resp,omitempty"`
}

// Run runs the command.
func (c *parseCmd) Run(ctx context.Context, t terminal) error {
	f, err := os.Open(c.File)
	if err != nil {
		return err
	}
	defer f.Close()
	p, err := chooseParser(ctx, f, c.ScanType)
	if err != nil {
		return fileError(c.File, err)
	}
	out := parsed{ScanType: p.ScanType, Findings: []parsedFinding{}}
	out.Runs, err = parsers.Read(ctx, p, f, parsers.Options{
		Now: time.Now(), //nolint:forbidigo // the command is an edge
		Emit: func(o gate.Observation) {
			out.Findings = append(out.Findings, parsedFinding{o, o.Analysis.IsStatic(), o.Analysis.IsDynamic(), len(o.Files), len(o.RequestResponsePairs)})
		},
		Components: func(c gate.Component) { out.Components = append(out.Components, c) },
	})
	if err != nil {
		return fileError(c.File, err)
	}
	e := json.NewEncoder(t.stdout)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// chooseParser returns the parser for a scan type, or for none the one that the
// report is surely or alone for.
func chooseParser(ctx context.Context, f io.ReadSeeker, scanType string) (parsers.Parser, error) {
	if scanType != "" {
		p, ok := all.ByScanType(scanType)
		if !ok {
			return p, gate.Errorf(gate.Conflict, "%q is not a scan type: 'defectdojo-upload scan-types' lists them", scanType)
		}
		return p, nil
	}
	s, err := parsers.NewSample(ctx, f, stream.Limits{})
	if err != nil {
		return parsers.Parser{}, err
	}
	return parsers.Choose(parsers.Detect(all.Parsers, s))
}

// fileError puts the file's name before an error about its content. One about
// the command line stays one.
func fileError(file string, err error) error {
	named := fmt.Errorf("%s: %w", filepath.Base(file), err)
	if k := gate.KindOf(err); k == gate.Conflict {
		return named
	}
	return &reportError{named}
}

// detectCmd prints what a report looks like.
type detectCmd struct {
	Files []string `arg:"" help:"Reports to look at." type:"path"`
}

// Run runs the command.
func (c *detectCmd) Run(ctx context.Context, t terminal) error {
	for _, name := range c.Files {
		if err := detect(ctx, t.stdout, name); err != nil {
			return err
		}
	}
	return nil
}

func detect(ctx context.Context, w io.Writer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	s, err := parsers.NewSample(ctx, f, stream.Limits{})
	if err != nil {
		return fileError(name, err)
	}
	words := []string{"no", "possible", "likely", "sure"}
	found := parsers.Detect(all.Parsers, s)
	if len(found) == 0 {
		fmt.Fprintf(w, "%s: %s, like no report that is known\n", name, s.Format)
	}
	for _, c := range found {
		fmt.Fprintf(w, "%s: %s (%s)\n", name, c.Parser.ScanType, words[c.Likeness])
	}
	return nil
}

// scanTypesCmd lists the scan types.
type scanTypesCmd struct {
	Format string `enum:"text,json" default:"text" help:"text or json."`
}

// Run runs the command.
func (c *scanTypesCmd) Run(t terminal) error {
	if c.Format == "json" {
		type row struct {
			ScanType string `json:"scan_type"`
			Upload   string `json:"upload"`
			Command  string `json:"command"`
			URL      string `json:"url"`
		}
		rows := make([]row, 0, len(all.Parsers))
		for _, p := range all.Parsers {
			rows = append(rows, row{p.ScanType, p.Files, p.Command, p.URL})
		}
		e := json.NewEncoder(t.stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(rows)
	}
	w := tabwriter.NewWriter(t.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SCAN TYPE\tUPLOAD\tMADE BY")
	for _, p := range all.Parsers {
		fmt.Fprintf(w, "%s\t%s\t%s\n", p.ScanType, p.Files, strings.ReplaceAll(p.Command, "\n", "; "))
	}
	return w.Flush()
}
