// Package stream reads large reports one record at a time: JSON, XML, CSV,
// lines and archives. Limits, character sets and positions are handled here,
// once for all formats.
package stream

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

	"defectdojo/gate"
)

// Limits bound what one report may cost. A zero field means the default.
type Limits struct {
	Bytes        int64 // of the report, decompressed; default 512 MiB
	Members      int   // of an archive; default 1,000
	MemberBytes  int64 // of one member, decompressed; default 256 MiB
	Ratio        int64 // decompressed to compressed, past the first MiB; default 100
	Depth        int   // of JSON and XML; default 512 and 256
	Observations int   // default 200,000
}

// WithDefaults returns l with its zero fields filled in.
func (l Limits) WithDefaults() Limits {
	fill(&l.Bytes, 512<<20)
	fill(&l.Members, 1000)
	fill(&l.MemberBytes, 256<<20)
	fill(&l.Ratio, 100)
	fill(&l.Depth, 512)
	fill(&l.Observations, 200_000)
	return l
}

func fill[T comparable](p *T, v T) {
	var zero T
	if *p == zero {
		*p = v
	}
}

// Input is a report to read: UTF-8 without a byte order mark, whatever the
// file's own encoding; decompressed if it is gzip; within its limits.
type Input struct {
	ctx    context.Context //nolint:containedctx // an Input lives as long as the call that reads it
	src    io.ReadSeeker
	limits Limits
	r      io.Reader
	n      int64
	first  *bufio.Reader // of src
	buffer int           // how large one should be
}

// NewInput returns src as an Input. Reads fail once ctx is done.
func NewInput(ctx context.Context, src io.ReadSeeker, limits Limits) (*Input, error) {
	in := &Input{ctx: ctx, src: src, limits: limits.WithDefaults()}
	return in, in.Rewind()
}

// Limits returns the limits in force.
func (in *Input) Limits() Limits { return in.limits }

// Read reads decoded bytes.
func (in *Input) Read(p []byte) (int, error) {
	if err := in.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := in.r.Read(p)
	in.n += int64(n)
	if in.n > in.limits.Bytes {
		return n, gate.Errorf(gate.TooLarge, "the report is larger than %d MiB", in.limits.Bytes>>20)
	}
	return n, err
}

// Bounds of a buffer: most reports are small, and room for a large one is dear
// where a thousand are read.
const (
	minBuffer = 1 << 10
	maxBuffer = 64 << 10
)

// readers are those that no Input needs at the time.
var readers = sync.Pool{New: func() any { return bufio.NewReaderSize(nil, maxBuffer) }}

// Done gives back what the Input reads with: it is not to be used any more. One
// that is merely dropped is none the worse.
func (in *Input) Done() {
	if in.first != nil {
		in.first.Reset(nil)
		readers.Put(in.first)
	}
	in.first, in.r = nil, nil
}

// Rewind goes back to the start, for a parser that must read twice.
func (in *Input) Rewind() error {
	size, err := in.src.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err := in.src.Seek(0, io.SeekStart); err != nil {
		return err
	}
	in.n, in.buffer = 0, int(min(max(size, minBuffer), maxBuffer))
	if in.first == nil {
		in.first = readers.Get().(*bufio.Reader)
	}
	in.first.Reset(in.src)
	r := in.first
	if magic, _ := r.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(r)
		if err != nil {
			return gate.Errorf(gate.Invalid, "gzip: %v", err)
		}
		if _, err := in.src.Seek(0, io.SeekStart); err != nil {
			return err
		}
		in.buffer = maxBuffer
		r.Reset(in.src)
		if err := z.Reset(r); err != nil {
			return gate.Errorf(gate.Invalid, "gzip: %v", err)
		}
		r = bufio.NewReaderSize(&inflating{r: z, packed: size, ratio: in.limits.Ratio}, in.buffer)
	}
	in.r, err = decode(r)
	return err
}

// Blank makes spaces of what stands before the first c, if that is within the
// first kilobyte: a script's "results = " before its JSON. Places in errors stay
// right. A Rewind undoes it.
func (in *Input) Blank(c byte) error {
	head := make([]byte, 1024)
	n, err := io.ReadFull(in.r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	head = head[:n]
	for i := range max(bytes.IndexByte(head, c), 0) {
		if head[i] != '\n' {
			head[i] = ' '
		}
	}
	in.r = io.MultiReader(bytes.NewReader(head), in.r)
	return nil
}

// inflating refuses to go on when what comes out is out of proportion to what went in.
type inflating struct {
	r             io.Reader
	packed, n     int64
	ratio         int64
	nameOfArchive string
}

func (i *inflating) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.n += int64(n)
	if i.n > 1<<20 && i.n > i.packed*i.ratio {
		return n, gate.Errorf(gate.TooLarge, "%sdecompresses to more than %d times its size", i.nameOfArchive, i.ratio)
	}
	if err != nil && !errors.Is(err, io.EOF) && gate.KindOf(err) == gate.Internal {
		err = gate.Errorf(gate.Invalid, "%scannot be decompressed: %v", i.nameOfArchive, err)
	}
	return n, err
}

// xmlEncoding finds the encoding that an XML declaration names.
var xmlEncoding = regexp.MustCompile(`^\s*<\?xml[^>]*?encoding\s*=\s*["']([A-Za-z0-9._-]+)["']`)

// decode returns r as UTF-8 without a byte order mark.
func decode(r *bufio.Reader) (io.Reader, error) {
	head, err := r.Peek(1024)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull) {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(head, []byte{0xef, 0xbb, 0xbf}):
		_, err := r.Discard(3)
		return r, err
	case bytes.HasPrefix(head, []byte{0xff, 0xfe}), bytes.HasPrefix(head, []byte{0xfe, 0xff}):
		return transform.NewReader(r, unicode.BOMOverride(unicode.UTF8.NewDecoder())), nil
	case len(head) >= 4 && head[0] == '<' && head[1] == 0 && head[3] == 0:
		return transform.NewReader(r, unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewDecoder()), nil
	}
	if m := xmlEncoding.FindSubmatch(head); m != nil {
		name := string(m[1])
		switch e, canonical := charset.Lookup(name); {
		case canonical == "utf-8" || canonical == "utf-16le" || canonical == "utf-16be":
			return r, nil // what a declaration in ASCII bytes says of UTF-16 is wrong
		case e == nil:
			return nil, gate.Errorf(gate.Invalid, "the character set %q is not known", name)
		default:
			return transform.NewReader(r, e.NewDecoder()), nil
		}
	}
	if c := firstByte(head); c != '{' && c != '[' && c != '<' && isText(head) && !validPrefix(head) {
		return transform.NewReader(r, charmap.Windows1252.NewDecoder()), nil
	}
	return r, nil
}

// firstByte returns the first byte that is not white space.
func firstByte(b []byte) byte {
	b = bytes.TrimLeft(b, " \t\r\n")
	if len(b) == 0 {
		return 0
	}
	return b[0]
}

// isText tells whether b holds no byte that only binary files have.
func isText(b []byte) bool {
	return bytes.IndexFunc(b, func(r rune) bool { return r < 0x20 && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != 0x1b }) < 0
}

// validPrefix tells whether b is UTF-8 that may be cut in its last character.
func validPrefix(b []byte) bool {
	for i := range min(utf8.UTFMax, len(b)+1) {
		if utf8.Valid(b[:len(b)-i]) {
			return true
		}
	}
	return false
}

// Error says where and why a report cannot be read.
type Error struct {
	Offset int64  // in the decoded report; -1 when unknown
	Place  string // a JSON pointer, an XML path or a record's number
	Line   int    // 0 when unknown
	Column int
	Reason string
}

// Error writes the place and the reason.
func (e *Error) Error() string {
	place := ""
	switch {
	case e.Line > 0 && e.Column > 0:
		place = fmt.Sprintf("line %d, column %d", e.Line, e.Column)
	case e.Line > 0:
		place = fmt.Sprintf("line %d", e.Line)
	case e.Offset >= 0:
		place = fmt.Sprintf("byte %d", e.Offset)
	}
	if e.Place != "" {
		if place != "" {
			place += " "
		}
		place += "(" + e.Place + ")"
	}
	if place == "" {
		return e.Reason
	}
	return place + ": " + e.Reason
}

// Errorf returns an Error about the report as a whole: not of the format, or
// something missing.
func Errorf(format string, args ...any) error {
	return &Error{Offset: -1, Reason: fmt.Sprintf(format, args...)}
}

// cutShort is the reason given for a report that ends too early.
const cutShort = "the report ends here, in the middle: it is cut short"

// Locate fills in line and column of the Error in err's chain from its offset,
// by reading in again.
func Locate(in *Input, err error) {
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Line > 0 || e.Offset < 0 || in.Rewind() != nil {
		return
	}
	line, column, buf := 1, 1, make([]byte, 64<<10)
	for left := e.Offset; left > 0; {
		n, err := in.Read(buf[:min(int64(len(buf)), left)])
		b := buf[:n]
		if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
			line += bytes.Count(b, []byte{'\n'})
			column = 1
			b = b[i+1:]
		}
		column += utf8.RuneCount(b)
		left -= int64(n)
		if err != nil {
			break
		}
	}
	e.Line, e.Column = line, column
}
