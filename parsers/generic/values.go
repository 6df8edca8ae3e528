package generic

import (
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// flag is a boolean that may be quoted or missing.
type flag struct{ value *bool }

// UnmarshalJSONFrom reads true, "True", 1 and the like; anything else is unsaid.
func (f *flag) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	var t stream.Text
	if err := t.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	f.value = parseFlag(string(t))
	return nil
}

func (f flag) is(want bool) bool { return f.value != nil && *f.value == want }

func parseFlag(s string) *bool {
	switch strings.ToLower(strings.TrimSpace(s)) {
	case "true", "1", "yes":
		return new(true)
	case "false", "0", "no":
		return new(false)
	}
	return nil
}

// list is an array of texts or numbers, or one text that holds them with commas between.
type list []string

// UnmarshalJSONFrom reads an array or a text.
func (l *list) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	*l = nil
	if d.PeekKind() == '[' {
		var all []stream.Text
		if err := json.UnmarshalDecode(d, &all); err != nil {
			return err
		}
		for _, t := range all {
			*l = append(*l, string(t))
		}
		return nil
	}
	var t stream.Text
	if err := t.UnmarshalJSONFrom(d); err != nil {
		return err
	}
	if t != "" {
		*l = strings.Split(string(t), ",")
	}
	return nil
}

// endpoint is a URL, or its parts.
type endpoint string

// UnmarshalJSONFrom reads a text or an object.
func (e *endpoint) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() != '{' {
		var t stream.Text
		if err := t.UnmarshalJSONFrom(d); err != nil {
			return err
		}
		*e = endpoint(parsers.Endpoint(string(t)))
		return nil
	}
	var p struct {
		Protocol stream.Text `json:"protocol"`
		UserInfo stream.Text `json:"userinfo"`
		Host     stream.Text `json:"host"`
		FQDN     stream.Text `json:"fqdn"`
		Port     stream.Text `json:"port"`
		Path     stream.Text `json:"path"`
		Query    stream.Text `json:"query"`
		Fragment stream.Text `json:"fragment"`
	}
	if err := json.UnmarshalDecode(d, &p); err != nil {
		return err
	}
	url := parsers.HostPort(string(p.Protocol), parsers.First(string(p.Host), string(p.FQDN)), string(p.Port))
	if url == "" {
		return nil
	}
	if user := string(p.UserInfo); user != "" {
		scheme, rest, ok := strings.Cut(url, "://")
		if ok {
			url = scheme + "://" + user + "@" + rest
		}
	}
	var urlSb100 strings.Builder
	for _, part := range []struct{ mark, text string }{{"/", string(p.Path)}, {"?", string(p.Query)}, {"#", string(p.Fragment)}} {
		if part.text != "" {
			urlSb100.WriteString(part.mark + strings.TrimPrefix(part.text, part.mark))
		}
	}
	url += urlSb100.String()
	*e = endpoint(parsers.Endpoint(url))
	return nil
}
