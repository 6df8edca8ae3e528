package sonarqube

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type rule struct {
	Name stream.Text `json:"name"`
	HTML stream.Text `json:"htmlDesc"`

	read  bool     // what follows is made of it
	text  string   // as Markdown
	links []string // in it
	cwe   int
}

// about returns the rule with its explanation read, which many issues share; of
// a rule that the report does not have, an empty one.
func (r *rule) about() *rule {
	if r == nil {
		return &rule{}
	}
	if r.read {
		return r
	}
	html := string(r.HTML)
	r.read, r.text = true, parsers.Markdown(html)
	for _, m := range link.FindAllStringSubmatch(html, 50) {
		r.links = append(r.links, fmt.Sprintf("[%s](%s)", strings.Join(strings.Fields(parsers.Markdown(m[2])), " "), m[1]))
	}
	if m := cwe.FindStringSubmatch(html); m != nil {
		r.cwe = gate.ParseCWE(m[1])
	}
	return r
}

// issue is one of sonar-report, or of the web API, which has more keys.
type issue struct {
	Key         stream.Text `json:"key"`
	Rule        stream.Text `json:"rule"`
	Severity    stream.Text `json:"severity"`
	Status      stream.Text `json:"status"`
	Component   stream.Text `json:"component"`
	Line        stream.Int  `json:"line"`
	Description stream.Text `json:"description"`
	Message     stream.Text `json:"message"`

	Project  stream.Text                   `json:"project"`
	Type     stream.Text                   `json:"type"`
	Scope    stream.Text                   `json:"scope"`
	Author   stream.Text                   `json:"author"`
	Effort   stream.Text                   `json:"effort"`
	Created  stream.Text                   `json:"creationDate"`
	Tags     stream.OneOrMany[stream.Text] `json:"tags"`
	Category stream.Text                   `json:"securityCategory"`         // of a hotspot
	Chance   stream.Text                   `json:"vulnerabilityProbability"` // of a hotspot
	RuleKey  stream.Text                   `json:"ruleKey"`
}

// parseJSON reads rules first. A report with a project's name is sonar-report's.
func parseJSON(in *stream.Input, out *parsers.Report, g *groups) error {
	rules, known, ours := map[string]*rule{}, false, false
	seen := func(d *stream.Decoder) error { known = true; return stream.Skip(d) }
	run := out.Run()
	err := stream.JSON(in, stream.Object(stream.Fields{
		"projectName": func(d *stream.Decoder) error {
			ours = true
			return stream.Into((*stream.Text)(&run.Target))(d)
		},
		"rules": stream.ByKind(stream.Kinds{'n': stream.Skip, '[': stream.Skip, '{': stream.Entries(func(key string, d *stream.Decoder) error {
			ours = true
			return stream.One(func(r rule) error { rules[key] = &r; return nil })(d)
		})}),
		"issues": seen, "hotspots": seen,
	}))
	if err != nil {
		return err
	}
	if !known {
		return stream.Errorf(`there is neither "issues" nor "hotspots"`)
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	each := stream.Each(func(i issue) error {
		if ours {
			g.add(out, i.observation(rules[string(i.Rule)]))
		} else {
			out.Emit(i.fromAPI())
		}
		return nil
	})
	return stream.JSON(in, stream.Object(stream.Fields{"issues": each, "hotspots": each}))
}

// severities are those of sonar-report, old and new.
var severities = map[string]gate.Severity{
	"BLOCKER": gate.Critical, "CRITICAL": gate.High, "MAJOR": gate.Medium, "MINOR": gate.Low, "INFO": gate.Info,
	"HIGH": gate.High, "MEDIUM": gate.Medium, "LOW": gate.Low,
}

// apiSeverities are those of the web API, as DefectDojo takes them.
var apiSeverities = map[string]gate.Severity{
	"BLOCKER": gate.Critical, "CRITICAL": gate.Critical, "MAJOR": gate.Medium, "MINOR": gate.Low, "INFO": gate.Info,
	"HIGH": gate.High, "MEDIUM": gate.Medium, "LOW": gate.Low,
}

var (
	cwe  = regexp.MustCompile(`CWE-(\d+)`)
	link = regexp.MustCompile(`(?s)<a\s[^>]*href="([^"]+)"[^>]*>(.*?)</a>`)
)

// observation is of an issue of sonar-report.
func (i issue) observation(r *rule) gate.Observation {
	r = r.about()
	o := gate.Observation{
		Title:      parsers.First(string(i.Description), string(r.Name), string(i.Message), string(i.Rule)),
		Severity:   severities[strings.ToUpper(string(i.Severity))],
		Mitigation: string(i.Message),
		CWE:        r.cwe,
		Check:      string(i.Rule),
		UniqueID:   string(i.Key),
		FilePath:   string(i.Component),
		Line:       i.Line.Ptr(),
	}
	if r.HTML != "" {
		o.References = parsers.Lines(append([]string{string(i.Rule)}, r.links...)...)
	}
	var t parsers.Text
	t.Add(string(i.Message)).
		Fact("Rule", strings.TrimSpace(string(i.Rule+" "+r.Name))).
		Fact("Place", parsers.Place(o.FilePath, o.Line)).
		Fact("Status", strings.ToLower(strings.ReplaceAll(string(i.Status), "_", " ")))
	o.Description = t.Section("About the rule", r.text).String()
	return o
}

// What the messages of a plugin for dependencies say.
var (
	fileName  = regexp.MustCompile(`Filename: ([^|]+)`)
	reference = regexp.MustCompile(`References?: ([^|]+)`)
	score     = regexp.MustCompile(`CVSS Score: ([0-9.]+)`)
	category  = regexp.MustCompile(`Category: ([^|]+)`)
	ids       = regexp.MustCompile(`CVE-\d{4}-\d{4,7}|GHSA-[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}`)
)

// fromAPI is of an issue or a hotspot of the web API.
func (i issue) fromAPI() gate.Observation {
	kind := strings.ToLower(string(i.Type))
	if i.Category != "" || i.Chance != "" {
		kind, i.Severity = "hotspot", i.Chance
	}
	if i.Rule == "" {
		i.Rule = i.RuleKey
	}
	o := gate.Observation{
		Title:    parsers.First(string(i.Rule), string(i.Category)) + "_" + string(i.Key),
		Severity: apiSeverities[strings.ToUpper(string(i.Severity))],
		Check:    parsers.First(string(i.Rule), string(i.Category)),
		FilePath: string(i.Component),
		Line:     i.Line.Ptr(),
		Date:     parsers.ParseDate(string(i.Created)),
		Tags:     []string{kind},
	}
	if kind == "bug" {
		o.FilePath = "" // as DefectDojo has it: the text names it
	}
	i.setDependency(&o, kind)
	tags := make([]string, len(i.Tags))
	for n, t := range i.Tags {
		tags[n] = string(t)
	}
	var t parsers.Text
	t.Add(string(i.Message)).
		Fact("Rule", string(i.Rule)).
		Fact("Kind", strings.ReplaceAll(kind, "_", " ")).
		Fact("Category", string(i.Category)).
		Fact("Place", parsers.Place(string(i.Component), i.Line.Ptr())).
		Fact("Project", string(i.Project)).
		Fact("Status", strings.ToLower(strings.ReplaceAll(string(i.Status), "_", " "))).
		Fact("Scope", strings.ToLower(string(i.Scope))).
		Fact("Effort", string(i.Effort)).
		Fact("Author", string(i.Author)).
		Facts("Tags", tags).
		Fact("Key", string(i.Key))
	o.Description = t.String()
	return o
}

// setDependency reads what the message says of a vulnerable package.
func (i issue) setDependency(o *gate.Observation, kind string) {
	if kind != "vulnerability" {
		return
	}
	text := string(i.Message)
	o.NoCWE = true
	if m := category.FindStringSubmatch(text); m != nil {
		for _, c := range cwe.FindAllStringSubmatch(m[1], 20) {
			if id := gate.ParseCWE(c[1]); id > 0 && !slices.Contains(o.CWEs, id) {
				o.CWEs, o.NoCWE = append(o.CWEs, id), false
			}
		}
		if len(o.CWEs) > 0 {
			o.CWE = o.CWEs[0]
		}
	}
	if m := score.FindStringSubmatch(text); m != nil {
		o.CVSSv3Score = stream.ParseFloat(m[1]).Ptr()
	}
	if m := reference.FindStringSubmatch(text); m != nil {
		o.VulnerabilityIDs = ids.FindAllString(m[1], 100)
	}
	if m := fileName.FindStringSubmatch(text); m != nil {
		o.ComponentName, o.ComponentVersion, _ = strings.Cut(strings.TrimSpace(m[1]), ":")
	}
}
