package fortify

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/parsers"
)

// TestMany reads more vulnerabilities than are held, which are then read again:
// they say the same as those of a small report.
func TestMany(t *testing.T) {
	t.Parallel()
	few, many := observe(t, 3), observe(t, maxHeld+1)
	if len(few) != 3 || len(many) != maxHeld+1 {
		t.Fatalf("%d and %d findings", len(few), len(many))
	}
	if diff := cmp.Diff(few, many[:3]); diff != "" {
		t.Errorf("-few +many:\n%s", diff)
	}
	if last := many[maxHeld].Description; !strings.Contains(last, "Text of the request") {
		t.Errorf("the last one's description is %q", last)
	}
}

// observe reads a report with so many vulnerabilities.
func observe(t *testing.T, n int) []gate.Observation {
	t.Helper()
	var fvdl strings.Builder
	fvdl.WriteString(`<FVDL><Vulnerabilities>`)
	for i := range n {
		fmt.Fprintf(&fvdl, `<Vulnerability><ClassInfo><ClassID>A</ClassID><Kingdom>Input</Kingdom><Type>SQL Injection</Type></ClassInfo><InstanceInfo><InstanceID>I%d</InstanceID><InstanceSeverity>4.0</InstanceSeverity><Confidence>5.0</Confidence></InstanceInfo>`+
			`<AnalysisInfo><Unified><Trace><Primary><Entry><Node isDefault="true"><SourceLocation path="shop/%d.java" line="7" lineEnd="7"/></Node></Entry></Primary></Trace></Unified></AnalysisInfo></Vulnerability>`, i, i)
	}
	fvdl.WriteString(`</Vulnerabilities><Description classID="A"><Abstract>Text of the request becomes part of a query.</Abstract></Description></FVDL>`)
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "audit.fvdl"})
	if err == nil {
		_, err = w.Write([]byte(fvdl.String()))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	var found []gate.Observation
	_, err = parsers.Read(t.Context(), Parsers[0], bytes.NewReader(b.Bytes()), parsers.Options{Emit: func(o gate.Observation) { found = append(found, o) }})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
