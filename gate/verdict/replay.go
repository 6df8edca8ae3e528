package verdict

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"defectdojo/gate"
)

// maxDifferences is how many differences of one verdict are told.
const maxDifferences = 20

// Again judges a verdict's kept inputs again and returns where the outcome is
// not, byte for byte, what was kept; nothing if it is. What was kept and cannot
// be read, or is not of its digest, is a difference, too.
func (j *Judge) Again(ctx context.Context, id int64) ([]string, error) {
	kept, again, err := j.Replay(ctx, gate.Scope{All: true}, id)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case gate.KindOf(err) == gate.NotFound:
		return nil, err
	case err != nil:
		return []string{err.Error()}, nil
	}
	return Differences(kept, again)
}

// Differences tells where two verdicts are not the same, as paths in their JSON.
func Differences(kept, again gate.Verdict) ([]string, error) {
	want, err := json.Marshal(kept)
	if err != nil {
		return nil, err
	}
	got, err := json.Marshal(again)
	if err != nil || bytes.Equal(want, got) {
		return nil, err
	}
	var a, b any
	if err := json.Unmarshal(want, &a); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(got, &b); err != nil {
		return nil, err
	}
	var out []string
	compare("", a, b, &out)
	if len(out) == 0 {
		out = append(out, "the bytes differ, though not the values")
	}
	if len(out) > maxDifferences {
		out = append(out[:maxDifferences], fmt.Sprintf("and %d more", len(out)-maxDifferences))
	}
	return out, nil
}

// compare adds the paths at which two values differ.
func compare(path string, a, b any, out *[]string) {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			keys := map[string]bool{}
			for k := range x {
				keys[k] = true
			}
			for k := range y {
				keys[k] = true
			}
			for _, k := range slices.Sorted(maps.Keys(keys)) {
				compare(path+"."+k, x[k], y[k], out)
			}
			return
		}
	case []any:
		if y, ok := b.([]any); ok {
			for i := range max(len(x), len(y)) {
				compare(path+"["+strconv.Itoa(i)+"]", at(x, i), at(y, i), out)
			}
			return
		}
	}
	if was, is := text(a), text(b); was != is {
		*out = append(*out, fmt.Sprintf("%s: kept %s, now %s", path[min(1, len(path)):], was, is))
	}
}

func at(list []any, i int) any {
	if i < len(list) {
		return list[i]
	}
	return nil
}

// text is a value on one short line.
func text(v any) string {
	if v == nil {
		return "nothing"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	if r := []rune(string(b)); len(r) > 120 {
		return string(r[:119]) + "…"
	}
	return string(b)
}
