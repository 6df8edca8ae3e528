package integrations

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// secretShapes are the forms of the tokens that these systems give out, and of
// places in addresses where secrets stand.
var secretShapes = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`\b(?:gh[opsur]_|github_pat_|gl[a-z]{2,5}-|xox[abeoprs]-|xapp-|ATATT|ATCTT)[A-Za-z0-9_\-=.]{8,}`), "…"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?`), "…"}, // a JSON web token
	{regexp.MustCompile(`(?i)\b(bearer|basic|token) [A-Za-z0-9+/_\-=.~]{8,}`), "$1 …"},
	{regexp.MustCompile(`(?i)([a-z][a-z0-9+.-]*://)[^/\s:@"]*:[^/\s@"]*@`), "$1…@"},                                                     // user:password@
	{regexp.MustCompile(`(?i)([?&](?:[a-z_-]*(?:token|secret|key|password|signature|sig|code|jwt))=)[^&\s"]+`), "$1…"},                  // in a query
	{regexp.MustCompile(`(https://hooks\.slack(?:-gov)?\.com/)[^\s"]+`), "$1…"},                                                         // the address is the secret
	{regexp.MustCompile(`(https://[^/\s"]*(?:webhook\.office\.com|logic\.azure\.com|api\.powerplatform\.com)[^/\s"]*/)[^\s"]+`), "$1…"}, // likewise
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)`), "…"},
}

// Redact takes secrets out of a text: those named, wherever they stand, and
// whatever looks like one.
func Redact(text string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			text = strings.ReplaceAll(text, s, "…")
		}
	}
	for _, s := range secretShapes {
		text = s.pattern.ReplaceAllString(text, s.with)
	}
	return text
}

// PartsOf returns an address and the parts of it that may be secrets: receivers
// like to say back what they were asked.
func PartsOf(address string) []string {
	u, err := url.Parse(address)
	if err != nil {
		return []string{address}
	}
	out := []string{address, u.RequestURI(), u.Path}
	for _, values := range u.Query() {
		out = append(out, values...)
	}
	for s := range strings.SplitSeq(u.Path, "/") {
		if len(s) >= 6 {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b string) int { return len(b) - len(a) }) // the longest first, or a part would hide the whole
	return slices.DeleteFunc(out, func(s string) bool { return len(s) < 4 })
}
