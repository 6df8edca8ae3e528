package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/policies/render"
)

// output is one fact that a step hands on to those after it.
type output struct{ name, value string }

// outputs are the facts of an answer, for GitHub's steps and GitLab's dotenv
// reports. None has more than one line: nobody can smuggle a second fact into one.
func outputs(a answer, files []output) []output {
	o := []output{{"verdict", verdictWord(a)}, {"exit-code", strconv.Itoa(int(a.ExitCode))}, {"url", a.URL}}
	if a.Verdict != nil {
		o = append(o, output{"verdict-id", a.Verdict.ID})
	}
	o = append(o, files...)
	for i := range o {
		o[i].value = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f {
				return -1
			}
			return r
		}, o[i].value)
	}
	return o
}

// verdictWord is pass, warn, fail, inconclusive, none (nobody was asked) or error.
func verdictWord(a answer) string {
	switch {
	case a.Error != "":
		return "error"
	case a.Verdict == nil:
		return "none"
	case a.Verdict.Overall == gate.Fail && !a.Verdict.Conclusive:
		return "inconclusive"
	}
	return string(a.Verdict.Overall)
}

// tellCI writes the reports that were asked for, and tells GitHub Actions the
// step's outputs and its summary
// (https://docs.github.com/actions/reference/workflow-commands-for-github-actions).
func tellCI(t terminal, dir string, a answer) error {
	files, err := writeReports(dir, a)
	if err != nil {
		return err
	}
	all := outputs(a, files)
	if dir != "" {
		var env strings.Builder
		for _, o := range all[:len(all)-len(files)] {
			fmt.Fprintf(&env, "DD_GATE_%s=%s\n", strings.ToUpper(strings.ReplaceAll(o.name, "-", "_")), o.value)
		}
		if err := os.WriteFile(filepath.Join(dir, "gate.env"), []byte(env.String()), 0o644); err != nil { //nolint:gosec // the CI collects it, maybe as another user
			return err
		}
	}
	if path := t.getenv("GITHUB_OUTPUT"); path != "" {
		err := appendTo(path, func(w io.Writer) error {
			for _, o := range all {
				if _, err := fmt.Fprintf(w, "%s=%s\n", o.name, o.value); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if path := t.getenv("GITHUB_STEP_SUMMARY"); path != "" {
		return appendTo(path, func(w io.Writer) error { return summarize(w, a) })
	}
	return nil
}

// writeReports writes the verdict in every format into dir, and says where.
func writeReports(dir string, a answer) ([]output, error) {
	if dir == "" {
		return nil, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // as above
		return nil, err
	}
	files := []output{{"reports-dir", dir}}
	if a.Verdict == nil {
		return files, nil
	}
	for _, f := range render.Formats {
		path := filepath.Join(dir, f.File)
		w, err := os.Create(path)
		if err != nil {
			return nil, err
		}
		err = f.Do(w, a.Verdict)
		if closed := w.Close(); err == nil {
			err = closed
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		files = append(files, output{f.Name + "-report", path})
	}
	return files, nil
}

// summarize writes what people see on the page of the run.
func summarize(w io.Writer, a answer) error {
	if a.Verdict != nil {
		if err := render.Markdown(w, a.Verdict); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "\n%s\n", a.URL)
		return err
	}
	if a.Error == "" {
		_, err := fmt.Fprintf(w, "%d reports were uploaded; no verdict was asked for.\n", len(a.Reports))
		return err
	}
	_, err := fmt.Fprintf(w, "**The gate gave no verdict** (exit code %d)\n\n    %s\n", a.ExitCode, strings.ReplaceAll(strings.TrimSpace(a.Error), "\n", "\n    "))
	return err
}

func appendTo(path string, write func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644) //nolint:gosec // the runner's own
	if err != nil {
		return err
	}
	err = write(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}
