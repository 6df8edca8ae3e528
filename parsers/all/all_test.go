package all

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

var update = flag.Bool("update", false, "rewrite the .golden files")

// reports lists a folder's own reports.
func reports(name string) []string {
	files, _ := filepath.Glob(filepath.Join("..", name, "testdata", "*"))
	return slices.DeleteFunc(files, func(s string) bool {
		info, err := os.Stat(s)
		return err != nil || info.IsDir() || strings.HasSuffix(s, ".golden")
	})
}

// parserFor returns the parser that a report in testdata is for. A tool with
// several scan types names the one in the report's name, before "__", as its
// position in the tool's list: "2__many.json". Without it, it is the first.
func parserFor(tool []parsers.Parser, report string) parsers.Parser {
	if n, _, ok := strings.Cut(filepath.Base(report), "__"); ok && len(n) == 1 && n[0] >= '1' && int(n[0]-'0') <= len(tool) {
		return tool[n[0]-'1']
	}
	return tool[0]
}

// byTool groups Parsers by folder.
func byTool() map[string][]parsers.Parser {
	m := map[string][]parsers.Parser{}
	for _, p := range Parsers {
		m[p.Name] = append(m[p.Name], p)
	}
	return m
}

// golden is what a .golden file holds.
type golden struct {
	Runs       []gate.Run         `json:"runs"`
	Components []gate.Component   `json:"components,omitempty"`
	Findings   []gate.Observation `json:"findings"`
}

// TestGolden reads every report under parsers/NAME/testdata with its parser and
// compares what comes out with REPORT.golden beside it. A report whose name
// starts with "bad" must fail; its golden file holds the error's text.
func TestGolden(t *testing.T) {
	t.Parallel()
	for name, tool := range byTool() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found := reports(name)
			if len(found) == 0 {
				t.Fatalf("no report in parsers/%s/testdata", name)
			}
			for _, report := range found {
				t.Run(filepath.Base(report), func(t *testing.T) { compare(t, parserFor(tool, report), report) })
			}
		})
	}
}

func compare(t *testing.T, p parsers.Parser, report string) {
	f, err := os.Open(report)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()

	var g golden
	g.Runs, err = parsers.Read(t.Context(), p, f, parsers.Options{
		Now:        time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Emit:       func(o gate.Observation) { g.Findings = append(g.Findings, o) },
		Components: func(c gate.Component) { g.Components = append(g.Components, c) },
	})
	bad := strings.Contains(filepath.Base(report), "bad")
	if (err != nil) != bad {
		t.Fatalf("Parse: error %v, want an error: %t", err, bad)
	}
	if err != nil && gate.KindOf(err) == gate.Internal {
		t.Fatalf("a parser's panic: %v", err)
	}
	var got []byte
	if bad {
		got = []byte(err.Error() + "\n")
	} else {
		var b bytes.Buffer
		e := json.NewEncoder(&b)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		if err := e.Encode(g); err != nil {
			t.Fatal(err)
		}
		got = b.Bytes()
	}
	if *update {
		if err := os.WriteFile(report+".golden", got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(report + ".golden")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", report, diff)
	}
}

// TestKinds fails when a parser has not the four kinds of report that each needs
// in testdata: several findings ("many…"), one ("one…"), none ("none…" or
// "no_…"), and one cut short or of another format ("bad…").
func TestKinds(t *testing.T) {
	t.Parallel()
	for name := range byTool() {
		names := ""
		for _, r := range reports(name) {
			_, n, ok := strings.Cut(filepath.Base(r), "__")
			if !ok {
				n = filepath.Base(r)
			}
			names += " " + n
		}
		for _, kind := range []string{" many", " one", " no", " bad"} {
			if !strings.Contains(names, kind) {
				t.Errorf("parsers/%s/testdata: no report whose name begins with %q, only:%s", name, kind[1:], names)
			}
		}
	}
}

// TestListed fails when a parser's folder is not in Parsers, the list is not
// sorted, or a parser does not say what a user needs to know.
func TestListed(t *testing.T) {
	t.Parallel()
	dirs, err := filepath.Glob("../*/testdata")
	if err != nil {
		t.Fatal(err)
	}
	var folders, names []string
	for _, d := range dirs {
		if name := filepath.Base(filepath.Dir(d)); name != "stream" {
			folders = append(folders, name)
		}
	}
	seen := map[string]bool{}
	for _, p := range Parsers {
		names = append(names, p.Name)
		if p.ScanType == "" || p.Files == "" || p.Command == "" || p.URL == "" || p.Detect == nil || p.Parse == nil {
			t.Errorf("%s %q: a field is missing", p.Name, p.ScanType)
		}
		if seen[p.ScanType] {
			t.Errorf("scan type %q is listed twice", p.ScanType)
		}
		seen[p.ScanType] = true
	}
	if diff := cmp.Diff(folders, slices.Compact(names)); diff != "" {
		t.Errorf("folders and Parsers differ (-folder +listed):\n%s", diff)
	}
}

// TestDetectOwn fails when a parser does not recognise its own reports, or
// another is surer of them.
func TestDetectOwn(t *testing.T) {
	t.Parallel()
	for name, tool := range byTool() {
		for _, report := range reports(name) {
			if strings.Contains(filepath.Base(report), "bad") {
				continue
			}
			f, err := os.Open(report)
			if err != nil {
				t.Fatal(err)
			}
			s, err := parsers.NewSample(t.Context(), f, stream.Limits{})
			f.Close()
			if err != nil {
				t.Fatal(err)
			}
			p := parserFor(tool, report)
			found := parsers.Detect(Parsers, s)
			at := slices.IndexFunc(found, func(c parsers.Candidate) bool { return c.Parser.ScanType == p.ScanType })
			switch {
			case s.Format == parsers.Empty || strings.Contains(filepath.Base(report), "undetectable"):
			case at < 0:
				t.Errorf("%s does not look like %q", report, p.ScanType)
			case found[0].Likeness == parsers.Sure && found[at].Likeness < parsers.Sure && found[0].Parser.Name != p.Name:
				t.Errorf("%s: %q is sure that it is its own, %q is not", report, found[0].Parser.ScanType, p.ScanType)
			}
		}
	}
}
