package ingest

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"time"

	"gocloud.dev/gcerrors"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// kept is what is stored of a request that failed: all but who sent it, who may
// not be there when it is tried again, and the report, which is in the blob store.
func kept(r Request) Request {
	r.User, r.Report, r.Judges = gate.User{}, Report{}, false
	return r
}

// Retry does an import again that failed, with the report that was kept: after a
// parser learned to read it, or a setting was put right. may says whether its
// sender may import there.
func (i *Importer) Retry(ctx context.Context, failed store.ImportRow, who gate.User, may func(Resolved) error, now time.Time) (Result, error) {
	if failed.State != "failed" || failed.Request == nil {
		return Result{}, gate.Errorf(gate.Conflict, "import %d did not fail: it is %s", failed.ID, failed.State)
	}
	if failed.RetriedByID != nil {
		return Result{}, gate.Errorf(gate.Conflict, "import %d was tried again before, as import %d", failed.ID, *failed.RetriedByID)
	}
	var r Request
	if err := json.Unmarshal(failed.Request, &r); err != nil {
		return Result{}, fmt.Errorf("request of import %d: %w", failed.ID, err)
	}
	r.User = who
	to, err := Resolve(ctx, i.Store, r)
	if err != nil {
		return Result{}, err
	}
	if err := may(to); err != nil {
		return Result{}, err
	}
	report, err := i.fetch(ctx, failed)
	if err != nil {
		return Result{}, err
	}
	defer func() {
		report.Close()
		_ = os.Remove(report.Name())
	}()
	r.Report = Report{Filename: failed.Filename, Content: report, Size: *failed.Size, SHA256: [32]byte(failed.SHA256)}
	result, err := i.Import(ctx, r, to, now)
	if err != nil {
		return result, err
	}
	return result, i.Store.SetRetried(ctx, failed.ID, result.ImportID)
}

// fetch copies a kept report into a file.
func (i *Importer) fetch(ctx context.Context, failed store.ImportRow) (*os.File, error) {
	if len(failed.SHA256) != 32 || failed.Size == nil {
		return nil, gate.Errorf(gate.NotFound, "the report of import %d was not kept", failed.ID)
	}
	blob, err := i.Blobs.NewReader(ctx, BlobKey(failed.SHA256), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, gate.Errorf(gate.NotFound, "the report of import %d (SHA-256 %s) is not in the store for reports any more", failed.ID, hex.EncodeToString(failed.SHA256))
	}
	if err != nil {
		return nil, blobError(err)
	}
	defer blob.Close()
	file, err := os.CreateTemp("", "defectdojo-report-")
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(file, blob); err != nil {
		file.Close()
		_ = os.Remove(file.Name())
		return nil, blobError(err)
	}
	return file, nil
}
