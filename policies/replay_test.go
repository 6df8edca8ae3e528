package policies

import (
	"bytes"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"testing"
	"time"

	"defectdojo/gate"
)

// TestReplay stores 1,000 verdicts with their inputs and judges them again: no
// byte differs. One byte of any input changed is found.
func TestReplay(t *testing.T) {
	t.Parallel()
	differ := 0
	for seed := range 1000 {
		w := world{rand.New(rand.NewPCG(uint64(seed), 5))}
		in := w.hide(w.inputs(t))
		v := evaluate(t, in)
		stored, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := in.Parts()
		if err != nil {
			t.Fatal(err)
		}
		again, err := Replay(parts, v.Inputs, v.DecidedAt, v.Provisional)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := json.Marshal(again); err != nil || !bytes.Equal(b, stored) {
			differ++
		}
		if seed < 50 {
			flipEach(t, w, parts, v)
		}
	}
	if differ > 0 {
		t.Errorf("%d of 1,000 verdicts differ", differ)
	}
}

// flipEach changes one byte of each part.
func flipEach(t *testing.T, w world, parts map[string][]byte, v gate.Verdict) {
	t.Helper()
	for name := range parts {
		bad := maps.Clone(parts)
		bad[name] = bytes.Clone(parts[name])
		bad[name][w.IntN(len(bad[name]))] ^= 1
		if _, err := Replay(bad, v.Inputs, v.DecidedAt, v.Provisional); gate.KindOf(err) != gate.Conflict {
			t.Errorf("a byte of %s changed: %v", name, err)
		}
	}
	if _, err := Replay(parts, v.Inputs, v.DecidedAt.Add(time.Second), v.Provisional); gate.KindOf(err) != gate.Conflict {
		t.Errorf("another time: %v", err)
	}
}

// TestVerdictSurvivesJSON: what reads a verdict from the API has all of it.
func TestVerdictSurvivesJSON(t *testing.T) {
	t.Parallel()
	eachWorld(t, func(t *testing.T, w world, in Inputs) {
		first := verdictJSON(t, w.hide(in))
		var v gate.Verdict
		if err := json.Unmarshal(first, &v); err != nil {
			t.Fatal(err)
		}
		if again, err := json.Marshal(v); err != nil || !bytes.Equal(again, first) {
			t.Errorf("%v:\n%s\nwas\n%s", err, again, first)
		}
	})
}
