package web

import (
	"strings"

	"defectdojo/gate/store"
)

// chip is one part of a filter: a link that takes it away, or puts it in.
type chip struct {
	Text string
	Href string
	On   bool
}

var statusNames = map[store.FindingStatus]string{
	store.AnyStatus: "Any status", store.OpenStatus: "Open", store.VerifiedStatus: "Verified", store.ReviewStatus: "Under review", store.ClosedStatus: "Closed",
	store.AcceptedStatus: "Risk accepted", store.FalsePositive: "False positive", store.OutOfScopeStatus: "Out of scope",
	store.DuplicateStatus: "Duplicate", store.InactiveStatus: "Inactive",
}

// chipPrefixes say what a value is where it does not say so itself.
var chipPrefixes = map[string]string{
	"q": "“", "engagement": "engagement ", "test": "test ", "component": "component ", "version": "version ", "file": "in ",
	"tag": "tag ", "epss": "EPSS ≥ ", "from": "since ", "until": "until ",
}

var chipSuffixes = map[string]string{"q": "”"}

// quick are the filters that are one click away.
var quick = []struct{ name, value, text string }{
	{"kev", "1", "Known exploited"},
	{"fix", "1", "Fix available"},
	{"sla", "breached", "SLA breached"},
	{"assigned", "me", "Assigned to me"},
}

// chips lists what narrows the list, and what could.
func (f filter) chips(names map[string]string) []chip {
	var out []chip
	for _, name := range filterNames {
		if isQuick(name) && (name != "assigned" || f.Get(name) == "me") {
			continue
		}
		if text := f.chipText(name, names); text != "" {
			out = append(out, chip{Text: text, Href: f.Without(name), On: true})
		}
	}
	for _, q := range quick {
		out = append(out, chip{Text: q.text, Href: f.Toggle(q.name, q.value), On: f.On(q.name, q.value)})
	}
	return out
}

func isQuick(name string) bool {
	for _, q := range quick {
		if q.name == name {
			return true
		}
	}
	return false
}

// chipText describes the values of a name. names has the names of things that
// the address holds the IDs of, under "product 7".
func (f filter) chipText(name string, names map[string]string) string {
	if name == "status" {
		if f.Status() == store.AnyStatus {
			return ""
		}
		return statusNames[f.Status()]
	}
	values := f.Values[name]
	if len(values) == 0 {
		return ""
	}
	texts := make([]string, len(values))
	for i, v := range values {
		texts[i] = v
		if n, ok := names[name+" "+v]; ok {
			texts[i] = n
		}
		if name == "severity" {
			texts[i] = strings.ToUpper(v[:1]) + strings.ToLower(v[1:])
		}
	}
	text := chipPrefixes[name] + strings.Join(texts, ", ") + chipSuffixes[name]
	if name == "cwe" && !strings.HasPrefix(strings.ToUpper(text), "CWE") {
		text = "CWE-" + text
	}
	return text
}
