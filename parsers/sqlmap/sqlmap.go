// Package sqlmap reads what sqlmap leaves behind: the log of a target, and the
// CSV of results over several.
//
// Made by "sqlmap -u 'https://example.org/item?id=1' --batch --output-dir out",
// which writes out/example.org/log:
//
//	sqlmap identified the following injection point(s) with a total of 164 HTTP(s) requests:
//	---
//	Parameter: id (GET)
//	    Type: boolean-based blind
//	    Title: AND boolean-based blind - WHERE or HAVING clause
//	    Payload: id=1 AND 7904=7904
//	---
//	back-end DBMS: SQLite
//
// and, for several targets (-m, --crawl, --forms), out/results-DATE.csv:
//
//	Target URL,Place,Parameter,Technique(s),Note(s)
//	http://example.org/item?id=1,GET,id,BTU,
//
// The log is empty when nothing was found. The log does not name the target. A
// later run appends what it found to the log; a parameter counts once.
package sqlmap

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads sqlmap's log and CSV.
var Parsers = []parsers.Parser{{
	Name:     "sqlmap",
	ScanType: "Sqlmap Scan",
	Files:    "log or CSV",
	Command:  "sqlmap -u 'https://example.org/item?id=1' --batch --output-dir out",
	URL:      "https://sqlmap.org/",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.HasColumns("Target URL", "Place", "Parameter", "Technique(s)"):
		return parsers.Sure
	case s.Contains("sqlmap identified the following injection point"), s.Contains("sqlmap resumed the following injection point"):
		return parsers.Sure
	case s.Format == parsers.Plain && s.Contains("Parameter: ", "    Type: ", "    Payload: "):
		return parsers.Likely
	case s.Format == parsers.Empty:
		return parsers.Possible
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "sqlmap"
	b := make([]byte, 512)
	n, _ := in.Read(b)
	head := strings.TrimSpace(string(b[:n]))
	if err := in.Rewind(); err != nil {
		return err
	}
	if strings.HasPrefix(head, "Target URL,") {
		seen := map[string]bool{} // sqlmap appends to the file, so that a second run says it again
		return stream.CSV(in, []string{"Target URL", "Place", "Parameter", "Technique(s)"}, func(r stream.Row) error {
			key := strings.Join([]string{r.Get("Target URL"), r.Get("Place"), r.Get("Parameter")}, "\x00")
			if r.Get("Parameter") != "" && !seen[key] {
				seen[key] = true
				out.Emit(ofRow(r))
			}
			return nil
		})
	}
	return parseLog(in, out, head == "")
}

// point is a parameter that takes SQL.
type point struct {
	name, place string
	ways        []way
}

type way struct{ kind, title, payload, vector string }

// backend is what the log says of the target's software.
type backend struct{ dbms, system, technology string }

func parseLog(in *stream.Input, out *parsers.Report, empty bool) error {
	var points []*point
	var behind backend
	var p *point
	known := empty
	err := stream.Lines(in, func(_ int, line string) error {
		key, value, ok := strings.Cut(strings.TrimSpace(line), ": ")
		value = strings.TrimSpace(value)
		if strings.HasPrefix(line, "sqlmap identified") || strings.HasPrefix(line, "sqlmap resumed") {
			known = true
		}
		if !ok {
			return nil
		}
		switch key {
		case "Parameter":
			known = true
			p = find(&points, value)
		case "Type", "Title", "Payload", "Vector":
			if p != nil && strings.HasPrefix(line, " ") {
				p.add(key, value)
			}
		case "back-end DBMS":
			known = true
			behind.dbms = value
		case "web server operating system", "operating system":
			behind.system = value
		case "web application technology":
			behind.technology = value
		}
		return nil
	})
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf("neither a log of sqlmap nor its CSV of results")
	}
	for _, p := range points {
		out.Emit(p.observation(behind))
	}
	return nil
}

// find returns the point of "id (GET)" or "#1* ((custom) POST)", a new one the first time.
func find(points *[]*point, value string) *point {
	name, place, ok := strings.Cut(value, " (")
	if ok {
		place = strings.TrimSuffix(place, ")")
	}
	for _, p := range *points {
		if p.name == name && p.place == place {
			p.ways = nil // a later run says it again
			return p
		}
	}
	p := &point{name: name, place: place}
	*points = append(*points, p)
	return p
}

func (p *point) add(key, value string) {
	if key == "Type" {
		p.ways = append(p.ways, way{kind: value})
		return
	}
	if len(p.ways) == 0 {
		return
	}
	w := &p.ways[len(p.ways)-1]
	switch key {
	case "Title":
		w.title = value
	case "Payload":
		w.payload = value
	case "Vector":
		w.vector = value
	}
}

// advice is what there is to do about any of them.
const advice = "Hand the value to the database as a bound parameter of a prepared statement; never build SQL out of what a request holds. Give the application's account no more rights in the database than it needs."

func (p *point) observation(b backend) gate.Observation {
	var text parsers.Text
	text.Add("The " + p.place + " parameter `" + p.name + "` becomes part of an SQL statement: sqlmap could change what the statement does.")
	text.Fact("Parameter", p.name).Fact("Place", p.place).Fact("Database", b.dbms).Fact("Operating system", b.system).Fact("Technology", b.technology)
	var payload string
	for _, w := range p.ways {
		text.Section(w.kind, parsers.First(w.title, w.kind)).Code("", w.payload)
		text.Fact("Vector", w.vector)
		payload = parsers.First(payload, w.payload)
	}
	o := observation(p.place, p.name, text.String())
	o.Payload = payload
	return o
}

func observation(place, name, description string) gate.Observation {
	return gate.Observation{
		Title:       "SQL injection in " + place + " parameter '" + name + "'",
		Severity:    gate.High,
		Description: description,
		Mitigation:  advice,
		CWE:         89,
		Check:       "sql-injection",
		Param:       name,
	}
}

// techniques are the letters of the CSV, the first of each name; --technique
// knows an inline query as Q.
var techniques = map[rune]string{'B': "boolean-based blind", 'E': "error-based", 'U': "UNION query", 'S': "stacked queries", 'T': "time-based blind", 'I': "inline query", 'Q': "inline query"}

func ofRow(r stream.Row) gate.Observation {
	var ways []string
	for _, c := range r.Get("Technique(s)") {
		if t := techniques[c]; t != "" {
			ways = append(ways, t)
		}
	}
	place, name, url := r.Get("Place"), r.Get("Parameter"), r.Get("Target URL")
	var text parsers.Text
	text.Add("The " + place + " parameter `" + name + "` becomes part of an SQL statement: sqlmap could change what the statement does.")
	text.Fact("Target", url).Fact("Parameter", name).Fact("Place", place).Facts("Techniques", ways).Fact("Notes", r.Get("Note(s)"))
	text.Add("The target's own log in sqlmap's output folder has the payloads.")
	o := observation(place, name, text.String())
	o.Endpoints = []string{parsers.Endpoint(url)}
	return o
}
