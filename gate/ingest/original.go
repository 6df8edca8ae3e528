package ingest

import (
	"context"
	"slices"
	"strings"

	"defectdojo/gate/dedup"
	"defectdojo/gate/store"
)

// originalsOf finds candidates by hash and by unique id.
type originalsOf struct {
	byHash map[[32]byte][]*store.Known
	byID   map[string][]*store.Known
}

// candidates returns the findings in scope that new ones may be duplicates of.
func (m *importing) candidates(ctx context.Context, added []*item) (originalsOf, error) {
	c := originalsOf{map[[32]byte][]*store.Known{}, map[string][]*store.Known{}}
	if !m.compare {
		return c, nil
	}
	if err := m.storing.wait(); err != nil {
		return c, err
	}
	var hashes [][]byte
	var ids []string
	for _, i := range added {
		if m.settings.Algorithm != dedup.UniqueID {
			hashes = append(hashes, i.hash[:])
		}
		if i.UniqueID != "" && (m.settings.Algorithm == dedup.UniqueID || m.settings.Algorithm == dedup.UniqueIDOrHashCode) {
			ids = append(ids, i.UniqueID)
		}
	}
	scope := store.DedupScope{ProductID: m.test.ProductID, EngagementID: m.test.EngagementID, Within: m.test.DeduplicationOnEngagement, TestTypeID: m.test.TestTypeID}
	for k, err := range m.store.Originals(ctx, scope, hashes, ids) {
		if err != nil {
			return c, err
		}
		c.byHash[k.Hash] = append(c.byHash[k.Hash], &k)
		if k.UniqueID != "" && k.TestTypeID == m.test.TestTypeID {
			c.byID[k.UniqueID] = append(c.byID[k.UniqueID], &k)
		}
	}
	return c, nil
}

// of returns the candidates for an observation, by id.
func (c originalsOf) of(i *item) []*store.Known {
	byHash := c.byHash[i.hash]
	if i.UniqueID == "" || len(c.byID[i.UniqueID]) == 0 {
		return byHash
	}
	all := slices.Concat(byHash, c.byID[i.UniqueID])
	slices.SortFunc(all, func(a, b *store.Known) int { return int(a.ID - b.ID) })
	return slices.CompactFunc(all, func(a, b *store.Known) bool { return a.ID == b.ID })
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

func setIfNew[K comparable](m map[K]int32, k K, n int32) {
	if _, ok := m[k]; !ok {
		m[k] = n
	}
}
