package sarif

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/parsers/stream"
)

// What follows reads results by a Cursor, as their types say it: they are nearly
// all of a log. The lists of one are used again for the next.

// Reset empties the result and keeps the room of its lists, unless that is large.
func (x *Result) Reset() {
	if x.places > maxKept {
		*x = Result{}
		return
	}
	*x = Result{
		Locations: x.Locations[:0], Related: x.Related[:0], CodeFlows: x.CodeFlows[:0],
		Fingerprints: x.Fingerprints[:0], PartialFingerprints: x.PartialFingerprints[:0],
	}
}

// Bounds of the places that a result names, in its flows too.
const (
	maxPlaces = 100_000
	maxKept   = 1000 // whose room is kept for the next
)

// place counts a place, and tells whether it is to be read.
func (x *Result) place(c *stream.Cursor) bool {
	if x.places++; x.places > maxPlaces {
		c.Fail(errTooManyPlaces)
		return false
	}
	return true
}

var errTooManyPlaces = fmt.Errorf("a result names more than %d places", maxPlaces)

// add adds an element to a list, which has the room of one that was there
// before: it is to be emptied.
func add[T any](list *[]T) *T {
	if n := len(*list); n < cap(*list) {
		*list = (*list)[:n+1]
	} else {
		var empty T
		*list = append(*list, empty)
	}
	return &(*list)[len(*list)-1]
}

func (x *Result) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "ruleId":
			x.RuleID = c.Text()
		case "ruleIndex":
			x.RuleIndex = c.Int()
		case "rule":
			x.readRule(c)
		case "kind":
			x.Kind = c.Text()
		case "level":
			x.Level = c.Text()
		case "message":
			x.Message.read(c)
		case "locations":
			x.readLocations(c, &x.Locations)
		case "relatedLocations":
			x.readLocations(c, &x.Related)
		case "codeFlows":
			x.readCodeFlows(c)
		case "fingerprints":
			x.Fingerprints.read(c)
		case "partialFingerprints":
			x.PartialFingerprints.read(c)
		case "baselineState":
			x.Baseline = c.Text()
		case "occurrenceCount":
			x.OccurrenceCount = c.Int()
		case "hostedViewerUri":
			x.HostedViewerURI = c.Text()
		case "workItemUris":
			c.As(&x.WorkItemURIs)
		case "suppressions":
			c.As(&x.Suppressions)
		case "fixes":
			c.As(&x.Fixes)
		case "taxa":
			c.As(&x.Taxa)
		case "properties":
			x.Properties = propertiesOf(c)
		}
	}
}

func (x *Result) readRule(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "id":
			x.Rule.ID = c.Text()
		case "index":
			x.Rule.Index = c.Int()
		case "toolComponent":
			c.As(&x.Rule.ToolComponent)
		}
	}
}

func (m *Message) read(c *stream.Cursor) {
	if c.Kind() != '{' {
		m.Text = c.Text()
		return
	}
	for key := range c.Object {
		switch string(key) {
		case "text":
			m.Text = c.Text()
		case "markdown":
			m.Markdown = c.Text()
		case "id":
			m.ID = c.Text()
		case "arguments":
			for range c.Array {
				m.Arguments = append(m.Arguments, c.Text())
			}
		}
	}
}

func (x *Result) readLocations(c *stream.Cursor, list *[]Location) {
	*list = (*list)[:0]
	for range c.Array {
		if !x.place(c) {
			break
		}
		l := add(list)
		*l = Location{}
		l.read(c)
	}
}

func (l *Location) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "id":
			l.ID = c.Text()
		case "message":
			l.Message.read(c)
		case "physicalLocation":
			l.Physical.read(c)
		case "logicalLocations":
			c.As(&l.Logical)
		}
	}
}

func (p *Physical) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "artifactLocation":
			for key := range c.Object {
				switch string(key) {
				case "uri":
					p.Artifact.URI = c.Text()
				case "index":
					p.Artifact.Index = c.Int()
				}
			}
		case "region":
			p.Region.read(c)
		case "contextRegion":
			if c.Kind() == '{' {
				p.Context = new(Region)
			}
			p.Context.read(c)
		}
	}
}

func (r *Region) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "startLine":
			r.StartLine = c.Int()
		case "endLine":
			r.EndLine = c.Int()
		case "byteOffset":
			r.ByteOffset = c.Int()
		case "snippet":
			r.Snippet.read(c)
		}
	}
}

func (x *Result) readCodeFlows(c *stream.Cursor) {
	x.CodeFlows = x.CodeFlows[:0]
	for range c.Array {
		if !x.place(c) {
			break
		}
		f := add(&x.CodeFlows)
		*f = CodeFlow{ThreadFlows: f.ThreadFlows[:0]}
		for key := range c.Object {
			switch string(key) {
			case "message":
				f.Message.read(c)
			case "threadFlows":
				x.readThreadFlows(c, f)
			}
		}
	}
}

func (x *Result) readThreadFlows(c *stream.Cursor, flow *CodeFlow) {
	flow.ThreadFlows = flow.ThreadFlows[:0]
	for range c.Array {
		if !x.place(c) {
			break
		}
		f := add(&flow.ThreadFlows)
		f.Locations = f.Locations[:0]
		for key := range c.Object {
			if string(key) == "locations" {
				x.readSteps(c, f)
			}
		}
	}
}

func (x *Result) readSteps(c *stream.Cursor, f *ThreadFlow) {
	f.Locations = f.Locations[:0]
	for range c.Array {
		if !x.place(c) {
			break
		}
		s := add(&f.Locations)
		*s = Step{}
		for key := range c.Object {
			if string(key) == "location" {
				s.Location.read(c)
			}
		}
	}
}

func (f *Fingerprints) read(c *stream.Cursor) {
	if c.Kind() != '{' {
		c.Skip()
		return
	}
	for key := range c.Object {
		p := fingerprint(string(key))
		p.Value = fingerprintValue(c)
		f.add(p)
	}
}

// propertiesOf reads an object and skips anything else.
func propertiesOf(c *stream.Cursor) Properties {
	if c.Kind() != '{' {
		c.Skip()
		return nil
	}
	p := Properties{}
	for key := range c.Object {
		name := string(key)
		p[name] = jsontext.Value(append([]byte(nil), c.Raw()...))
	}
	return p
}
