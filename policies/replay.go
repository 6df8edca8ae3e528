package policies

import (
	"time"

	"defectdojo/gate"
)

// Replay judges inputs again that were kept as Parts, and refuses those that are
// not of the digests that the verdict names: the verdict must come out the same,
// byte for byte.
func Replay(parts map[string][]byte, digests gate.InputDigests, now time.Time, provisional bool) (gate.Verdict, error) {
	for name, want := range PartDigests(&digests) {
		if got := Digest(parts[name]); got != want {
			return gate.Verdict{}, gate.Errorf(gate.Conflict, "the stored %s have digest %s, the verdict rests on %s", name, got, want)
		}
	}
	in, err := FromParts(parts, now, provisional)
	if err != nil {
		return gate.Verdict{}, err
	}
	v, err := Evaluate(in)
	if err != nil {
		return v, err
	}
	if v.Inputs != digests {
		return v, gate.Errorf(gate.Conflict, "the inputs have digest %s, the verdict rests on %s", v.Inputs.All, digests.All)
	}
	return v, nil
}
