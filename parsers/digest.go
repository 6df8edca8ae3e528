package parsers

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Digest returns the SHA-256 of the parts one after the other, in hexadecimal:
// the identity that DefectDojo's parsers make where a report has none.
func Digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "")))
	return hex.EncodeToString(sum[:])
}
