package parsers

import (
	"slices"

	"defectdojo/gate"
)

// SetCWEs reads weaknesses out of texts ("CWE-79", "CWE-79: …", "79") into o,
// each once. The first is the main one, unless o has one. A text without a
// number adds nothing.
func SetCWEs[T ~string](o *gate.Observation, texts ...T) {
	for _, t := range texts {
		if n := gate.ParseCWE(string(t)); n > 0 && !slices.Contains(o.CWEs, n) {
			o.CWEs = append(o.CWEs, n)
		}
	}
	if o.CWE == 0 && len(o.CWEs) > 0 {
		o.CWE, o.NoCWE = o.CWEs[0], false
	}
}
