package stream

import (
	"bytes"
	"io"
)

// Skim leaves out of a JSON report the elements of the arrays that have this name
// in objects at this depth: {"runs": [{"results": … is at 3. It is for a first pass
// over a large report that is read again: what is left out is not checked, and an
// error does not tell its right place. A Rewind undoes it.
func (in *Input) Skim(name string, depth int) {
	in.r = &skimmer{in: in, r: in.r, name: `"` + name + `"`, level: depth}
}

// skimmer knows no more of JSON than strings and brackets.
type skimmer struct {
	in    *Input
	r     io.Reader
	name  string // with its quotes
	level int

	depth  int    // open brackets
	quoted bool   // within a string
	odd    bool   // of which an odd number of backslashes was read last
	token  []byte // the last string at the level, as far as it may be the name; empty behind a comma
	leaves bool   // within an array that is left out
}

// Read reads what remains.
func (s *skimmer) Read(p []byte) (int, error) {
	for {
		if err := s.in.ctx.Err(); err != nil {
			return 0, err
		}
		n, err := s.r.Read(p)
		if n = s.keep(p[:n]); n > 0 || err != nil {
			return n, err
		}
	}
}

// keep moves what remains of b to its start and returns its length.
func (s *skimmer) keep(b []byte) int {
	kept := 0
	for at := 0; at < len(b); {
		leaves, read := s.leaves, s.between
		if s.quoted {
			read = s.inString
		}
		n := read(b[at:])
		if !leaves {
			kept += copy(b[kept:], b[at:at+n])
		}
		at += n
	}
	return kept
}

// between reads to the next string, or to where leaving out begins or ends: the
// brackets themselves remain.
func (s *skimmer) between(b []byte) int {
	for i, c := range b {
		switch c {
		case '"':
			s.quoted, s.token = true, append(s.token[:0], c)
			return i + 1
		case ',':
			s.token = s.token[:0]
		case '[', '{':
			s.depth++
			if c == '[' && s.depth == s.level+1 && string(s.token) == s.name {
				s.leaves = true
				return i + 1
			}
		case ']', '}':
			if s.leaves && s.depth == s.level+1 {
				s.leaves, s.token = false, s.token[:0]
				return i
			}
			s.depth--
		}
	}
	return len(b)
}

// inString reads to a quote, which ends the string unless it is escaped.
func (s *skimmer) inString(b []byte) int {
	n := bytes.IndexByte(b, '"')
	text := b[:max(n, 0)]
	if n < 0 {
		text = b
	}
	slashes := len(text) - len(bytes.TrimRight(text, `\`))
	odd := slashes%2 == 1
	if slashes == len(text) && s.odd {
		odd = !odd
	}
	end := len(b)
	if n >= 0 {
		end, s.quoted, odd = n+1, odd, false
	}
	s.odd = odd
	if s.depth == s.level && len(s.token) <= len(s.name) {
		s.token = append(s.token, b[:min(end, len(s.name)+1)]...)
	}
	return end
}
