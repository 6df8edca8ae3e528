package parsers

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// Rank reads a severity that is a number on a scale of five whose lowest, Info,
// is given: "4" on a scale from 1 is High. What is below the scale, or no
// number, is Info; what is above it is Critical.
func Rank(s string, lowest int) gate.Severity {
	n := stream.ParseInt(strings.TrimSpace(s))
	if !n.OK {
		return gate.Info
	}
	return gate.Severity(min(max(n.N-lowest, int(gate.Info)), int(gate.Critical)))
}

// Level reads the level that a linter gives what it finds: an error is High, a
// warning Medium, a note or information Low. Another word is none of them.
func Level(word string) (gate.Severity, bool) {
	s, ok := levels[strings.ToLower(strings.TrimSpace(word))]
	return s, ok
}

var levels = map[string]gate.Severity{"error": gate.High, "warning": gate.Medium, "warn": gate.Medium, "note": gate.Low, "info": gate.Low, "information": gate.Low}
