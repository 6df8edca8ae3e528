package stream

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"defectdojo/gate"
)

func gzipped(t testing.TB, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readAll(t testing.TB, b []byte, limits Limits) (string, error) {
	t.Helper()
	in, err := NewInput(t.Context(), bytes.NewReader(b), limits)
	if err != nil {
		return "", err
	}
	got, err := io.ReadAll(in)
	return string(got), err
}

func TestInputDecodes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ report, want string }{
		"plain":                     {"abc", "abc"},
		"empty":                     {"", ""},
		"one_byte":                  {"a", "a"},
		"utf8_mark":                 {"\xef\xbb\xbfä", "ä"},
		"utf16_little":              {"\xff\xfe" + utf16("äb", false), "äb"},
		"utf16_big":                 {"\xfe\xff" + utf16("äb", true), "äb"},
		"utf16_without_mark":        {utf16("<r/>", false), "<r/>"},
		"utf16_odd":                 {"\xff\xfea\x00b", "a\ufffd"},
		"xml_latin1":                {"<?xml version='1.0' encoding='ISO-8859-1'?><r>\xe4</r>", "<?xml version='1.0' encoding='ISO-8859-1'?><r>ä</r>"},
		"xml_says_utf16_but_is_not": {"<?xml version='1.0' encoding='UTF-16'?><r>ä</r>", "<?xml version='1.0' encoding='UTF-16'?><r>ä</r>"},
		"windows_1252":              {"caf\xe9 \x93x\x94", "café “x”"},
		"json_keeps_its_bytes":      {"{\"a\": \"\xe9\"}", "{\"a\": \"\xe9\"}"},
		"binary_keeps_its_bytes":    {"a\x01\xe9", "a\x01\xe9"},
		"cut_in_a_character":        {"abc\xc3", "abc\xc3"},
		"gzip":                      {string(gzipped(t, []byte("abc"))), "abc"},
		"gzip_with_mark":            {string(gzipped(t, []byte("\xef\xbb\xbfabc"))), "abc"},
		"gzip_twice_over":           {string(gzipped(t, []byte("abc"))) + string(gzipped(t, []byte("def"))), "abcdef"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := readAll(t, []byte(c.report), Limits{})
			if got != c.want || err != nil {
				t.Errorf("got %q, error %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestInputRefused(t *testing.T) {
	t.Parallel()
	random := make([]byte, 100_000)
	r := rand.NewChaCha8([32]byte{})
	_, _ = r.Read(random)
	whole := gzipped(t, random)
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 0x55
	for name, c := range map[string]struct {
		report []byte
		limits Limits
		want   string
		kind   gate.Kind
	}{
		"unknown_charset": {[]byte("<?xml version='1.0' encoding='X-NONE'?><r/>"), Limits{}, `character set "X-NONE"`, gate.Invalid},
		"too_large":       {[]byte(strings.Repeat("x", 2000)), Limits{Bytes: 1000}, "larger than 0 MiB", gate.TooLarge},
		"gzip_header":     {[]byte("\x1f\x8bxx"), Limits{}, "gzip", gate.Invalid},
		"gzip_cut":        {whole[:len(whole)/2], Limits{}, "cannot be decompressed", gate.Invalid},
		"gzip_flipped":    {flipped, Limits{}, "cannot be decompressed", gate.Invalid},
		"gzip_trailing":   {append(bytes.Clone(whole), "trailing"...), Limits{}, "cannot be decompressed", gate.Invalid},
		"gzip_too_large":  {gzipped(t, random), Limits{Bytes: 50_000}, "larger than 0 MiB", gate.TooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := readAll(t, c.report, c.limits)
			wantError(t, err, c.kind, c.want)
		})
	}
}

// TestGzipBomb gives 512 MiB of zeros in half a MiB.
func TestGzipBomb(t *testing.T) {
	zeros := gzipped(t, make([]byte, 512<<20))
	cheaply(t, func() {
		in, err := NewInput(t.Context(), bytes.NewReader(zeros), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, in)
		wantError(t, err, gate.TooLarge, "more than 100 times its size")
	})
}

func TestRewind(t *testing.T) {
	t.Parallel()
	for _, report := range [][]byte{[]byte("\xef\xbb\xbfabc"), gzipped(t, []byte("abc"))} {
		in, err := NewInput(t.Context(), bytes.NewReader(report), Limits{Bytes: 5})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if b, err := io.ReadAll(in); string(b) != "abc" || err != nil {
				t.Errorf("got %q, error %v", b, err)
			}
			if err := in.Rewind(); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestInputDone(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	in, err := NewInput(ctx, strings.NewReader("abc"), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.ReadAll(in); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

func TestLocate(t *testing.T) {
	t.Parallel()
	report := "ab\nä" + strings.Repeat("ö", 70_000) + "\n\nx"
	in, err := NewInput(t.Context(), strings.NewReader(report), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		offset       int64
		line, column int
	}{{0, 1, 1}, {2, 1, 3}, {3, 2, 1}, {5, 2, 2}, {int64(len(report)) - 1, 4, 1}, {int64(len(report)), 4, 2}, {1 << 40, 4, 2}} {
		e := &Error{Offset: c.offset}
		Locate(in, e)
		if e.Line != c.line || e.Column != c.column {
			t.Errorf("byte %d is line %d, column %d, want %d, %d", c.offset, e.Line, e.Column, c.line, c.column)
		}
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*Error{
		"why":                          {Offset: -1, Reason: "why"},
		"byte 7: why":                  {Offset: 7, Reason: "why"},
		"line 2: why":                  {Offset: 7, Line: 2, Reason: "why"},
		"line 2, column 3 (/a/0): why": {Offset: 7, Line: 2, Column: 3, Place: "/a/0", Reason: "why"},
		"(report/host): why":           {Offset: -1, Place: "report/host", Reason: "why"},
	} {
		if got := e.Error(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestBlank fails when what stands before the first character that counts is
// not blank, or places in errors shift by it.
func TestBlank(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, text, want string }{
		{"script", "results =\n{\"a\": 1}", "         \n{\"a\": 1}"},
		{"none_before", "{}", "{}"},
		{"never", "no brace", "no brace"},
		{"too_far", strings.Repeat("x", 2000) + "{}", strings.Repeat("x", 2000) + "{}"},
		{"empty", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in, err := NewInput(t.Context(), strings.NewReader(tt.text), Limits{})
			if err == nil {
				err = in.Blank('{')
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(in)
			if string(got) != tt.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}
