package all

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// small limits keep a hostile input from slowing the tests.
var small = stream.Limits{Bytes: 8 << 20, MemberBytes: 4 << 20, Observations: 20_000}

// check runs p on a report that may be anything and fails on a panic, an
// observation that cannot be stored, or an error without a reason.
func check(t *testing.T, p parsers.Parser, report []byte) {
	t.Helper()
	began := time.Now()
	_, err := parsers.Read(t.Context(), p, bytes.NewReader(report), parsers.Options{Limits: small, Emit: func(o gate.Observation) {
		for _, s := range []string{o.Title, o.Description, o.FilePath, o.ComponentName, o.UniqueID, o.RuleID} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("%s: an observation holds %q", p.ScanType, s)
			}
		}
		if o.Severity < gate.Info || o.Severity > gate.Critical {
			t.Errorf("%s: severity %d", p.ScanType, o.Severity)
		}
	}})
	if err != nil && gate.KindOf(err) == gate.Internal {
		t.Errorf("%s: %v\nreport: %.300q", p.ScanType, err, report)
	}
	if err != nil && !strings.HasPrefix(err.Error(), p.ScanType) && gate.KindOf(err) == gate.Invalid {
		t.Errorf("%s: the error does not name the format: %v", p.ScanType, err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("%s: %s for %d bytes", p.ScanType, d, len(report))
	}
}

// TestMutants runs every parser over damaged copies of its own reports: cut
// short, bits flipped, types swapped, huge numbers, NUL, bytes that are not
// UTF-8, doubled keys. The damage is the same in every run.
func TestMutants(t *testing.T) {
	t.Parallel()
	for name, tool := range byTool() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, report := range reports(name) {
				b, err := os.ReadFile(report)
				if err != nil {
					t.Fatal(err)
				}
				r := rand.New(rand.NewPCG(1, uint64(len(b))))
				for range 20 {
					check(t, parserFor(tool, report), mutant(r, b))
				}
			}
		})
	}
}

// swaps are the replacements of one text in a report by another.
var swaps = [][2]string{
	{`"`, `1`},
	{`: "`, `: ["`},
	{`[`, `{`},
	{`]`, `}`},
	{`{`, `[`},
	{`: `, `: 1e400, "x": `},
	{`null`, `{}`},
	{`true`, `"true"`},
	{`": {`, `": [{`},
	{`": [`, `": null, "y": [`},
	{`1`, `99999999999999999999`},
	{`: `, ": \"\x00\", \"z\": "},
	{`<`, `<<`},
	{`</`, `<`},
	{`="`, `=`},
	{`,`, `;`},
	{"\n", "\n\n"},
	{`e`, "\xff"},
	{`-`, ``},
	{`:`, ``},
	{`/`, `//`},
}

func mutant(r *rand.Rand, b []byte) []byte {
	m := bytes.Clone(b)
	if len(m) == 0 {
		return []byte{byte(r.IntN(256))}
	}
	switch r.IntN(4) {
	case 0:
		return m[:r.IntN(len(m))]
	case 1:
		for range 1 + r.IntN(5) {
			m[r.IntN(len(m))] ^= 1 << r.IntN(8)
		}
		return m
	case 2:
		from := r.IntN(len(m))
		to := from + r.IntN(len(m)-from)
		return append(m[:from:from], m[to:]...)
	}
	s := swaps[r.IntN(len(swaps))]
	at := r.IntN(len(m))
	return append(m[:at:at], bytes.Replace(m[at:], []byte(s[0]), []byte(s[1]), 1+r.IntN(3))...)
}

// FuzzParse gives any bytes to any parser.
func FuzzParse(f *testing.F) {
	for i, p := range Parsers {
		for _, report := range reports(p.Name) {
			if b, err := os.ReadFile(report); err == nil && len(b) < 16<<10 && !strings.HasPrefix(filepath.Base(report), "bad") {
				f.Add(i, b)
				break
			}
		}
	}
	f.Fuzz(func(t *testing.T, i int, b []byte) {
		if i >= 0 && i < len(Parsers) {
			check(t, Parsers[i], b)
		}
	})
}

// FuzzDetect gives any bytes to the detection.
func FuzzDetect(f *testing.F) {
	f.Add([]byte(`{"runs":[{"tool":{}}]}`))
	f.Add([]byte(`<nmaprun><host/></nmaprun>`))
	f.Add([]byte("a,b\n1,2\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := parsers.NewSample(t.Context(), bytes.NewReader(b), small)
		if err == nil {
			parsers.Detect(Parsers, s)
		}
	})
}
