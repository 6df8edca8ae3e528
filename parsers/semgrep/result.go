package semgrep

import (
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// result is one match of a rule.
type result struct {
	CheckID stream.Text `json:"check_id"`
	Path    stream.Text `json:"path"`
	Start   position    `json:"start"`
	End     position    `json:"end"`
	Extra   struct {
		Message     stream.Text              `json:"message"`
		Severity    stream.Text              `json:"severity"`
		Fingerprint stream.Text              `json:"fingerprint"`
		Lines       stream.Text              `json:"lines"`
		Fix         stream.Text              `json:"fix"`
		FixRegex    stream.Lenient[fixRegex] `json:"fix_regex"`
		Metadata    stream.Lenient[metadata] `json:"metadata"`
		Dependency  stream.Lenient[scaInfo]  `json:"sca_info"`
		Validation  stream.Text              `json:"validation_state"`
		Trace       jsontext.Value           `json:"dataflow_trace"`
	} `json:"extra"`
}

type position struct {
	Line stream.Int `json:"line"`
}

type fixRegex struct {
	Regex       stream.Text `json:"regex"`
	Replacement stream.Text `json:"replacement"`
}

type texts = stream.OneOrMany[stream.Text]

type metadata struct {
	CWE        texts       `json:"cwe"`
	OWASP      texts       `json:"owasp"`
	References texts       `json:"references"`
	Technology texts       `json:"technology"`
	Classes    texts       `json:"vulnerability_class"`
	Category   stream.Text `json:"category"`
	Confidence stream.Text `json:"confidence"`
	Likelihood stream.Text `json:"likelihood"`
	Impact     stream.Text `json:"impact"`
	Source     stream.Text `json:"source"`
}

type scaInfo struct {
	Reachable stream.Text `json:"reachable"`
	Match     struct {
		Found struct {
			Package   stream.Text `json:"package"`
			Version   stream.Text `json:"version"`
			Ecosystem stream.Text `json:"ecosystem"`
		} `json:"found_dependency"`
	} `json:"dependency_match"`
}

func (r result) observation() gate.Observation {
	m := r.Extra.Metadata.Value
	o := gate.Observation{
		Title:       string(r.CheckID),
		Severity:    severity(r.Extra.Severity),
		Description: r.description(),
		Mitigation:  r.mitigation(),
		References:  parsers.Lines(words(m.References)...),
		RuleID:      string(r.CheckID),
		UniqueID:    withoutLogin(r.Extra.Fingerprint),
		FilePath:    string(r.Path),
		Line:        r.Start.Line.Ptr(),
		EndLine:     r.End.Line.Ptr(),
		Snippet:     withoutLogin(r.Extra.Lines),
		URL:         string(m.Source),
	}
	setCWE(&o, m.CWE)
	if f := r.Extra.Dependency.Value.Match.Found; f.Package != "" {
		o.PURL = parsers.PURL(purlTypes[strings.ToLower(string(f.Ecosystem))], string(f.Package), string(f.Version))
	}
	return o
}

// purlTypes are the package-URL types of Semgrep's ecosystems.
var purlTypes = map[string]string{
	"npm": "npm", "pypi": "pypi", "gem": "gem", "gomod": "golang", "cargo": "cargo", "maven": "maven", "composer": "composer", "nuget": "nuget", "pub": "pub", "swiftpm": "swift", "hex": "hex", "mix": "hex",
}

func (r result) description() string {
	m := r.Extra.Metadata.Value
	var t parsers.Text
	t.Add(string(r.Extra.Message)).
		Fact("Rule", string(r.CheckID)).
		Fact("Place", parsers.Place(string(r.Path), r.Start.Line.Ptr())).
		Facts("Weakness", words(m.CWE)).
		Facts("OWASP", words(m.OWASP)).
		Facts("Class", words(m.Classes)).
		Facts("Technology", words(m.Technology)).
		Fact("Category", string(m.Category)).
		Fact("Confidence", string(m.Confidence)).
		Fact("Likelihood", string(m.Likelihood)).
		Fact("Impact", string(m.Impact)).
		Fact("Secret", readable(validated(r.Extra.Validation)))
	if f := r.Extra.Dependency.Value.Match.Found; f.Package != "" {
		t.Fact("Dependency", fmt.Sprintf("%s %s (%s)", f.Package, f.Version, f.Ecosystem)).Fact("Reachable", string(r.Extra.Dependency.Value.Reachable))
	}
	t.Code("", withoutLogin(r.Extra.Lines))
	t.Section("Flow", strings.Join(trace(r.Extra.Trace), "\n"))
	return t.String()
}

func (r result) mitigation() string {
	var t parsers.Text
	if r.Extra.Fix != "" {
		t.Add("Semgrep proposes this in place of the code:").Code("", string(r.Extra.Fix))
	} else if f := r.Extra.FixRegex.Value; f.Regex != "" {
		t.Add("Semgrep proposes to replace what this regular expression matches:").Code("", string(f.Regex)).Add("by:").Code("", string(f.Replacement))
	}
	return t.String()
}

// validated is what Semgrep found out about a secret, if it tried.
func validated(state stream.Text) stream.Text {
	if state == "NO_VALIDATOR" {
		return ""
	}
	return state
}

// withoutLogin is the text, unless Semgrep withholds it.
func withoutLogin(t stream.Text) string {
	if t == "requires login" {
		return ""
	}
	return string(t)
}

// setCWE takes the first weakness as the main one.
func setCWE(o *gate.Observation, names texts) {
	parsers.SetCWEs(o, names...)
}

// trace lists the places in a data-flow trace, whose form differs between
// versions: whatever has a path and a start is a place.
func trace(v jsontext.Value) []string {
	var fields map[string]any
	if len(v) == 0 || len(v) > 1<<20 || json.Unmarshal(v, &fields, jsontext.AllowInvalidUTF8(true)) != nil {
		return nil
	}
	var steps []string
	for _, part := range []struct{ key, name string }{{"taint_source", "source"}, {"intermediate_vars", "on the way"}, {"taint_sink", "sink"}} {
		places(fields[part.key], func(place string) {
			if len(steps) < 50 {
				steps = append(steps, fmt.Sprintf("%d. `%s` (%s)", len(steps)+1, place, part.name))
			}
		})
	}
	return steps
}

func places(v any, f func(place string)) {
	switch v := v.(type) {
	case []any:
		for _, x := range v {
			places(x, f)
		}
	case map[string]any:
		path, ok := v["path"].(string)
		if !ok {
			places(v["location"], f)
			return
		}
		start, _ := v["start"].(map[string]any)
		f(parsers.Place(path, stream.ParseInt(fmt.Sprint(start["line"])).Ptr()))
	}
}

func words(list texts) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = string(t)
	}
	return out
}
