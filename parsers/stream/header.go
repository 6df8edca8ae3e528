package stream

import (
	"hash/maphash"
	"strings"
)

// header is a CSV file's header: its names in lower case, with their positions.
type header struct {
	columns map[string]int
	seed    maphash.Seed
	asked   [512]askedColumn // by hash: most rows need no map, and no lower case
}

// askedColumn is a name as a parser asks for it, and its position.
type askedColumn struct {
	name string
	next int // one more than the position, 0 when the file has no such column
}

func newHeader(names []string) *header {
	h := &header{columns: make(map[string]int, len(names)), seed: maphash.MakeSeed()}
	for i, name := range names {
		name = strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff")))
		if _, ok := h.columns[name]; !ok {
			h.columns[name] = i
		}
	}
	return h
}

// position returns the position of a column, by its name in any letter case,
// or -1. Parsers ask for the same names in every row.
func (h *header) position(name string) int {
	a := &h.asked[maphash.String(h.seed, name)%uint64(len(h.asked))]
	if a.name == name && name != "" {
		return a.next - 1
	}
	i, ok := h.columns[strings.ToLower(name)]
	if !ok {
		i = -1
	}
	*a = askedColumn{name, i + 1}
	return i
}
