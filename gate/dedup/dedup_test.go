package dedup

import (
	"encoding/hex"
	"testing"

	"defectdojo/gate"
)

// TestHash checks vectors computed by an independent implementation of
// DefectDojo's rule.
func TestHash(t *testing.T) {
	t.Parallel()
	legacy := Settings{Algorithm: Legacy}
	fields := func(f ...Field) Settings { return Settings{Algorithm: HashCode, Fields: f} }
	tests := []struct {
		name     string
		settings Settings
		o        gate.Observation
		want     string
	}{
		{"legacy_all_set", legacy, gate.Observation{Title: "SQL Injection", CWE: 89, Line: new(12), FilePath: "src/App.java", Description: "Tainted input reaches query"}, "b5df0528c1b8c9c7eca03416d3ebbc85d5d5be3fb6f084abb9ac848c0c9dc62e"},
		{"legacy_nulls", legacy, gate.Observation{Title: "SQL Injection", Description: "x"}, "e67129541cf0e8eb2f6d52a04bfe39b4c48a07a8cba734267a2f3752a375bb42"},
		{"legacy_null_cwe", legacy, gate.Observation{Title: "SQL Injection", Description: "x", NoCWE: true}, "cfd6e5297fdcde710d7e6476d67009902e5446a68e4087a88176b282a91ed1f3"},
		{"service_is_appended", legacy, gate.Observation{Title: "SQL Injection", Description: "x", Service: "Billing"}, "8a4b8ee963655c623575a6365ebaae8c2592062b5d58ebff768a4941a84abec4"},
		{"full_case_folding", fields("title", "severity"), gate.Observation{Title: "Straße İ", Severity: gate.High}, "359bca546a7459848c511d2c204ab98745b65600a57e514cab46e184dbe0dcec"},
		{"outer_white_space_trimmed", fields("title", "description"), gate.Observation{Title: "  A ", Description: " b \n"}, "6e12db73209a66d147a67a15868bdb4b8ae57b884d4731310b62f82a7d67611e"},
		{"lists_sorted", fields("title", "vulnerability_ids", "cwes", "endpoints"), gate.Observation{
			Title: "T", VulnerabilityIDs: []string{"GHSA-b", "CVE-2024-2", "CVE-2024-10", "CVE-2024-2"}, CWE: 79, CWEs: []int{79, 100}, Endpoints: []string{"https://b.example/", "https://a.example/x"},
		}, "58310277cda23210ce26252b4f82a6136c50439322488a594293a9d9626abee1"},
		{"no_separator_a", fields("title", "component_name"), gate.Observation{Title: "ab", ComponentName: "c"}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"no_separator_b", fields("title", "component_name"), gate.Observation{Title: "a", ComponentName: "bc"}, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
		{"needs_cwe_falls_back", Settings{Algorithm: HashCode, Fields: []Field{"title"}, NeedsCWE: true}, gate.Observation{Title: "SQL Injection", Description: "x"}, "e67129541cf0e8eb2f6d52a04bfe39b4c48a07a8cba734267a2f3752a375bb42"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sum := NewHasher(tt.settings).Hash(&tt.o)
			if got := hex.EncodeToString(sum[:]); got != tt.want {
				t.Errorf("Hash = %s, want %s", got, tt.want)
			}
		})
	}
}

func TestSameEndpoints(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		a, b []string
		want bool
	}{
		{"none", nil, nil, true},
		{"one_side_only", []string{"http://a.example/x"}, nil, false},
		{"host_and_path", []string{"http://a.example/x?q=1"}, []string{"https://a.example:8443/x"}, true},
		{"other_path", []string{"http://a.example/x"}, []string{"http://a.example/y"}, false},
		{"any_pair", []string{"http://a.example/x", "b.example"}, []string{"b.example:80", "http://c.example"}, true},
		{"only_hosts_in_common", []string{"http://a.example/x"}, []string{"a.example"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if got := SameEndpoints(EndpointKey(tt.a), EndpointKey(tt.b)); got != tt.want {
				t.Errorf("SameEndpoints(%v, %v) = %v, want %v", tt.a, tt.b, got, tt.want)
			}
		})
	}
}

// TestBuiltin fails when a built-in setting is not valid, or the table was lost.
func TestBuiltin(t *testing.T) {
	t.Parallel()
	if got := For("Trivy Scan"); got.Algorithm != HashCode || len(got.Fields) == 0 {
		t.Errorf("Trivy Scan: %+v", got)
	}
	if got := For("Somebody's own scan"); got.Algorithm != Legacy {
		t.Errorf("an unknown scan type: %+v, want legacy", got)
	}
	for name, s := range builtin {
		if err := s.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
