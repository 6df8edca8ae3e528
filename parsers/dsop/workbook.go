package dsop

import (
	"path"
	"strings"

	"defectdojo/parsers/stream"
)

// workbook is what an XLSX file says of its sheets.
type workbook struct {
	sheets []sheet
	shared []string // the texts that cells refer to by number
}

type sheet struct{ name, member string }

// row is a record of a sheet, by the names in its first row.
type row map[string]string

// maxColumns bounds the columns that are read.
const maxColumns = 200

// open reads the names of the sheets and the shared texts.
func open(in *stream.Input) (*workbook, error) {
	var b workbook
	var ids []string
	targets := map[string]string{}
	err := stream.Zip(in, func(m stream.Member) error {
		switch m.Name {
		case "xl/workbook.xml":
			return member(m, "workbook", stream.Elements{"workbook/sheets/sheet": stream.Record(func(n *stream.Node) error {
				b.sheets = append(b.sheets, sheet{name: n.Attr("name")})
				ids = append(ids, n.Attr("id"))
				return nil
			})})
		case "xl/_rels/workbook.xml.rels":
			return member(m, "Relationships", stream.Elements{"Relationships/Relationship": stream.Record(func(n *stream.Node) error {
				targets[n.Attr("Id")] = n.Attr("Target")
				return nil
			})})
		case "xl/sharedStrings.xml":
			return member(m, "sst", stream.Elements{"sst/si": stream.Record(func(n *stream.Node) error {
				b.shared = append(b.shared, n.Whole())
				return nil
			})})
		}
		return nil
	})
	if err == nil && len(b.sheets) == 0 {
		err = stream.Errorf("the archive is no workbook: it has no sheets")
	}
	for i, id := range ids {
		target := targets[id]
		if !strings.HasPrefix(target, "/") {
			target = path.Join("xl", target)
		}
		b.sheets[i].member = strings.TrimPrefix(target, "/")
	}
	return &b, err
}

func member(m stream.Member, root string, elements stream.Elements) error {
	in, err := m.Open()
	if err != nil {
		return err
	}
	return stream.XML(in, []string{root}, elements)
}

// rows calls f with each row below the first of a sheet.
func (b *workbook) rows(in *stream.Input, name string, f func(row)) error {
	return stream.Zip(in, func(m stream.Member) error {
		if m.Name != name {
			return nil
		}
		var header []string
		return member(m, "worksheet", stream.Elements{"worksheet/sheetData/row": stream.Record(func(n *stream.Node) error {
			cells := b.cells(n)
			if header == nil {
				header = cells
				return nil
			}
			r := row{}
			for i, value := range cells {
				if i < len(header) && value != "" {
					r[header[i]] = value
				}
			}
			f(r)
			return nil
		})})
	})
}

// cells returns the texts of a row's cells, each in its column.
func (b *workbook) cells(n *stream.Node) []string {
	var cells []string
	for c := range n.Each("c") {
		at := column(c.Attr("r"))
		if at < 0 {
			at = len(cells)
		}
		if at >= maxColumns {
			continue
		}
		for len(cells) <= at {
			cells = append(cells, "")
		}
		cells[at] = b.text(c)
	}
	return cells
}

func (b *workbook) text(c *stream.Node) string {
	if c.Attr("t") == "inlineStr" {
		return c.At("is").Whole()
	}
	value := c.Get("v")
	if c.Attr("t") != "s" {
		return value
	}
	if i := stream.ParseInt(value); i.OK && i.N >= 0 && i.N < len(b.shared) {
		return b.shared[i.N]
	}
	return ""
}

// column reads the letters of "AB12": 27. It is -1 without letters.
func column(ref string) int {
	n := 0
	for i := 0; i < len(ref) && i < 3 && ref[i] >= 'A' && ref[i] <= 'Z'; i++ {
		n = n*26 + int(ref[i]-'A') + 1
	}
	return n - 1
}
