package gitlab

import (
	"fmt"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers/stream"
)

// Evidence is what a dynamic scanner sent and received.
type Evidence struct {
	Summary  stream.Text `json:"summary"`
	Request  *Message    `json:"request"`
	Response *Message    `json:"response"`
}

// Message is an HTTP request or response.
type Message struct {
	Method  stream.Text `json:"method"`
	URL     stream.Text `json:"url"`
	Code    stream.Text `json:"status_code"`
	Reason  stream.Text `json:"reason_phrase"`
	Body    stream.Text `json:"body"`
	Headers []struct {
		Name  stream.Text `json:"name"`
		Value stream.Text `json:"value"`
	} `json:"headers"`
}

// Pairs returns the request and the response as they were on the wire.
func (e Evidence) Pairs() []gate.Pair {
	if e.Request == nil && e.Response == nil {
		return nil
	}
	var p gate.Pair
	if r := e.Request; r != nil {
		p.Request = r.text(fmt.Sprintf("%s %s", r.Method, r.URL))
	}
	if r := e.Response; r != nil {
		p.Response = r.text(strings.TrimSpace(fmt.Sprintf("%s %s", r.Code, r.Reason)))
	}
	return []gate.Pair{p}
}

func (m *Message) text(first string) string {
	var b strings.Builder
	b.WriteString(first + "\n")
	for _, h := range m.Headers {
		fmt.Fprintf(&b, "%s: %s\n", h.Name, h.Value)
	}
	if m.Body != "" {
		b.WriteString("\n" + string(m.Body))
	}
	return b.String()
}
