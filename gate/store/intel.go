package store

import (
	"context"
	"time"
)

// Intel is what is known of some vulnerabilities, and which snapshots that is
// from, all of one moment.
type Intel struct {
	Sources         map[IntelName]IntelSnapshot // those that there is a snapshot of
	Vulnerabilities map[string]Vulnerability    // by the ids that were asked for; of others nothing is known
	Advisories      map[string][]Advisory       // by the ids that were asked for
}

// IntelName names a source of outside knowledge.
type IntelName string

// The sources.
const (
	EPSS       IntelName = "epss"
	KEV        IntelName = "kev"
	Advisories IntelName = "advisories"
)

// IntelSnapshot is one dated state of a source.
type IntelSnapshot struct {
	ID        int64     `json:"id"`
	Source    IntelName `json:"source"`
	Digest    string    `json:"digest"` // SHA-256 of its content, in hex
	Version   string    `json:"version"`
	Published time.Time `json:"published"` // when its publisher made it
	URL       string    `json:"url"`
	Records   int       `json:"records"`
	Bytes     int64     `json:"bytes"`
	Fetched   time.Time `json:"fetched"`

	Tags map[string]string `json:"-"` // URL → ETag, or Last-Modified; of a new one
}

// FreshFor is how long a snapshot may say no: that a vulnerability is not in the
// KEV catalogue, how unlikely its use is, or that it has no fix. A policy may
// demand less. What is older is unknown.
const FreshFor = 14 * 24 * time.Hour

// Fresh tells whether a snapshot may still say no.
func (s *IntelSnapshot) Fresh(now time.Time) bool { return now.Before(s.Published.Add(FreshFor)) }

// Vulnerability is what is known of one: of a CVE under its id, of another
// under its aliases, the worst of them.
type Vulnerability struct {
	ID         string   `json:"id"`
	IsCVE      bool     `json:"is_cve"` // it is, or has as an alias, an id that EPSS and KEV know
	EPSS       *float64 `json:"epss"`
	Percentile *float64 `json:"percentile"`
	Exploited  bool     `json:"exploited"`  // it is in the KEV catalogue
	Ransomware bool     `json:"ransomware"` // used by it
}

// Advisory is what one advisory says of versions.
type Advisory struct {
	ID           string            `json:"id"`
	Aliases      []string          `json:"aliases,omitempty"`
	Published    *time.Time        `json:"published,omitempty"`
	Modified     *time.Time        `json:"modified,omitempty"`
	FixPublished *time.Time        `json:"fix_published,omitempty"` // since when a fix is known
	Affected     []AffectedPackage `json:"affected"`
}

// AffectedPackage is a package with its ranges of vulnerable versions.
type AffectedPackage struct {
	Ecosystem string         `json:"ecosystem"` // OSV's word: npm, PyPI, Go …
	Name      string         `json:"name"`
	PURL      string         `json:"purl,omitempty"` // without a version
	Ranges    []VersionRange `json:"ranges,omitempty"`
}

// VersionRange holds the versions from Introduced on and before Fixed; without
// Fixed there is no fix, up to Last if that is known.
type VersionRange struct {
	Introduced string `json:"introduced,omitempty"` // blank: the first version
	Fixed      string `json:"fixed,omitempty"`
	Last       string `json:"last,omitempty"` // last version that is affected
}

// Intel returns what is known of vulnerabilities. It is one statement, so that
// what it returns is of the snapshots that it names, whoever refreshes them meanwhile.
func (s *Store) Intel(ctx context.Context, vulnerabilityIDs []string) (Intel, error) {
	type known struct {
		Asked string `json:"asked"`
		Advisory
	}
	type row struct {
		Snapshots       []IntelSnapshot
		Vulnerabilities []Vulnerability
		Advisories      []known
	}
	r, err := one[row](ctx, s.db, "intelligence", `
		with asked as (
			select distinct unnest($1::text[]) as id
		), told as materialized (
			select a.id as asked, d.*
			from asked a cross join lateral (select i.advisory from advisory_ids i where i.id = a.id offset 0) i cross join lateral (select * from advisories d where d.id = i.advisory offset 0) d
		), names as materialized (
			select id as asked, id as name from asked
			union select asked, unnest(aliases) from told where asked not like 'CVE-%' -- a CVE is itself only: advisories put several together
		), known as (
			select n.asked as id, bool_or(n.name ~ '^CVE-[0-9]{4}-[0-9]{4,}$') as is_cve, max(v.epss_score) as epss,
			       (array_agg(v.epss_percentile order by v.epss_score desc nulls last))[1] as percentile,
			       coalesce(bool_or(v.known_exploited), false) as exploited, coalesce(bool_or(v.ransomware_used), false) as ransomware
			from names n left join lateral (select * from vulnerabilities v where v.vulnerability_id = n.name offset 0) v on true -- by the index, whatever the planner guesses
			group by n.asked
		)
		select coalesce((
				select jsonb_agg(jsonb_build_object('id', i.id, 'source', i.source, 'digest', encode(i.digest, 'hex'), 'version', i.version, 'published', i.published,
				                                    'url', i.url, 'records', i.records, 'bytes', i.bytes, 'fetched', i.fetched))
				from intel_sources s join intel_snapshots i on i.id = s.snapshot_id), '[]') as snapshots,
			coalesce((select jsonb_agg(to_jsonb(known)) from known), '[]') as vulnerabilities,
			coalesce((select jsonb_agg(to_jsonb(told) order by told.asked, told.id) from told), '[]') as advisories`, orEmpty(vulnerabilityIDs))
	if err != nil {
		return Intel{}, err
	}
	out := Intel{Sources: map[IntelName]IntelSnapshot{}, Vulnerabilities: map[string]Vulnerability{}, Advisories: map[string][]Advisory{}}
	for _, x := range r.Snapshots {
		out.Sources[x.Source] = x
	}
	for _, v := range r.Vulnerabilities {
		out.Vulnerabilities[v.ID] = v
	}
	for _, a := range r.Advisories {
		out.Advisories[a.Asked] = append(out.Advisories[a.Asked], a.Advisory)
	}
	return out, nil
}
