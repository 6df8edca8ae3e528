package web

import (
	"fmt"
	"html/template"
	"net/url"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
)

// functions are what the templates call.
var functions = template.FuncMap{
	"asset":    assetURL,
	"num":      num,
	"at":       at,
	"day":      day,
	"days":     days,
	"due":      due,
	"short":    short,
	"digest":   digest,
	"spaced":   spaced,
	"browse":   browse,
	"upper":    strings.ToUpper,
	"score":    score,
	"lower":    func(v any) string { return strings.ToLower(fmt.Sprint(v)) },
	"first":    first,
	"join":     strings.Join,
	"contains": strings.Contains,
	"markdown": markdown,
	"httpURL":  httpURL,
	"plural":   plural,
	"sevs":     func() []gate.Severity { return gate.Severities },
	"security": func() []string { return []string{"starttls", "tls", "none"} },
	"deref":    deref,
	"vector":   explainVector,
}

// num writes 1284 as 1,284, and less than nothing with a true minus.
func num(n int) string {
	if n < 0 {
		return "−" + num(-n)
	}
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// plural writes "1 finding" and "2 findings".
func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return num(n) + " " + many
}

// moment is a time as a page shows it: how long ago, and exactly on hover.
type moment struct{ ISO, Exact, Relative string }

// at describes a time, a *time.Time or nothing as seen from now.
func at(v any, now time.Time) moment {
	t, ok := timeOf(v)
	if !ok {
		return moment{Relative: "–"}
	}
	t = t.UTC()
	return moment{ISO: t.Format(time.RFC3339), Exact: t.Format("Mon 2 Jan 2006, 15:04:05 UTC"), Relative: relative(t, now)}
}

func timeOf(v any) (time.Time, bool) {
	switch t := v.(type) {
	case time.Time:
		return t, !t.IsZero()
	case *time.Time:
		if t != nil {
			return *t, !t.IsZero()
		}
	}
	return time.Time{}, false
}

func relative(t, now time.Time) string {
	d := now.Sub(t)
	form := "%s ago"
	if d < 0 {
		d, form = -d, "in %s"
	}
	switch {
	case d < time.Minute:
		return "just now"
	case d < time.Hour:
		return fmt.Sprintf(form, strconv.Itoa(int(d.Minutes()))+" min")
	case d < 48*time.Hour:
		return fmt.Sprintf(form, strconv.Itoa(int(d.Hours()))+" h")
	default:
		return fmt.Sprintf(form, num(int(d.Hours()/24))+" d")
	}
}

// day writes a time's date, or a dash.
func day(v any) string {
	if d, ok := v.(gate.Date); ok {
		v = d.Time()
	}
	t, ok := timeOf(v)
	if !ok {
		return "–"
	}
	return t.UTC().Format("2 Jan 2006")
}

// days writes how many days lie between a day and today.
func days(v any, today gate.Date) string {
	t, ok := timeOf(v)
	if !ok {
		return "–"
	}
	return num(today.Sub(gate.DateOf(t.UTC()))) + " d"
}

// deadline is how long there is to fix a finding.
type deadline struct {
	Text string // days left; less than none when it has passed
	Over string // days since, when it has passed
	Day  string
	Late bool
	Soon bool // within a week
}

// due describes a due day as seen from today.
func due(v any, today gate.Date) deadline {
	t, ok := timeOf(v)
	if !ok {
		return deadline{Text: "–"}
	}
	left := gate.DateOf(t.UTC()).Sub(today)
	return deadline{Text: num(left) + " d", Over: num(-left) + " d", Day: day(t), Late: left < 0, Soon: left >= 0 && left <= 7}
}

// short cuts a hash to what people recognise.
func short(s string) string {
	if len(s) > 7 && strings.Trim(s, "0123456789abcdefABCDEF") == "" {
		return s[:7]
	}
	return s
}

// digest cuts "sha256:4be1…" to what people recognise.
func digest(s string) string {
	const most = 19
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// spaced writes a word of a document as words.
func spaced(v any) string { return strings.ReplaceAll(fmt.Sprint(v), "_", " ") }

// score writes a number between 0 and 1 or 10, or a dash for nil.
func score(v *float64, digits int) string {
	if v == nil {
		return "–"
	}
	return strconv.FormatFloat(*v, 'f', digits, 64)
}

// first is the first letter of a severity's name.
func first(v any) string {
	for _, r := range fmt.Sprint(v) {
		return string(r)
	}
	return ""
}

// deref returns what a pointer points to, or "" for nil.
func deref(v any) any {
	switch p := v.(type) {
	case *string:
		if p != nil {
			return *p
		}
	case *int32:
		if p != nil {
			return *p
		}
	case *int64:
		if p != nil {
			return *p
		}
	case *int:
		if p != nil {
			return *p
		}
	}
	return ""
}

// httpURL returns a link only if it leads to a web page; else nothing.
func httpURL(s string) string {
	u, err := url.Parse(strings.TrimSpace(s))
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}
