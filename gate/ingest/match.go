package ingest

import (
	"slices"
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

func setIfNew[K comparable](m map[K]int32, k K, n int32) {
	if _, ok := m[k]; !ok {
		m[k] = n
	}
}

// origins finds those of this import's own findings that later ones of it may
// be duplicates of: by hash or unique id at each place, so that many findings
// of one kind at many places stay cheap.
type origins struct {
	all    []store.Known
	byHash map[placedHash]int32
	byID   map[placedID]int32
}

type placedHash struct {
	hash  [32]byte
	place string
}

type placedID struct{ id, place string }

func newOrigins() *origins {
	return &origins{byHash: map[placedHash]int32{}, byID: map[placedID]int32{}}
}

func (x *origins) add(k store.Known) {
	n := int32(len(x.all)) //nolint:gosec // far below
	x.all = append(x.all, k)
	for place := range strings.SplitSeq(k.EndpointKey, "\x1e") {
		setIfNew(x.byHash, placedHash{k.Hash, place}, n)
		if k.UniqueID != "" {
			setIfNew(x.byID, placedID{k.UniqueID, place}, n)
		}
	}
	if k.UniqueID != "" {
		setIfNew(x.byID, placedID{k.UniqueID, anywhere}, n)
	}
}

// anywhere stands for any place, where an algorithm does not compare places.
const anywhere = "\x1d"

// candidates returns those that share a place with i, by id.
func (x *origins) candidates(i *item) []*store.Known {
	var found []int32
	for place := range strings.SplitSeq(i.endpointKey, "\x1e") {
		if n, ok := x.byHash[placedHash{i.hash, place}]; ok {
			found = append(found, n)
		}
		if n, ok := x.byID[placedID{i.UniqueID, place}]; ok && i.UniqueID != "" {
			found = append(found, n)
		}
	}
	if n, ok := x.byID[placedID{i.UniqueID, anywhere}]; ok && i.UniqueID != "" {
		found = append(found, n)
	}
	slices.Sort(found)
	known := make([]*store.Known, 0, len(found))
	for _, n := range slices.Compact(found) {
		known = append(known, &x.all[n])
	}
	return known
}

// original returns the finding that a new one, whose flags are given, is a
// duplicate of, among candidates by id.
func original(a dedup.Algorithm, i *item, flags store.Flags, static bool, testType int64, candidates []*store.Known) *store.Known {
	for _, c := range candidates {
		if isOriginal(a, i, static, testType, c) && attaches(flags, c.Flags) {
			return c
		}
	}
	return nil
}

func isOriginal(a dedup.Algorithm, i *item, static bool, testType int64, c *store.Known) bool {
	sameHash := c.Hash == i.hash
	sameID := i.UniqueID != "" && c.UniqueID == i.UniqueID && c.TestTypeID == testType
	switch a {
	case dedup.HashCode:
		return sameHash && dedup.SameEndpoints(c.EndpointKey, i.endpointKey)
	case dedup.UniqueID:
		return sameID
	case dedup.UniqueIDOrHashCode:
		return (sameHash || sameID) && dedup.SameEndpoints(c.EndpointKey, i.endpointKey)
	}
	if !sameHash {
		return false
	}
	if c.EndpointKey != "" && i.endpointKey != "" {
		return containsAll(i.endpointKey, c.EndpointKey)
	}
	return static && i.FilePath != ""
}

// containsAll tells whether every endpoint of the key part is in the key whole.
func containsAll(whole, part string) bool {
	in := strings.Split(whole, "\x1e")
	for k := range strings.SplitSeq(part, "\x1e") {
		if !slices.Contains(in, k) {
			return false
		}
	}
	return true
}

// attaches tells whether a new finding may be the duplicate of one with these
// flags: not of one that was closed because it was fixed, unless it is closed
// itself. What comes back after a fix is a new finding.
func attaches(added, old store.Flags) bool {
	fixed := !old.Active && old.IsMitigated && !old.FalseP && !old.OutOfScope
	isClosed := !added.Active && added.IsMitigated
	return !old.Duplicate && (!fixed || isClosed)
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
