package sonarqube

import (
	"bytes"
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// maxHeld is how many issues are held until the rules are known, which stand
// after them. A page of more is read twice.
const maxHeld = 5000

// parseHTML reads sonar-report's page: a table of issues, and one of the rules.
func parseHTML(in *stream.Input, out *parsers.Report, g *groups) error {
	rules, known := map[string]*rule{}, false
	var held []issue
	all := true
	err := rows(in, func(columns []string, cells []cell) {
		known = known || len(columns) > 2 && columns[0] == "Rule" && columns[2] == "Component"
		switch {
		case len(columns) == 2 && columns[0] == "Rule" && len(cells) == 2:
			rules[oneLine(cells[0].text)] = &rule{HTML: stream.Text(cells[1].html)}
		case !all || !isIssue(columns, cells):
		case len(held) == maxHeld:
			held, all = nil, false
		default:
			held = append(held, fromCells(columns, cells))
		}
	})
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("there is no table of issues, with the columns Rule, Severity, Component: this is no page of sonar-report")
	}
	for _, i := range held {
		g.add(out, i.observation(rules[string(i.Rule)]))
	}
	if all {
		return nil
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return rows(in, func(columns []string, cells []cell) {
		if isIssue(columns, cells) {
			i := fromCells(columns, cells)
			g.add(out, i.observation(rules[string(i.Rule)]))
		}
	})
}

func isIssue(columns []string, cells []cell) bool {
	return len(columns) >= 6 && columns[2] == "Component" && len(cells) >= 6
}

func fromCells(columns []string, cells []cell) issue {
	i := issue{}
	for n, name := range columns[:min(len(columns), len(cells))] {
		value := stream.Text(oneLine(cells[n].text))
		switch name {
		case "Rule":
			i.Rule = value
		case "Severity":
			i.Severity = value
		case "Component":
			i.Component = value
		case "Line":
			i.Line = stream.ParseInt(string(value))
		case "Description":
			i.Description = value
		case "Message":
			i.Message = value
		case "Status":
			i.Status = value
		case "Key":
			i.Key = value
		}
	}
	return i
}

// cell is a cell's content: its HTML, and the text alone.
type cell struct{ html, text []byte }

// oneLine is a cell's text in one line.
func oneLine(text []byte) string { return strings.Join(strings.Fields(string(text)), " ") }

// maxCell bounds one token of the page, in bytes.
const maxCell = 8 << 20

// rows calls f with the cells of each row of each table, which are good until f
// returns, and with the table's column names; also for the row of
// names, then without cells. Tables inside of tables belong to the cell that
// they stand in.
func rows(in io.Reader, f func(columns []string, cells []cell)) error {
	z := html.NewTokenizer(in)
	z.SetMaxBuf(maxCell)
	t := table{f: f}
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			if errors.Is(z.Err(), io.EOF) {
				if t.depth > 0 {
					return stream.Errorf("the page ends in the middle of a table: it is cut short")
				}
				return nil
			}
			return z.Err()
		}
		t.token(kind, z)
	}
}

// table is what is known of the table that is being read.
type table struct {
	f       func(columns []string, cells []cell)
	depth   int
	columns []string
	row     []byte // the HTML in the row's cells
	text    []byte // their text
	ends    []end  // where each of them ends
	cells   []cell
	open    bool // a cell is
	heading bool // it is a column's name
}

// end is a place in a row's HTML and in its text.
type end struct{ html, text int }

func (t *table) token(kind html.TokenType, z *html.Tokenizer) {
	from, raw := len(t.row), z.Raw()
	if t.open {
		t.row = append(t.row, raw...) // before TagName, which changes it
	}
	if kind == html.TextToken {
		if t.open {
			t.text = append(t.text, z.Text()...)
		}
		return
	}
	start := kind == html.StartTagToken
	if name := bytes.TrimLeft(raw, "</"); len(name) == 0 || name[0]|0x20 != 't' {
		return // of no table: TagName would make a copy
	}
	tag, _ := z.TagName()
	switch string(tag) {
	case "table":
		if start {
			t.depth++
		} else if kind == html.EndTagToken && t.depth > 0 {
			t.depth--
		}
		if t.depth == 0 || t.depth == 1 && start {
			t.columns, t.open = nil, false
			t.clear()
		}
	case "td", "th", "tr":
		if t.depth != 1 {
			return
		}
		t.row = t.row[:from]
		t.endCell()
		switch {
		case string(tag) == "tr" && start:
			t.clear()
		case string(tag) == "tr":
			t.endRow()
		case start:
			t.open, t.heading = true, string(tag) == "th"
		}
	}
}

// clear forgets the row.
func (t *table) clear() { t.row, t.text, t.ends = t.row[:0], t.text[:0], t.ends[:0] }

func (t *table) endCell() {
	if !t.open {
		return
	}
	t.open = false
	if t.heading {
		from := t.last()
		t.columns = append(t.columns, oneLine(t.text[from.text:]))
		t.row, t.text = t.row[:from.html], t.text[:from.text]
	} else {
		t.ends = append(t.ends, end{len(t.row), len(t.text)})
	}
}

// last is where the last cell ended.
func (t *table) last() end {
	if n := len(t.ends); n > 0 {
		return t.ends[n-1]
	}
	return end{}
}

func (t *table) endRow() {
	t.cells = t.cells[:0]
	from := end{}
	for _, to := range t.ends {
		t.cells = append(t.cells, cell{t.row[from.html:to.html:to.html], t.text[from.text:to.text:to.text]})
		from = to
	}
	t.f(t.columns, t.cells)
	t.clear()
}
