package parsers

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Mask shows enough of a secret to know it again and not enough to use it: its
// first characters, at most four and a quarter of it, and its length. What a
// scanner has already replaced by a word for that stays as it is.
func Mask(secret string) string {
	s := strings.TrimSpace(secret)
	if s == "" || strings.Trim(s, "*") == "" || strings.EqualFold(s, "REDACTED") {
		return s
	}
	n := utf8.RuneCountInString(s)
	shown := string([]rune(s)[:min(4, n/4)])
	return shown + "… (" + strconv.Itoa(n) + " characters)"
}

// Redact replaces a secret in a text, where it is long enough to be one.
func Redact(text, secret string) string {
	if s := strings.TrimSpace(secret); len(s) >= 4 && !strings.EqualFold(s, "REDACTED") {
		return strings.ReplaceAll(text, s, "REDACTED")
	}
	return text
}
