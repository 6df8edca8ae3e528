package parsers

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// Likeness tells how much a report looks like one of a parser's.
type Likeness int

// The likenesses. Sure is for what no other tool writes.
const (
	No       Likeness = iota
	Possible          // of the same shape; another tool may write it
	Likely            // of this shape, and nothing speaks against it
	Sure              // it names the tool, or has keys that only this tool writes
)

// Sample is what detection knows of a report: its format and its outline.
type Sample struct {
	Format Format
	Head   []byte // the decoded beginning, up to 64 KiB

	Root      string            // XML: the root element's local name
	Namespace string            // XML: the root element's name space
	Attrs     map[string]string // XML: the root element's attributes
	Elements  map[string]bool   // XML: paths of elements near the beginning, "nmaprun/host/ports"
	Columns   []string          // CSV: the header, in lower case
	Members   []string          // zip: the names
	Sheets    [][]string        // workbook (XLSX): each sheet's name, then its columns

	keys   map[string]bool
	values map[string]string
}

// Format is the outer format of a report.
type Format string

// The formats.
const (
	JSON   Format = "JSON"
	NDJSON Format = "JSON lines"
	XML    Format = "XML"
	HTML   Format = "HTML"
	CSV    Format = "CSV"
	Zip    Format = "zip"
	Plain  Format = "text"
	Empty  Format = "empty"
)

// Bounds of what a Sample looks at.
const (
	headSize     = 64 << 10
	outlineBytes = 64 << 20
	outlineDepth = 6
	outlineItems = 25 // elements of one array
)

// Has tells whether a JSON report has all the paths: keys joined by ".", an
// array's elements by "[]". "runs[].tool", "[].ruleId".
func (s *Sample) Has(paths ...string) bool {
	for _, p := range paths {
		if !s.keys[p] {
			return false
		}
	}
	return len(paths) > 0
}

// Value returns the first scalar at a path of a JSON report.
func (s *Sample) Value(path string) string { return s.values[path] }

// HasColumns tells whether a CSV report has all the columns, in any letter case.
func (s *Sample) HasColumns(names ...string) bool {
	for _, n := range names {
		if !slices.Contains(s.Columns, strings.ToLower(n)) {
			return false
		}
	}
	return s.Format == CSV && len(names) > 0
}

// Contains tells whether the beginning of the report holds all the texts.
func (s *Sample) Contains(texts ...string) bool {
	for _, t := range texts {
		if !bytes.Contains(s.Head, []byte(t)) {
			return false
		}
	}
	return len(texts) > 0
}

// Is tells whether the whole report is the text, but for white space: for
// reports of nothing found, which have no keys to tell them by.
func (s *Sample) Is(text string) bool {
	if len(s.Head) > 1000 {
		return false
	}
	return strings.Join(strings.Fields(string(s.Head)), "") == text
}

// NewSample looks at a report.
func NewSample(ctx context.Context, src io.ReadSeeker, limits stream.Limits) (*Sample, error) {
	s := &Sample{Elements: map[string]bool{}, Attrs: map[string]string{}, keys: map[string]bool{}, values: map[string]string{}}
	in, err := stream.NewInput(ctx, src, limits)
	if err != nil {
		return nil, err
	}
	defer in.Done()
	if magic, err := isZip(src); err != nil || magic {
		s.Format = Zip
		if err == nil {
			s.Members, err = stream.Names(in)
		}
		if slices.Contains(s.Members, "xl/workbook.xml") {
			s.outlineWorkbook(in)
		}
		return s, err
	}
	if err := in.Rewind(); err != nil {
		return nil, err
	}
	s.Head = make([]byte, headSize)
	n, err := io.ReadFull(in, s.Head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	s.Head = s.Head[:n]
	if err := in.Rewind(); err != nil {
		return nil, err
	}
	trimmed := bytes.TrimSpace(s.Head)
	switch {
	case len(trimmed) == 0:
		s.Format = Empty
	case trimmed[0] == '{' || trimmed[0] == '[' && !bytes.HasPrefix(trimmed, []byte("[+")):
		s.outlineJSON(in)
	case trimmed[0] == '<':
		s.outlineXML(trimmed)
	default:
		s.outlineText(trimmed)
	}
	return s, nil
}

// isZip tells whether a report begins as a zip archive does.
func isZip(src io.ReadSeeker) (bool, error) {
	if _, err := src.Seek(0, io.SeekStart); err != nil {
		return false, err
	}
	var magic [4]byte
	n, err := io.ReadFull(src, magic[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, err
	}
	return n == 4 && (string(magic[:]) == "PK\x03\x04" || string(magic[:]) == "PK\x05\x06"), nil
}

// outlineWorkbook notes the sheets of a workbook, as far as they can be read.
func (s *Sample) outlineWorkbook(in *stream.Input) {
	b, err := stream.OpenWorkbook(in)
	if err != nil {
		return
	}
	for _, name := range b.Sheets()[:min(len(b.Sheets()), outlineItems)] {
		columns, err := b.Columns(name)
		if err == nil {
			s.Sheets = append(s.Sheets, append([]string{name}, columns...))
		}
	}
}

// HasSheet tells whether a sheet of a workbook has all the columns, in these words.
func (s *Sample) HasSheet(columns ...string) bool {
	for _, sheet := range s.Sheets {
		if !slices.ContainsFunc(columns, func(c string) bool { return !slices.Contains(sheet[1:], c) }) {
			return true
		}
	}
	return false
}

// outlineJSON notes the keys of a JSON report.
func (s *Sample) outlineJSON(in io.Reader) {
	d := jsontext.NewDecoder(io.LimitReader(in, outlineBytes), jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true))
	s.Format = JSON
	if s.outline(d, "", 0) != nil {
		if len(s.keys) == 0 {
			s.Format = Plain
		}
		return
	}
	for i := 0; i < outlineItems && d.PeekKind() != 0; i++ {
		s.Format = NDJSON
		if s.outline(d, "", 0) != nil {
			return
		}
	}
}

// outline notes the keys of the next value, whose path is given.
func (s *Sample) outline(d *jsontext.Decoder, path string, depth int) error {
	if depth > outlineDepth {
		return d.SkipValue()
	}
	switch d.PeekKind() {
	case '{':
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		for d.PeekKind() == '"' {
			t, err := d.ReadToken()
			if err != nil {
				return err
			}
			key := t.String()
			if path != "" {
				key = path + "." + key
			}
			if len(s.keys) < 20_000 {
				s.keys[key] = true
			}
			if err := s.outline(d, key, depth+1); err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	case '[':
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		path += "[]"
		s.keys[path] = true
		for i := 0; d.PeekKind() != ']' && d.PeekKind() != 0; i++ {
			var err error
			if i < outlineItems {
				err = s.outline(d, path, depth+1)
			} else {
				err = d.SkipValue()
			}
			if err != nil {
				return err
			}
		}
		_, err := d.ReadToken()
		return err
	}
	t, err := d.ReadToken()
	if err == nil && t.Kind() != 'n' && s.values[path] == "" {
		if v := t.String(); len(v) <= 200 {
			s.values[path] = v
		}
	}
	return err
}

// outlineXML notes the root and the first elements of an XML or HTML report.
func (s *Sample) outlineXML(head []byte) {
	s.Format = XML
	lower := bytes.ToLower(head[:min(len(head), 1024)])
	if bytes.Contains(lower, []byte("<html")) || bytes.HasPrefix(lower, []byte("<!doctype html")) {
		s.Format = HTML
	}
	d := xml.NewDecoder(bytes.NewReader(head))
	d.Strict = false
	d.CharsetReader = func(_ string, r io.Reader) (io.Reader, error) { return r, nil }
	var path []string
	for {
		t, err := d.Token()
		if err != nil {
			break
		}
		switch t := t.(type) {
		case xml.StartElement:
			path = append(path, t.Name.Local)
			s.Elements[strings.Join(path, "/")] = true
			if s.Root == "" {
				s.Root, s.Namespace = t.Name.Local, t.Name.Space
				for _, a := range t.Attr {
					s.Attrs[a.Name.Local] = a.Value
				}
			}
		case xml.EndElement:
			if len(path) > 0 {
				path = path[:len(path)-1]
			}
		}
		if len(path) > 100 {
			break
		}
	}
	if strings.EqualFold(s.Root, "html") {
		s.Format = HTML
	}
}

// outlineText notes the columns of a report that has a line of them.
func (s *Sample) outlineText(head []byte) {
	s.Format = Plain
	line, _, _ := bytes.Cut(head, []byte("\n"))
	best := ','
	for _, c := range ";\t|" {
		if bytes.Count(line, []byte(string(c))) > bytes.Count(line, []byte(string(best))) {
			best = c
		}
	}
	c := csv.NewReader(bytes.NewReader(head))
	c.Comma, c.LazyQuotes, c.FieldsPerRecord = best, true, -1
	fields, err := c.Read()
	if err != nil || len(fields) < 2 {
		return
	}
	s.Format = CSV
	for _, f := range fields {
		s.Columns = append(s.Columns, strings.ToLower(strings.TrimSpace(f)))
	}
}

// Candidate is a parser that a report may be for.
type Candidate struct {
	Parser   Parser
	Likeness Likeness
}

// Detect returns the parsers that a report looks like one of, most alike first;
// of equals, in the order of list.
func Detect(list []Parser, s *Sample) []Candidate {
	var found []Candidate
	for _, p := range list {
		if p.Detect == nil {
			continue
		}
		if l := p.Detect(s); l > No {
			found = append(found, Candidate{p, l})
		}
	}
	slices.SortStableFunc(found, func(a, b Candidate) int { return int(b.Likeness - a.Likeness) })
	return found
}

// Choose returns the parser to use: the only one that is sure, or the only
// candidate of the greatest likeness. Otherwise the error lists the candidates.
func Choose(found []Candidate) (Parser, error) {
	if len(found) == 0 {
		return Parser{}, gate.Errorf(gate.Invalid, "the report looks like none that is known: name its scan type")
	}
	best := found
	for i, c := range found {
		if c.Likeness < found[0].Likeness {
			best = found[:i]
			break
		}
	}
	if len(best) == 1 {
		return best[0].Parser, nil
	}
	names := make([]string, len(best))
	for i, c := range best {
		names[i] = fmt.Sprintf("%q", c.Parser.ScanType)
	}
	return Parser{}, gate.Errorf(gate.Invalid, "the report looks like several: name its scan type, one of %s", strings.Join(names, ", "))
}
