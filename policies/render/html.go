package render

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
	"time"

	"defectdojo/gate"
)

//go:embed verdict.html
var page string

var htmlPage = template.Must(template.New("verdict").Funcs(template.FuncMap{
	"headline": headline, "subject": subject, "what": what, "where": where, "delta": deltaWords, "numbers": numbers,
	"lower": func(s any) string { return strings.ToLower(toString(s)) }, "letter": func(s gate.Severity) string { return s.String()[:1] },
	"date": func(t time.Time) string { return t.Format("2 Jan 2006 15:04 MST") },
}).Parse(page))

func toString(v any) string {
	if s, ok := v.(interface{ String() string }); ok {
		return s.String()
	}
	if d, ok := v.(gate.Decision); ok {
		return string(d)
	}
	return ""
}

// HTML writes a verdict as one page that needs nothing else: to keep with a
// build, or to send.
func HTML(w io.Writer, v *gate.Verdict) error { return htmlPage.Execute(w, v) }
