package parsers

import "defectdojo/gate"

// Bounds of the HTTP messages that are kept of a report.
const (
	maxMessage  = 64 << 10 // bytes of one; what is more is cut, with a mark
	maxMessages = 16 << 20 // of all that one Messages keeps
)

// Messages keeps HTTP requests with their responses, as many as fit: a parser
// that merges findings holds them all until the report's end.
type Messages struct{ bytes int }

// Add adds a pair to list and returns it. It adds nothing to an empty pair, and
// nothing once what was kept takes too much memory.
func (m *Messages) Add(list []gate.Pair, request, response string) []gate.Pair {
	if request == "" && response == "" || m.bytes > maxMessages {
		return list
	}
	p := gate.Pair{Request: cut(request, maxMessage), Response: cut(response, maxMessage)}
	m.bytes += len(p.Request) + len(p.Response) + 64
	return append(list, p)
}
