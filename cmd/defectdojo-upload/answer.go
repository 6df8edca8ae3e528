package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/client"
	"defectdojo/policies/render"
)

// answer is what --format json prints.
type answer struct {
	ExitCode  gate.ExitCode  `json:"exit_code"`
	WouldExit *gate.ExitCode `json:"would_exit,omitempty"` // without --exit-zero
	Error     string         `json:"error,omitempty"`
	URL       string         `json:"url,omitempty"`
	Verdict   *gate.Verdict  `json:"verdict,omitempty"`
	Reports   []uploaded     `json:"reports"`
	Spooled   bool           `json:"spooled,omitempty"` // the reports are kept, and sent later
}

// report says how it ended.
func (c *uploadCmd) report(t terminal, reports []uploaded, j *client.Judged, cause error) error {
	a := answer{Reports: append([]uploaded{}, reports...)}
	switch {
	case cause != nil:
		a.ExitCode, a.Error = exitCode(cause), cause.Error()
	case j != nil:
		a.ExitCode, a.URL, a.Verdict = j.Verdict.Exit, j.URL, &j.Verdict
	}
	return c.end(t, a, cause)
}

// end says how it ended, everywhere that was asked for, and ends so.
func (c *uploadCmd) end(t terminal, a answer, cause error) error {
	if a.Verdict != nil && c.StrictWarn {
		a.ExitCode = a.Verdict.ExitStrictly()
	}
	if c.ExitZero && a.ExitCode != gate.ExitPassed && cause == nil {
		would := a.ExitCode
		a.WouldExit, a.ExitCode = &would, gate.ExitPassed
		a.Verdict.Notes = append(a.Verdict.Notes, fmt.Sprintf("exit code 0 was asked for; it would have been %d", would))
	}
	if err := tellCI(t, c.ReportsDir, a); err != nil {
		return err
	}
	if err := c.outputs(a.Verdict); err != nil {
		return err
	}
	if err := c.print(t.stdout, a); err != nil {
		return err
	}
	if cause != nil {
		return cause
	}
	if a.ExitCode != gate.ExitPassed {
		return exitError{a.ExitCode}
	}
	return nil
}

// print writes the answer for people or for programs.
func (c *uploadCmd) print(w io.Writer, a answer) error {
	if c.Format == "json" {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(a)
	}
	if a.Verdict == nil {
		return nil
	}
	fmt.Fprintln(w)
	if err := render.Text(w, a.Verdict); err != nil {
		return err
	}
	if a.URL != "" {
		fmt.Fprintf(w, "\n%s\n", a.URL)
	}
	if a.WouldExit != nil {
		fmt.Fprintf(w, "exit code 0 was asked for; it would have been %d\n", *a.WouldExit)
	}
	return nil
}

// formats are the forms of --output by the ending of the file's name, the
// longest first.
var formats = []struct{ ending, format string }{
	{"gl-code-quality-report.json", "codequality"},
	{"codequality.json", "codequality"},
	{"gl-sast-report.json", "gitlab-sast"},
	{".sarif.json", "sarif"},
	{".sarif", "sarif"},
	{".json", "json"},
	{".xml", "junit"},
	{".md", "markdown"},
	{".html", "html"},
	{".txt", "text"},
}

// formatOf returns the form for a file.
func formatOf(path string) (render.Format, error) {
	name := strings.ToLower(filepath.Base(path))
	i := slices.IndexFunc(formats, func(f struct{ ending, format string }) bool { return strings.HasSuffix(name, f.ending) })
	if i < 0 {
		return render.Format{}, gate.Errorf(gate.Conflict, "--output %s: its ending is none of .json, .sarif, .xml, .md, .html and .txt", path)
	}
	return render.ByName(formats[i].format)
}

// checkOutputs says before anything is sent that a file's form is not known.
func (c *uploadCmd) checkOutputs() error {
	for _, path := range c.Output {
		if _, err := formatOf(path); err != nil && !isStatement(path) {
			return err
		}
	}
	return nil
}

// isStatement tells whether a file is to hold the signed statement, which only
// the server can make.
func isStatement(path string) bool {
	return strings.HasSuffix(path, ".intoto.json") || strings.HasSuffix(path, ".intoto.jsonl")
}

// statements fetches the signed statement into the files that are to hold it.
func (s *session) statements(ctx context.Context, verdict int64) error {
	for _, path := range s.cmd.Output {
		if !isStatement(path) {
			continue
		}
		envelope, err := s.client.Statement(ctx, verdict)
		if err != nil {
			return fmt.Errorf("the verdict's signed statement: %w", err)
		}
		if err := os.WriteFile(path, append(envelope, '\n'), 0o644); err != nil { //nolint:gosec // the CI collects it, maybe as another user
			return err
		}
	}
	return nil
}

// outputs writes the verdict into the files that were asked for.
func (c *uploadCmd) outputs(v *gate.Verdict) error {
	if v == nil {
		return nil
	}
	for _, path := range c.Output {
		if isStatement(path) {
			continue
		}
		f, err := formatOf(path)
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // the CI collects it, maybe as another user
			return err
		}
		w, err := os.Create(path)
		if err != nil {
			return err
		}
		err = f.Do(w, v)
		if closed := w.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
