// Package streamtest makes large reports for tests.
package streamtest

import (
	"io"
	"strings"
)

// Repeated is a report that is made as it is read: Before, Times times Unit, After.
type Repeated struct {
	Before, Unit, After string
	Times               int

	// Mark is a text in Unit in whose place its number stands, in as many digits:
	// for parsers that merge what is the same.
	Mark string

	at     int64
	unit   []byte // the current one
	marks  []int  // where its number stands
	number int64  // its number, from 1
}

// Size returns the report's length in bytes.
func (r *Repeated) Size() int64 {
	return int64(len(r.Before)) + int64(len(r.Unit))*int64(r.Times) + int64(len(r.After))
}

// Seek goes to a place from the start, or to the end.
func (r *Repeated) Seek(offset int64, whence int) (int64, error) {
	r.at = offset
	if whence == io.SeekEnd {
		r.at += r.Size()
	}
	return r.at, nil
}

// Read makes the next bytes.
func (r *Repeated) Read(p []byte) (int, error) {
	n := 0
	for n < len(p) {
		part, at := r.part()
		if at >= int64(len(part)) {
			break
		}
		c := copy(p[n:], part[at:])
		n += c
		r.at += int64(c)
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// part returns the text at the current place, and how far in it that is.
func (r *Repeated) part() ([]byte, int64) {
	at, units := r.at, int64(len(r.Unit))*int64(r.Times)
	if at < int64(len(r.Before)) {
		return []byte(r.Before), at
	}
	if at -= int64(len(r.Before)); at < units {
		return r.numbered(at / int64(len(r.Unit))), at % int64(len(r.Unit))
	}
	return []byte(r.After), at - units
}

// numbered is the unit of an index.
func (r *Repeated) numbered(index int64) []byte {
	if r.unit == nil {
		r.unit = []byte(r.Unit)
		for i := 0; r.Mark != "" && i < len(r.Unit); i++ {
			if strings.HasPrefix(r.Unit[i:], r.Mark) {
				r.marks = append(r.marks, i)
			}
		}
	}
	if r.number != index+1 {
		r.number = index + 1
		for _, at := range r.marks {
			putDigits(r.unit[at:at+len(r.Mark)], index)
		}
	}
	return r.unit
}

// putDigits fills p with the last digits of n.
func putDigits(p []byte, n int64) {
	for i := len(p) - 1; i >= 0; i-- {
		p[i] = byte('0' + n%10)
		n /= 10
	}
}
