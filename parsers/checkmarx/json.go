package checkmarx

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// vulnerability is one of the JSON report, found by any of its engines.
type vulnerability struct {
	ID          stream.Text `json:"id"`
	Similarity  stream.Text `json:"similarityId"`
	Status      stream.Text `json:"status"`
	State       stream.Text `json:"state"`
	Severity    stream.Text `json:"severity"`
	Group       stream.Text `json:"groupName"`
	CWE         stream.Text `json:"cweId"`
	CVE         stream.Text `json:"cveId"`
	SCACWE      stream.Text `json:"cwe"`
	Description stream.Text `json:"description"`
	First       moment      `json:"firstFoundDate"`
	Found       moment      `json:"foundDate"`
	Recommend   stream.Text `json:"recommendations"`
	File        stream.Text `json:"fileName"`
	Line        stream.Int  `json:"line"`
	IssueType   stream.Text `json:"issueType"`
	Expected    stream.Text `json:"expectedValue"`
	Actual      stream.Text `json:"actualValue"`
	Nodes       []struct {
		File   stream.Text `json:"fileName"`
		Line   stream.Int  `json:"line"`
		Name   stream.Text `json:"name"`
		Full   stream.Text `json:"fullName"`
		Method stream.Text `json:"method"`
	} `json:"nodes"`
}

// moment is a time as a text, or as {"seconds": 1645746000}.
type moment struct {
	stream.Text
}

func (m moment) date() gate.Date {
	var since struct {
		Seconds stream.Int `json:"seconds"`
	}
	if strings.HasPrefix(string(m.Text), "{") && stream.Unmarshal([]byte(m.Text), &since) == nil && since.Seconds.OK {
		return gate.DateOf(time.Unix(int64(since.Seconds.N), 0).UTC())
	}
	return parsers.ParseDate(string(m.Text))
}

type named struct {
	Query stream.Text     `json:"queryName"`
	Name  stream.Text     `json:"name"`
	Text  stream.Text     `json:"description"`
	List  []vulnerability `json:"vulnerabilities"`
}

func parseJSON(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Checkmarx One"
	each := func(f func(named, vulnerability) gate.Observation) stream.Value {
		return stream.Each(func(n named) error {
			for _, v := range n.List {
				out.Emit(f(n, v))
			}
			return nil
		})
	}
	optional := func(v stream.Value) stream.Value { return stream.ByKind(stream.Kinds{'n': stream.Skip, '{': v}) }
	var finished stream.Text
	err := stream.JSON(in, stream.Object(stream.Fields{
		"reportHeader": optional(stream.Object(stream.Fields{"projectName": stream.Into((*stream.Text)(&run.Target))})),
		"scanSummary":  optional(stream.Object(stream.Fields{"scanCompletedDate": stream.Into(&finished)})),
		"scanResults": optional(stream.Object(stream.Fields{
			"sast": optional(stream.Object(stream.Fields{"languages": stream.Array(stream.Object(stream.Fields{"queries": each(sast)}))})),
			"sca":  optional(stream.Object(stream.Fields{"packages": each(sca)})),
			"kics": optional(stream.Object(stream.Fields{"results": each(kics)})),
		})),
	}, "scanResults"))
	run.FinishedAt = parsers.ParseTime(string(finished))
	return err
}

func (v vulnerability) observation(engine string) gate.Observation {
	o := gate.Observation{
		Severity: severity(string(v.Severity)),
		UniqueID: cmp.Or(string(v.ID), string(v.Similarity)),
		Date:     v.First.date(),
		Tags:     []string{engine},
		Verified: engine == "sast" || v.State != "To verify", // of SAST, DefectDojo takes whatever is listed for verified
	}
	if o.Date.IsZero() {
		o.Date = v.Found.date()
	}
	switch n := gate.ParseCWE(string(v.CWE)); {
	case engine == "sast":
		o.CWE = n
	case n > 0:
		o.CWEs = []int{n} // not the main one: DefectDojo sets none
	}
	if strings.EqualFold(string(v.State), "not exploitable") {
		o.Active = new(false)
	}
	return o
}

func sast(q named, v vulnerability) gate.Observation {
	o := v.observation("sast")
	o.Title = strings.ReplaceAll(string(q.Query), "_", " ")
	o.Check = string(q.Query)
	t := v.text(cmp.Or(q.Text, v.Description))
	if len(v.Nodes) > 0 {
		source, sink := v.Nodes[0], v.Nodes[len(v.Nodes)-1]
		o.FilePath, o.Line = string(sink.File), sink.Line.Ptr() // as in the XML
		t.Fact("The data comes from", parsers.Place(string(source.File), source.Line.Ptr()))
		var steps []string
		for i, n := range v.Nodes[:min(50, len(v.Nodes))] {
			steps = append(steps, fmt.Sprintf("%d. %s %s", i+1, parsers.Place(string(n.File), n.Line.Ptr()), n.Name))
		}
		t.Section("Flow", strings.Join(steps, "\n"))
	}
	o.Description = t.String()
	return o
}

func sca(p named, v vulnerability) gate.Observation {
	o := v.observation("sca")
	o.ComponentName, o.ComponentVersion = cutVersion(string(p.Name))
	o.Title = fmt.Sprintf("%s:%s | %s", o.ComponentName, o.ComponentVersion, v.CVE)
	o.CWE = gate.ParseCWE(string(v.SCACWE))
	o.VulnerabilityIDs = []string{string(v.CVE)}
	o.Check = string(v.CVE)
	o.Description, o.Mitigation = v.text(v.Description).String(), string(v.Recommend)
	return o
}

// cutVersion parts "Npm-lodash-4.17.20": the manager, the name, the version.
func cutVersion(id string) (name, version string) {
	_, rest, ok := strings.Cut(id, "-")
	if !ok {
		return id, ""
	}
	if i := strings.LastIndexByte(rest, '-'); i > 0 {
		return rest[:i], rest[i+1:]
	}
	return rest, ""
}

func kics(q named, v vulnerability) gate.Observation {
	o := v.observation("kics")
	o.Title = fmt.Sprintf("%s | %s", cmp.Or(q.Name, q.Query), v.IssueType)
	o.Check = string(cmp.Or(q.Name, q.Query))
	o.FilePath, o.Line = string(v.File), new(v.Line.N)
	o.Tags = append(o.Tags, string(cmp.Or(q.Name, q.Query)))
	o.SeverityJustification = string(v.Actual)
	o.Description = v.text(cmp.Or(v.Description, q.Text)).Fact("Expected", string(v.Expected)).Fact("Found", string(v.Actual)).String()
	return o
}

func (v vulnerability) text(said stream.Text) *parsers.Text {
	var t parsers.Text
	t.Add(string(said)).
		Fact("Group", strings.ReplaceAll(string(v.Group), "_", " ")).
		Fact("Status", strings.ToLower(string(v.Status))).
		Fact("State", strings.ToLower(string(v.State)))
	return &t
}
