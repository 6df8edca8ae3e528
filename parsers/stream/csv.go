package stream

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
)

// Limits of CSV and of lines.
const (
	maxColumns = 1024
	maxField   = 4 << 20  // bytes
	maxLine    = 16 << 20 // bytes
	maxRecord  = 32 << 20 // bytes

	recordBuffer = 8 << 10 // longer lines are copied
)

// Row is one record of a CSV file, read by the names in its header.
type Row struct {
	header *header
	fields []string
	Line   int // where it begins, from 1
}

// Get returns the field of the first of the columns that the file has, without
// the white space around it. Names match in any letter case.
func (r Row) Get(columns ...string) string {
	for _, c := range columns {
		if i := r.header.position(c); i >= 0 && i < len(r.fields) {
			return strings.TrimSpace(r.fields[i])
		}
	}
	return ""
}

// Has tells whether the file has the column.
func (r Row) Has(column string) bool { return r.header.position(column) >= 0 }

// Columns returns the header's names in lower case, with their positions.
func (r Row) Columns() map[string]int { return r.header.columns }

// At returns the field at a position, or nothing.
func (r Row) At(i int) string {
	if i < 0 || i >= len(r.fields) {
		return ""
	}
	return strings.TrimSpace(r.fields[i])
}

// Len returns the number of fields.
func (r Row) Len() int { return len(r.fields) }

// CSV reads a CSV file with a header line, which must hold the required
// columns, and calls f for each record. The separator (comma, semicolon, tab
// or bar) is the one that the header uses.
func CSV(in *Input, required []string, f func(Row) error) error {
	b := bufio.NewReaderSize(in, in.buffer)
	head, err := b.Peek(in.buffer)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return Records(b, separator(head), required, f)
}

// Records reads CSV from r with the separator given: for files in which
// something stands before the header.
func Records(r io.Reader, comma byte, required []string, f func(Row) error) error {
	c := records{comma: comma}
	l := &leash{r: r, taken: func() int64 { return c.offset }, limit: maxRecord, what: "a record"}
	c.r = bufio.NewReaderSize(l, recordBuffer)
	names, err := c.next()
	if errors.Is(err, io.EOF) {
		return Errorf("the report is empty")
	}
	if err != nil {
		return csvError(c.offset, err)
	}
	if len(names) > maxColumns {
		return Errorf("more than %d columns", maxColumns)
	}
	h := newHeader(names)
	for _, name := range required {
		if h.position(name) < 0 {
			return &Error{Offset: -1, Line: 1, Reason: "there is no column " + strconv.Quote(name)}
		}
	}
	whole, last, width := true, 1, len(names)
	for {
		fields, err := c.next()
		if errors.Is(err, io.EOF) {
			if c.odd && !whole {
				return &Error{Offset: -1, Line: last, Reason: cutShort}
			}
			return nil
		}
		if err != nil {
			return csvError(c.offset, err)
		}
		line := c.first
		whole, last = len(fields) >= width, line
		if len(fields) > maxColumns {
			return &Error{Offset: -1, Line: line, Reason: "more than " + strconv.Itoa(maxColumns) + " fields"}
		}
		for _, v := range fields {
			if len(v) > maxField {
				return &Error{Offset: -1, Line: line, Reason: "a field is longer than " + strconv.Itoa(maxField>>20) + " MiB"}
			}
		}
		if err := f(Row{h, fields, line}); err != nil {
			if hasPlace(err) || gatewayError(err) {
				return err
			}
			return &Error{Offset: -1, Line: line, Reason: err.Error()}
		}
	}
}

// separator returns the candidate that stands most often outside quotes in the first line.
func separator(head []byte) byte {
	counts, quoted := map[byte]int{}, false
	for _, b := range head {
		if b == '"' {
			quoted = !quoted
		} else if !quoted {
			if b == '\n' {
				break
			}
			counts[b]++
		}
	}
	best := byte(',')
	for _, c := range []byte(";\t|") {
		if counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

func csvError(offset int64, err error) error {
	if gatewayError(err) {
		return err
	}
	return &Error{Offset: offset, Reason: err.Error()}
}

// Lines calls f with each line of a text and its number, from 1.
func Lines(in *Input, f func(n int, line string) error) error {
	s := bufio.NewScanner(in)
	s.Buffer(make([]byte, in.buffer), maxLine)
	n := 0
	for s.Scan() {
		n++
		if err := f(n, string(bytes.TrimSuffix(s.Bytes(), []byte("\r")))); err != nil {
			if hasPlace(err) || gatewayError(err) {
				return err
			}
			return &Error{Offset: -1, Line: n, Reason: err.Error()}
		}
	}
	if errors.Is(s.Err(), bufio.ErrTooLong) {
		return &Error{Offset: -1, Line: n + 1, Reason: "a line is longer than " + strconv.Itoa(maxLine>>20) + " MiB"}
	}
	return s.Err()
}

// All reads the whole report: for small formats that cannot be streamed.
func All(in *Input, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(in, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, Errorf("larger than %d MiB", limit>>20)
	}
	return b, nil
}
