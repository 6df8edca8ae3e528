package all

import (
	"bytes"
	"encoding/json"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
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
// observation that cannot be stored, an error without a reason, or a report that
// is half read: an error that comes with runs, or runs that miscount. It returns
// why the report was not read.
func check(t *testing.T, p parsers.Parser, report []byte) error {
	t.Helper()
	began, emitted := time.Now(), 0
	runs, err := parsers.Read(t.Context(), p, bytes.NewReader(report), parsers.Options{Limits: small, Emit: func(o gate.Observation) {
		emitted++
		for _, s := range []string{o.Title, o.Description, o.FilePath, o.ComponentName, o.UniqueID, o.RuleID} {
			if !utf8.ValidString(s) || strings.ContainsRune(s, 0) {
				t.Errorf("%s: an observation holds %q", p.ScanType, s)
			}
		}
		if o.Severity < gate.Info || o.Severity > gate.Critical {
			t.Errorf("%s: severity %d", p.ScanType, o.Severity)
		}
	}})
	switch {
	case err == nil:
		counted := 0
		for _, r := range runs {
			counted += r.Count
		}
		if counted != emitted {
			t.Errorf("%s: runs of %d observations, %d came", p.ScanType, counted, emitted)
		}
	case gate.KindOf(err) == gate.Internal:
		t.Errorf("%s: %v\nreport: %.300q", p.ScanType, err, report)
	case gate.KindOf(err) == gate.Invalid && len(err.Error()) < len(p.ScanType)+len(": why"), !strings.HasPrefix(err.Error(), p.ScanType):
		t.Errorf("%s: the error does not name the format and the reason: %v", p.ScanType, err)
	case runs != nil:
		t.Errorf("%s: an error, and runs: %v", p.ScanType, err)
	}
	if d := time.Since(began); d > 5*time.Second {
		t.Errorf("%s: %s for %d bytes", p.ScanType, d, len(report))
	}
	return err
}

// Of each report in testdata so many damaged copies are read, and of all reports
// together at least so many.
const (
	mutantsEach = 27
	mutantsAll  = 12_000
)

// TestMutants runs every parser over damaged copies of its own reports: cut
// short, bits flipped, bytes left out, types swapped, huge numbers, NUL, bytes
// that are not UTF-8, doubled keys. The damage is the same in every run. A JSON
// or XML report that is cut short must fail.
func TestMutants(t *testing.T) {
	t.Parallel()
	var mutants, refused, placed atomic.Int64
	t.Run("of", func(t *testing.T) {
		t.Parallel()
		for name, tool := range byTool() {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				for _, report := range reports(name) {
					b, err := os.ReadFile(report)
					if err != nil {
						t.Fatal(err)
					}
					p, end := parserFor(tool, report), endOf(b)
					r := rand.New(rand.NewPCG(1, uint64(len(b))))
					for i := range mutantsEach {
						kind := kinds[i%len(kinds)]
						m := kind(r, b)
						err := check(t, p, m)
						if err == nil && i%len(kinds) == 0 && len(m) > 0 && len(m) < end { // of nothing left, some tools make a report
							t.Errorf("%s: read %d of %d bytes of %s", p.ScanType, len(m), len(b), report)
						}
						mutants.Add(1)
						if err != nil {
							refused.Add(1)
						}
						if err != nil && place.MatchString(err.Error()) {
							placed.Add(1)
						}
					}
				}
			})
		}
	})
	t.Cleanup(func() {
		t.Logf("%d mutants, %d refused with a reason, %d of them with a place within the report", mutants.Load(), refused.Load(), placed.Load())
		if n := mutants.Load(); testing.CoverMode() == "" && n < mutantsAll && !strings.Contains(flag.Lookup("test.run").Value.String(), "/") {
			t.Errorf("%d mutants, want %d", n, mutantsAll)
		}
	})
}

// place is where in the report an error is; others are about the whole of it.
var place = regexp.MustCompile(`: (?:[^:]+: )?(?:line \d+|byte \d+|\()`)

// endOf returns the offset before which a report is surely cut short: that of
// the last byte of a JSON value, of the end of an XML root; else 0.
func endOf(b []byte) int {
	trimmed := bytes.TrimRight(b, " \t\r\n")
	switch {
	case json.Valid(b) && strings.ContainsRune("{[", rune(bytes.TrimSpace(b)[0])):
		return len(trimmed)
	case bytes.HasPrefix(b, []byte("<?xml")) && !bytes.Contains(bytes.ToLower(b), []byte("<html")):
		return bytes.LastIndexByte(b, '<')
	}
	return 0
}

// kinds are the ways of damage, cutting short first.
var kinds = []func(r *rand.Rand, b []byte) []byte{
	func(r *rand.Rand, b []byte) []byte { // cut short
		return bytes.Clone(b[:r.IntN(len(b)+1)])
	},
	func(r *rand.Rand, b []byte) []byte { // bits flipped
		m := bytes.Clone(b)
		for range 1 + r.IntN(5) {
			if len(m) > 0 {
				m[r.IntN(len(m))] ^= 1 << r.IntN(8)
			}
		}
		return m
	},
	func(r *rand.Rand, b []byte) []byte { // bytes left out
		from := r.IntN(len(b) + 1)
		to := from + r.IntN(len(b)-from+1)
		return slices.Concat(b[:from], b[to:])
	},
	swap(`"`, `1`, `: "`, `: ["`, `[`, `{`, `]`, `}`, `{`, `[`, `null`, `{}`, `true`, `"true"`, `": {`, `": [{`, `": [`, `": null, "y": [`), // other types
	swap(`: `, `: 1e400, "x": `, `1`, `99999999999999999999`, `0`, `-1`, `:`, `:-9e999,"x":`),                                               // huge numbers
	swap(`: `, ": \"\x00\", \"z\": ", `e`, "\x00", `>`, ">\x00", `,`, ",\x00"),                                                              // NUL
	swap(`e`, "\xff", `a`, "\xc3", `"`, "\"\xed\xa0\x80", `>`, ">\xfe"),                                                                     // not UTF-8
	func(r *rand.Rand, b []byte) []byte { // doubled keys
		keys := key.FindAllIndex(b, 500)
		if len(keys) == 0 {
			return slices.Concat(b, b)
		}
		k := keys[r.IntN(len(keys))]
		return slices.Concat(b[:k[0]], b[k[0]:k[1]], []byte(` 1, `), b[k[0]:])
	},
	swap(`<`, `<<`, `</`, `<`, `="`, `=`, `,`, `;`, "\n", "\n\n", `-`, ``, `:`, ``, `/`, `//`), // marks
}

// key is one of a JSON object, with its colon.
var key = regexp.MustCompile(`"[\w$@ .-]{1,60}"\s*:`)

// swap replaces one text by another, after a place in the report: pairs of them.
func swap(pairs ...string) func(r *rand.Rand, b []byte) []byte {
	return func(r *rand.Rand, b []byte) []byte {
		i, at := 2*r.IntN(len(pairs)/2), r.IntN(len(b)+1)
		return slices.Concat(b[:at], bytes.Replace(b[at:], []byte(pairs[i]), []byte(pairs[i+1]), 1+r.IntN(3)))
	}
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
