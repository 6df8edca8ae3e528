package ingest

import (
	"context"
	"io"

	"gocloud.dev/gcerrors"

	"defectdojo/gate"
)

// KeepFile puts a file with that SHA-256 into the blob store, if it is not there.
func (i *Importer) KeepFile(ctx context.Context, sum []byte, content io.Reader) error {
	return i.keepBlob(ctx, sum, content)
}

// OpenFile opens the file with that SHA-256 in the blob store.
func (i *Importer) OpenFile(ctx context.Context, sum []byte) (io.ReadCloser, error) {
	f, err := i.Blobs.NewReader(ctx, BlobKey(sum), nil)
	if gcerrors.Code(err) == gcerrors.NotFound {
		return nil, gate.Errorf(gate.NotFound, "the file is not in the store for reports any more")
	}
	if err != nil {
		return nil, blobError(err)
	}
	return f, nil
}
