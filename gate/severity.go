package gate

import (
	"fmt"
	"strings"
)

// Severity ranks how bad an observation is. The zero value is Info, and a
// greater one is worse.
type Severity int16

// Severities, from harmless to worst.
const (
	Info Severity = iota
	Low
	Medium
	High
	Critical
)

// Severities lists all of them, worst first: the order in which people read them.
var Severities = []Severity{Critical, High, Medium, Low, Info}

var severityNames = [...]string{"Info", "Low", "Medium", "High", "Critical"}

// severities maps the words that scanners use, in lower case.
var severities = map[string]Severity{
	"critical": Critical, "crit": Critical, "blocker": Critical, "emergency": Critical, "very high": Critical, "urgent": Critical, "fatal": Critical,
	"high": High, "error": High, "important": High, "severe": High, "major": High, "serious": High,
	"medium": Medium, "moderate": Medium, "warning": Medium, "warn": Medium, "med": Medium, "average": Medium,
	"low": Low, "minor": Low, "note": Low, "trivial": Low, "very low": Low,
	"info": Info, "informational": Info, "information": Info, "none": Info, "negligible": Info, "unknown": Info, "": Info,
}

// ParseSeverity reads a scanner's word for a severity, in any letter case. A
// word that it does not know is Info; SeverityOf tells whether it was known.
func ParseSeverity(s string) Severity {
	v, _ := SeverityOf(s)
	return v
}

// SeverityOf reads a scanner's word for a severity and tells whether it knows it.
func SeverityOf(s string) (Severity, bool) {
	s = strings.TrimSpace(s)
	for i, name := range severityNames { // mostly it is one of these, and no text need be made
		if strings.EqualFold(name, s) {
			return Severity(i), true
		}
	}
	w := strings.ToLower(s)
	if v, ok := severities[w]; ok {
		return v, true
	}
	if strings.HasPrefix(w, "info") {
		return Info, true
	}
	return Info, false
}

// SeverityOfScore rates a CVSS base score by the qualitative scale of CVSS 3
// and 4 (https://www.first.org/cvss/v4-0/specification-document, section 6).
func SeverityOfScore(score float64) Severity {
	switch {
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score > 0:
		return Low
	}
	return Info
}

// String returns the severity's name.
func (s Severity) String() string {
	if s < Info || s > Critical {
		return fmt.Sprintf("Severity(%d)", int16(s))
	}
	return severityNames[s]
}

// MarshalText writes the severity's name.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads exactly one of the five names, in any letter case.
func (s *Severity) UnmarshalText(b []byte) error {
	for i, n := range severityNames {
		if strings.EqualFold(n, string(b)) {
			*s = Severity(i)
			return nil
		}
	}
	return Errorf(Invalid, "%q is not a severity: use Info, Low, Medium, High or Critical", b)
}

// Numerical returns the sort key that DefectDojo's API shows: S0 is Critical, S4 Info.
func (s Severity) Numerical() string { return fmt.Sprintf("S%d", Critical-s) }
