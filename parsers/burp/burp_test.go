package burp

import (
	"os"
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream/streamtest"
)

// BenchmarkParse reads 200 MB of issues, of which half is a response in base64.
func BenchmarkParse(b *testing.B) {
	report, err := os.ReadFile("testdata/many.xml")
	if err != nil {
		b.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(report), "<issue>")
	unit := "<issue>" + rest[:strings.LastIndex(rest, "</issue>")+len("</issue>")]
	unit = strings.ReplaceAll(unit, "SFRUUC8xLjEgNTAwIEVycm9yDQoNCg==", strings.Repeat("SFRUUC8xLjEg", 300))
	r := &streamtest.Repeated{Before: before, Unit: unit, Times: (200 << 20) / len(unit), After: rest[strings.LastIndex(rest, "</issue>")+len("</issue>"):]}
	b.SetBytes(r.Size())
	for b.Loop() {
		n := 0
		_, err := parsers.Read(b.Context(), Parsers[0], r, parsers.Options{Emit: func(gate.Observation) { n++ }})
		if err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
}
