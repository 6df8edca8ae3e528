package vex

import (
	"testing"

	"defectdojo/gate"
)

func FuzzRead(f *testing.F) {
	for _, write := range []func() ([]byte, error){
		func() ([]byte, error) { return OpenVEX(waivers(), findings, author) },
		func() ([]byte, error) { return CycloneDX(waivers(), findings, author) },
	} {
		b, err := write()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte(`{"document":{"csaf_version":"2.0"},"vulnerabilities":[{"cve":"CVE-1","product_status":{"fixed":["a"]}}]}`))
	f.Fuzz(func(t *testing.T, document []byte) {
		ss, err := Read(document)
		if err != nil && gate.KindOf(err) != gate.Invalid {
			t.Errorf("kind of %v", err)
		}
		for _, s := range ss {
			if s.Vulnerability == "" || s.Document == "" {
				t.Errorf("%+v", s)
			}
		}
	})
}
