package server

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/enrich"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// osvDev stands for the exports of the usual languages.
const osvDev = "osv.dev"

// places stores where a source of intelligence is.
func places(field func(*Config) *string) func(*Config, string) error {
	return func(c *Config, v string) error {
		*field(c) = v
		if v == osvDev {
			*field(c) = enrich.DefaultOSV
			return nil
		}
		if v == enrich.Off {
			return nil
		}
		for _, p := range enrich.Split(v) {
			u, err := url.Parse(p)
			if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" && u.Scheme != "file" {
				return fmt.Errorf("%q is no address, file or folder", p)
			}
		}
		return nil
	}
}

// newEnricher makes what brings in intelligence.
func (s *Server) newEnricher() *enrich.Enricher {
	return &enrich.Enricher{
		Store: s.store, Blobs: s.blobs, Places: s.cfg.Intel,
		HTTP: integrations.NewClient(integrations.Options{Timeout: 30 * time.Minute, MaxBytes: enrich.MaxDownload, Allowed: s.cfg.AllowedNet}),
		Changed: func(ctx context.Context, tx pgx.Tx, source store.IntelName) error {
			return s.tell(ctx, tx, gate.Event{Kind: gate.EventIntel, At: now(), Action: string(source)})
		},
	}
}

// refreshIntel is the job's.
func (s *Server) refreshIntel(ctx context.Context) error {
	_, err := s.enricher.RefreshIfDue(ctx, now())
	return err
}

var _ jobs.Follower = (*Server)(nil).enrichImport

// enrichImport writes what is known of vulnerabilities into the findings of a
// report that came in.
func (s *Server) enrichImport(ctx context.Context, tx pgx.Tx, e gate.Event) error {
	if e.Kind != gate.EventImport {
		return nil
	}
	_, err := store.In(tx).EnrichFindings(ctx, e.TestID)
	return err
}

// RefreshIntel refreshes the sources now, whether a node runs or not, and says
// what became of each. It returns how many failed.
func RefreshIntel(ctx context.Context, cfg Config, out io.Writer) (failed int, err error) {
	err = beside(ctx, cfg, out, func(s *Server) error {
		results, err := s.enricher.Refresh(ctx, now())
		for _, r := range results {
			switch r.Is {
			case enrich.New:
				fmt.Fprintf(out, "%s: new, %s, %d records, sha256:%s\n", r.Source, r.Snapshot.Version, r.Snapshot.Records, r.Snapshot.Digest)
			case enrich.Failed:
				failed++
				fmt.Fprintf(out, "%s: failed: %v\n", r.Source, r.Err)
			default:
				fmt.Fprintf(out, "%s: %s\n", r.Source, r.Is)
			}
		}
		return err
	})
	return failed, err
}
