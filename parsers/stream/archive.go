package stream

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path"

	"defectdojo/gate"
)

// Member is a file in an archive. Its name is a label, never used as a path.
type Member struct {
	Name   string
	in     *Input
	file   *zip.File
	budget *int64
}

// Zip calls f for each regular file of a zip archive, in the archive's order.
// Encrypted members, links, archives in archives and anything over the limits
// are refused.
func Zip(in *Input, f func(Member) error) error {
	size, err := in.src.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	at, ok := in.src.(io.ReaderAt)
	if !ok {
		if _, err := in.src.Seek(0, io.SeekStart); err != nil {
			return err
		}
		b, err := io.ReadAll(in.src)
		if err != nil {
			return err
		}
		at = bytes.NewReader(b)
	}
	z, err := zip.NewReader(at, size)
	if err != nil {
		if errors.Is(err, zip.ErrInsecurePath) {
			return Errorf("the archive has a member with an unsafe name")
		}
		return Errorf("not a readable zip archive: %v", err)
	}
	if len(z.File) > in.limits.Members {
		return gate.Errorf(gate.TooLarge, "the archive has more than %d members", in.limits.Members)
	}
	budget := in.limits.Bytes
	for _, file := range z.File {
		if file.FileInfo().IsDir() {
			continue
		}
		if err := in.ctx.Err(); err != nil {
			return err
		}
		m := Member{path.Clean(file.Name), in, file, &budget}
		switch {
		case !file.Mode().IsRegular():
			return Errorf("the archive's member %q is a link or a device", m.Name)
		case file.Flags&1 != 0:
			return Errorf("the archive's member %q is encrypted", m.Name)
		}
		if err := f(m); err != nil {
			if gatewayError(err) {
				return err
			}
			return fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return nil
}

// Open returns the member's content as an Input, held in memory.
func (m Member) Open() (*Input, error) {
	b, err := m.Bytes()
	if err != nil {
		return nil, err
	}
	return NewInput(m.in.ctx, bytes.NewReader(b), m.in.limits)
}

// Bytes returns the member's content as it is in the archive.
func (m Member) Bytes() ([]byte, error) {
	r, err := m.file.Open()
	if err != nil {
		return nil, Errorf("cannot be decompressed: %v", err)
	}
	defer r.Close()
	limit := min(m.in.limits.MemberBytes, *m.budget)
	packed := int64(m.file.CompressedSize64) //nolint:gosec // a forged size makes the ratio's check stricter, or the read short
	b, err := io.ReadAll(io.LimitReader(&inflating{r: &done{m.in.ctx, r}, packed: max(packed, 0), ratio: m.in.limits.Ratio, nameOfArchive: m.Name + " "}, limit+1))
	if err != nil {
		if gatewayError(err) {
			return nil, err
		}
		return nil, Errorf("cannot be decompressed: %v", err)
	}
	if int64(len(b)) > limit {
		return nil, gate.Errorf(gate.TooLarge, "%s is larger than %d MiB decompressed", m.Name, limit>>20)
	}
	*m.budget -= int64(len(b))
	if bytes.HasPrefix(b, []byte("PK\x03\x04")) && path.Ext(m.Name) == ".zip" {
		return nil, Errorf("an archive inside an archive is not read")
	}
	return b, nil
}

// done ends reading once its context is.
type done struct {
	ctx context.Context //nolint:containedctx // as Input's
	r   io.Reader
}

func (d *done) Read(p []byte) (int, error) {
	if err := d.ctx.Err(); err != nil {
		return 0, err
	}
	return d.r.Read(p)
}
