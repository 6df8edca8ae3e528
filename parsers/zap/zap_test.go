package zap

import (
	"os"
	"strings"
	"testing"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream/streamtest"
)

// BenchmarkParse reads 200 MB of alerts with ten places each, whose HTTP messages are small.
func BenchmarkParse(b *testing.B) {
	report, err := os.ReadFile("testdata/many.xml")
	if err != nil {
		b.Fatal(err)
	}
	before, rest, _ := strings.Cut(string(report), "<site ")
	unit := "<site " + rest[:strings.LastIndex(rest, "</site>")+len("</site>")]
	instance := unit[strings.Index(unit, "<instance>") : strings.Index(unit, "</instance>")+len("</instance>")]
	unit = strings.ReplaceAll(unit, instance, strings.Repeat(instance, 10))
	r := &streamtest.Repeated{Before: before, Unit: unit, Times: (200 << 20) / len(unit), After: rest[strings.LastIndex(rest, "</site>")+len("</site>"):]}
	b.SetBytes(r.Size())
	for b.Loop() {
		n := 0
		_, err := parsers.Read(b.Context(), Parsers[0], r, parsers.Options{Emit: func(gate.Observation) { n++ }})
		if err != nil || n == 0 {
			b.Fatal(n, err)
		}
	}
}
