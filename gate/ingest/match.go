package ingest

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/store"
)

// tracked is a finding of the test with what this import does to it.
type tracked struct {
	store.Known
	bucket bucket
	fresh  bool // added by this import
	order  twinOrder
}

// bucket is what an import does to a finding.
type bucket byte

const (
	unseen      bucket = 0
	created     bucket = 'N'
	closed      bucket = 'C'
	reactivated bucket = 'R'
	untouched   bucket = 'U'
	passed      bucket = '-' // in the report, and nothing was to be done: not in the history
)

// index finds the findings of a test by their identities. Of several with the
// same identity it finds the one that was added first, and once the report has
// shown that one, the next: an import stores every finding that a report tells,
// also twice, and a reimport of the same report meets each of them.
type index struct {
	algorithm dedup.Algorithm
	all       []tracked
	byHash    chain[[32]byte]
	byID      chain[string]
	byTitle   chain[string]
}

func newIndex(a dedup.Algorithm) *index {
	return &index{algorithm: a, byHash: newChain[[32]byte](), byID: newChain[string](), byTitle: newChain[string]()}
}

func (x *index) add(t tracked) {
	n := int32(len(x.all)) //nolint:gosec // far below
	if t.Hash != ([32]byte{}) {
		x.byHash.add(t.Hash, n)
	}
	if t.UniqueID != "" {
		x.byID.add(t.UniqueID, n)
	}
	if x.algorithm == dedup.Legacy {
		x.byTitle.add(titleKey(t.Title, t.Severity), n)
		t.Title = "" // it is in the map
	}
	x.all = append(x.all, t)
}

// chain maps a key to the first of the numbers that were added under it, and
// each to the next.
type chain[K comparable] struct {
	first map[K]int32
	last  map[K]int32 // only of keys with several
	next  map[int32]int32
}

func newChain[K comparable]() chain[K] {
	return chain[K]{first: map[K]int32{}, last: map[K]int32{}, next: map[int32]int32{}}
}

func (c chain[K]) add(k K, n int32) {
	first, ok := c.first[k]
	if !ok {
		c.first[k] = n
		return
	}
	if last, ok := c.last[k]; ok {
		first = last
	}
	c.next[first], c.last[k] = n, n
}

// find returns the first number under a key that is not passed over, or the last one.
func (c chain[K]) find(k K, pass func(int32) bool) (int32, bool) {
	n, ok := c.first[k]
	if !ok {
		return 0, false
	}
	for pass(n) {
		next, ok := c.next[n]
		if !ok {
			break
		}
		n = next
	}
	c.first[k] = n
	return n, true
}

func titleKey(title string, s gate.Severity) string { return s.String() + strings.ToLower(title) }

// match returns the finding of the test that an observation is, or -1.
func (x *index) match(i *item) int32 {
	shown := func(n int32) bool { return x.all[n].bucket != unseen }
	hash, byHash, id, byID := int32(0), false, int32(0), false
	switch x.algorithm {
	case dedup.HashCode:
		hash, byHash = x.byHash.find(i.hash, shown)
	case dedup.UniqueID:
		if id, byID = x.findID(i, shown); i.UniqueID == "" {
			// DefectDojo never meets such a finding again: each reimport closes
			// it and adds it anew.
			hash, byHash = x.byHash.find(i.hash, shown)
		}
	case dedup.UniqueIDOrHashCode:
		hash, byHash = x.byHash.find(i.hash, shown)
		id, byID = x.findID(i, shown)
	default:
		hash, byHash = x.byTitle.find(titleKey(i.Title, i.Severity), shown)
	}
	switch {
	case byHash && byID && shown(hash) == shown(id):
		return min(hash, id)
	case byHash && (!byID || shown(id)):
		return hash
	case byID:
		return id
	}
	return -1
}

func (x *index) findID(i *item, shown func(int32) bool) (int32, bool) {
	if i.UniqueID == "" {
		return 0, false
	}
	return x.byID.find(i.UniqueID, shown)
}

// shown tells whether the report shows a finding of another test: by the keys
// that the algorithm compares. A finding without its key is not shown.
func (m *importing) shown(k *store.Known) bool {
	byHash := k.Hash != [32]byte{} && m.hashes[k.Hash]
	byID := k.UniqueID != "" && m.uniqueIDs[k.UniqueID]
	switch m.settings.Algorithm {
	case dedup.UniqueID:
		return byID || k.UniqueID == "" && byHash
	case dedup.UniqueIDOrHashCode:
		return byHash || byID
	}
	return byHash
}
