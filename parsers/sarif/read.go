package sarif

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/parsers/stream"
)

// Walk reads a log and calls begin for each run, then result for each of its
// results of any kind. It reads twice, since a run's rules may stand after its
// results: only rules and the names of files are held.
func Walk(in *stream.Input, begin func(*Run) error, result func(*Run, *Result) error) error {
	in.Skim("results", len("{[{"))
	runs, err := readRuns(in)
	if err := in.Rewind(); err != nil {
		return err
	}
	if err != nil { // read again for the place of what is wrong
		if runs, err = readRuns(in); err != nil {
			return err
		}
		if err := in.Rewind(); err != nil {
			return err
		}
	}
	next := 0
	run := stream.Value(func(d *stream.Decoder) error {
		if next == len(runs) {
			return errors.New("the report changed while it was read")
		}
		r := runs[next]
		next++
		if err := begin(r); err != nil {
			return err
		}
		each := stream.Quick(func(c *stream.Cursor, x *Result) { x.read(c) }, func(x *Result) error { return result(r, x) })
		return stream.Object(stream.Fields{"results": stream.Array(func(d *stream.Decoder) error {
			if d.PeekKind() == 'n' {
				return d.SkipValue()
			}
			return each(d)
		})})(d)
	})
	return stream.JSON(in, stream.Object(stream.Fields{"runs": stream.Array(run)}))
}

// readRuns reads everything of a log but its results.
func readRuns(in *stream.Input) ([]*Run, error) {
	var runs []*Run
	version := stream.Text("")
	err := stream.JSON(in, stream.Object(stream.Fields{
		"version": stream.Into(&version),
		"runs": stream.Array(func(d *stream.Decoder) error {
			r := &Run{number: len(runs)}
			runs = append(runs, r)
			return readRun(d, r)
		}),
	}, "runs"))
	if err == nil && strings.HasPrefix(string(version), "1.") {
		err = stream.Errorf("SARIF %s is not read, only version 2", version)
	}
	return runs, err
}

func readRun(d *stream.Decoder, r *Run) error {
	err := stream.Object(stream.Fields{
		"tool":                     stream.Into(&r.Tool),
		"invocations":              stream.Into((*stream.OneOrMany[Invocation])(&r.Invocations)),
		"versionControlProvenance": stream.Into((*stream.OneOrMany[Provenance])(&r.Provenance)),
		"artifacts": stream.ByKind(stream.Kinds{'n': stream.Skip, '{': stream.Skip, '[': stream.Each(func(a struct {
			Location struct {
				URI stream.Text `json:"uri"`
			} `json:"location"`
		},
		) error {
			r.artifacts = append(r.artifacts, a.Location.URI)
			return nil
		})}),
		"externalPropertyFileReferences": stream.ByKind(stream.Kinds{'n': stream.Skip, '[': stream.Skip, '{': stream.Object(stream.Fields{
			"results": stream.ByKind(stream.Kinds{'n': stream.Skip, '[': stream.Array(func(d *stream.Decoder) error {
				r.External.Results = true
				return stream.Skip(d)
			})}),
		})}),
	}, "tool")(d)
	if err != nil {
		return err
	}
	if r.Tool.Driver.Name == "" {
		return fmt.Errorf("run %d does not name its tool (tool.driver.name)", r.number+1)
	}
	r.index()
	return nil
}

// index finds rules by their ids: those of the driver before those of extensions.
func (r *Run) index() {
	r.rules = map[string]*Rule{}
	for _, c := range r.components() {
		for i := range c.Rules {
			if id := string(c.Rules[i].ID); r.rules[id] == nil {
				r.rules[id] = &c.Rules[i]
			}
		}
	}
}

func (r *Run) components() []*Component {
	list := []*Component{&r.Tool.Driver}
	for i := range r.Tool.Extensions {
		list = append(list, &r.Tool.Extensions[i])
	}
	return list
}

// RuleOf returns the rule of a result, or nil when the log does not describe it.
func (r *Run) RuleOf(x *Result) *Rule {
	id := first(x.RuleID, x.Rule.ID)
	if rule := r.rules[id]; rule != nil && id != "" {
		return rule
	}
	if rule := r.byIndex(x); rule != nil && (id == "" || strings.HasPrefix(id, string(rule.ID)+"/")) {
		return rule
	}
	for i := strings.LastIndexByte(id, '/'); i > 0; i = strings.LastIndexByte(id, '/') { // "CA1000/1" is a part of CA1000
		id = id[:i]
		if rule := r.rules[id]; rule != nil {
			return rule
		}
	}
	return nil
}

func (r *Run) byIndex(x *Result) *Rule {
	c, at := &r.Tool.Driver, x.RuleIndex
	if x.Rule.Index.OK {
		at = x.Rule.Index
	}
	if i := x.Rule.ToolComponent.Index; i.OK && i.N >= 0 && i.N < len(r.Tool.Extensions) {
		c = &r.Tool.Extensions[i.N]
	}
	if !at.OK || at.N < 0 || at.N >= len(c.Rules) {
		return nil
	}
	return &c.Rules[at.N]
}

func unmarshal(d *jsontext.Decoder, v any) error { return json.UnmarshalDecode(d, v) }

func unmarshalText(v jsontext.Value, p any) error {
	return json.Unmarshal(v, p, jsontext.AllowInvalidUTF8(true))
}

// scalar returns a JSON value as a text: a string's content, else its JSON.
func scalar(v jsontext.Value) string {
	var t stream.Text
	if unmarshalText(v, &t) != nil {
		return ""
	}
	return string(t)
}
