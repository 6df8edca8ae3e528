package policies

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Knowledge is what the outside world says of vulnerabilities: EPSS scores, the
// KEV catalogue and the advisories' versions with the fix. The server and the
// uploader learn of findings by the same code, so that they judge alike.
type Knowledge struct {
	Records map[string]Record // by vulnerability id

	// KEVWhole says that Records hold the whole catalogue, or all of it about the
	// findings, and that it is fresh: who is not in it, is not known to be exploited.
	KEVWhole bool
	// EPSSStale says that there are scores, and that they are too old to be used:
	// those that a report brought are then unknown, too.
	EPSSStale bool
}

// Record is what intelligence says of one vulnerability.
type Record struct {
	EPSS         *float64   `json:"epss,omitempty"`
	Percentile   *float64   `json:"percentile,omitempty"`
	KEV          bool       `json:"kev,omitempty"`
	Ransomware   bool       `json:"ransomware,omitempty"`
	CVE          bool       `json:"cve,omitempty"` // it has an id by which the KEV catalogue would know it; those that begin with CVE- always do
	FixPublished *time.Time `json:"fix_published,omitempty"`
	Fixes        []Fix      `json:"fixes,omitempty"` // what advisories say of versions; none: nothing is known
}

// Fix is a range of vulnerable versions of a package, and the version that ends it.
type Fix struct {
	Package    string `json:"package"`              // purl without version; else the name
	Ecosystem  string `json:"ecosystem,omitempty"`  // OSV's word, by whose rules versions are compared; blank: as the purl tells
	Introduced string `json:"introduced,omitempty"` // blank: the first
	Fixed      string `json:"fixed,omitempty"`      // blank: no version has the fix
	Last       string `json:"last,omitempty"`       // the last that is affected
}

// Learn adds to a finding what is known of its vulnerabilities: the worst of them.
// What the finding's own report says stays where nothing better is known.
func (k *Knowledge) Learn(f *Finding) {
	if k.EPSSStale {
		f.EPSS, f.EPSSPercentile = nil, nil
	}
	if len(f.Vulnerabilities) == 0 {
		return
	}
	kev, ransomware, listed := false, false, false
	var epss, percentile *float64
	for _, id := range f.Vulnerabilities {
		r := k.Records[id]
		listed = listed || r.CVE || strings.HasPrefix(id, "CVE-")
		kev, ransomware = kev || r.KEV, ransomware || r.Ransomware
		if r.EPSS != nil && (epss == nil || *r.EPSS > *epss) {
			epss, percentile = r.EPSS, r.Percentile
		}
	}
	if epss != nil {
		f.EPSS, f.EPSSPercentile = epss, percentile
	}
	if kev || f.KEV == nil && k.KEVWhole && listed {
		f.KEV = &kev
	}
	if ransomware || f.Ransomware == nil && k.KEVWhole && listed {
		f.Ransomware = &ransomware
	}
	k.learnFix(f)
}

// learnFix finds the version that ends all vulnerabilities of a finding: the
// greatest of theirs. Where versions cannot be compared, nothing is learned.
func (k *Knowledge) learnFix(f *Finding) {
	if !f.isComponent() {
		return
	}
	version, available, known, doubt := "", true, false, false
	var published *time.Time
	for _, id := range f.Vulnerabilities {
		r, ok := k.Records[id]
		if !ok {
			continue
		}
		ranges, sure := r.rangesOf(f)
		doubt = doubt || !sure
		if len(ranges) == 0 {
			if f.fix() != nil && *f.fix() && published == nil { // the report knows the version, and we since when
				published = r.FixPublished
			}
			continue
		}
		known = true
		fixed := ""
		for _, x := range ranges {
			fixed, doubt = later(x.ecosystem(f), fixed, x.Fixed, doubt)
		}
		if fixed == "" {
			available = false
			continue
		}
		version, doubt = later(ranges[0].ecosystem(f), version, fixed, doubt)
		if r.FixPublished != nil && (published == nil || r.FixPublished.After(*published)) {
			published = r.FixPublished
		}
	}
	if doubt && (f.fix() == nil || !*f.fix()) {
		return
	}
	if known && !doubt && f.FixVersion == "" && f.FixAvailable == nil {
		if available {
			f.FixVersion = version
		}
		f.FixAvailable = &available
	}
	if f.FixPublished == nil && (!known || available) {
		f.FixPublished = published
	}
}

// later returns the later of two versions, of which a blank one is none. doubt
// is set if nobody can tell.
func later(ecosystem, a, b string, doubt bool) (string, bool) {
	if a == "" || b == "" {
		return a + b, doubt
	}
	order, ok := compareVersions(ecosystem, a, b)
	if order < 0 {
		a = b
	}
	return a, doubt || !ok
}

// rangesOf returns the ranges that hold the finding's version. Without a version
// each of its package does. sure is false if it cannot be told of one.
func (r *Record) rangesOf(f *Finding) (held []Fix, sure bool) {
	sure = true
	for _, x := range r.Fixes {
		if !x.isOf(f) {
			continue
		}
		in, known := true, true
		if f.Version != "" {
			in, known = x.holds(f)
		}
		if sure = sure && known; in {
			held = append(held, x)
		}
	}
	return held, sure
}

// ecosystem is by whose rules a range's versions are compared.
func (x *Fix) ecosystem(f *Finding) string {
	return cmp.Or(x.Ecosystem, ecosystemOf(x.Package), ecosystemOf(f.PURL))
}

// isOf tells whether a range is of the finding's package.
func (x *Fix) isOf(f *Finding) bool {
	if f.PURL != "" && strings.HasPrefix(x.Package, "pkg:") {
		return strings.EqualFold(BasePURL(f.PURL), x.Package)
	}
	name := x.Package
	if strings.HasPrefix(name, "pkg:") {
		_, name, _ = strings.Cut(name, "/")
	}
	return f.Component != "" && slices.ContainsFunc([]string{name, strings.ReplaceAll(name, "/", ":")}, func(n string) bool { return strings.EqualFold(n, f.Component) })
}

// holds tells whether a finding's version is in the range. known is false if
// that cannot be told: one bound that it is surely beyond is enough to tell.
func (x *Fix) holds(f *Finding) (in, known bool) {
	e := x.ecosystem(f)
	known = true
	for _, bound := range []struct {
		version string
		within  func(order int) bool
	}{
		{x.Introduced, func(order int) bool { return order >= 0 }},
		{x.Fixed, func(order int) bool { return order < 0 }},
		{x.Last, func(order int) bool { return order <= 0 }},
	} {
		if bound.version == "" {
			continue
		}
		order, ok := compareVersions(e, f.Version, bound.version)
		if ok && !bound.within(order) {
			return false, true
		}
		known = known && ok
	}
	return known, known
}

// BasePURL returns a package URL without version, qualifiers and subpath, in
// readable characters: pkg:npm/@scope/name.
func BasePURL(p string) string {
	p, _, _ = strings.Cut(p, "#")
	p, _, _ = strings.Cut(p, "?")
	if at := strings.LastIndexByte(p, '@'); at > strings.LastIndexByte(p, '/')+1 {
		p = p[:at]
	}
	return strings.NewReplacer("%40", "@", "%2F", "/", "%2f", "/").Replace(p)
}
