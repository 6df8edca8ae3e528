package main

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
	"defectdojo/parsers/stream"
)

// parseCmd prints what a parser makes of a report.
type parseCmd struct {
	ScanType string `help:"Scan type, as DefectDojo words it. Detected from the content when not given."`
	File     string `arg:"" help:"Report to read." type:"existingfile"`
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

func (c parseCmd) run(ctx context.Context, w io.Writer) error {
	f, err := os.Open(c.File)
	if err != nil {
		return gate.Errorf(gate.Invalid, "%v", err)
	}
	defer f.Close()
	p, err := chooseParser(ctx, f, c.ScanType)
	if err != nil {
		return fileError(c.File, err)
	}
	out := parsed{ScanType: p.ScanType, Findings: []parsedFinding{}}
	out.Runs, err = parsers.Read(ctx, p, f, parsers.Options{
		Emit: func(o gate.Observation) {
			out.Findings = append(out.Findings, parsedFinding{o, o.Analysis.IsStatic(), o.Analysis.IsDynamic(), len(o.Files), len(o.RequestResponsePairs)})
		},
		Components: func(c gate.Component) { out.Components = append(out.Components, c) },
	})
	if err != nil {
		return fileError(c.File, err)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return e.Encode(out)
}

// chooseParser returns the parser for a scan type, or for none the one that the
// report is surely or alone for.
func chooseParser(ctx context.Context, f io.ReadSeeker, scanType string) (parsers.Parser, error) {
	if scanType != "" {
		p, ok := all.ByScanType(scanType)
		if !ok {
			return p, gate.Errorf(gate.Invalid, "%q is not a scan type: 'defectdojo-upload scan-types' lists them", scanType)
		}
		return p, nil
	}
	s, err := parsers.NewSample(ctx, f, stream.Limits{})
	if err != nil {
		return parsers.Parser{}, err
	}
	return parsers.Choose(parsers.Detect(all.Parsers, s))
}

// fileError puts the file's name before an error about its content.
func fileError(file string, err error) error {
	kind := gate.KindOf(err)
	return &gate.Error{Kind: kind, Message: filepath.Base(file) + ": " + strings.TrimSpace(err.Error())}
}
