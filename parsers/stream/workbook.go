package stream

import (
	"path"
	"strings"
)

// Workbook is an XLSX file: sheets of rows whose first names the columns.
type Workbook struct {
	in      *Input
	sheets  []string
	members map[string]string // of each sheet
	shared  []string          // the texts that cells refer to by number
}

// maxCells bounds the columns of a row that are read.
const maxCells = 200

// OpenWorkbook reads the names of a workbook's sheets and its shared texts.
func OpenWorkbook(in *Input) (*Workbook, error) {
	b := Workbook{in: in, members: map[string]string{}}
	ids, targets := map[string]string{}, map[string]string{}
	parts := map[string]func(Member) error{
		"xl/workbook.xml": func(m Member) error {
			return m.records("workbook", "workbook/sheets/sheet", func(n *Node) {
				b.sheets = append(b.sheets, n.Attr("name"))
				ids[n.Attr("name")] = n.Attr("id")
			})
		},
		"xl/_rels/workbook.xml.rels": func(m Member) error {
			return m.records("Relationships", "Relationships/Relationship", func(n *Node) { targets[n.Attr("Id")] = n.Attr("Target") })
		},
		"xl/sharedStrings.xml": func(m Member) error {
			return m.records("sst", "sst/si", func(n *Node) { b.shared = append(b.shared, n.Whole()) })
		},
	}
	err := Zip(in, func(m Member) error {
		if read := parts[m.Name]; read != nil {
			return read(m)
		}
		return nil
	})
	if err == nil && len(b.sheets) == 0 {
		err = Errorf("the archive is no workbook: it has no sheets")
	}
	for name, id := range ids {
		target := targets[id]
		if !strings.HasPrefix(target, "/") {
			target = path.Join("xl", target)
		}
		b.members[name] = strings.TrimPrefix(target, "/")
	}
	return &b, err
}

// Sheets returns the names of the sheets, in the workbook's order.
func (b *Workbook) Sheets() []string { return b.sheets }

// Columns returns the names in a sheet's first row.
func (b *Workbook) Columns(sheet string) (names []string, err error) {
	found := false
	err = b.each(sheet, func(cells []string) error {
		names, found = cells, true
		return Errorf("the first row is enough")
	})
	if found {
		err = nil
	}
	return names, err
}

// Rows calls f with each row of a sheet below its first, which holds the names
// by which the row's texts are found; empty cells are not in it.
func (b *Workbook) Rows(sheet string, f func(row map[string]string) error) error {
	var header []string
	return b.each(sheet, func(cells []string) error {
		if header == nil {
			header = cells
			return nil
		}
		row := map[string]string{}
		for i, value := range cells {
			if i < len(header) && value != "" {
				row[header[i]] = value
			}
		}
		return f(row)
	})
}

// each calls f with the cells of each row of a sheet.
func (b *Workbook) each(sheet string, f func(cells []string) error) error {
	return Zip(b.in, func(m Member) error {
		if m.Name != b.members[sheet] {
			return nil
		}
		in, err := m.Open()
		if err != nil {
			return err
		}
		return XML(in, []string{"worksheet"}, Elements{"worksheet/sheetData/row": Record(func(n *Node) error { return f(b.cells(n)) })})
	})
}

// records calls f with each element at a path of an XML member.
func (m Member) records(root, at string, f func(*Node)) error {
	in, err := m.Open()
	if err != nil {
		return err
	}
	return XML(in, []string{root}, Elements{at: Record(func(n *Node) error { f(n); return nil })})
}

// cells returns the texts of a row's cells, each in its column.
func (b *Workbook) cells(n *Node) []string {
	var cells []string
	for c := range n.Each("c") {
		at := column(c.Attr("r"))
		if at < 0 {
			at = len(cells)
		}
		if at >= maxCells {
			continue
		}
		for len(cells) <= at {
			cells = append(cells, "")
		}
		cells[at] = b.text(c)
	}
	return cells
}

// text returns a cell's text: its own, a shared one, or "true" and "false".
func (b *Workbook) text(c *Node) string {
	value := c.Get("v")
	switch c.Attr("t") {
	case "inlineStr":
		return c.At("is").Whole()
	case "b":
		return map[string]string{"0": "false", "1": "true"}[value]
	case "s":
		if i := ParseInt(value); i.OK && i.N >= 0 && i.N < len(b.shared) {
			return b.shared[i.N]
		}
		return ""
	}
	return value
}

// column reads the letters of "AB12": 27. It is -1 without letters.
func column(ref string) int {
	n := 0
	for i := 0; i < len(ref) && i < 3 && ref[i] >= 'A' && ref[i] <= 'Z'; i++ {
		n = n*26 + int(ref[i]-'A') + 1
	}
	return n - 1
}
