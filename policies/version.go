package policies

import (
	"strings"

	"github.com/google/osv-scalibr/semantic"
)

// ecosystems are OSV's words for the types of package URLs
// (https://ossf.github.io/osv-schema/#affectedpackage-field).
var ecosystems = map[string]string{
	"npm": "npm", "pypi": "PyPI", "golang": "Go", "maven": "Maven", "gem": "RubyGems", "nuget": "NuGet", "composer": "Packagist", "cargo": "crates.io",
	"apk": "Alpine", "rpm": "Red Hat", "hex": "Hex", "pub": "Pub", "cran": "CRAN", "hackage": "Hackage", "conan": "ConanCenter", "swift": "SwiftURL", "deb": "Debian",
	"bitnami": "Bitnami", "julia": "Julia",
}

// begins are the ecosystems whose versions may begin with a letter.
var begins = map[string]bool{
	"Maven": true, "Red Hat": true, "Rocky Linux": true, "AlmaLinux": true, "SUSE": true, "openSUSE": true, "openEuler": true, "Mageia": true,
}

// ecosystemOf returns the ecosystem of a package URL; blank for one that is not known.
func ecosystemOf(purl string) string {
	kind, _, _ := strings.Cut(strings.TrimPrefix(purl, "pkg:"), "/")
	return ecosystems[strings.ToLower(kind)]
}

// compareVersions compares by the rules of an ecosystem. ok is false if these are
// not known, or one of the two is no version by them: no order is better than a
// wrong one. Equal texts are equal anywhere.
func compareVersions(ecosystem, a, b string) (order int, ok bool) {
	if a == b {
		return 0, true
	}
	a, b = plainVersion(a), plainVersion(b)
	kind, _, _ := strings.Cut(ecosystem, ":")
	if a == "" || b == "" || !begins[kind] && (!isDigit(a[0]) || !isDigit(b[0])) {
		return 0, false
	}
	v, err := semantic.Parse(a, ecosystem)
	if err != nil {
		return 0, false
	}
	order, err = v.CompareStr(b)
	return order, err == nil
}

// plainVersion returns a version without the v that tags begin with; blank for
// what is a range or a name, which some ecosystems' rules would take for one.
func plainVersion(s string) string {
	s = strings.TrimSpace(s)
	if len(s) > 1 && (s[0] == 'v' || s[0] == 'V') && isDigit(s[1]) {
		s = s[1:]
	}
	if !strings.ContainsAny(s, "0123456789") || strings.ContainsAny(s, " \t<>=|,*[]()") {
		return ""
	}
	return s
}

func isDigit(b byte) bool { return b >= '0' && b <= '9' }
