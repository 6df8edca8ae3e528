// Package enrich brings in what the outside world knows of vulnerabilities: EPSS
// scores, the KEV catalogue and the advisories of OSV and GHSA. It fetches them
// from URLs or files, checks that they can be true before they are used, and
// keeps each state as a dated snapshot by its digest, so that a verdict can say
// what it rested on. When a source fails, what was known before stays: it grows
// old, and what is too old is unknown, never no.
package enrich

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"gocloud.dev/blob"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// Where the sources are when nobody says otherwise: FIRST's scores
// (https://www.first.org/epss/data_stats), CISA's catalogue
// (https://www.cisa.gov/known-exploited-vulnerabilities-catalog) and OSV's
// exports (https://google.github.io/osv.dev/data/).
const (
	DefaultEPSS = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz"
	DefaultKEV  = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json"

	osvBucket = "https://osv-vulnerabilities.storage.googleapis.com/"
)

// DefaultOSV are the exports of the usual languages.
var DefaultOSV = strings.Join([]string{
	osvBucket + "npm/all.zip", osvBucket + "PyPI/all.zip", osvBucket + "Go/all.zip", osvBucket + "Maven/all.zip", osvBucket + "RubyGems/all.zip",
	osvBucket + "NuGet/all.zip", osvBucket + "Packagist/all.zip", osvBucket + "crates.io/all.zip",
}, " ")

// Off switches a source off.
const Off = "off"

// Places are where the sources are: http, https or file URLs, or folders, several
// with blanks or commas between; Off for none.
type Places struct{ EPSS, KEV, OSV string }

// Enricher refreshes the sources.
type Enricher struct {
	Store  *store.Store
	Blobs  *blob.Bucket // snapshots are kept in intel/; nil keeps none
	HTTP   *http.Client // integrations.NewClient with MaxDownload
	Places Places

	// Changed is called in the transaction that brings a new snapshot; may be nil.
	Changed func(ctx context.Context, tx pgx.Tx, source store.IntelName) error
}

// MaxDownload is the most that is read from one URL, in bytes.
const MaxDownload = 4 << 30

// Result is what became of one source.
type Result struct {
	Source   store.IntelName
	Snapshot store.IntelSnapshot // when it is new
	Is       Outcome
	Err      error
}

// Outcome says in a word what became of a source.
type Outcome string

// The outcomes.
const (
	New       Outcome = "new"
	Unchanged Outcome = "unchanged"
	Failed    Outcome = "failed"
	Disabled  Outcome = "off"
)

// source is one of the three.
type source struct {
	name    store.IntelName
	place   string
	usual   string                                                                  // its default place
	least   int                                                                     // records that the usual place surely has
	shrink  int                                                                     // percent of the records that may be gone since last time
	prepare func(context.Context, *store.Store, []file) (content, error)            // reads and checks it
	replace func(context.Context, *store.Store, content, store.IntelSnapshot) error // puts it to use
}

// content is a source that was read.
type content struct {
	digest    string
	version   string
	published time.Time
	records   int
	bytes     int64
	text      *os.File // what is kept, gzipped
	scores    []store.Score
	exploited []store.Exploited
}

func (e *Enricher) sources() []source {
	return []source{
		{name: store.EPSS, place: e.Places.EPSS, usual: DefaultEPSS, least: 100_000, shrink: 10, prepare: readEPSS, replace: func(ctx context.Context, s *store.Store, c content, n store.IntelSnapshot) error {
			_, err := s.ReplaceScores(ctx, n, c.scores)
			return err
		}},
		{name: store.KEV, place: e.Places.KEV, usual: DefaultKEV, least: 1000, shrink: 5, prepare: readKEV, replace: func(ctx context.Context, s *store.Store, c content, n store.IntelSnapshot) error {
			_, err := s.ReplaceExploited(ctx, n, c.exploited)
			return err
		}},
		{name: store.Advisories, place: e.Places.OSV, usual: DefaultOSV, least: 10_000, shrink: 25, prepare: readOSV, replace: func(ctx context.Context, s *store.Store, _ content, n store.IntelSnapshot) error {
			_, err := s.ReplaceAdvisories(ctx, n)
			return err
		}},
	}
}

// Refresh asks every source for what is new. A source that fails changes
// nothing: it is told in the result, and kept as the source's state.
func (e *Enricher) Refresh(ctx context.Context, now time.Time) ([]Result, error) {
	var out []Result
	changed := false
	for _, s := range e.sources() {
		r := e.refresh(ctx, s, now)
		if ctx.Err() != nil {
			return out, ctx.Err()
		}
		switch r.Is {
		case Failed:
			r.Err = errors.New(integrations.Redact(r.Err.Error()))
			slog.WarnContext(ctx, "intelligence was not refreshed", "source", string(s.name), "error", r.Err)
			if err := e.Store.IntelTried(ctx, s.name, shown(s.place), r.Err.Error(), now); err != nil {
				return out, err
			}
		case Unchanged:
			if err := e.Store.IntelTried(ctx, s.name, shown(s.place), "", now); err != nil {
				return out, err
			}
		case New:
			slog.InfoContext(ctx, "intelligence refreshed", "source", string(s.name), "published", r.Snapshot.Published, "records", r.Snapshot.Records)
			changed = changed || s.name != store.Advisories
		}
		out = append(out, r)
	}
	if changed {
		if _, err := e.Store.EnrichAll(ctx); err != nil {
			return out, fmt.Errorf("write what is known into the findings: %w", err)
		}
	}
	return out, nil
}

func (e *Enricher) refresh(ctx context.Context, s source, now time.Time) (r Result) {
	r.Source = s.name
	if s.off() {
		r.Is = Disabled
		return r
	}
	had, err := e.state(ctx, s.name)
	if err == nil {
		r.Snapshot, r.Is, err = e.bring(ctx, s, had, now)
	}
	if err != nil {
		r.Is, r.Err = Failed, err
	}
	return r
}

func (e *Enricher) state(ctx context.Context, name store.IntelName) (store.IntelSource, error) {
	all, err := e.Store.IntelSources(ctx)
	if i := slices.IndexFunc(all, func(s store.IntelSource) bool { return s.Source == name }); i >= 0 {
		return all[i], err
	}
	return store.IntelSource{Source: name}, err
}

// bring fetches a source and puts it to use, if it is new and can be true.
func (e *Enricher) bring(ctx context.Context, s source, had store.IntelSource, now time.Time) (n store.IntelSnapshot, is Outcome, err error) {
	g := fetcher{http: e.HTTP, had: had.Tags, tags: map[string]string{}}
	defer g.close()
	files, err := g.fetch(ctx, s.place)
	if err != nil || files == nil {
		return n, Unchanged, err
	}
	var key string
	err = e.Store.Tx(ctx, func(st *store.Store, tx pgx.Tx) error {
		if err := st.LockIntel(ctx); err != nil {
			return err
		}
		c, err := s.prepare(ctx, st, files)
		if c.text != nil {
			g.temporary = append(g.temporary, c.text)
		}
		if err != nil {
			return err
		}
		if had.Snapshot != nil && had.Snapshot.Digest == c.digest {
			is = Unchanged
			return nil
		}
		if err := s.plausible(c, had.Snapshot, now); err != nil {
			return err
		}
		n = store.IntelSnapshot{Source: s.name, Digest: c.digest, Version: c.version, Published: c.published, URL: shown(s.place), Records: c.records, Bytes: c.bytes, Fetched: now, Tags: g.tags}
		if key, err = e.keep(ctx, s.name, c); err != nil {
			return err
		}
		if err := s.replace(ctx, st, c, n); err != nil {
			return err
		}
		is = New
		if e.Changed != nil {
			return e.Changed(ctx, tx, s.name)
		}
		return nil
	})
	if err != nil && key != "" {
		_ = e.Blobs.Delete(context.WithoutCancel(ctx), key) // it is of no snapshot
	}
	if err == nil && is == New {
		e.forget(ctx, s.name)
	}
	return n, is, err
}

// off tells whether the operator wants none of it.
func (s source) off() bool { return s.place == "" || strings.EqualFold(s.place, Off) }

// plausible tells why content cannot be what it should be.
func (s source) plausible(c content, had *store.IntelSnapshot, now time.Time) error {
	switch {
	case c.records == 0:
		return gate.Errorf(gate.Invalid, "it has no records")
	case s.place == s.usual && c.records < s.least:
		return gate.Errorf(gate.Invalid, "it has %d records, and should have more than %d: it is not whole", c.records, s.least)
	case c.published.After(now.Add(48 * time.Hour)):
		return gate.Errorf(gate.Invalid, "it is of %s, which is yet to come", c.published.Format(time.DateOnly))
	case c.published.Before(time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)):
		return gate.Errorf(gate.Invalid, "it is of %s: that cannot be", c.published.Format(time.DateOnly))
	case had == nil:
		return nil
	case c.published.Before(had.Published):
		return gate.Errorf(gate.Invalid, "it is of %s, older than what is in use (%s)", c.published.Format(time.RFC3339), had.Published.UTC().Format(time.RFC3339))
	case c.records*100 < had.Records*(100-s.shrink):
		return gate.Errorf(gate.Invalid, "it has %d records where the last had %d: more than %d %% cannot be gone", c.records, had.Records, s.shrink)
	}
	return nil
}

// shown is a place as people may see it.
func shown(place string) string { return integrations.Redact(place) }
