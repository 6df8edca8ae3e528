package stream

import (
	"archive/zip"
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// workbook is an XLSX file with two sheets, the second one empty.
func workbook(t *testing.T, sheet string) []byte {
	return zipped(t, func(w *zip.Writer) {
		for name, content := range map[string]string{
			"xl/workbook.xml": `<workbook xmlns:r="r"><sheets><sheet name="Found" r:id="rId2"/><sheet name="Notes" r:id="rId1"/></sheets></workbook>`,
			"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="rId1" Target="/xl/worksheets/b.xml"/>` +
				`<Relationship Id="rId2" Target="worksheets/a.xml"/></Relationships>`,
			"xl/sharedStrings.xml": `<sst><si><t>Name</t></si><si><r><t>in </t></r><r><t>parts</t></r></si></sst>`,
			"xl/worksheets/a.xml":  `<worksheet><sheetData>` + sheet + `</sheetData></worksheet>`,
			"xl/worksheets/b.xml":  `<worksheet><sheetData/></worksheet>`,
		} {
			put(t, w, &zip.FileHeader{Name: name}, content)
		}
	})
}

func TestWorkbook(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), bytes.NewReader(workbook(t, `<row><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>Score</t></is></c><c r="D1"><v>Open</v></c></row>`+
		`<row><c r="A2" t="s"><v>1</v></c><c r="B2"><v>9.8</v></c><c r="D2" t="b"><v>1</v></c></row>`+
		`<row><c t="s"><v>99</v></c><c><v>7</v></c><c r="ZZ3"><v>too far</v></c></row>`)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := OpenWorkbook(in)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Found", "Notes"}, b.Sheets()); diff != "" {
		t.Errorf("sheets (-want +got):\n%s", diff)
	}
	columns, err := b.Columns("Found")
	if diff := cmp.Diff([]string{"Name", "Score", "", "Open"}, columns); diff != "" || err != nil {
		t.Errorf("columns (-want +got, error %v):\n%s", err, diff)
	}
	var rows []map[string]string
	for _, name := range b.Sheets() {
		if err := b.Rows(name, func(row map[string]string) error { rows = append(rows, row); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	want := []map[string]string{{"Name": "in parts", "Score": "9.8", "Open": "true"}, {"Score": "7"}}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}
