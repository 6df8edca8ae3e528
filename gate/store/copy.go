package store

import (
	"context"
	"encoding/binary"
	"io"
	"math"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
)

// column is one column of a binary COPY and how a row's value of it is written.
// pgx's own CopyFrom goes through an any and a plan for each value; findings
// have so many columns that this was most of an import's own time.
type column[R any] struct {
	name string
	put  func(b []byte, r R) []byte
}

// copyRows streams rows into a table in PostgreSQL's binary COPY format
// (https://www.postgresql.org/docs/current/sql-copy.html) and encodes them as
// they go, while the server stores those before.
func copyRows[R any](ctx context.Context, tx pgx.Tx, table string, columns []column[R], rows []R) error {
	if len(rows) == 0 {
		return nil
	}
	names := make([]string, len(columns))
	for i, c := range columns {
		names[i] = c.name
	}
	r := &copyReader[R]{columns: columns, rows: rows, buf: append(make([]byte, 0, 128<<10), copySignature...)}
	_, err := tx.Conn().PgConn().CopyFrom(ctx, r, "copy "+table+" ("+strings.Join(names, ", ")+") from stdin (format binary)")
	return err
}

const copySignature = "PGCOPY\n\xff\r\n\x00" + "\x00\x00\x00\x00" + "\x00\x00\x00\x00"

// copyReader encodes rows when they are read.
type copyReader[R any] struct {
	columns []column[R]
	rows    []R
	next    int
	buf     []byte // what is encoded, from off on not yet read
	off     int
}

// Read fills p with encoded rows.
func (c *copyReader[R]) Read(p []byte) (int, error) {
	c.buf, c.off = append(c.buf[:0], c.buf[c.off:]...), 0
	for len(c.buf) < len(p) && c.next <= len(c.rows) {
		if c.next == len(c.rows) {
			c.buf = append(c.buf, 0xff, 0xff)
			c.next++
			break
		}
		c.buf = binary.BigEndian.AppendUint16(c.buf, uint16(len(c.columns))) //nolint:gosec // far fewer than 65,536
		for _, col := range c.columns {
			c.buf = col.put(c.buf, c.rows[c.next])
		}
		c.next++
	}
	c.off = copy(p, c.buf)
	if c.off == 0 {
		return 0, io.EOF
	}
	return c.off, nil
}

func putNull(b []byte) []byte { return append(b, 0xff, 0xff, 0xff, 0xff) }

func putLength(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) } //nolint:gosec // values are far smaller than 4 GiB

func putInt64(b []byte, v int64) []byte {
	return binary.BigEndian.AppendUint64(putLength(b, 8), uint64(v)) //nolint:gosec // the same bits
}

func putInt32(b []byte, v int32) []byte {
	return binary.BigEndian.AppendUint32(putLength(b, 4), uint32(v)) //nolint:gosec // the same bits
}

func putInt16(b []byte, v int16) []byte {
	return binary.BigEndian.AppendUint16(putLength(b, 2), uint16(v)) //nolint:gosec // the same bits
}

func putBool(b []byte, v bool) []byte {
	if v {
		return append(b, 0, 0, 0, 1, 1)
	}
	return append(b, 0, 0, 0, 1, 0)
}

func putText(b []byte, s string) []byte { return append(putLength(b, len(s)), s...) }

func putBytes(b, v []byte) []byte {
	if v == nil {
		return putNull(b)
	}
	return append(putLength(b, len(v)), v...)
}

// putTextOrNull writes a blank as null.
func putTextOrNull(b []byte, s string) []byte {
	if s == "" {
		return putNull(b)
	}
	return putText(b, s)
}

func putIntPtr(b []byte, v *int) []byte {
	if v == nil {
		return putNull(b)
	}
	return putInt32(b, int32(*v)) //nolint:gosec // parsers keep numbers within 32 bits
}

func putInt64Ptr(b []byte, v *int64) []byte {
	if v == nil {
		return putNull(b)
	}
	return putInt64(b, *v)
}

func putBoolPtr(b []byte, v *bool) []byte {
	if v == nil {
		return putNull(b)
	}
	return putBool(b, *v)
}

func putFloatPtr(b []byte, v *float64) []byte {
	if v == nil {
		return putNull(b)
	}
	return binary.BigEndian.AppendUint64(putLength(b, 8), math.Float64bits(*v))
}

// postgresEpoch is where PostgreSQL's times begin.
var postgresEpoch = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

func putTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return putNull(b)
	}
	return putInt64(b, t.UnixMicro()-postgresEpoch.UnixMicro())
}

func putDate(b []byte, d gate.Date) []byte {
	if d.IsZero() {
		return putNull(b)
	}
	return putInt32(b, int32(d.Time().Sub(postgresEpoch).Hours()/24))
}

// OIDs of array elements (https://www.postgresql.org/docs/current/datatype-oid.html).
const (
	oidInt8 = 20
	oidInt4 = 23
	oidText = 25
)

// putArray writes the header of an array of n elements and returns where its
// length stands, for endArray.
func putArray(b []byte, n int, oid uint32) (at int, _ []byte) {
	at = len(b)
	b = append(b, 0, 0, 0, 0)
	dims := uint32(1)
	if n == 0 {
		dims = 0
	}
	b = binary.BigEndian.AppendUint32(b, dims)
	b = binary.BigEndian.AppendUint32(b, 0)
	b = binary.BigEndian.AppendUint32(b, oid)
	if n > 0 {
		b = binary.BigEndian.AppendUint32(b, uint32(n)) //nolint:gosec // bounded by the parsers
		b = binary.BigEndian.AppendUint32(b, 1)
	}
	return at, b
}

func endArray(b []byte, at int) []byte {
	binary.BigEndian.PutUint32(b[at:], uint32(len(b)-at-4)) //nolint:gosec // as above
	return b
}

func putTexts(b []byte, v []string) []byte {
	at, b := putArray(b, len(v), oidText)
	for _, s := range v {
		b = putText(b, s)
	}
	return endArray(b, at)
}

func putInts(b []byte, v []int) []byte {
	at, b := putArray(b, len(v), oidInt4)
	for _, n := range v {
		b = putInt32(b, int32(n)) //nolint:gosec // CWE numbers
	}
	return endArray(b, at)
}
