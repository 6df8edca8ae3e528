package web

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"
)

var (
	findingNumber = regexp.MustCompile(`^#?(\d{1,18})$`)
	cweNumber     = regexp.MustCompile(`(?i)^cwe[-: ]?(\d{1,7})$`)
	vulnerability = regexp.MustCompile(`(?i)^(CVE-\d{4}-\d{3,}|GHSA(-[0-9a-z]{4}){3}|[A-Z]{2,12}-\d{4}-[0-9a-z-]+)$`)
)

// search serves GET /search: it goes where the words lead.
func (w *web) search(v *visit) error {
	return v.Redirect(searchTarget(v.Query("q")), fiber.StatusSeeOther)
}

func searchTarget(text string) string {
	text = strings.TrimSpace(text)
	if m := findingNumber.FindStringSubmatch(text); m != nil {
		if n, err := strconv.ParseInt(m[1], 10, 64); err == nil && n > 0 {
			return "/findings/" + m[1]
		}
	}
	q := url.Values{"status": {"any"}}
	switch m := cweNumber.FindStringSubmatch(text); {
	case text == "":
		return "/findings"
	case m != nil:
		q.Set("cwe", m[1])
	case vulnerability.MatchString(text):
		q.Set("vuln", text)
	default:
		q.Set("q", text)
	}
	return "/findings?" + q.Encode()
}
