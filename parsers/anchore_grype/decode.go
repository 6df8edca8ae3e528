package anchore_grype

import "defectdojo/parsers/stream"

// What follows reads matches by a Cursor, as their types say it: they are nearly
// all of a report.

func (m *match) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "vulnerability":
			m.Vulnerability.read(c)
		case "relatedVulnerabilities":
			for range c.Array {
				m.Related = append(m.Related, vulnerability{})
				m.Related[len(m.Related)-1].read(c)
			}
		case "matchDetails":
			m.readDetails(c)
		case "artifact":
			m.Artifact.read(c)
		}
	}
}

// readDetails reads a list, or the only element of one.
func (m *match) readDetails(c *stream.Cursor) {
	if c.Kind() != '[' {
		c.As(&m.Details)
		return
	}
	for range c.Array {
		var d detail
		for key := range c.Object {
			if string(key) == "matcher" {
				d.Matcher = c.String()
			}
		}
		m.Details = append(m.Details, d)
	}
}

func (a *artifact) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "name":
			a.Name = c.String()
		case "version":
			a.Version = c.String()
		case "type":
			a.Type = c.String()
		case "purl":
			a.PURL = c.String()
		case "locations":
			for range c.Array {
				var l location
				for key := range c.Object {
					if string(key) == "path" {
						l.Path = c.String()
					}
				}
				a.Locations = append(a.Locations, l)
			}
		}
	}
}

func (v *vulnerability) read(c *stream.Cursor) {
	for key := range c.Object {
		switch string(key) {
		case "id":
			v.ID = c.String()
		case "dataSource":
			v.DataSource = c.String()
		case "namespace":
			v.Namespace = c.String()
		case "severity":
			v.Severity = c.String()
		case "description":
			v.Description = c.String()
		case "urls":
			v.URLs = texts(c)
		case "links":
			v.Links = texts(c)
		case "cvss":
			for range c.Array {
				var s cvss
				for key := range c.Object {
					if string(key) == "vector" {
						s.Vector = c.String()
					}
				}
				v.CVSS = append(v.CVSS, s)
			}
		case "epss":
			c.As(&v.EPSS)
		case "knownExploited":
			c.As(&v.KnownExploited)
		case "fix":
			for key := range c.Object {
				switch string(key) {
				case "versions":
					v.Fix.Versions = texts(c)
				case "state":
					v.Fix.State = c.String()
				}
			}
		case "fixedInVersion":
			v.FixedInVersion = c.String()
		}
	}
}

func texts(c *stream.Cursor) []string {
	var list []string
	for range c.Array {
		list = append(list, c.String())
	}
	return list
}
