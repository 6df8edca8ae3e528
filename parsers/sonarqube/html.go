package sonarqube

import (
	"errors"
	"io"
	"strings"

	"golang.org/x/net/html"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// parseHTML reads sonar-report's page: a table of issues, and one of the rules.
func parseHTML(in *stream.Input, out *parsers.Report, g *groups) error {
	rules, known := map[string]rule{}, false
	err := rows(in, func(columns, cells []string) {
		known = known || len(columns) > 2 && columns[0] == "Rule" && columns[2] == "Component"
		if len(columns) == 2 && columns[0] == "Rule" && len(cells) == 2 {
			rules[text(cells[0])] = rule{HTML: stream.Text(cells[1])}
		}
	})
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("there is no table of issues, with the columns Rule, Severity, Component: this is no page of sonar-report")
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return rows(in, func(columns, cells []string) {
		if len(columns) < 6 || columns[2] != "Component" || len(cells) < 6 {
			return
		}
		i := issue{}
		for n, name := range columns[:min(len(columns), len(cells))] {
			value := stream.Text(text(cells[n]))
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
		g.add(out, i.observation(rules[string(i.Rule)]))
	})
}

// text is the text of a cell in one line.
func text(cell string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(cell))
	for z.Next() != html.ErrorToken {
		if t := z.Token(); t.Type == html.TextToken {
			b.WriteString(t.Data)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// maxCell bounds one token of the page, in bytes.
const maxCell = 8 << 20

// rows calls f with the HTML in the cells of each row of each table, and with the
// table's column names; also for the row of names, then without cells. Tables
// inside of tables belong to the cell that they stand in.
func rows(in io.Reader, f func(columns, cells []string)) error {
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
		raw := string(z.Raw())
		name, _ := z.TagName()
		t.token(kind, string(name), raw)
	}
}

// table is what is known of the table that is being read.
type table struct {
	f              func(columns, cells []string)
	depth          int
	columns, cells []string
	cell           *strings.Builder
	heading        bool
}

func (t *table) token(kind html.TokenType, name, raw string) {
	start := kind == html.StartTagToken
	if name == "table" && kind != html.TextToken {
		if start {
			t.depth++
		} else if kind == html.EndTagToken && t.depth > 0 {
			t.depth--
		}
		if t.depth == 0 || t.depth == 1 && start {
			t.endCell()
			t.columns, t.cells, t.cell = nil, nil, nil
			return
		}
	}
	if t.depth == 1 && (name == "td" || name == "th" || name == "tr") && kind != html.TextToken {
		t.endCell()
		switch {
		case name == "tr" && start:
			t.cells = nil
		case name == "tr":
			t.endRow()
		case start:
			t.cell, t.heading = &strings.Builder{}, name == "th"
		}
		return
	}
	if t.cell != nil {
		t.cell.WriteString(raw)
	}
}

func (t *table) endCell() {
	if t.cell == nil {
		return
	}
	if t.heading {
		t.columns = append(t.columns, text(t.cell.String()))
	} else {
		t.cells = append(t.cells, t.cell.String())
	}
	t.cell = nil
}

func (t *table) endRow() {
	t.f(t.columns, t.cells)
	t.cells = nil
}
