package stream

import (
	"io"
	"strconv"
)

// maxValue is how long one JSON token, or one value that is read whole, may be.
const maxValue = 32 << 20

// leash ends reading when the reader behind it has gone too far beyond what was
// taken: a parser that buffers a whole token or record would hold too much.
type leash struct {
	r     io.Reader
	n     int64        // read so far
	taken func() int64 // of that, done with
	limit int64
	what  string
}

func (l *leash) Read(p []byte) (int, error) {
	if taken := l.taken(); l.n-taken > l.limit {
		return 0, &Error{Offset: taken, Reason: l.what + " is longer than " + strconv.FormatInt(l.limit>>20, 10) + " MiB"}
	}
	n, err := l.r.Read(p)
	l.n += int64(n)
	return n, err
}
