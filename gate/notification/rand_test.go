package notification

import (
	"math/rand/v2"
	"testing"
	"time"
)

// newRand returns a source of chance whose seed the test tells when it fails.
func newRand(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("seed %d", seed)
		}
	})
	return rand.New(rand.NewPCG(seed, 0))
}
