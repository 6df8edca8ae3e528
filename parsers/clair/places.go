package clair

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"defectdojo/parsers"
)

// database is where the package was found: "var/lib/dpkg/status", "python:usr/lib/python3".
func (r *report) database(id string) string {
	for _, e := range r.environments[id] {
		if e.DB != "" {
			return string(e.DB)
		}
	}
	return ""
}

// layers are those that bring the package.
func (r *report) layers(id string) []string {
	var list []string
	for _, e := range r.environments[id] {
		list = append(list, string(e.Layer))
	}
	return list
}

// distributionOf is the distribution that a package belongs to.
func (r *report) distributionOf(id string) distribution {
	for _, e := range r.environments[id] {
		if d, ok := r.distributions[string(e.Distribution)]; ok {
			return d
		}
	}
	return distribution{}
}

// distribution names it.
func (r *report) distribution(id string) string {
	d := r.distributionOf(id)
	return parsers.First(string(d.PrettyName), strings.TrimSpace(string(d.Name)+" "+string(d.VersionID)))
}

// purl is the package URL of one that the system's package manager has put there.
func (r *report) purl(id string) string {
	kind, db, p := "", r.database(id), r.packages[id]
	switch {
	case strings.Contains(db, "lib/dpkg"):
		kind = "deb"
	case strings.Contains(db, "apk/db"):
		kind = "apk"
	case strings.Contains(db, "lib/rpm"), strings.Contains(db, "sysimage/rpm"):
		kind = "rpm"
	}
	space := string(r.distributionOf(id).DID)
	if kind == "" || space == "" || p.Name == "" {
		return ""
	}
	if space == "rhel" {
		space = "redhat"
	}
	return parsers.PURL(kind, space+"/"+string(p.Name), string(p.Version))
}

// sortedIDs are the ids of packages, which are numbers, in their order.
func sortedIDs(m map[string]pkg) []string {
	number := func(s string) int { n, _ := strconv.Atoi(s); return n }
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if n := number(a) - number(b); n != 0 {
			return n
		}
		return strings.Compare(a, b)
	})
}
