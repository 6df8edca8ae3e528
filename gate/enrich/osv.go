package enrich

import (
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
)

// Bounds of an export.
const (
	maxEntry   = 16 << 20  // bytes of one record
	maxEntries = 2_000_000 // records of one archive
	maxUnzip   = 32 << 30  // bytes of all of them
)

// record is an advisory in OSV's form, as far as it is used:
// https://ossf.github.io/osv-schema/
type record struct {
	ID        string     `json:"id"`
	Aliases   []string   `json:"aliases"`
	Published *time.Time `json:"published"`
	Modified  *time.Time `json:"modified"`
	Withdrawn *time.Time `json:"withdrawn"`
	Affected  []struct {
		Package struct {
			Ecosystem string `json:"ecosystem"`
			Name      string `json:"name"`
			PURL      string `json:"purl"`
		} `json:"package"`
		Ranges []struct {
			Type   string  `json:"type"`
			Events []event `json:"events"`
		} `json:"ranges"`
	} `json:"affected"`
}

type event struct {
	Introduced   string `json:"introduced"`
	Fixed        string `json:"fixed"`
	LastAffected string `json:"last_affected"`
}

// readOSV reads advisories onto the stage: records as they are, one a line, in a
// list, or in a zip.
func readOSV(ctx context.Context, s *store.Store, files []file) (c content, err error) {
	stage, err := s.StageAdvisories(ctx)
	if err != nil {
		return c, err
	}
	r := osvReader{stage: stage}
	for _, f := range files {
		if err := r.read(ctx, f); err != nil {
			return c, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if c.text, err = os.CreateTemp("", "intel-*"); err != nil {
		return c, err
	}
	z := gzip.NewWriter(c.text)
	if c.records, c.digest, c.bytes, err = stage.Done(ctx, z); err != nil {
		return c, err
	}
	c.published = r.newest.UTC()
	if r.newest.IsZero() {
		return c, gate.Errorf(gate.Invalid, "it has no record of OSV's form")
	}
	c.version = "OSV of " + c.published.Format(time.DateOnly)
	return c, z.Close()
}

// osvReader puts records onto the stage.
type osvReader struct {
	stage  *store.AdvisoryStage
	newest time.Time // the last time that any record was changed
}

func (r *osvReader) read(ctx context.Context, f file) error {
	o, err := f.unpacked(maxUnzip)
	if err != nil {
		return err
	}
	defer o.Close()
	b := bufio.NewReaderSize(o, 64<<10)
	if head, _ := b.Peek(4); bytes.Equal(head, []byte("PK\x03\x04")) {
		return r.zip(ctx, f)
	}
	return r.values(ctx, b)
}

func (r *osvReader) zip(ctx context.Context, f file) error {
	z, err := zip.OpenReader(f.path)
	if err != nil {
		return gate.Errorf(gate.Invalid, "not a zip: %v", err)
	}
	defer z.Close()
	if len(z.File) > maxEntries {
		return gate.Errorf(gate.TooLarge, "%d entries are more than may be", len(z.File))
	}
	left := int64(maxUnzip)
	for _, e := range z.File {
		if !strings.HasSuffix(e.Name, ".json") || strings.HasPrefix(e.Name, "MAL-") {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		o, err := e.Open()
		if err != nil {
			return gate.Errorf(gate.Invalid, "%s: %v", e.Name, err)
		}
		text, err := io.ReadAll(&bounded{o, min(maxEntry, left)})
		_ = o.Close()
		if err != nil {
			return gate.Errorf(gate.Invalid, "%s: %v", e.Name, err)
		}
		left -= int64(len(text))
		if err := r.values(ctx, bytes.NewReader(text)); err != nil {
			return fmt.Errorf("%s: %w", e.Name, err)
		}
	}
	return nil
}

// values reads records one after the other, or a list of them.
func (r *osvReader) values(ctx context.Context, in io.Reader) error {
	b := bufio.NewReader(in)
	d := json.NewDecoder(b)
	if head, _ := b.Peek(1); bytes.Equal(head, []byte("[")) {
		if _, err := d.Token(); err != nil {
			return gate.Errorf(gate.Invalid, "not JSON: %v", err)
		}
	}
	for d.More() {
		var rec record
		if err := d.Decode(&rec); err != nil {
			return gate.Errorf(gate.Invalid, "not a record of OSV: %v", err)
		}
		if err := r.add(ctx, &rec); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil && !errors.Is(err, io.EOF) { // the list's end, or the file's
		return gate.Errorf(gate.Invalid, "not JSON: %v", err)
	}
	return nil
}

// add puts a record onto the stage, unless it says nothing of versions that
// anybody should have: withdrawn ones do not, and of malware no version does.
func (r *osvReader) add(ctx context.Context, rec *record) error {
	if rec.ID == "" || rec.Modified == nil {
		return gate.Errorf(gate.Invalid, "a record without id or date of change: not OSV's")
	}
	if rec.Modified.After(r.newest) {
		r.newest = *rec.Modified
	}
	if rec.Withdrawn != nil || strings.HasPrefix(rec.ID, "MAL-") {
		return nil
	}
	a := store.Advisory{ID: rec.ID, Aliases: rec.Aliases, Published: rec.Published, Modified: rec.Modified}
	for _, x := range rec.Affected {
		p := store.AffectedPackage{Ecosystem: x.Package.Ecosystem, Name: x.Package.Name, PURL: policies.BasePURL(x.Package.PURL)}
		for _, v := range x.Ranges {
			if v.Type != "GIT" {
				p.Ranges = append(p.Ranges, ranges(v.Events)...)
			}
		}
		if p.Name != "" && len(p.Ranges) > 0 {
			a.Affected = append(a.Affected, p)
		}
	}
	return r.stage.Add(ctx, a)
}

// ranges turns OSV's events into ranges: each begins with introduced, and ends
// with fixed or last_affected, or not at all.
func ranges(events []event) []store.VersionRange {
	var out []store.VersionRange
	open := false
	for _, e := range events {
		switch {
		case e.Introduced != "":
			v := store.VersionRange{Introduced: e.Introduced}
			if v.Introduced == "0" {
				v.Introduced = ""
			}
			out, open = append(out, v), true
		case e.Fixed != "" && open:
			out[len(out)-1].Fixed, open = e.Fixed, false
		case e.LastAffected != "" && open:
			out[len(out)-1].Last, open = e.LastAffected, false
		}
	}
	return out
}
