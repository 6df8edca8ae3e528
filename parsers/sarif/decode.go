package sarif

import (
	"github.com/go-json-experiment/json/jsontext"

	"defectdojo/parsers/stream"
)

// What follows reads results by a Cursor, as their types say it: they are nearly
// all of a log.

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
			x.Message = messageOf(c)
		case "locations":
			x.Locations = locations(c)
		case "relatedLocations":
			x.Related = locations(c)
		case "codeFlows":
			x.CodeFlows = codeFlows(c)
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

// messageOf reads a message that may be missing.
func messageOf(c *stream.Cursor) *Message {
	if c.Kind() == 'n' {
		c.Skip()
		return nil
	}
	m := new(Message)
	m.read(c)
	return m
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

func locations(c *stream.Cursor) []Location {
	var list []Location
	for range c.Array {
		list = append(list, Location{})
		list[len(list)-1].read(c)
	}
	return list
}

func (l *Location) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "id":
			l.ID = c.Text()
		case "message":
			l.Message.read(c)
		case "physicalLocation":
			if c.Kind() == '{' {
				l.Physical = new(Physical)
			}
			for key := range c.Object {
				l.Physical.read(string(key), c)
			}
		case "logicalLocations":
			c.As(&l.Logical)
		}
	}
}

func (p *Physical) read(key string, c *stream.Cursor) {
	switch key {
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
		p.Region = regionOf(c)
	case "contextRegion":
		p.Context = regionOf(c)
	}
}

func regionOf(c *stream.Cursor) *Region {
	if c.Kind() == 'n' {
		c.Skip()
		return nil
	}
	r := new(Region)
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
	return r
}

func codeFlows(c *stream.Cursor) []CodeFlow {
	var list []CodeFlow
	for range c.Array {
		list = append(list, CodeFlow{})
		list[len(list)-1].read(c)
	}
	return list
}

func (f *CodeFlow) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "message":
			f.Message.read(c)
		case "threadFlows":
			for range c.Array {
				f.ThreadFlows = append(f.ThreadFlows, ThreadFlow{})
				f.ThreadFlows[len(f.ThreadFlows)-1].read(c)
			}
		}
	}
}

func (f *ThreadFlow) read(c *stream.Cursor) {
	for key := range c.Object {
		if string(key) != "locations" {
			continue
		}
		for range c.Array {
			f.Locations = append(f.Locations, Step{})
			step := &f.Locations[len(f.Locations)-1]
			for key := range c.Object {
				if string(key) == "location" {
					step.Location.read(c)
				}
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
