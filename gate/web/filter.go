package web

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// filter is the query of a list of findings: the whole state of the page is in
// its address. It holds known names only, each value once, none blank.
type filter struct{ url.Values }

// filterNames are the names that narrow the list, in the order of their chips.
var filterNames = []string{
	"status", "severity", "product", "engagement", "test", "scanner", "q", "vuln", "cwe", "component", "version", "file",
	"tag", "epss", "kev", "fix", "sla", "assigned", "from", "until",
}

// viewNames are those that do not narrow it.
var viewNames = []string{"sort", "after", "before", "per"}

// newFilter reads a query. tidy is false if there was something in it that the
// address is better without: what is blank, unknown, twice there, or so anyway.
func newFilter(query url.Values) (f filter, tidy bool) {
	f, tidy = filter{url.Values{}}, true
	for name, values := range query {
		if !slices.Contains(filterNames, name) && !slices.Contains(viewNames, name) {
			tidy = tidy && name != "" && values[0] != ""
			continue
		}
		for _, v := range values {
			v = strings.TrimSpace(v)
			usual := name == "status" && v == string(store.OpenStatus) || name == "sort" && v == string(store.BySeverity)
			if v == "" || usual || slices.Contains(f.Values[name], v) {
				tidy = false
				continue
			}
			f.Values[name] = append(f.Values[name], v)
		}
	}
	return f, tidy
}

// clone copies the filter without its place in the list: another filter has other pages.
func (f filter) clone() filter {
	c := filter{url.Values{}}
	for k, v := range f.Values {
		if k != "after" && k != "before" {
			c.Values[k] = slices.Clone(v)
		}
	}
	return c
}

// With returns the address with one value for a name.
func (f filter) With(name, value string) string {
	c := f.clone()
	c.Set(name, value)
	return c.Address()
}

// Without returns the address without a name.
func (f filter) Without(name string) string {
	c := f.clone()
	c.Del(name)
	if name == "status" {
		c.Set("status", "any")
	}
	return c.Address()
}

// Toggle returns the address with a value taken out of a name's values, or put in.
func (f filter) Toggle(name, value string) string {
	c := f.clone()
	if i := slices.Index(c.Values[name], value); i >= 0 {
		c.Values[name] = slices.Delete(c.Values[name], i, i+1)
	} else {
		c.Add(name, value)
	}
	return c.Address()
}

// On tells whether a name has a value.
func (f filter) On(name, value string) bool { return slices.Contains(f.Values[name], value) }

// Address is the address of the list.
func (f filter) Address() string { return "/findings" + f.query() }

// Export is the address of the list as a file.
func (f filter) Export(ext string) string { return "/findings." + ext + f.clone().query() }

func (f filter) query() string {
	c := filter{url.Values{}}
	for k, v := range f.Values {
		if len(v) > 0 {
			c.Values[k] = v
		}
	}
	if len(c.Values) == 0 {
		return ""
	}
	return "?" + c.Encode()
}

// Status is the state that the list is narrowed to: open, unless the address says.
func (f filter) Status() store.FindingStatus {
	switch s := f.Get("status"); s {
	case "":
		return store.OpenStatus
	case "any":
		return store.AnyStatus
	default:
		return store.FindingStatus(s)
	}
}

// Narrowed tells whether anything but the status narrows the list.
func (f filter) Narrowed() bool {
	return slices.ContainsFunc(filterNames[1:], func(name string) bool { return f.Get(name) != "" })
}

// search makes the store's question of the filter.
func (f filter) search(scope gate.Scope, today gate.Date, user gate.User) (store.FindingSearch, error) {
	r := reader{f: f}
	q := store.FindingSearch{
		Scope: scope, Status: f.Status(), Severities: r.severities(), EngagementID: r.id("engagement"), TestID: r.id("test"), Scanners: f.Values["scanner"],
		Text: f.Get("q"), VulnerabilityID: f.Get("vuln"), CWE: r.cwe(), Component: f.Get("component"), Version: f.Get("version"), FilePath: f.Get("file"),
		Tags: f.Values["tag"], MinEPSS: r.fraction("epss"), KnownExploited: f.Get("kev") != "", FixAvailable: f.Get("fix") != "", SLABreached: f.Get("sla") != "",
		Today: today, From: r.day("from"), Until: r.day("until"),
	}
	for _, p := range f.Values["product"] {
		if id, err := strconv.ParseInt(p, 10, 64); err == nil {
			q.ProductIDs = append(q.ProductIDs, id)
		} else {
			q.Products = append(q.Products, p)
		}
	}
	switch who := f.Get("assigned"); who {
	case "", "me":
		if who == "me" {
			q.AssigneeID = user.ID
		}
	case "nobody":
		q.AssigneeID = store.Unassigned
	default:
		q.AssigneeID = r.id("assigned")
	}
	if !slices.Contains(store.FindingStatuses, q.Status) {
		r.wrong("status", "there is no status %q", q.Status)
	}
	return q, r.err
}

// reader reads values of a filter and keeps the first mistake.
type reader struct {
	f   filter
	err error
}

func (r *reader) wrong(name, format string, args ...any) {
	if r.err == nil {
		r.err = gate.FieldErrorf(name, format, args...)
	}
}

func (r *reader) severities() []gate.Severity {
	var out []gate.Severity
	for _, v := range r.f.Values["severity"] {
		var s gate.Severity
		if err := s.UnmarshalText([]byte(v)); err != nil {
			r.wrong("severity", "%q is not a severity", v)
		}
		out = append(out, s)
	}
	return out
}

func (r *reader) id(name string) int64 {
	v := r.f.Get(name)
	if v == "" {
		return 0
	}
	id, err := strconv.ParseInt(v, 10, 64)
	if err != nil || id <= 0 {
		r.wrong(name, "%q is not a number of one", v)
	}
	return id
}

func (r *reader) cwe() int {
	v := r.f.Get("cwe")
	n := gate.ParseCWE(v)
	if v != "" && n == 0 {
		r.wrong("cwe", "%q is not a CWE: write 89 or CWE-89", v)
	}
	return n
}

func (r *reader) fraction(name string) float64 {
	v := r.f.Get(name)
	if v == "" {
		return 0
	}
	n, err := strconv.ParseFloat(v, 64)
	if err != nil || n < 0 || n > 1 {
		r.wrong(name, "%q is not between 0 and 1", v)
	}
	return n
}

func (r *reader) day(name string) gate.Date {
	v := r.f.Get(name)
	if v == "" {
		return gate.Date{}
	}
	d, err := gate.ParseDate(v)
	if err != nil {
		r.wrong(name, "%q is not a date: write YYYY-MM-DD", v)
	}
	return d
}
