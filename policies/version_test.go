package policies

import (
	"strings"
	"testing"
)

// TestCompareVersions goes by the examples of the documents that each ecosystem
// says its order in. Each line is in order; = stands between equals.
func TestCompareVersions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ ecosystem, source, order string }{
		{"npm", "https://semver.org/#spec-item-11", "1.0.0-alpha < 1.0.0-alpha.1 < 1.0.0-alpha.beta < 1.0.0-beta < 1.0.0-beta.2 < 1.0.0-beta.11 < 1.0.0-rc.1 < 1.0.0 < 2.0.0 < 2.1.0 < 2.1.1 < 2.1.10"},
		{"npm", "https://semver.org/#spec-item-10", "1.0.0+build1 = 1.0.0+build2"},
		{"Go", "https://go.dev/ref/mod#versions", "v0.0.0-20190101000000-abcdefabcdef < v0.9.1 < v1.2.3-pre < v1.2.3 < v1.2.4-0.20191109021931-daa7c04131f5 < v1.2.4 < v2.0.0+incompatible"},
		{"crates.io", "https://doc.rust-lang.org/cargo/reference/semver.html", "0.1.0-alpha < 0.1.0 < 0.1.1 < 0.2.0 < 1.0.0"},
		{"PyPI", "https://peps.python.org/pep-0440/#summary-of-permitted-suffixes-and-relative-ordering", "1.dev0 < 1.0.dev456 < 1.0a1 < 1.0a2.dev456 < 1.0a12.dev456 < 1.0a12 < 1.0b1.dev456 < 1.0b2 < 1.0b2.post345.dev456 < 1.0b2.post345 < 1.0rc1.dev456 < 1.0rc1 < 1.0 < 1.0+abc.5 < 1.0+abc.7 < 1.0+5 < 1.0.post456.dev34 < 1.0.post456 < 1.0.15 < 1.1.dev1"},
		{"PyPI", "https://peps.python.org/pep-0440/#version-epochs", "2014.04 < 1!1.0 < 1!2.0"},
		{"Maven", "https://maven.apache.org/pom.html#version-order-specification", "1-alpha < 1-beta < 1-milestone < 1-rc < 1-SNAPSHOT < 1 < 1-sp < 1-foo < 1-1 < 1.1"},
		{"Maven", "https://maven.apache.org/pom.html#version-order-specification", "1 = 1.0 = 1.0.0 = 1-ga = 1-final"},
		{"RubyGems", "https://docs.ruby-lang.org/en/master/Gem/Version.html", "1.0.a.2 < 1.0.b1 < 1.0 < 1.0.1.a < 1.0.1 < 1.0.10"},
		{"NuGet", "https://learn.microsoft.com/nuget/concepts/package-versioning", "1.0.1-alpha < 1.0.1-alpha10 < 1.0.1-alpha2 < 1.0.1-beta < 1.0.1-open < 1.0.1-rc < 1.0.1-zzz < 1.0.1 < 1.0.1.1 < 1.0.10"},
		{"Packagist", "https://www.php.net/manual/en/function.version-compare.php", "5.2-dev < 5.2-alpha1 < 5.2-beta1 < 5.2-RC1 < 5.2 < 5.2-pl1"},
		{"Debian", "https://www.debian.org/doc/debian-policy/ch-controlfields.html#version", "1.0~~ < 1.0~~a < 1.0~ < 1.0 < 1.0-1 < 1.0-1+b1 < 1.0a < 1.0.1 < 1:0.9"},
		{"Debian:12", "https://www.debian.org/doc/debian-policy/ch-controlfields.html#version", "2.36-9+deb12u9 < 2.36-9+deb12u10"},
		{"Ubuntu:22.04", "https://www.debian.org/doc/debian-policy/ch-controlfields.html#version", "3.0.2-0ubuntu1.9 < 3.0.2-0ubuntu1.18"},
		{"Red Hat", "https://rpm-software-management.github.io/rpm/man/rpm-version.7", "1.0~rc1 < 1.0 < 1.0^git1 < 1.0.1 < 1.0.9 < 1.0.10 < 1:0.1"},
		{"Rocky Linux:9", "https://rpm-software-management.github.io/rpm/man/rpm-version.7", "5.14.0-70.el9 < 5.14.0-427.13.1.el9_4"},
		{"Alpine:v3.20", "https://wiki.alpinelinux.org/wiki/APKBUILD_Reference#pkgver", "1.2.3_alpha < 1.2.3_beta2 < 1.2.3_rc1 < 1.2.3 < 1.2.3-r1 < 1.2.3-r10 < 1.2.3_p1 < 1.2.3a < 1.2.4"},
	} {
		words := strings.Fields(c.order)
		for i := 0; i < len(words); i += 2 {
			for j := i; j < len(words); j += 2 {
				want := 0
				for k := i + 1; k < j; k += 2 {
					if words[k] == "<" {
						want = -1
					}
				}
				for _, p := range []struct {
					a, b string
					want int
				}{{words[i], words[j], want}, {words[j], words[i], -want}} {
					if got, ok := compareVersions(c.ecosystem, p.a, p.b); !ok || got != p.want {
						t.Errorf("%s: %s and %s: %d, %v; want %d by %s", c.ecosystem, p.a, p.b, got, ok, p.want, c.source)
					}
				}
			}
		}
	}
}

// TestCannotCompare: no order is better than a wrong one.
func TestCannotCompare(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ ecosystem, a, b string }{
		{"", "1.0", "2.0"},
		{"GIT", "1.0", "2.0"},
		{"Linux", "5.10", "6.1"},
		{"npm", "latest", "2.0.0"},
		{"npm", ">=1.0.0", "2.0.0"},
		{"npm", "1.0.0", ""},
		{"npm", "^1.2.3", "1.2.3 || 2.0.0"},
		{"PyPI", "1.0", "not-a-version-1"},
		{"Maven", "[1.0,2.0)", "1.5"},
	} {
		if order, ok := compareVersions(c.ecosystem, c.a, c.b); ok {
			t.Errorf("%q: %q and %q are said to be %d", c.ecosystem, c.a, c.b, order)
		}
	}
	if order, ok := compareVersions("", "8f3c", "8f3c"); !ok || order != 0 {
		t.Error("equal texts are not said to be equal")
	}
}

// TestLearnFixByEcosystem: an advisory's range holds a version by the rules of
// its ecosystem, and nothing is learned where there are none.
func TestLearnFixByEcosystem(t *testing.T) {
	t.Parallel()
	yes, no := true, false
	for _, c := range []struct {
		name      string
		purl      string
		version   string
		fixes     []Fix
		fix       string
		available *bool
	}{
		{"a_release_is_after_its_candidate", "pkg:pypi/a@2.0rc1", "2.0rc1", []Fix{{Package: "pkg:pypi/a", Introduced: "1.0", Fixed: "2.0"}}, "2.0", &yes},
		{"and_is_fixed", "pkg:pypi/a@2.0.post1", "2.0.post1", []Fix{{Package: "pkg:pypi/a", Introduced: "1.0", Fixed: "2.0"}}, "", nil},
		{"maven_release", "pkg:maven/g/a@1.0-SNAPSHOT", "1.0-SNAPSHOT", []Fix{{Package: "pkg:maven/g/a", Fixed: "1.0"}}, "1.0", &yes},
		{"debian_tilde", "pkg:deb/debian/a@1.0~rc1-1", "1.0~rc1-1", []Fix{{Package: "pkg:deb/debian/a", Ecosystem: "Debian:12", Fixed: "1.0-1"}}, "1.0-1", &yes},
		{"go_incompatible", "pkg:golang/example.org/a@v2.0.0+incompatible", "v2.0.0+incompatible", []Fix{{Package: "pkg:golang/example.org/a", Ecosystem: "Go", Fixed: "2.0.0"}}, "", nil},
		{"no_fix", "pkg:npm/a@1.0.0", "1.0.0", []Fix{{Package: "pkg:npm/a"}}, "", &no},
		{"the_later_of_two", "pkg:npm/a@1.0.0", "1.0.0", []Fix{{Package: "pkg:npm/a", Fixed: "1.10.0"}, {Package: "pkg:npm/a", Fixed: "1.9.0"}}, "1.10.0", &yes},
		{"unknown_ecosystem", "pkg:generic/a@1.0.0", "1.0.0", []Fix{{Package: "pkg:generic/a", Fixed: "2.0.0"}}, "", nil},
		{"unknown_version", "pkg:npm/a@latest", "latest", []Fix{{Package: "pkg:npm/a", Fixed: "2.0.0"}}, "", nil},
		{"one_bound_is_enough", "pkg:npm/a@3.0.0", "3.0.0", []Fix{{Package: "pkg:npm/a", Introduced: "begin", Fixed: "2.0.0"}}, "", nil},
	} {
		f := Finding{PURL: c.purl, Component: "a", Version: c.version, Category: Dependency, Vulnerabilities: []string{"CVE-2026-0001"}}
		k := Knowledge{Records: map[string]Record{"CVE-2026-0001": {Fixes: c.fixes}}}
		k.Learn(&f)
		if f.FixVersion != c.fix || (f.FixAvailable == nil) != (c.available == nil) || f.FixAvailable != nil && *f.FixAvailable != *c.available {
			t.Errorf("%s: fix %q, available %v", c.name, f.FixVersion, f.FixAvailable)
		}
	}
}
