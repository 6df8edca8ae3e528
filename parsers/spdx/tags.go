package spdx

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// parseTags reads the tag-value form: lines "Tag: value", a package beginning at
// each "PackageName". The document's own tags stand before the packages.
func parseTags(in *stream.Input, out *parsers.Report) error {
	t := &tags{out: out}
	err := stream.Lines(in, func(_ int, line string) error { return t.line(strings.TrimSpace(line)) })
	if err != nil {
		return err
	}
	if t.bill.version == "" {
		return stream.Errorf("there is no SPDXVersion")
	}
	if t.inText {
		return stream.Errorf("a <text> has no end: the report is cut short")
	}
	return t.flush()
}

type tags struct {
	out    *parsers.Report
	bill   bill
	date   gate.Date
	noted  bool
	pack   *pack
	inText bool
}

func (t *tags) line(line string) error {
	if t.inText || strings.Contains(line, "<text>") {
		t.inText = !strings.Contains(line, "</text>")
		return nil
	}
	tag, value, ok := strings.Cut(line, ":")
	if !ok || strings.HasPrefix(line, "#") {
		return nil
	}
	value = strings.TrimSpace(value)
	switch tag {
	case "SPDXVersion":
		t.bill.version = value
	case "DocumentName":
		t.bill.name = value
	case "Created":
		t.bill.created = value
	case "Creator":
		t.bill.creators = append(t.bill.creators, value)
	case "PackageName":
		if err := t.flush(); err != nil {
			return err
		}
		t.pack = &pack{Name: stream.Text(value)}
	case "FileName", "SnippetSPDXID", "LicenseID", "Relationship":
		return t.flush()
	}
	if t.pack != nil {
		t.pack.set(tag, value)
	}
	return nil
}

func (p *pack) set(tag, value string) {
	switch tag {
	case "SPDXID":
		p.ID = value
	case "PackageVersion":
		p.Version = stream.Text(value)
	case "PackageFileName":
		p.File = stream.Text(value)
	case "PackageSupplier":
		p.Supplier = stream.Text(value)
	case "PackageLicenseDeclared":
		p.Declared = stream.Text(value)
	case "PackageLicenseConcluded":
		p.Concluded = stream.Text(value)
	case "ExternalRef":
		if f := strings.Fields(value); len(f) >= 3 && len(p.Refs) < 1000 {
			p.Refs = append(p.Refs, reference{Category: stream.Text(f[0]), Type: f[1], Locator: strings.Join(f[2:], " ")})
		}
	case "ExternalRefComment":
		if n := len(p.Refs); n > 0 {
			p.Refs[n-1].Comment = stream.Text(value)
		}
	}
}

// flush puts out the package that was read.
func (t *tags) flush() error {
	if !t.noted {
		var err error
		if t.date, err = t.bill.note(t.out); err != nil {
			return err
		}
		t.noted = true
	}
	if t.pack != nil {
		emit(*t.pack, t.date, t.out)
		t.pack = nil
	}
	return nil
}
