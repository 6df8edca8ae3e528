package stream

import (
	"archive/zip"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"defectdojo/gate"
)

// Member is a file in an archive. Its name is a label, never used as a path.
type Member struct {
	Name   string
	in     *Input
	file   *zip.File
	budget *int64
	opened **Input // the last Input on it, to find the place of an error in
}

// Zip calls f for each regular file of a zip archive, in the archive's order. An
// Input that f opens on it is good until f returns.
// Encrypted members, links, archives in archives, members that share their data
// and anything over the limits are refused.
func Zip(in *Input, f func(Member) error) error {
	z, err := openZip(in)
	if err != nil {
		return err
	}
	budget := in.limits.Bytes
	for _, file := range z.File {
		if file.FileInfo().IsDir() {
			continue
		}
		if err := in.ctx.Err(); err != nil {
			return err
		}
		var opened *Input
		m := Member{path.Clean(file.Name), in, file, &budget, &opened}
		switch {
		case !file.Mode().IsRegular():
			return Errorf("the archive's member %q is a link or a device", m.Name)
		case file.Flags&1 != 0:
			return Errorf("the archive's member %q is encrypted", m.Name)
		}
		err := m.give(f)
		if opened != nil {
			opened.Done()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// give calls f with the member; an error tells its name and its place in it.
func (m Member) give(f func(Member) error) error {
	err := f(m)
	if err == nil || gatewayError(err) {
		return err
	}
	if *m.opened != nil {
		Locate(*m.opened, err)
	}
	return fmt.Errorf("%s: %w", m.Name, err)
}

// Names returns the names in a zip archive.
func Names(in *Input) ([]string, error) {
	z, err := openZip(in)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	return names, nil
}

// openZip reads an archive's directory once it is known to be of a size that
// can be held.
func openZip(in *Input) (*zip.Reader, error) {
	at, size, err := in.readerAt()
	if err != nil {
		return nil, err
	}
	if err := checkDirectory(at, size, in.limits.Members); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(at, size)
	if errors.Is(err, zip.ErrInsecurePath) {
		return nil, Errorf("the archive has a member with an unsafe name")
	}
	if err != nil {
		return nil, Errorf("not a readable zip archive: %v", err)
	}
	return z, checkOverlap(z)
}

// readerAt returns the source for random access: itself, or its bytes.
func (in *Input) readerAt() (io.ReaderAt, int64, error) {
	size, err := in.src.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, 0, err
	}
	if at, ok := in.src.(io.ReaderAt); ok {
		return at, size, nil
	}
	if _, err := in.src.Seek(0, io.SeekStart); err != nil {
		return nil, 0, err
	}
	b, err := io.ReadAll(io.LimitReader(in.src, in.limits.MemberBytes+1))
	if err == nil && int64(len(b)) > in.limits.MemberBytes {
		err = gate.Errorf(gate.TooLarge, "the archive is larger than %d MiB", in.limits.MemberBytes>>20)
	}
	return bytes.NewReader(b), int64(len(b)), err
}

// checkOverlap refuses members whose data overlap, by which a small archive
// unfolds into a huge one (https://www.bamsoftware.com/hacks/zipbomb/).
func checkOverlap(z *zip.Reader) error {
	type part struct{ from, to int64 }
	var parts []part
	for _, f := range z.File {
		from, err := f.DataOffset()
		if err != nil {
			return Errorf("not a readable zip archive: %v", err)
		}
		if n := int64(f.CompressedSize64); n > 0 { //nolint:gosec // a forged size fails when it is read
			parts = append(parts, part{from, from + n})
		}
	}
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	for i := 1; i < len(parts); i++ {
		if parts[i].from < parts[i-1].to {
			return Errorf("the archive's members overlap")
		}
	}
	return nil
}

// Open returns the member's content as an Input. It is decompressed while it is
// read, and again when it is rewound.
func (m Member) Open() (*Input, error) {
	r, err := m.reader()
	if err != nil {
		return nil, err
	}
	in, err := NewInput(m.in.ctx, r, m.in.limits)
	if err == nil {
		*m.opened = in
	}
	return in, err
}

// Bytes returns the member's content as it is in the archive.
func (m Member) Bytes() ([]byte, error) {
	r, err := m.reader()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	b.Grow(int(m.file.UncompressedSize64) + bytes.MinRead) //nolint:gosec // within the limits, as reader checks
	if _, err := b.ReadFrom(r); err != nil {
		if gatewayError(err) {
			return nil, err
		}
		return nil, Errorf("cannot be decompressed: %v", err)
	}
	return b.Bytes(), nil
}

// reader returns a reader of the member, whose size is within the limits. The
// size that the archive gives is binding: archive/zip reads no more than that.
func (m Member) reader() (*memberReader, error) {
	size, packed := m.file.UncompressedSize64, m.file.CompressedSize64
	limit := min(m.in.limits.MemberBytes, *m.budget)
	switch {
	case size > uint64(max(limit, 0)):
		return nil, gate.Errorf(gate.TooLarge, "%s is larger than %d MiB decompressed", m.Name, limit>>20)
	case size > 1<<20 && size/uint64(m.in.limits.Ratio) > packed: //nolint:gosec // a ratio is positive
		return nil, gate.Errorf(gate.TooLarge, "%s decompresses to more than %d times its size", m.Name, m.in.limits.Ratio)
	}
	*m.budget -= int64(size) //nolint:gosec // within the limit
	r := &memberReader{m: m}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	var magic [4]byte
	if n, _ := io.ReadFull(r, magic[:]); n == 4 && string(magic[:]) == "PK\x03\x04" {
		return nil, Errorf("an archive inside an archive is not read")
	}
	_, err := r.Seek(0, io.SeekStart)
	return r, err
}

// memberReader reads a member, from the start again after Seek.
type memberReader struct {
	m Member
	r io.ReadCloser
}

func (r *memberReader) Read(p []byte) (int, error) {
	if err := r.m.in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := r.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = Errorf("cannot be decompressed: %v", err)
	}
	return n, err
}

// Seek goes to the start, or tells the size.
func (r *memberReader) Seek(_ int64, whence int) (int64, error) {
	if whence == io.SeekEnd {
		return int64(r.m.file.UncompressedSize64), nil //nolint:gosec // within the limits
	}
	if r.r != nil {
		r.r.Close()
	}
	var err error
	if r.r, err = r.m.file.Open(); err != nil {
		return 0, Errorf("cannot be decompressed: %v", err)
	}
	return 0, nil
}
