package inbound

import (
	"sync"
	"time"
)

// How many requests that nothing proves are looked at from one address.
const (
	refusalWindow = time.Minute
	refusalLimit  = 60
	refusalNames  = 10_000 // addresses that are remembered
)

// refusals counts refused requests by address, on this node.
type refusals struct {
	mu    sync.Mutex
	since time.Time
	count map[string]int
}

// allow tells whether an address may be told why once more.
func (r *refusals) allow(address string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.since) >= refusalWindow || len(r.count) > refusalNames {
		r.since, r.count = now, map[string]int{}
	}
	r.count[address]++
	return r.count[address] <= refusalLimit
}
