package parsers

import (
	"slices"
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
	cleanLists(&o.VulnerabilityIDs, &o.Tags, &o.Endpoints)
}

// cleanLists cleans lists and copies them, all into one piece: who takes an
// observation owns its lists, and a parser may use one for many.
func cleanLists(lists ...*[]string) {
	n := 0
	for _, p := range lists {
		*p = cleanList(*p)
		n += len(*p)
	}
	if n == 0 {
		return
	}
	own := make([]string, 0, n)
	for _, p := range lists {
		if len(*p) > 0 {
			from := len(own)
			own = append(own, *p...)
			*p = slices.Clip(own[from:])
		}
	}
}

// cleanList removes blank and repeated entries and keeps the order. It returns
// the list itself when there is nothing to do.
func cleanList(list []string) []string {
	if len(list) == 0 {
		return nil
	}
	if isClean(list) {
		return slices.Clip(list)
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

// isClean tells whether cleanList has nothing to do; it compares each entry with
// all others, and so leaves long lists to it.
func isClean(list []string) bool {
	if len(list) > 16 {
		return false
	}
	for i, s := range list {
		if s == "" || len(strings.TrimSpace(s)) != len(s) || needsCare(s) || slices.Contains(list[:i], s) {
			return false
		}
	}
	return true
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
		case r < 0x20, r == 0x7f, isTurn(r):
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, string(utf8.RuneError)))
}

// needsCare tells whether sanitize would change s.
func needsCare(s string) bool {
	if s == "" {
		return false
	}
	i, ascii := 0, true
	for ; i+8 <= len(s); i += 8 {
		if plain(s[i : i+8]) {
			continue
		}
		for _, b := range []byte(s[i : i+8]) {
			if isControl(b) {
				return true
			}
			ascii = ascii && b < 0x80
		}
	}
	for ; i < len(s); i++ {
		if isControl(s[i]) {
			return true
		}
		ascii = ascii && s[i] < 0x80
	}
	return !ascii && (!utf8.ValidString(s) || turns(s))
}

// plain tells whether eight bytes are all printable ASCII, seen as one number:
// a byte less 0x20 borrows below it, one more 1 reaches 0x80 from 0x7f.
func plain(s string) bool {
	const ones = 0x0101010101010101
	_ = s[7]
	v := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 | uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
	return (v|(v-0x20*ones)|(v+ones))&(0x80*ones) == 0
}

func isControl(b byte) bool { return b < 0x20 && b != '\n' && b != '\t' || b == 0x7f }

// turns tells whether s holds a mark that turns the direction of text. All of
// them, and little else, begin with the byte 0xe2.
func turns(s string) bool {
	for {
		i := strings.IndexByte(s, 0xe2)
		if i < 0 {
			return false
		}
		if r, _ := utf8.DecodeRuneInString(s[i:]); isTurn(r) {
			return true
		}
		s = s[i+1:]
	}
}

func isTurn(r rune) bool { return r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 }

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
