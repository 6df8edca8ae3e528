package parsers

import "testing"

func TestPURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ kind, name, version, want string }{
		{"npm", "lodash", "4.17.11", "pkg:npm/lodash@4.17.11"},
		{"npm", "@babel/core", "7.0.0", "pkg:npm/%40babel/core@7.0.0"},
		{"maven", "org.apache.logging.log4j:log4j-core", "2.13.2", "pkg:maven/org.apache.logging.log4j/log4j-core@2.13.2"},
		{"PyPI", "Typing_Extensions", "4.0", "pkg:pypi/typing-extensions@4.0"},
		{"golang", "golang.org/x/net", "v0.1.0", "pkg:golang/golang.org/x/net@v0.1.0"},
		{"deb", "debian/curl", "7.50.3-1+deb9u1", "pkg:deb/debian/curl@7.50.3-1%2Bdeb9u1"},
		{"cargo", "time", "", "pkg:cargo/time"},
		{"", "time", "1", ""},
		{"npm", " ", "1", ""},
	} {
		if got := PURL(c.kind, c.name, c.version); got != c.want {
			t.Errorf("PURL(%q, %q, %q) = %q, want %q", c.kind, c.name, c.version, got, c.want)
		}
	}
}

func TestSplitPURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ purl, kind, name, version string }{
		{"pkg:npm/%40babel/core@7.0.0", "npm", "@babel/core", "7.0.0"},
		{"pkg:deb/debian/curl@7.50.3-1%2Bdeb9u1?arch=i386&distro=jessie#x", "deb", "debian/curl", "7.50.3-1+deb9u1"},
		{"pkg:pypi/django", "pypi", "django", ""},
		{"django", "", "", ""},
		{"pkg:npm", "", "", ""},
	} {
		if kind, name, version := SplitPURL(c.purl); kind != c.kind || name != c.name || version != c.version {
			t.Errorf("SplitPURL(%q) = %q, %q, %q", c.purl, kind, name, version)
		}
	}
}
