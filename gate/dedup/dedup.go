// Package dedup gives an observation its identity, and says which finding it
// is. It is pure: nothing here reads a clock or a database.
//
// The identities are DefectDojo's (hash_code), byte for byte, so that findings
// that were imported there are recognised here. Where its rules depend on how a
// value happens to be stored, ours hash the value as it is stored: a blank is a
// null, and a missing first id is taken from the list of ids.
package dedup

import (
	"bytes"
	"crypto/sha256"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/cases"

	"defectdojo/gate"
)

// HashVersion is the version of Hash that findings are stored with. It goes up
// when the same observation gets another hash.
const HashVersion = 1

// Algorithm says which findings are the same.
type Algorithm string

// The algorithms.
const (
	Legacy             Algorithm = "legacy"
	HashCode           Algorithm = "hash_code"
	UniqueID           Algorithm = "unique_id_from_tool"
	UniqueIDOrHashCode Algorithm = "unique_id_from_tool_or_hash_code"
)

// Algorithms lists them.
var Algorithms = []Algorithm{Legacy, HashCode, UniqueID, UniqueIDOrHashCode}

// Field is a part of an observation that may go into its hash.
type Field string

// Fields lists those that may.
var Fields = []Field{
	"title", "cwe", "cwes", "vulnerability_ids", "line", "file_path", "payload", "component_name", "component_version",
	"description", "endpoints", "unique_id_from_tool", "severity", "vuln_id_from_tool", "mitigation",
}

// legacyFields make the hash where no others are set.
var legacyFields = []Field{"title", "cwe", "line", "file_path", "description"}

// Settings say how the findings of a scan type are told apart.
type Settings struct {
	Algorithm Algorithm
	Fields    []Field // of the hash; none means title, cwe, line, file_path and description
	NeedsCWE  bool    // without a CWE, the hash is made of the legacy fields
}

// Default is for scan types without settings.
var Default = Settings{Algorithm: Legacy}

// For returns the built-in settings of a scan type.
func For(scanType string) Settings {
	if s, ok := builtin[scanType]; ok {
		return s
	}
	return Default
}

// Validate tells what is wrong with settings that somebody wrote.
func (s Settings) Validate() error {
	if !slices.Contains(Algorithms, s.Algorithm) {
		return gate.FieldErrorf("algorithm", "%q is not one of legacy, hash_code, unique_id_from_tool, unique_id_from_tool_or_hash_code", s.Algorithm)
	}
	for i, f := range s.Fields {
		if !slices.Contains(Fields, f) {
			return gate.FieldErrorf("hash_fields", "%q cannot be hashed", f)
		}
		if slices.Contains(s.Fields[:i], f) {
			return gate.FieldErrorf("hash_fields", "%q is named twice", f)
		}
	}
	if s.Algorithm == HashCode && len(s.Fields) == 1 && s.Fields[0] == "severity" {
		return gate.FieldErrorf("hash_fields", "severity alone would make all findings one")
	}
	return nil
}

// Hasher computes hashes of one scan type. It is not for concurrent use.
type Hasher struct {
	settings Settings
	fold     cases.Caser
	buf      []byte
}

// NewHasher returns a Hasher.
func NewHasher(s Settings) *Hasher { return &Hasher{settings: s, fold: cases.Fold()} }

// Hash returns the observation's hash_code: the SHA-256 of its fields' texts,
// one after the other, in lower case, without the white space around them.
func (h *Hasher) Hash(o *gate.Observation) [sha256.Size]byte {
	fields := h.settings.Fields
	if len(fields) == 0 || h.settings.NeedsCWE && o.CWE == 0 && !o.NoCWE {
		fields = legacyFields
	}
	h.buf = h.buf[:0]
	for _, f := range fields {
		h.buf = appendField(h.buf, o, f)
	}
	h.buf = append(h.buf, o.Service...)
	folded := h.foldCase(h.buf)
	return sha256.Sum256(bytes.Trim(folded, " \t\n\r\v\f"))
}

// foldCase folds the case of b, in place when it is ASCII.
func (h *Hasher) foldCase(b []byte) []byte {
	for i, c := range b {
		if c >= 0x80 {
			return h.fold.Bytes(b)
		}
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
	return b
}

// null is how an absent value is written into a hash.
const null = "None"

func appendText(b []byte, s string) []byte {
	if s == "" {
		return append(b, null...)
	}
	return append(b, s...)
}

func appendField(b []byte, o *gate.Observation, f Field) []byte {
	switch f {
	case "title":
		return append(b, o.Title...)
	case "description":
		return append(b, o.Description...)
	case "cwe":
		if o.NoCWE && o.CWE == 0 {
			return append(b, null...)
		}
		return strconv.AppendInt(b, int64(o.CWE), 10)
	case "line":
		if o.Line == nil {
			return append(b, null...)
		}
		return strconv.AppendInt(b, int64(*o.Line), 10)
	case "file_path":
		return appendText(b, o.FilePath)
	case "component_name":
		return appendText(b, o.ComponentName)
	case "component_version":
		return appendText(b, o.ComponentVersion)
	case "payload":
		return appendText(b, o.Payload)
	case "mitigation":
		return appendText(b, o.Mitigation)
	case "unique_id_from_tool":
		return appendText(b, o.UniqueID)
	case "vuln_id_from_tool":
		return appendText(b, o.RuleID)
	case "severity":
		return append(b, o.Severity.String()...)
	case "endpoints":
		return appendSorted(b, o.Endpoints)
	case "vulnerability_ids":
		return appendSorted(b, o.VulnerabilityIDs)
	case "cwes":
		return appendSorted(b, cweLabels(o))
	}
	return b
}

// appendSorted appends the distinct values in order.
func appendSorted(b []byte, values []string) []byte {
	if len(values) > 1 {
		values = slices.Clone(values)
		slices.Sort(values)
		values = slices.Compact(values)
	}
	for _, v := range values {
		b = append(b, v...)
	}
	return b
}

func cweLabels(o *gate.Observation) []string {
	var labels []string
	if o.CWE > 0 {
		labels = append(labels, "CWE-"+strconv.Itoa(o.CWE))
	}
	for _, n := range o.CWEs {
		if n > 0 {
			labels = append(labels, "CWE-"+strconv.Itoa(n))
		}
	}
	return labels
}

// EndpointKey is what deduplication compares of an observation's endpoints:
// host and path of each, sorted. It is blank when there are none.
func EndpointKey(endpoints []string) string {
	if len(endpoints) == 0 {
		return ""
	}
	keys := make([]string, 0, len(endpoints))
	for _, e := range endpoints {
		raw := e
		if !strings.Contains(raw, "://") {
			raw = "//" + raw
		}
		host, path := e, ""
		if u, err := url.Parse(raw); err == nil {
			host, path = u.Hostname(), strings.TrimPrefix(u.Path, "/")
		}
		keys = append(keys, strings.ToLower(host)+"\x1f"+path)
	}
	slices.Sort(keys)
	return strings.Join(slices.Compact(keys), "\x1e")
}

// SameEndpoints tells whether two endpoint keys let findings be the same: both
// have none, or any host with its path is in both.
func SameEndpoints(a, b string) bool {
	if a == "" || b == "" {
		return a == b
	}
	if a == b {
		return true
	}
	in := strings.Split(a, "\x1e")
	for k := range strings.SplitSeq(b, "\x1e") {
		if slices.Contains(in, k) {
			return true
		}
	}
	return false
}
