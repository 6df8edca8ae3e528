package streamtest

import (
	"io"
	"testing"
)

func TestRepeated(t *testing.T) {
	t.Parallel()
	r := &Repeated{Before: "<", Unit: "[##]", After: ">", Times: 3, Mark: "##"}
	for range 2 { // also from the start again
		b, err := io.ReadAll(r)
		if want := "<[00][01][02]>"; err != nil || string(b) != want || r.Size() != int64(len(want)) {
			t.Errorf("%q, %v, size %d, want %q", b, err, r.Size(), want)
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			t.Fatal(err)
		}
	}
}
