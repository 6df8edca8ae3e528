package parsers

import (
	"regexp"
	"slices"
	"strings"
)

// Fixed writes the versions that have a fix as one text, "1.10.2, 2.0.1", for
// Observation.Fix or FixVersion. Reports write versions, or ranges of patched
// ones: ">=1.10.2 <2.0.0 || >=2.0.1", "~> 1.6.11", "[2.1.0,)", "≥ 2:1.6.4-3". Of a
// range it is the lowest; "None" and ranges without a lowest are no version.
func Fixed(texts ...string) string {
	var all []string
	for _, text := range texts {
		if !strings.ContainsAny(text, "[(<>=~^≥!") { // versions alone
			all = addVersions(all, text)
			continue
		}
		text = intervals.ReplaceAllString(text, ">=$1,")
		for _, m := range bounds.FindAllStringSubmatch(text, maxBounds) {
			operator, version := m[1], strings.TrimRight(m[2], ".:")
			if strings.HasPrefix(operator, "<") || operator == ">" || operator == "!=" || !strings.ContainsAny(version, "0123456789") {
				continue
			}
			if !slices.Contains(all, version) {
				all = append(all, version)
			}
		}
	}
	return strings.Join(all, ", ")
}

// addVersions adds the versions of a text without operators that are not in all.
func addVersions(all []string, text string) []string {
	n := 0
	for version := range strings.FieldsFuncSeq(text, func(r rune) bool { return strings.ContainsRune(" \t\n\f\r,;|'\"", r) }) {
		if n++; n > maxBounds {
			break
		}
		version = strings.TrimRight(version, ".:")
		if strings.ContainsAny(version, "0123456789") && !slices.Contains(all, version) {
			all = append(all, version)
		}
	}
	return all
}

// maxBounds is how many versions of one text are looked at.
const maxBounds = 100

// FixedInWords finds the versions that have a fix in a sentence: "Upgrade zlib to
// 1.2.12-r0", "fixed in 1.2, 2.0.1", "Upgrade to version 1.2 or above.".
func FixedInWords(sentence string) string {
	if m := upgrades.FindStringSubmatch(sentence); m != nil {
		return Fixed(m[1])
	}
	return ""
}

// version is how one begins in a sentence, perhaps after an operator.
const version = `[<>=~]{0,2}\s?v?\d[\w.+:~-]*`

var (
	upgrades = regexp.MustCompile(`(?i)\b(?:to|fixed in)(?: versions?)?:?\s+(` + version + `(?:(?:\s*,\s*|\s+)(?:(?:or|and)\s+)?` + version + `)*)`)

	// intervals are Maven's: the upper end of one does not say where the fix is.
	intervals = regexp.MustCompile(`[\[(]\s*([^\s,\])]*)\s*(?:,[^\])]*)?[\])]`)

	bounds = regexp.MustCompile(`(<=|>=|==|~>|!=|[<>=~^≥])?\s*([^\s,;|<>=~^≥!'"]+)`)
)
