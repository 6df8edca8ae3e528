package parsers

import (
	"net/url"
	"strings"
)

// PURL builds a package URL from its type ("npm", "maven" …), and the name and
// version as the ecosystem writes them: "@scope/name" of npm, "group:artifact"
// of Maven. It returns nothing without a type or a name. See
// https://github.com/package-url/purl-spec.
func PURL(kind, name, version string) string {
	kind, name, version = strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(name), strings.TrimSpace(version)
	if kind == "" || name == "" {
		return ""
	}
	switch kind {
	case "maven":
		name = strings.Replace(name, ":", "/", 1)
	case "pypi":
		name = strings.ReplaceAll(strings.ToLower(name), "_", "-")
	case "composer", "golang", "hex", "deb", "apk", "github":
		name = strings.ToLower(name)
	}
	parts := strings.Split(strings.Trim(name, "/"), "/")
	for i := range parts {
		parts[i] = escapePURL(parts[i])
	}
	purl := "pkg:" + kind + "/" + strings.Join(parts, "/")
	if version != "" {
		purl += "@" + escapePURL(version)
	}
	return purl
}

// escapePURL escapes one segment; a colon stays as it is.
func escapePURL(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '.' && r != '-' && r != '_' && r != ':' && r != '~'
	}) {
		return s
	}
	return unescaped.Replace(url.QueryEscape(s))
}

// unescaped undoes what QueryEscape does and a package URL does not.
var unescaped = strings.NewReplacer("+", "%20", "%3A", ":", "%7E", "~")

// SplitPURL returns the type, the name with its name space, and the version of
// a package URL; all empty when it is not one.
func SplitPURL(purl string) (kind, name, version string) {
	rest, ok := strings.CutPrefix(purl, "pkg:")
	if !ok {
		return "", "", ""
	}
	rest, _, _ = strings.Cut(rest, "#")
	rest, _, _ = strings.Cut(rest, "?")
	kind, rest, ok = strings.Cut(strings.TrimLeft(rest, "/"), "/")
	if !ok {
		return "", "", ""
	}
	if i := strings.LastIndexByte(rest, '@'); i > 0 {
		rest, version = rest[:i], rest[i+1:]
	}
	return kind, unescapePURL(rest), unescapePURL(version)
}

func unescapePURL(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}
