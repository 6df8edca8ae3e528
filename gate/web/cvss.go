package web

import "strings"

// vectorWords are the parts of CVSS vectors that say what an attacker needs:
// the same letters in version 3 and 4.
var vectorWords = map[string]string{
	"AV:N": "over the network", "AV:A": "from the same network", "AV:L": "from the machine itself", "AV:P": "with hands on it",
	"AC:L": "low complexity", "AC:H": "high complexity",
	"AT:P": "needs special conditions",
	"PR:N": "no privileges", "PR:L": "low privileges", "PR:H": "high privileges",
	"UI:N": "no user interaction", "UI:R": "user must act", "UI:P": "user must be there", "UI:A": "user must act",
}

// explainVector says in words what an attack by a CVSS vector needs.
func explainVector(vector string) string {
	var words []string
	for part := range strings.SplitSeq(vector, "/") {
		if w, ok := vectorWords[part]; ok {
			words = append(words, w)
		}
	}
	return strings.Join(words, ", ")
}
