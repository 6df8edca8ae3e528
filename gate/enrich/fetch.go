package enrich

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"defectdojo/gate"
)

// file is something that was fetched: on disk, because it may be large.
type file struct {
	name string // for people
	path string
}

// fetcher fetches the files of a source.
type fetcher struct {
	http      *http.Client
	had       map[string]string // URL → tag of what is in use
	tags      map[string]string // of what was fetched
	temporary []*os.File
}

// close removes what was fetched.
func (g *fetcher) close() {
	for _, f := range g.temporary {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}
}

// Split returns the places that a text names.
func Split(places string) []string {
	return strings.FieldsFunc(places, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
}

// fetch returns the files of a place; none when nothing has changed.
func (g *fetcher) fetch(ctx context.Context, places string) ([]file, error) {
	all := Split(places)
	var files []file
	same := 0
	for _, p := range all {
		got, err := g.one(ctx, p, true)
		if err != nil {
			return nil, err
		}
		if got == nil {
			same++
		}
		files = append(files, got...)
	}
	if same == len(all) {
		return nil, nil
	}
	if same == 0 {
		return files, nil
	}
	files = files[:0] // one of several has changed: all are needed
	for _, p := range all {
		got, err := g.one(ctx, p, false)
		if err != nil {
			return nil, err
		}
		files = append(files, got...)
	}
	return files, nil
}

// one fetches one place; nothing when it has not changed.
func (g *fetcher) one(ctx context.Context, place string, unlessSame bool) ([]file, error) {
	u, err := url.Parse(place)
	if err != nil {
		return nil, gate.Errorf(gate.Invalid, "%q is not a URL", place)
	}
	switch u.Scheme {
	case "http", "https":
		return g.download(ctx, place, u.Host, unlessSame)
	case "file":
		return local(u.Path)
	case "":
		return local(place)
	}
	return nil, gate.Errorf(gate.Invalid, "%q: only http, https and file can be read", place)
}

// local returns a file, or those of a folder.
func local(path string) ([]file, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return []file{{filepath.Base(path), path}}, nil
	}
	files := []file{}
	err = filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() && slices.Contains([]string{".json", ".zip", ".ndjson", ".jsonl", ".gz"}, filepath.Ext(p)) {
			files = append(files, file{d.Name(), p})
		}
		return err
	})
	if err == nil && len(files) == 0 {
		err = gate.Errorf(gate.Invalid, "%s: no .json, .ndjson or .zip in this folder", path)
	}
	return files, err
}

// download asks for a URL, and for nothing if it is what is in use.
func (g *fetcher) download(ctx context.Context, address, host string, unlessSame bool) ([]file, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, err
	}
	if tag := g.had[address]; tag != "" && unlessSame {
		if strings.HasPrefix(tag, `"`) || strings.HasPrefix(tag, "W/") {
			req.Header.Set("If-None-Match", tag)
		} else {
			req.Header.Set("If-Modified-Since", tag)
		}
	}
	resp, err := g.http.Do(req)
	if err != nil {
		return nil, plainly(err, host)
	}
	defer resp.Body.Close()
	tag := resp.Header.Get("ETag")
	if tag == "" {
		tag = resp.Header.Get("Last-Modified")
	}
	switch {
	case resp.StatusCode == http.StatusNotModified && unlessSame:
		g.tags[address] = g.had[address]
		return nil, nil
	case resp.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%s answered %s", host, resp.Status)
	case resp.ContentLength > MaxDownload:
		return nil, gate.Errorf(gate.TooLarge, "%s has %d bytes, more than may be", host, resp.ContentLength)
	}
	f, err := g.temp()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(f, resp.Body); err != nil {
		return nil, fmt.Errorf("%s: the answer broke off: %w", host, err)
	}
	g.tags[address] = tag
	return []file{{host, f.Name()}}, nil
}

// plainly tells an error of a request without its URL, which may hold a secret.
func plainly(err error, host string) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	return fmt.Errorf("%s: %w", host, err)
}

func (g *fetcher) temp() (*os.File, error) {
	f, err := os.CreateTemp("", "intel-*")
	if err == nil {
		g.temporary = append(g.temporary, f)
	}
	return f, err
}

// unpacked opens a file, through gzip if it is packed so, and reads at most limit bytes.
func (f file) unpacked(limit int64) (io.ReadCloser, error) {
	o, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	b := bufio.NewReaderSize(o, 64<<10)
	var r io.Reader = b
	if head, _ := b.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		if r, err = gzip.NewReader(b); err != nil {
			return nil, errors.Join(fmt.Errorf("%s: %w", f.name, err), o.Close())
		}
	}
	return struct {
		io.Reader
		io.Closer
	}{&bounded{r, limit}, o}, nil
}

// bounded fails where io.LimitReader would only end: half of a list is none.
type bounded struct {
	r    io.Reader
	left int64
}

// Read reads on.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, gate.Errorf(gate.TooLarge, "it is larger than may be")
	}
	return n, err
}

// whole reads a file whole, with a copy that is kept packed.
func (f file) whole(limit int64) ([]byte, *os.File, error) {
	r, err := f.unpacked(limit)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", f.name, err)
	}
	packed, err := os.CreateTemp("", "intel-*")
	if err != nil {
		return nil, nil, err
	}
	z := gzip.NewWriter(packed)
	_, err = z.Write(text)
	return text, packed, errors.Join(err, z.Close())
}
