package stream

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"defectdojo/gate"
	"defectdojo/parsers/stream/streamtest"
)

// readRows reads Name and Note of each row, with its line.
func readRows(t testing.TB, report io.ReadSeeker, limits Limits) ([]string, error) {
	in, err := NewInput(t.Context(), report, limits)
	if err != nil {
		return nil, err
	}
	var rows []string
	err = CSV(in, []string{"Name"}, func(r Row) error {
		if r.Get("Name") == "refuse" {
			return errors.New("it is refused")
		}
		rows = append(rows, fmt.Sprintf("%d:%s|%s", r.Line, r.Get("Name"), r.Get("Comment", "Note")))
		return nil
	})
	Locate(in, err)
	return rows, err
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		report string
		want   []string
	}{
		"comma":            {"Name,Note\na,1\nb,2\n", []string{"2:a|1", "3:b|2"}},
		"semicolon":        {"Name;Note\na;1,5\n", []string{"2:a|1,5"}},
		"tab":              {"Name\tNote\na\t1\n", []string{"2:a|1"}},
		"bar":              {"Name|Note\na|1\n", []string{"2:a|1"}},
		"quoted_commas":    {"\"Name, full\";Name;Note\nx;a;1\n", []string{"2:a|1"}},
		"letter_case":      {"NAME, note \na, 1 \n", []string{"2:a|1"}},
		"line_breaks":      {"Name,Note\r\na,\"two\r\nlines\"\r\nb,2\r\n", []string{"2:a|two\nlines", "4:b|2"}},
		"quotes_in_quotes": {"Name,Note\na,\"say \"\"hi\"\"\"\n", []string{`2:a|say "hi"`}},
		"lazy_quotes":      {"Name,Note\na,5\" pipe\n", []string{`2:a|5" pipe`}},
		"short_and_long":   {"Name,Note\na\nb,2,3\n", []string{"2:a|", "3:b|2"}},
		"no_last_break":    {"Name,Note\na,1", []string{"2:a|1"}},
		"none":             {"Name,Note\n", nil},
		"byte_order_mark":  {"\xef\xbb\xbfName,Note\na,1\n", []string{"2:a|1"}},
		"utf16":            {"\xff\xfe" + utf16("Name,Note\nä,1\n", false), []string{"2:ä|1"}},
		"windows_1252":     {"Name,Note\n\xe4,\x80\n", []string{"2:ä|€"}},
		"doubled_column":   {"Name,Name,Note\na,b,1\n", []string{"2:a|1"}},
		"nul":              {"Name,Note\na\x00b,1\n", []string{"2:a\x00b|1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readRows(t, strings.NewReader(c.report), Limits{})
			if diff := cmp.Diff(c.want, got); diff != "" || err != nil {
				t.Errorf("error %v, rows (-want +got):\n%s", err, diff)
			}
		})
	}
}

func TestCSVRefused(t *testing.T) {
	t.Parallel()
	wide := strings.Repeat("c,", 1024)
	for name, c := range map[string]struct{ report, want string }{
		"empty":            {"", "the report is empty"},
		"other_columns":    {"Title,Note\na,1\n", `line 1: there is no column "Name"`},
		"json":             {`{"items": []}`, "there is no column"},
		"cut_in_a_quote":   {"Name,Note,More\na,1,2\nb,\"the end is", "line 3: the report ends here"},
		"too_many_columns": {"Name," + wide + "\n", "more than 1024 columns"},
		"too_many_fields":  {"Name\na," + wide + "\n", "line 2: more than 1024 fields"},
		"long_field":       {"Name\n" + strings.Repeat("x", 5<<20) + "\n", "line 2: a field is longer than 4 MiB"},
		"row_refused":      {"Name\na\n\"b\nc\"\nrefuse\n", "line 5: it is refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readRows(t, strings.NewReader(c.report), Limits{})
			wantError(t, err, gate.Internal, c.want)
		})
	}
}

// TestCSVOneLine gives a line of 128 MiB, as one field and in a quote.
func TestCSVOneLine(t *testing.T) {
	for _, before := range []string{"Name\n", "Name\n\""} {
		report := &streamtest.Repeated{Before: before, Unit: strings.Repeat("x", 1024), Times: 128 << 10}
		_, err := readRows(t, report, Limits{})
		wantError(t, err, gate.Internal, "a record is longer than 32 MiB")
	}
}

// TestCSVLarge reads 128 MiB of rows.
func TestCSVLarge(t *testing.T) {
	report := &streamtest.Repeated{Before: "Name,Note\n", Unit: "a," + strings.Repeat("x", 8000) + "\n", Times: 16_000}
	cheaply(t, func() {
		in, err := NewInput(t.Context(), report, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		if err := CSV(in, nil, func(Row) error { n++; return nil }); err != nil || n != report.Times {
			t.Errorf("%d rows, error %v", n, err)
		}
	})
}

func TestRow(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), strings.NewReader("A,B\n x ,y\n"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	err = CSV(in, []string{"a"}, func(r Row) error {
		if !r.Has("B") || r.Has("C") || r.At(0) != "x" || r.At(2) != "" || r.At(-1) != "" || r.Len() != 2 || r.Columns()["b"] != 1 || r.Get("C", "b") != "y" {
			t.Errorf("row %+v", r)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var got []string
	in, err := NewInput(t.Context(), strings.NewReader("a\r\n\nb\x00\nc"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	err = Lines(in, func(n int, line string) error {
		got = append(got, fmt.Sprintf("%d:%s", n, line))
		return nil
	})
	if diff := cmp.Diff([]string{"1:a", "2:", "3:b\x00", "4:c"}, got); diff != "" || err != nil {
		t.Errorf("error %v, lines (-want +got):\n%s", err, diff)
	}
}

func TestLinesRefused(t *testing.T) {
	in, err := NewInput(t.Context(), &streamtest.Repeated{Before: "a\n", Unit: strings.Repeat("x", 1024), Times: 128 << 10}, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	cheaply(t, func() {
		wantError(t, Lines(in, func(int, string) error { return nil }), gate.Internal, "line 2: a line is longer than 16 MiB")
	})
	if err := in.Rewind(); err != nil {
		t.Fatal(err)
	}
	wantError(t, Lines(in, func(int, string) error { return errors.New("it is refused") }), gate.Internal, "line 1: it is refused")
}

func TestAll(t *testing.T) {
	t.Parallel()
	in, err := NewInput(t.Context(), strings.NewReader("12345"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := All(in, 5); string(b) != "12345" || err != nil {
		t.Errorf("got %q, error %v", b, err)
	}
	if err := in.Rewind(); err != nil {
		t.Fatal(err)
	}
	if _, err := All(in, 4); err == nil {
		t.Error("no error for what is over the limit")
	}
}

func FuzzCSV(f *testing.F) {
	for _, s := range []string{"Name,Note\na,1\n", "Name;Note\n\"a;b\";1", "Name\t\"x", "\xff\xfeN\x00", "Name\r\n\r\n,,,\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if _, err := readRows(t, bytes.NewReader(b), Limits{Bytes: 1 << 20}); err != nil && err.Error() == "" {
			t.Error("an error without words")
		}
	})
}

// TestRecords compares with encoding/csv on texts of what matters in CSV.
func TestRecords(t *testing.T) {
	t.Parallel()
	sameAsStandard(t, []byte("a,"+strings.Repeat("x", recordBuffer+5)+",\""+strings.Repeat("y\n", recordBuffer)+"\"\nb"))
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		b := make([]byte, rnd.IntN(24))
		for i := range b {
			b[i] = "a,\"\"\r\n\n;"[rnd.IntN(8)]
		}
		sameAsStandard(t, b)
	}
}

func sameAsStandard(t *testing.T, b []byte) {
	t.Helper()
	std := csv.NewReader(bytes.NewReader(b))
	std.LazyQuotes, std.FieldsPerRecord = true, -1
	own := records{r: bufio.NewReaderSize(bytes.NewReader(b), recordBuffer), comma: ','}
	for {
		want, err := std.Read()
		got, err2 := own.next()
		if !slices.Equal(got, want) || !errors.Is(err2, err) {
			t.Fatalf("%q: errors %v, %v, record %q, want %q", b, err, err2, got, want)
		}
		if err != nil {
			return
		}
		if line, _ := std.FieldPos(0); line != own.first || std.InputOffset() != own.offset {
			t.Fatalf("%q: line %d to byte %d, want line %d, byte %d", b, own.first, own.offset, line, std.InputOffset())
		}
	}
}

func FuzzRecords(f *testing.F) {
	for _, s := range []string{"a,b\n1,2", "\"a\",\"b\"\"c\"\n", "\"a\nb\",c\r\n\r\n\nd,\"e\r\nf\"\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) { sameAsStandard(t, b) })
}

func FuzzLines(f *testing.F) {
	for _, s := range []string{"a\nb\r\n", "", "\x1f\x8b", "\xfe\xff\x00a"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		in, err := NewInput(t.Context(), bytes.NewReader(b), Limits{Bytes: 1 << 20})
		if err != nil {
			return
		}
		last := 0
		_ = Lines(in, func(n int, line string) error {
			if n != last+1 || strings.Contains(line, "\n") {
				t.Errorf("line %d after %d: %q", n, last, line)
			}
			last = n
			return nil
		})
	})
}
