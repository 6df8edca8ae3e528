package parsers

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

func TestRank(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]gate.Severity{"1": gate.Info, "2": gate.Low, "3\n": gate.Medium, "4": gate.High, "5": gate.Critical, "6": gate.Critical, "0": gate.Info, "": gate.Info, "high": gate.Info} {
		if got := Rank(text, 1); got != want {
			t.Errorf("Rank(%q, 1) = %s, want %s", text, got, want)
		}
	}
	if got := Rank("4", 0); got != gate.Critical {
		t.Errorf("Rank(4, 0) = %s", got)
	}
}

func TestLevel(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]gate.Severity{"ERROR": gate.High, "warning": gate.Medium, "Warn": gate.Medium, "note": gate.Low, "info": gate.Low} {
		if got, ok := Level(word); got != want || !ok {
			t.Errorf("Level(%q) = %s, %t, want %s", word, got, ok, want)
		}
	}
	if got, ok := Level("style"); ok || got != gate.Info {
		t.Errorf("Level(style) = %s, %t", got, ok)
	}
}

func TestSetCWEs(t *testing.T) {
	t.Parallel()
	o := gate.Observation{NoCWE: true}
	SetCWEs(&o, "none", "")
	if o.CWE != 0 || !o.NoCWE || o.CWEs != nil {
		t.Errorf("of none: %+v", o)
	}
	SetCWEs(&o, stream.Text("CWE-79: Cross-site Scripting"), "89", "cwe-79")
	if diff := cmp.Diff([]int{79, 89}, o.CWEs); diff != "" || o.CWE != 79 || o.NoCWE {
		t.Errorf("CWE %d, none %t, all (-want +got):\n%s", o.CWE, o.NoCWE, diff)
	}
}

func TestDigest(t *testing.T) {
	t.Parallel()
	const want = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" // FIPS 180-2, B.1
	if got := Digest("a", "bc"); got != want {
		t.Errorf("Digest = %s", got)
	}
}
