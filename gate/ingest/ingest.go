package ingest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"gocloud.dev/blob"
	"gocloud.dev/gcerrors"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/fault"
	"defectdojo/gate/store"
	"defectdojo/parsers/all"
	"defectdojo/parsers/stream"
)

// Importer takes reports in.
type Importer struct {
	Store  *store.Store
	Blobs  *blob.Bucket // where reports are kept, by their SHA-256
	Limits stream.Limits

	// Enqueue puts the jobs that follow an import into its transaction.
	Enqueue func(ctx context.Context, tx pgx.Tx, r Result) error
}

// parseTime bounds how long one report may take to read.
const parseTime = 60 * time.Second

// maxTries bounds how often an import is tried that lost to another transaction.
const maxTries = 5

// Import imports the request's report into what was resolved of its target, at
// a time. It does all or nothing, but for the report itself, which is kept.
func (i *Importer) Import(ctx context.Context, r Request, to Resolved, now time.Time) (Result, error) {
	p, ok := all.ByScanType(r.ScanType)
	if !ok {
		return Result{}, gate.FieldErrorf("scan_type", "%q is not a valid choice.", r.ScanType)
	}
	r.ScanType = p.ScanType
	if r.Untrusted {
		r.CloseOldFindings, r.CloseOldFindingsProductScope, r.KeepClosedByReport, r.Active, r.Verified = false, false, false, nil, nil
	}
	// The report is kept while it is read: nothing is done before it is.
	keeping := begin(func() error { return i.keep(ctx, r.Report) })
	defer func() { _ = keeping.wait() }()
	for try := 1; ; try++ {
		var result Result
		err := i.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
			m := &importing{Importer: i, store: s, request: r, parser: p, now: now.UTC()}
			var err error
			if result, err = m.run(ctx, to); err != nil {
				return err
			}
			result.Asked = to
			if err := keeping.wait(); err != nil {
				return err
			}
			fault.Point(fault.BlobStored)
			if i.Enqueue != nil && !result.Replayed {
				result.Judges = r.Judges
				err = i.Enqueue(ctx, tx, result)
			}
			fault.Point(fault.Committing)
			return err
		})
		switch {
		case err == nil:
			fault.Point(fault.Committed)
			return result, nil
		case lostToAnother(err) && try < maxTries:
			if err := pause(ctx, try); err != nil {
				return Result{}, err
			}
		case gate.KindOf(err) == gate.Invalid || gate.KindOf(err) == gate.TooLarge:
			if err := keeping.wait(); err != nil {
				return Result{}, err
			}
			return Result{}, i.recordFailure(ctx, r, to, now, i.looksLike(ctx, r, err))
		default:
			return Result{}, err
		}
	}
}

// Settings returns how findings of a scan type are told apart: as somebody set
// it, else as built in.
func Settings(ctx context.Context, s *store.Store, scanType string) (dedup.Settings, error) {
	row, err := s.DedupSettings(ctx, scanType)
	if gate.KindOf(err) == gate.NotFound {
		return dedup.For(scanType), nil
	}
	if err != nil {
		return dedup.Settings{}, err
	}
	return row.Settings(), nil
}

// BlobKey is where a file with that SHA-256 is in the blob store.
func BlobKey(sum []byte) string {
	h := hex.EncodeToString(sum)
	return "sha256/" + h[:2] + "/" + h
}

// keep puts the report into the blob store, if it is not there.
func (i *Importer) keep(ctx context.Context, r Report) error {
	return i.keepBlob(ctx, r.SHA256[:], io.NewSectionReader(r.Content, 0, r.Size))
}

func (i *Importer) keepBlob(ctx context.Context, sum []byte, content io.Reader) error {
	key := BlobKey(sum)
	if there, err := i.Blobs.Exists(ctx, key); err != nil || there {
		return blobError(err)
	}
	return blobError(i.Blobs.Upload(ctx, key, content, &blob.WriterOptions{ContentType: "application/octet-stream"}))
}

// blobError tells an outage of the blob store as one.
func blobError(err error) error {
	if err == nil || gcerrors.Code(err) == gcerrors.Canceled {
		return err
	}
	return errors.Join(gate.Errorf(gate.Unavailable, "the store for reports cannot be written now: try again later"), fmt.Errorf("keep report: %w", err))
}

// recordFailure puts a failed import into the history, so that it can be seen
// and tried again without another upload, and returns why it failed.
func (i *Importer) recordFailure(ctx context.Context, r Request, to Resolved, now time.Time, cause error) error {
	artifact, err := i.Store.AddArtifact(ctx, r.Report.SHA256[:], r.Report.Size)
	if err == nil {
		_, err = i.Store.AddImport(ctx, store.ImportRecord{
			TestID: gate.NonZero(to.TestID), ProductID: gate.NonZero(to.ProductID), Type: kind(r), State: "failed", Error: cause.Error(), ScanType: r.ScanType,
			Filename: r.Report.Filename, ArtifactID: artifact, UserID: r.User.ID, Settings: importSettings(r), Version: r.Version, BuildID: r.BuildID,
			CommitHash: r.CommitHash, BranchTag: r.BranchTag, Sequence: r.Sequence, Created: now, Request: kept(r), Untrusted: r.Untrusted, Producer: r.Producer,
		})
	}
	if err != nil {
		slog.ErrorContext(ctx, "failed import not recorded", "error", err)
	}
	return cause
}

// lostToAnother tells whether a transaction failed only because of another one.
func lostToAnother(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

// pause waits before the next try: 20 ms doubled, with jitter.
func pause(ctx context.Context, try int) error {
	d := 20 * time.Millisecond << try
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d/2 + rand.N(d)): //nolint:gosec // jitter is no secret
		return nil
	}
}

func kind(r Request) string {
	if r.Reimport {
		return "reimport"
	}
	return "import"
}

// importSettings are what the history shows of a request.
func importSettings(r Request) map[string]any {
	m := map[string]any{
		"active": r.Active, "verified": r.Verified, "minimum_severity": r.MinimumSeverity, "close_old_findings": r.CloseOldFindings, "push_to_jira": r.PushToJira,
		"tags": r.Tags, "service": r.Service, "close_old_findings_product_scope": r.CloseOldFindingsProductScope, "do_not_reactivate": r.DoNotReactivate,
		"apply_tags_to_findings": r.ApplyTagsToFindings, "apply_tags_to_endpoints": r.ApplyTagsToEndpoints, "group_by": r.GroupBy,
		"create_finding_groups_for_all_findings": r.CreateFindingGroupsForAllFindings,
	}
	if !r.ScanDate.IsZero() {
		m["scan_date"] = r.ScanDate
	}
	if len(r.EndpointsToAdd) > 0 {
		m["locations"] = r.EndpointsToAdd
	}
	if r.Line != (gate.Line{}) {
		m["line"] = r.Line
	}
	return m
}

// digest is of all that makes two uploads with one idempotency key the same.
func digest(r Request) []byte {
	h := sha256.New()
	h.Write(r.Report.SHA256[:])
	settings, err := json.Marshal(importSettings(r))
	if err != nil {
		panic(err) // a map of plain values
	}
	h.Write(settings)
	fmt.Fprintf(h, "%q %q %q %d %d", kind(r), r.ScanType, r.Target.ProductName+"\x00"+r.Target.EngagementName+"\x00"+r.Target.TestTitle, r.Target.EngagementID, r.Target.TestID)
	return h.Sum(nil)
}

func idText(id int64) string { return strconv.FormatInt(id, 10) }
