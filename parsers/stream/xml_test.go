package stream

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"defectdojo/gate"
	"defectdojo/parsers/stream/streamtest"
)

// readItems reads the texts of <r><i a="…">…</i></r>, with Record or with Element.
func readItems(t testing.TB, report io.ReadSeeker, record bool) ([]string, error) {
	in, err := NewInput(t.Context(), report, Limits{})
	if err != nil {
		return nil, err
	}
	var got []string
	h := Element(func(v struct {
		A    string `xml:"a,attr"`
		Text string `xml:",chardata"`
	},
	) error {
		got = append(got, v.A+strings.TrimSpace(v.Text))
		return nil
	})
	if record {
		h = Record(func(n *Node) error {
			got = append(got, n.Attr("a")+n.Text())
			return nil
		})
	}
	err = XML(in, []string{"r"}, Elements{"r/i": h})
	return got, err
}

func TestXML(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report string
		want   []string
	}{
		"texts_and_attributes":     {`<r><i a="x">1</i><i a='y'>2</i></r>`, []string{"x1", "y2"}},
		"self_closing":             {`<r><i a="x"/><i/><i a="y" /></r>`, []string{"x", "", "y"}},
		"root_alone":               {`<r/>`, nil},
		"declaration_and_comments": {"<?xml version=\"1.1\" encoding=\"UTF-8\"?>\n<!-- c --><r><?p i?><i>a<!-- <i> -->b</i></r>\n<!-- c -->\n", []string{"ab"}},
		"element_declarations":     {`<!DOCTYPE r [ <!ELEMENT r (i*)> <!ATTLIST i a CDATA ""> ]><r><i>1</i></r>`, []string{"1"}},
		"external_doctype":         {`<!DOCTYPE r SYSTEM "https://example.org/r.dtd"><r><i>1</i></r>`, []string{"1"}},
		"cdata":                    {`<r><i><![CDATA[a <b> & ]] ]]></i><i><![CDATA[]]></i></r>`, []string{"a <b> & ]]", ""}},
		"character_references":     {`<r><i a="&lt;&#x41;&#10;">&amp;&quot;&apos;&gt;&#65;&#x1F600;</i></r>`, []string{"<A\n&\"'>A\U0001F600"}},
		"name_spaces":              {`<n:r xmlns:n="u"><n:i n:a="x">1</n:i></n:r>`, []string{"x1"}},
		"angle_bracket_in_a_value": {`<r><i a="a>b">1</i></r>`, []string{"a>b1"}},
		"carriage_returns":         {"<r>\r\n<i>a\r\nb</i>\r\n</r>\r\n", []string{"a\nb"}},
		"byte_order_mark":          {"\ufeff<r><i>1</i></r>", []string{"1"}},
		"same_name_within":         {`<r><i>1<i>2</i></i><i>3</i></r>`, []string{"1", "3"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, record := range []bool{true, false} {
				got, err := readItems(t, strings.NewReader(c.report), record)
				if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
					t.Errorf("record %t: %v\n%s", record, err, diff)
				}
			}
		})
	}
}

func TestXML_refuses(t *testing.T) {
	t.Parallel()
	entity := `<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa">`
	for i := range 20 {
		entity += fmt.Sprintf(`<!ENTITY a%d "&a%d;&a%d;">`, i+1, i, i)
	}
	var attributes strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&attributes, ` a%d="1"`, i)
	}
	for name, c := range map[string]struct{ report, reason string }{
		"entities":              {entity + `]><r><i>&a20;</i></r>`, "declares entities"},
		"entities_in_lower":     {`<!doctype r [<!entity a SYSTEM "file:///etc/passwd">]><r><i>&a;</i></r>`, "declares entities"},
		"parameter_entities":    {`<!DOCTYPE r [%remote;]><r/>`, "declares entities"},
		"undeclared_entity":     {`<r><i>&nbsp;</i></r>`, "character reference"},
		"depth":                 {strings.Repeat("<r>", 1_000_000), "nested deeper than 256 levels"},
		"depth_in_a_record":     {"<r><i>" + strings.Repeat("<a>", 1_000_000), "nested deeper than 256 levels"},
		"attributes":            {`<r><i` + attributes.String() + `/></r>`, "more than 256 attributes"},
		"truncated":             {`<r><i>1</i><i>2`, "cut short"},
		"truncated_in_a_tag":    {`<r><i>1</i><i a="`, "cut short"},
		"truncated_in_cdata":    {`<r><i><![CDATA[1`, "cut short"},
		"truncated_comment":     {`<r><i>1</i><!-- `, "cut short"},
		"truncated_reference":   {`<r><i>1</i>&am`, "cut short"},
		"truncated_after_items": {`<r><i>1</i>`, "cut short"},
		"mismatched":            {`<r><i>1</j></r>`, "<i> is closed by </j>"},
		"mismatched_root":       {`<r><i>1</i></x>`, "<r> is closed by </x>"},
		"closes_nothing":        {`<r/></r>`, "closes nothing"},
		"second_root":           {`<r/><r/>`, "second root"},
		"text_before":           {`x<r/>`, "outside of the root"},
		"text_after":            {`<r/>x`, "outside of the root"},
		"tag_begun_after":       {`<r/><i`, "cut short"},
		"other_root":            {`<nmaprun/>`, "want <r>, got <nmaprun>"},
		"no_root":               {`<?xml version="1.0"?>`, "it has no element"},
		"empty":                 {``, "it has no element"},
		"no_xml":                {`{"a": 1}`, "outside of the root"},
		"value_without_quotes":  {`<r><i a=1/></r>`, "not in quotes"},
		"quotes_in_names":       {`<r><i" a="></r>`, "value"},
		"name_missing":          {`<r>< i></i></r>`, "without a name"},
		"marked_section":        {`<r><i><![IGNORE[x]]></i></r>`, "marked section"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, record := range []bool{true, false} {
				began := time.Now()
				_, err := readItems(t, strings.NewReader(c.report), record)
				if err == nil || !strings.Contains(err.Error(), c.reason) {
					t.Errorf("record %t: error %v, want one about %q", record, err, c.reason)
				}
				if d := time.Since(began); d > slow*time.Second {
					t.Errorf("record %t: took %s", record, d)
				}
			}
		})
	}
}

func TestXML_character_sets(t *testing.T) {
	t.Parallel()
	const text = "Größe – 12 €"
	for name, encode := range map[string]func(string) (string, error){
		"UTF-8":        func(s string) (string, error) { return s, nil },
		"windows-1252": charmap.Windows1252.NewEncoder().String,
		"ISO-8859-15": func(s string) (string, error) {
			return charmap.ISO8859_15.NewEncoder().String(strings.ReplaceAll(s, "–", "-"))
		},
		"UTF-16":   unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewEncoder().String,
		"utf-16":   unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String,
		"UTF-16LE": unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := encode(`<?xml version="1.0" encoding="` + name + `"?><r><i a="` + text + `">` + text + `</i></r>`)
			if err != nil {
				t.Fatal(err)
			}
			want := text + text
			if name == "ISO-8859-15" {
				want = strings.ReplaceAll(want, "–", "-")
			}
			got, err := readItems(t, strings.NewReader(report), true)
			if diff := cmp.Diff([]string{want}, got); err != nil || diff != "" {
				t.Errorf("%v\n%s", err, diff)
			}
		})
	}
	t.Run("ISO-8859-1", func(t *testing.T) {
		t.Parallel()
		got, err := readItems(t, strings.NewReader("<?xml version='1.0' encoding='ISO-8859-1'?><r><i>Gr\xf6\xdfe</i></r>"), true)
		if diff := cmp.Diff([]string{"Größe"}, got); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
	t.Run("unknown", func(t *testing.T) {
		t.Parallel()
		_, err := readItems(t, strings.NewReader("<?xml version='1.0' encoding='x-none'?><r/>"), true)
		if err == nil || !strings.Contains(err.Error(), "x-none") {
			t.Errorf("error %v, want one that names the character set", err)
		}
	})
}

func TestXML_long_texts(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		size int
		ok   bool
	}{"15_MiB": {15 << 20, true}, "17_MiB": {17 << 20, false}, "200_MiB": {200 << 20, false}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, frame := range [][2]string{{`<r><i>`, `</i></r>`}, {`<r><i><![CDATA[`, `]]></i></r>`}, {`<r><i a="`, `"/></r>`}} {
				began := time.Now()
				got, err := readItems(t, &streamtest.Repeated{Before: frame[0], Unit: "0123456789abcdef", Times: c.size / 16, After: frame[1]}, true)
				switch {
				case c.ok && (err != nil || len(got) != 1 || len(got[0]) != c.size):
					t.Errorf("%s: %d texts, error %v", frame[0], len(got), err)
				case !c.ok && (err == nil || !strings.Contains(err.Error(), "longer than 16 MiB")):
					t.Errorf("%s: error %v, want one about the length", frame[0], err)
				}
				if d := time.Since(began); d > slow*5*time.Second {
					t.Errorf("%s: took %s", frame[0], d)
				}
			}
		})
	}
}

func TestXML_bounds_one_record(t *testing.T) {
	t.Parallel()
	for name, unit := range map[string]string{"elements": "<a/>", "texts_and_comments": "a<!---->", "texts": "<a>0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef</a>"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, record := range []bool{true, false} {
				_, err := readItems(t, &streamtest.Repeated{Before: "<r><i>", Unit: unit, Times: (400 << 20) / len(unit), After: "</i></r>"}, record)
				if err == nil || !strings.Contains(err.Error(), "one element holds more") {
					t.Errorf("record %t: error %v, want one about the element's size", record, err)
				}
			}
		})
	}
}

func TestXML_ends_with_its_context(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	in, err := NewInput(ctx, &streamtest.Repeated{Before: "<r>", Unit: "<i>1</i>", Times: 10_000_000, After: "</r>"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	err = XML(in, []string{"r"}, Elements{"r/i": Record(func(*Node) error {
		if n++; n == 10 {
			cancel()
		}
		return nil
	})})
	if !errors.Is(err, context.Canceled) || n > 1_000_000 {
		t.Errorf("error %v after %d records", err, n)
	}
}

func TestXML_limit_of_bytes(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), &streamtest.Repeated{Before: "<r>", Unit: "<i>1</i>", Times: 1_000_000, After: "</r>"}, Limits{Bytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := XML(in, []string{"r"}, Elements{}); gate.KindOf(err) != gate.TooLarge {
		t.Errorf("error %v, want one of kind TooLarge", err)
	}
}

func TestXML_handlers(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), strings.NewReader(`<r v="1"><h n="a"><p>1</p><p>2</p></h><x><h n="b"><p>3</p></h></x><t> text </t></r>`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	note := func(s string) error { got = append(got, s); return nil }
	err = XML(in, []string{"r"}, Elements{
		"r":   Start(func(attr func(string) string) error { return note("r" + attr("v")) }),
		"r/h": Start(func(attr func(string) string) error { return note("h" + attr("n")) }),
		"*/p": Record(func(n *Node) error { return note("p" + n.Text()) }),
		"r/t": CharData(func(s string) error { return note("t" + s) }),
		"r/x": func(d *XMLDecoder, _ xml.StartElement) error { return nil },
	})
	if diff := cmp.Diff([]string{"r1", "ha", "p1", "p2", "p3", "ttext"}, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestXML_a_handlers_error_has_its_place(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), strings.NewReader("<r>\n <i>1</i>\n</r>"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	err = XML(in, []string{"r"}, Elements{"r/i": Record(func(*Node) error { return errors.New("no number") })})
	Locate(in, err)
	if want := "line 2, column 10 (r/i): no number"; err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}

func TestNode(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), strings.NewReader(`<r><i a="1">one <b>two</b> three<l><x>4</x><x>5</x></l></i><i><b/></i></r>`), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	err = XML(in, []string{"r"}, Elements{"r/i": Record(func(n *Node) error {
		got = append(got, n.Attr("a"), n.Attr("z"), n.Text(), n.Whole(), n.Raw(), n.Get("b"), n.Get("l/x"), n.Get("l/y"), fmt.Sprint(n.Has("l"), n.Has("y")))
		for x := range n.Each("l/x") {
			got = append(got, x.Text())
		}
		for x := range n.Each("*/x") {
			got = append(got, x.Name)
		}
		for text, child := range n.All {
			got = append(got, text, fmt.Sprint(child != nil))
		}
		for k, v := range n.Attrs {
			got = append(got, k+v)
		}
		return nil
	})})
	want := []string{
		"1", "", "one  three", "one two three45", "one ", "two", "4", "", "true false", "4", "5", "x", "x", "one ", "true", " three", "true", "", "false", "a1",
		"", "", "", "", "", "", "", "", "false false", "", "true", "", "false",
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v\n%s", err, diff)
	}
}

func TestRecordOf_hands_parts_over(t *testing.T) {
	t.Parallel()
	// One element of 400 MB, which no record may be, in parts.
	in, err := NewInput(t.Context(), &streamtest.Repeated{Before: "<r><i><n>x</n><ps>", Unit: "<p>0123456789abcdef0123456789abcdef</p>", Times: 10_000_000, After: "</ps><m>y</m></i></r>"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	parts, left := 0, ""
	err = XML(in, []string{"r"}, Elements{"r/i": RecordOf(Parts{"ps/p": func(*Node) error { parts++; return nil }}, func(n *Node) error {
		left = n.Get("n") + n.Get("m") + fmt.Sprint(n.Has("ps/p"))
		return nil
	})})
	if err != nil || parts != 10_000_000 || left != "xyfalse" {
		t.Errorf("%d parts, %q left, error %v", parts, left, err)
	}
}

// TestXML_memory reads 200 MB of records and fails when the heap grows.
func TestXML_memory(t *testing.T) {
	in, err := NewInput(t.Context(), &streamtest.Repeated{Before: "<r>", Unit: "<i a=\"1\"><b>" + strings.Repeat("x", 1000) + "</b><c>y</c></i>\n", Times: 200_000, After: "</r>"}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	n, most := 0, uint64(0)
	err = XML(in, []string{"r"}, Elements{"r/i": Record(func(*Node) error {
		if n++; n%20_000 == 0 {
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse)
		}
		return nil
	})})
	if err != nil || n != 200_000 || most > before.HeapInuse+32<<20 {
		t.Errorf("%d records, error %v, heap from %d to %d MiB", n, err, before.HeapInuse>>20, most>>20)
	}
}

func FuzzXML(f *testing.F) {
	for _, s := range []string{`<r><i a="x">1</i></r>`, `<r><i><![CDATA[a]]></i><!-- c --></r>`, `<!DOCTYPE r [<!ELEMENT r ANY>]><n:r xmlns:n="u"/>`, `<?xml version="1.0" encoding="utf-16"?><r>&#65;</r>`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		one, err := readItems(t, bytes.NewReader(b), true)
		two, err2 := readItems(t, bytes.NewReader(b), false)
		if (err == nil) != (err2 == nil) {
			t.Errorf("Record: %v, Element: %v", err, err2)
		}
		if err == nil && len(one) != len(two) {
			t.Errorf("Record: %q, Element: %q", one, two)
		}
	})
}
