package parsers

import (
	"strings"
	"unicode/utf8"

	"defectdojo/gate"
)

// Limits of one field, in bytes. Longer texts are cut, with a mark.
const (
	maxTitle = 511 // characters, DefectDojo's own
	maxText  = 64 << 10
	maxPath  = 4000
	maxName  = 500
	maxIDs   = 100
)

const cutMark = " …[cut]"

// clean makes an observation fit to be stored and shown: valid UTF-8 without
// control characters, within the limits, without repeated ids.
func clean(o *gate.Observation) {
	o.Title = cutRunes(strings.TrimSpace(oneLine(sanitize(o.Title))), maxTitle)
	for _, p := range []*string{&o.Description, &o.Mitigation, &o.Impact, &o.References, &o.StepsToReproduce, &o.SeverityJustification, &o.Payload, &o.Snippet} {
		*p = cut(sanitize(*p), maxText)
	}
	for _, p := range []*string{&o.FilePath, &o.SASTSourceFilePath, &o.URL, &o.PURL} {
		*p = cut(sanitize(*p), maxPath)
	}
	for _, p := range []*string{&o.ComponentName, &o.ComponentVersion, &o.RuleID, &o.UniqueID, &o.Service, &o.FixVersion, &o.Fix, &o.Param, &o.SASTSourceObject, &o.SASTSinkObject, &o.CVSSv3, &o.CVSSv4, &o.EffortForFix} {
		*p = cut(sanitize(*p), maxName)
	}
	for i, p := range o.RequestResponsePairs {
		o.RequestResponsePairs[i] = gate.Pair{Request: cut(sanitize(p.Request), maxMessage), Response: cut(sanitize(p.Response), maxMessage)}
	}
	o.VulnerabilityIDs = cleanList(o.VulnerabilityIDs)
	o.Tags = cleanList(o.Tags)
	o.Endpoints = cleanList(o.Endpoints)
}

// cleanList removes blank and repeated entries and keeps the order.
func cleanList(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	seen := make(map[string]bool, len(list))
	out := list[:0:0]
	for _, s := range list {
		s = strings.TrimSpace(sanitize(s))
		if s == "" || seen[s] || len(out) == maxIDs*10 {
			continue
		}
		seen[s] = true
		out = append(out, s)
	}
	return out
}

// sanitize replaces what PostgreSQL, a terminal or a browser must not get: bytes
// that are not UTF-8, control characters and the marks that turn the direction
// of text.
func sanitize(s string) string {
	if !needsCare(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return -1
		case r < 0x20, r == 0x7f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// needsCare tells whether sanitize would change s.
func needsCare(s string) bool {
	ascii := true
	for i := range len(s) {
		switch b := s[i]; {
		case b < 0x20 && b != '\n' && b != '\t', b == 0x7f:
			return true
		case b >= 0x80:
			ascii = false
		}
	}
	if ascii {
		return false
	}
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 })
}

// oneLine makes line breaks spaces.
func oneLine(s string) string {
	if !strings.ContainsAny(s, "\n\t") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// cut shortens s to at most n bytes, at a character's border, with a mark.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	s = s[:n-len(cutMark)]
	for !utf8.ValidString(s[max(0, len(s)-utf8.UTFMax):]) && len(s) > 0 {
		s = s[:len(s)-1]
	}
	return s + cutMark
}

// cutRunes shortens s to at most n characters.
func cutRunes(s string, n int) string {
	if len(s) <= n || utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}
