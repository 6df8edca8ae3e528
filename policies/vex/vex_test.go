package vex

import (
	"slices"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
	"defectdojo/policies"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

const log4j = "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1"

func waivers() []gate.Waiver {
	w := func(id string, m gate.WaiverMatch, j gate.Justification) gate.Waiver {
		return gate.Waiver{ID: id, Match: m, Justification: j, Reason: "because of " + id, ValidFrom: noon.AddDate(0, 0, -1), Expires: noon.AddDate(0, 0, 9)}
	}
	out := []gate.Waiver{
		w("W-1", gate.WaiverMatch{Vulnerability: "CVE-2021-44228", PURL: "pkg:maven/org.apache.logging.log4j/log4j-core"}, gate.VulnerableCodeNotInPath),
		w("W-2", gate.WaiverMatch{Fingerprint: "fp-2"}, ""),
		w("W-3", gate.WaiverMatch{Vulnerability: "CVE-2020-1", PURL: "pkg:npm/%40a/b@1"}, gate.ComponentNotPresent),
		w("W-4", gate.WaiverMatch{Rule: "sqli", Path: "a/**"}, ""), // of no vulnerability: not for VEX
		w("W-5", gate.WaiverMatch{Vulnerability: "CVE-2020-2", PURL: "pkg:npm/gone"}, gate.InlineMitigationsExist),
	}
	out[4].Expires = noon
	return out
}

var findings = []policies.Finding{
	{ID: 1, Fingerprint: "fp-1", Vulnerabilities: []string{"CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q"}, PURL: log4j},
	{ID: 2, Fingerprint: "fp-2", Vulnerabilities: []string{"CVE-2019-10744"}, PURL: "pkg:npm/lodash@4.17.11"},
	{ID: 3, Fingerprint: "fp-3", Rule: "sqli", Path: "a/b.go"},
}

var author = Author{Name: "Example <security@example.org>", Product: "Payments API", Now: noon}

// TestRoundTrip writes waivers and reads them back, in both forms.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for name, write := range map[string]func([]gate.Waiver, []policies.Finding, Author) ([]byte, error){"openvex": OpenVEX, "cyclonedx": CycloneDX} {
		doc, err := write(waivers(), findings, author)
		if err != nil {
			t.Fatal(err)
		}
		again, err := write(waivers(), findings, author)
		if err != nil || string(again) != string(doc) {
			t.Errorf("%s: not the same twice: %v", name, err)
		}
		got, err := Read(doc)
		if err != nil {
			t.Fatal(err)
		}
		of := []string{"pkg:generic/payments-api"}
		want := []gate.VEXStatement{
			{Of: of, Vulnerability: "CVE-2019-10744", Products: []string{"pkg:npm/lodash@4.17.11"}, Status: gate.VEXAffected, ActionStatement: "Risk accepted until 2026-12-01: because of W-2"},
			{Of: of, Vulnerability: "CVE-2020-1", Products: []string{"pkg:npm/%40a/b@1"}, Status: gate.VEXNotAffected, Justification: gate.ComponentNotPresent, ImpactStatement: "because of W-3"},
			{Of: of, Vulnerability: "CVE-2021-44228", Aliases: []string{"GHSA-jfh8-c2jp-5v3q"}, Products: []string{log4j}, Status: gate.VEXNotAffected, Justification: gate.VulnerableCodeNotInPath, ImpactStatement: "because of W-1"},
		}
		if name == "cyclonedx" {
			want[0].ImpactStatement, want[0].ActionStatement = "because of W-2", "will_not_fix"
		}
		for i := range want {
			want[i].Document, want[i].Author, want[i].At = policies.Digest(doc), author.Name, noon
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s\n%s", name, d, doc)
		}
	}
}

// TestSupportsWaivers: what is exported supports the waiver that it came from.
func TestSupportsWaivers(t *testing.T) {
	t.Parallel()
	doc, err := OpenVEX(waivers(), findings, author)
	if err != nil {
		t.Fatal(err)
	}
	ss, err := Read(doc)
	if err != nil {
		t.Fatal(err)
	}
	w := waivers()[0]
	if !slices.ContainsFunc(ss, func(s gate.VEXStatement) bool { return policies.Supports(&s, &w, &findings[0]) }) {
		t.Errorf("nothing supports %+v", w)
	}
	if slices.ContainsFunc(ss, func(s gate.VEXStatement) bool { return policies.Supports(&s, &w, &findings[1]) }) {
		t.Error("an accepted risk is no evidence")
	}
}

func TestReadOthers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		doc  string
		want gate.VEXStatement
	}{
		"openvex_of_a_whole_product": {
			`{"@context":"https://openvex.dev/ns/v0.2.0","@id":"x","author":"a","timestamp":"2026-01-01T00:00:00Z","version":1,"statements":[
			{"vulnerability":{"@id":"https://nvd.nist.gov/vuln/detail/CVE-2023-1"},"products":[{"@id":"https://x","identifiers":{"purl":"pkg:npm/a@1"}}],"status":"fixed"}]}`,
			gate.VEXStatement{Author: "a", At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Vulnerability: "CVE-2023-1", Products: []string{"pkg:npm/a@1"}, Status: gate.VEXFixed},
		},
		"openvex_old": {
			`{"@context":"https://openvex.dev/ns","@id":"x","author":"a","version":"1","statements":[{"vulnerability":"CVE-2023-1","products":["pkg:npm/a@1"],"status":"not_affected","justification":"component_not_present"}]}`,
			gate.VEXStatement{Author: "a", Vulnerability: "CVE-2023-1", Products: []string{"pkg:npm/a@1"}, Status: gate.VEXNotAffected, Justification: gate.ComponentNotPresent},
		},
		"cyclonedx_by_reference": {
			`{"bomFormat":"CycloneDX","specVersion":"1.5","components":[{"type":"library","name":"a","components":[{"bom-ref":"r1","name":"b","purl":"pkg:npm/b@2"}]}],"vulnerabilities":[
			{"id":"CVE-1","affects":[{"ref":"r1"},{"ref":"urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1#pkg:npm/c%401"}],"analysis":{"state":"false_positive","justification":"protected_at_runtime"}},{"id":"CVE-2"}]}`,
			gate.VEXStatement{Vulnerability: "CVE-1", Products: []string{"pkg:npm/b@2", "pkg:npm/c@1"}, Status: gate.VEXNotAffected, Justification: gate.InlineMitigationsExist},
		},
		"csaf": {
			`{"document":{"csaf_version":"2.0","category":"csaf_vex","publisher":{"name":"Red Hat"},"tracking":{"current_release_date":"2026-02-01T00:00:00Z"}},
			"product_tree":{"branches":[{"branches":[{"product":{"product_id":"P","product_identification_helper":{"purl":"pkg:rpm/redhat/x@1"}}}]}],"relationships":[{"full_product_name":{"product_id":"RHEL:P"},"product_reference":"P","relates_to_product_reference":"RHEL"}]},
			"vulnerabilities":[{"cve":"CVE-2023-1","flags":[{"label":"vulnerable_code_not_present","product_ids":["RHEL:P"]}],"product_status":{"known_not_affected":["RHEL:P","unnamed"]},"threats":[{"category":"impact","details":"none"}]}]}`,
			gate.VEXStatement{Author: "Red Hat", At: time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC), Vulnerability: "CVE-2023-1", Products: []string{"pkg:rpm/redhat/x@1"}, Status: gate.VEXNotAffected, Justification: gate.VulnerableCodeNotPresent, ImpactStatement: "none"},
		},
	} {
		got, err := Read([]byte(tc.doc))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		tc.want.Document = policies.Digest([]byte(tc.doc))
		if d := cmp.Diff([]gate.VEXStatement{tc.want}, got); d != "" {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	for name, doc := range map[string]string{
		"not_json": "<x/>", "something_else": `{"a":1}`, "no_vulnerability": `{"@context":"https://openvex.dev/ns","statements":[{"status":"fixed"}]}`,
		"bad_status": `{"@context":"https://openvex.dev/ns","statements":[{"vulnerability":"CVE-1","status":"fine"}]}`,
		"bad_state":  `{"bomFormat":"CycloneDX","vulnerabilities":[{"id":"CVE-1","analysis":{"state":"fine"}}]}`,
		"no_id":      `{"document":{"csaf_version":"2.0"},"vulnerabilities":[{}]}`,
		"cut_short":  `{"bomFormat":"CycloneDX","vulnerabilities":[`,
	} {
		if _, err := Read([]byte(doc)); gate.KindOf(err) != gate.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read([]byte(strings.Repeat(" ", MaxDocument+1))); gate.KindOf(err) != gate.TooLarge {
		t.Errorf("too long: %v", err)
	}
}

func TestRequest(t *testing.T) {
	t.Parallel()
	s := gate.VEXStatement{Document: "sha256:a", Vulnerability: "CVE-1", Products: []string{"pkg:npm/a"}, Status: gate.VEXNotAffected, Justification: gate.ComponentNotPresent}
	w, ok := Request(&s, "dev", noon, noon.AddDate(0, 1, 0))
	w.ID = "W"
	if err := policies.CheckWaiver(&w); !ok || err != nil || len(w.ApprovedBy) != 0 || w.Evidence[0] != "sha256:a" {
		t.Errorf("%+v, %v", w, err)
	}
	s.Status = gate.VEXAffected
	if _, ok := Request(&s, "dev", noon, noon); ok {
		t.Error("made of a statement that something is affected")
	}
}
