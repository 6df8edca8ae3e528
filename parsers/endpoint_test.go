package parsers

import "testing"

func TestEndpoint(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"":                               "",
		"   ":                            "",
		"https://Example.ORG/A?b=C#d":    "https://example.org/A?b=C#d",
		"HTTP://example.org:80/":         "http://example.org",
		"https://example.org:443":        "https://example.org",
		"https://example.org:8443/":      "https://example.org:8443",
		"example.org":                    "example.org",
		"example.org:443":                "example.org:443",
		"//example.org/a":                "example.org/a",
		"example.org/a/b":                "example.org/a/b",
		"https://user:pw@example.org/a":  "https://user:pw@example.org/a",
		"http://192.0.2.7:80/a":          "http://192.0.2.7/a",
		"http://[2001:DB8::1]:8080/":     "http://[2001:db8::1]:8080",
		"2001:db8:0::1":                  "[2001:db8::1]",
		"http://bücher.example/":         "http://xn--bcher-kva.example",
		"http://under_score.example.org": "http://under_score.example.org",
		"https://example.org/a b\"<x>`":  "https://example.org/a%20b%22%3Cx%3E%60",
		"https://example.org/%c3%a9":     "https://example.org/%C3%A9",
		"https://example.org/100%":       "https://example.org/100%",
		"https://example.org//a//b":      "https://example.org/a//b",
		"https://example.org?a=/":        "https://example.org?a=/",
		"ssh://example.org:22":           "ssh://example.org",
		"tcp://example.org:22":           "tcp://example.org:22",
		"/a/path":                        "",
		"https://":                       "",
		"https:///a":                     "",
		"/http://example.org":            "",
		"not a scheme://example.org":     "",
		"git+ssh://example.org/a":        "git+ssh://example.org/a",
		"https://example.org:notaport/a": "https://example.org:notaport/a",
	} {
		if got := Endpoint(raw); got != want {
			t.Errorf("Endpoint(%q) = %q, want %q", raw, got, want)
		}
		if got := Endpoint(Endpoint(raw)); got != want {
			t.Errorf("Endpoint twice of %q = %q, want %q", raw, got, want)
		}
	}
}

func TestHostPort(t *testing.T) {
	t.Parallel()
	for _, c := range [][4]string{
		{"tcp", "Example.org", "8080", "tcp://example.org:8080"},
		{"https", "example.org", "443", "https://example.org"},
		{"", "example.org", "443", "example.org:443"},
		{"", "example.org", "", "example.org"},
		{"TCP", "192.0.2.7", "0", "tcp://192.0.2.7"},
		{"udp", "2001:db8::1", "53", "udp://[2001:db8::1]:53"},
		{"udp", "[2001:db8::1]", "53", "udp://[2001:db8::1]:53"},
		{"tcp", "2001:db8::1", "", "tcp://[2001:db8::1]"},
		{"tcp", "example.org", "99999", "tcp://example.org"},
		{"tcp", "example.org", "-1", "tcp://example.org"},
		{"tcp", "example.org", "http", "tcp://example.org"},
		{"tcp", " ", "80", ""},
	} {
		if got := HostPort(c[0], c[1], c[2]); got != c[3] {
			t.Errorf("HostPort(%q, %q, %q) = %q, want %q", c[0], c[1], c[2], got, c[3])
		}
	}
}

func FuzzEndpoint(f *testing.F) {
	for _, s := range []string{"https://example.org:443/a?b#c", "[::1]:80", "a@b", "http://%zz/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := Endpoint(s)
		if once != "" && Endpoint(once) == "" {
			t.Errorf("Endpoint(%q) = %q, of which the Endpoint is nothing", s, once)
		}
	})
}
