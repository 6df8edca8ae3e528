package enrich

import (
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"

	"gocloud.dev/blob"

	"defectdojo/gate/store"
)

// kept is how many snapshots of a source stay as files. Those that are in use
// are in the database.
const kept = 30

// Key is where a snapshot's content is kept, gzipped.
func Key(name store.IntelName, digest string) string {
	return "intel/" + string(name) + "/" + digest + ".gz"
}

// keep stores the content of a snapshot and returns its key; "" if it was there.
func (e *Enricher) keep(ctx context.Context, name store.IntelName, c content) (string, error) {
	if e.Blobs == nil || c.text == nil {
		return "", nil
	}
	key := Key(name, c.digest)
	if there, err := e.Blobs.Exists(ctx, key); err != nil || there {
		return "", err
	}
	if _, err := c.text.Seek(0, io.SeekStart); err != nil {
		return "", err
	}
	return key, e.Blobs.Upload(ctx, key, c.text, &blob.WriterOptions{ContentType: "application/gzip"})
}

// forget deletes the files of old snapshots.
func (e *Enricher) forget(ctx context.Context, name store.IntelName) {
	if e.Blobs == nil {
		return
	}
	all, err := e.Store.IntelSnapshots(ctx, name, 10*kept)
	for i := kept; i < len(all) && err == nil; i++ {
		key := Key(name, all[i].Digest)
		var there bool
		if there, err = e.Blobs.Exists(ctx, key); there {
			err = e.Blobs.Delete(ctx, key)
		}
	}
	if err != nil {
		slog.WarnContext(ctx, "old intelligence was not deleted", "source", string(name), "error", err)
	}
}

// Content returns what a snapshot held, unpacked: the CSV, the JSON, or one
// advisory a line.
func (e *Enricher) Content(ctx context.Context, name store.IntelName, digest string) (io.ReadCloser, error) {
	r, err := e.Blobs.NewReader(ctx, Key(name, digest), nil)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(r)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return struct {
		io.Reader
		io.Closer
	}{z, r}, nil
}
