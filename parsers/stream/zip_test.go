package stream

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"defectdojo/gate"
)

// zipped makes an archive: write puts its members in.
func zipped(t testing.TB, write func(w *zip.Writer)) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	write(w)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func put(t testing.TB, w *zip.Writer, h *zip.FileHeader, content string) {
	t.Helper()
	f, err := w.CreateHeader(h)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, content); err != nil {
		t.Fatal(err)
	}
}

// readZip reads every member whole.
func readZip(t testing.TB, b []byte, limits Limits) (map[string]string, error) {
	t.Helper()
	in, err := NewInput(t.Context(), bytes.NewReader(b), limits)
	if err != nil {
		return nil, err
	}
	got := map[string]string{}
	err = Zip(in, func(m Member) error {
		b, err := m.Bytes()
		got[m.Name] = string(b)
		return err
	})
	return got, err
}

// cheaply runs f and fails when it takes much longer than two seconds or needs
// more than 64 MiB of memory.
func cheaply(t *testing.T, f func()) {
	t.Helper()
	defer debug.SetGCPercent(debug.SetGCPercent(10))
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop, most := make(chan struct{}), make(chan uint64)
	go func() {
		var peak uint64
		for {
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
			select {
			case <-stop:
				most <- peak
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	}()
	began := time.Now()
	f()
	took := time.Since(began)
	close(stop)
	peak := <-most
	if took > slow*2*time.Second {
		t.Errorf("took %s", took)
	}
	if peak > before.HeapAlloc+64<<20 {
		t.Errorf("needed %d MiB", (peak-before.HeapAlloc)>>20)
	}
}

// wantError fails unless err is of the kind and says what it should.
func wantError(t *testing.T, err error, kind gate.Kind, words string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), words) || gate.KindOf(err) != kind {
		t.Errorf("error %v (kind %d), want %q of kind %d", err, gate.KindOf(err), words, kind)
	}
}

func TestZip(t *testing.T) {
	t.Parallel()
	b := zipped(t, func(w *zip.Writer) {
		put(t, w, &zip.FileHeader{Name: "dir/"}, "")
		put(t, w, &zip.FileHeader{Name: "dir/a.json", Method: zip.Deflate}, strings.Repeat("a", 5000))
		put(t, w, &zip.FileHeader{Name: "../../etc/passwd"}, "b")
	})
	got, err := readZip(t, b, Limits{})
	if err != nil || len(got) != 2 || got["dir/a.json"] != strings.Repeat("a", 5000) || got["../../etc/passwd"] != "b" {
		t.Errorf("got %d members, error %v", len(got), err)
	}
}

// TestZipMemberTwice reads a member as a report, and again from its start.
func TestZipMemberTwice(t *testing.T) {
	t.Parallel()
	b := zipped(t, func(w *zip.Writer) { put(t, w, &zip.FileHeader{Name: "a", Method: zip.Deflate}, "\xef\xbb\xbf[1]") })
	in, err := NewInput(t.Context(), bytes.NewReader(b), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	err = Zip(in, func(m Member) error {
		in, err := m.Open()
		if err != nil {
			return err
		}
		for range 2 {
			if b, err := io.ReadAll(in); string(b) != "[1]" || err != nil {
				t.Errorf("got %q, error %v", b, err)
			}
			if err := in.Rewind(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestZipErrorPlace fails when an error's place is not one in the member.
func TestZipErrorPlace(t *testing.T) {
	t.Parallel()
	b := zipped(t, func(w *zip.Writer) { put(t, w, &zip.FileHeader{Name: "a.json"}, "{\n  \"x\": oops}") })
	in, err := NewInput(t.Context(), bytes.NewReader(b), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	err = Zip(in, func(m Member) error {
		in, err := m.Open()
		if err != nil {
			return err
		}
		return JSON(in, Skip)
	})
	wantError(t, err, gate.Internal, "a.json: line 2, column 8")
}

func TestZipRefused(t *testing.T) {
	t.Parallel()
	text := func(name, content string) func(*zip.Writer) {
		return func(w *zip.Writer) { put(t, w, &zip.FileHeader{Name: name, Method: zip.Deflate}, content) }
	}
	link := &zip.FileHeader{Name: "link"}
	link.SetMode(fs.ModeSymlink | 0o777)
	locked := zipped(t, text("a", "secret"))
	for _, sign := range []string{"PK\x03\x04", "PK\x01\x02"} { // set the flag of encryption
		i := bytes.Index(locked, []byte(sign))
		locked[i+6+2*strings.Count(sign, "\x01")] |= 1
	}
	forged := zipped(t, text("a", strings.Repeat("x", 1000)))
	binary.LittleEndian.PutUint32(forged[bytes.Index(forged, []byte("PK\x01\x02"))+24:], 10) // fewer bytes than there are
	whole := zipped(t, text("a", "x"))
	for _, c := range []struct {
		name, want string
		kind       gate.Kind
		b          []byte
		limits     Limits
	}{
		{"symlink", `"link" is a link`, gate.Internal, zipped(t, func(w *zip.Writer) { put(t, w, link, "/etc/passwd") }), Limits{}},
		{"encrypted", `"a" is encrypted`, gate.Internal, locked, Limits{}},
		{"zip in zip", "an archive inside an archive", gate.Internal, zipped(t, text("inner.dat", string(whole))), Limits{}},
		{"too many", "more than 1000 members", gate.TooLarge, zipped(t, func(w *zip.Writer) {
			for i := range 1001 {
				put(t, w, &zip.FileHeader{Name: fmt.Sprint(i)}, "")
			}
		}), Limits{}},
		{"large member", "a is larger than 1 MiB", gate.TooLarge, zipped(t, text("a", strings.Repeat("random", 1<<18))), Limits{MemberBytes: 1 << 20, Ratio: 1e6}},
		{"all members", "b is larger than 0 MiB", gate.TooLarge, zipped(t, func(w *zip.Writer) {
			text("a", strings.Repeat("x", 900))(w)
			text("b", strings.Repeat("x", 900))(w)
		}), Limits{Bytes: 1000}},
		{"forged size", "cannot be decompressed", gate.Internal, forged, Limits{}},
		{"cut short", "not a readable zip archive", gate.Internal, whole[:len(whole)-10], Limits{}},
		{"only its start", "not a readable zip archive", gate.Internal, []byte("PK\x03\x04"), Limits{}},
		{"empty", "not a readable zip archive", gate.Internal, nil, Limits{}},
		{"overlap", "overlap", gate.Internal, overlapping(t), Limits{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := readZip(t, c.b, c.limits)
			wantError(t, err, c.kind, c.want)
		})
	}
}

// overlapping makes an archive whose two members have the same data.
func overlapping(t *testing.T) []byte {
	b := zipped(t, func(w *zip.Writer) {
		put(t, w, &zip.FileHeader{Name: "a", Method: zip.Deflate}, strings.Repeat("x", 1000))
		put(t, w, &zip.FileHeader{Name: "b", Method: zip.Deflate}, strings.Repeat("x", 1000))
	})
	second := bytes.LastIndex(b, []byte("PK\x01\x02"))
	binary.LittleEndian.PutUint32(b[second+42:], 0) // the offset of its header
	return b
}

// TestZipBomb gives 512 MiB of zeros in half a MiB.
func TestZipBomb(t *testing.T) {
	zeros := zipped(t, func(w *zip.Writer) {
		f, err := w.Create("zeros")
		if err != nil {
			t.Fatal(err)
		}
		block := make([]byte, 1<<20)
		for range 512 {
			if _, err := f.Write(block); err != nil {
				t.Fatal(err)
			}
		}
	})
	cheaply(t, func() {
		_, err := readZip(t, zeros, Limits{})
		wantError(t, err, gate.TooLarge, "zeros is larger than 256 MiB")
	})
	cheaply(t, func() {
		_, err := readZip(t, zeros, Limits{MemberBytes: 1 << 30, Bytes: 1 << 30})
		wantError(t, err, gate.TooLarge, "more than 100 times its size")
	})
}

// TestZipMillion gives an archive with a million members, whose end record says
// that there are few.
func TestZipMillion(t *testing.T) {
	const members = 1_000_000
	var b bytes.Buffer
	entry := make([]byte, headerLength+1)
	copy(entry, "PK\x01\x02")
	entry[28] = 1 // the length of its name
	for range members {
		b.Write(entry)
	}
	end := make([]byte, endLength)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[10:], members%65536)
	binary.LittleEndian.PutUint32(end[12:], uint32(b.Len()))
	b.Write(end)
	cheaply(t, func() {
		_, err := readZip(t, b.Bytes(), Limits{})
		wantError(t, err, gate.TooLarge, "more than 1000 members")
	})
}

// TestZipDirectory gives a thousand members with the longest names.
func TestZipDirectory(t *testing.T) {
	b := zipped(t, func(w *zip.Writer) {
		for i := range 200 {
			put(t, w, &zip.FileHeader{Name: fmt.Sprint(i), Comment: strings.Repeat("c", 65000)}, "")
		}
	})
	_, err := readZip(t, b, Limits{})
	wantError(t, err, gate.TooLarge, "directory is larger than 8 MiB")
}

func TestNames(t *testing.T) {
	t.Parallel()
	b := zipped(t, func(w *zip.Writer) { put(t, w, &zip.FileHeader{Name: "a"}, "x") })
	in, err := NewInput(t.Context(), bytes.NewReader(b), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if names, err := Names(in); err != nil || len(names) != 1 || names[0] != "a" {
		t.Errorf("got %q, error %v", names, err)
	}
}

func FuzzZip(f *testing.F) {
	f.Add(zipped(f, func(w *zip.Writer) {
		put(f, w, &zip.FileHeader{Name: "a", Method: zip.Deflate}, "hello")
		put(f, w, &zip.FileHeader{Name: "dir/"}, "")
	}))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = readZip(t, b, Limits{Bytes: 1 << 20, MemberBytes: 1 << 20, Members: 10})
	})
}
