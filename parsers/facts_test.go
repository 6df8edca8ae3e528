package parsers

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestCVEs compares CVEs with the rule it stands for, as a regular expression.
func TestCVEs(t *testing.T) {
	t.Parallel()
	rule := regexp.MustCompile(`(?i)CVE-\d{4}-\d{4,7}`)
	parts := []string{"CVE-2024-12345", "cve-2024-1234", "Cve-2024-12345678", "CVE-", "-", "2024", "-123", "CVE", "\u017f", " ", ",", "é", "CVE-2024-1234-CVE-2023-99999"}
	r := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		s := ""
		for range r.IntN(8) {
			s += parts[r.IntN(len(parts))]
		}
		want := rule.FindAllString(s, 1000)
		for i := range want {
			want[i] = strings.ToUpper(want[i])
		}
		if diff := cmp.Diff(cleanList(want), CVEs(s)); diff != "" {
			t.Fatalf("CVEs(%q) (-want +got):\n%s", s, diff)
		}
	}
}

func TestParseCVSS(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H":                    "3.1 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		" (CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H) 9.8":             "3.0 CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/":                   "3.1 CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
		"AV:N/AC:L/Au:N/C:P/I:P/A:P":                                      "2.0 AV:N/AC:L/Au:N/C:P/I:P/A:P",
		"(AV:N/AC:L/Au:N/C:P/I:P/A:P)":                                    "2.0 AV:N/AC:L/Au:N/C:P/I:P/A:P",
		"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N": "4.0 CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
		"CVSS:3.1/AV:N/AC:L":                                              " ",
		"AV: network":                                                     " ",
		"CVSS:3.1/AV:X and more":                                          " ",
		"":                                                                " ",
	} {
		c, ok := ParseCVSS(text)
		if got := c.Version + " " + c.Vector; got != want || ok != (want != " ") {
			t.Errorf("ParseCVSS(%q) = %q, %t, want %q", text, got, ok, want)
		}
	}
}

// TestAddVersions compares versions without operators with the expression that
// reads those with some.
func TestAddVersions(t *testing.T) {
	t.Parallel()
	parts := []string{"1.2.3", "2:1.6.4-3+deb9u1", "None", ".", ":", ",", ", ", " ", "\n", "\f", "'", "\"", "|", "||", ";", "é1", "\v", "\u00a0", "]1", ")2"}
	r := rand.New(rand.NewPCG(5, 6))
	for range 20_000 {
		s := ""
		for range r.IntN(8) {
			s += parts[r.IntN(len(parts))]
		}
		want := Fixed(s + " <0") // an operator, but no version
		if got := Fixed(s); got != want {
			t.Fatalf("Fixed(%q) = %q, want %q", s, got, want)
		}
	}
}
