package web

import (
	"encoding/csv"
	"encoding/json"
	"strings"
	"testing"
)

func TestExport(t *testing.T) {
	t.Parallel()
	s := shop(t)
	if _, err := s.db.Exec(t.Context(), `update findings set title = '=HYPERLINK("https://evil.example","x")', component_name = '@SUM(1)', tags = '{-1}' where id = 1`); err != nil {
		t.Fatal(err)
	}
	b := s.login(t, "ada")
	r := b.get("/findings.csv?severity=critical")
	rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatalf("%v, %d rows\n%s", err, len(rows), r.body)
	}
	if got := r.header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="findings-`) {
		t.Errorf("Content-Disposition: %s", got)
	}
	for _, row := range rows {
		for _, c := range row {
			if c != "" && strings.ContainsRune("=+-@\t\r", rune(c[0])) {
				t.Errorf("the cell %q begins a formula", c)
			}
		}
	}
	var found []exported
	if err := json.Unmarshal([]byte(b.get("/findings.json?status=any").body), &found); err != nil || len(found) != 69 {
		t.Errorf("%d findings, %v", len(found), err)
	}
	if got := b.get("/findings.json?q=nothing").body; got != "[\n\n]\n" {
		t.Errorf("none at all is %q", got)
	}
}

func TestCell(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"": "", "plain": "plain", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "\r\n=x": "'\r\n=x", "＝1": "'＝1", "＠x": "'＠x", "a=b": "a=b", "\x00=1": "'=1",
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
}
