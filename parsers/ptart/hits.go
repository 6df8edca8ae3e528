package ptart

import (
	"encoding/base64"
	"path"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type hit struct {
	ID          stream.Text   `json:"id"`
	Title       stream.Text   `json:"title"`
	Body        stream.Text   `json:"body"`
	Remediation stream.Text   `json:"remediation"`
	Asset       stream.Text   `json:"asset"`
	Severity    stream.Int    `json:"severity"`
	Complexity  stream.Int    `json:"fix_complexity"`
	Vector      stream.Text   `json:"cvss_vector"`
	Added       stream.Text   `json:"added"`
	Labels      []stream.Text `json:"labels"`
	CWEs        []struct {
		ID stream.Text `json:"cwe_id"`
	} `json:"cwes"`
	References []struct {
		Name stream.Text `json:"name"`
		URL  stream.Text `json:"url"`
	} `json:"references"`
	Screenshots []screenshot `json:"screenshots"`
	Attachments []attachment `json:"attachments"`
}

type screenshot struct {
	Caption    stream.Text `json:"caption"`
	Screenshot attachment  `json:"screenshot"`
}

type attachment struct {
	Title    stream.Text `json:"title"`
	Filename stream.Text `json:"filename"`
	Data     stream.Text `json:"data"`
}

type retestHit struct {
	ID          stream.Text  `json:"id"`
	Status      stream.Text  `json:"status"`
	Body        stream.Text  `json:"body"`
	Original    hit          `json:"original_hit"`
	Screenshots []screenshot `json:"screenshots"`
	Attachments []attachment `json:"attachments"`
}

var severities = map[int]gate.Severity{1: gate.Critical, 2: gate.High, 3: gate.Medium, 4: gate.Low, 5: gate.Info}

// efforts are PTART's fix complexities: the smaller, the harder.
var efforts = map[int]string{1: "High", 2: "Medium", 3: "Low"}

// statuses are what a retest may say.
var statuses = map[stream.Text]string{"F": "Fixed", "NF": "Not Fixed", "PF": "Partially Fixed", "NA": "Not Applicable", "NT": "Not Tested"}

func (h hit) observation(assessment string) gate.Observation {
	o := gate.Observation{
		Title:         strings.TrimPrefix(string(h.ID)+": "+string(h.Title), ": "),
		Severity:      severities[h.Severity.N],
		Description:   parsers.First(string(h.Body), string(h.Title)),
		Mitigation:    string(h.Remediation),
		RuleID:        string(h.ID),
		UniqueID:      string(h.ID),
		CVE:           string(h.ID),
		ComponentName: assessment,
		EffortForFix:  efforts[h.Complexity.N],
		Date:          parsers.ParseDate(string(h.Added)),
		Files:         files(h.Screenshots, h.Attachments),
	}
	for _, c := range h.CWEs {
		if n := gate.ParseCWE(string(c.ID)); n > 0 {
			o.CWEs = append(o.CWEs, n)
		}
	}
	if n := len(o.CWEs); n > 0 {
		o.CWE = o.CWEs[n-1]
	}
	for _, l := range h.Labels {
		o.Tags = append(o.Tags, string(l))
	}
	var references []string
	for _, r := range h.References {
		references = append(references, strings.TrimPrefix(string(r.Name)+": "+string(r.URL), ": "))
	}
	o.References = parsers.Lines(references...)
	if e := parsers.Endpoint(string(h.Asset)); strings.Contains(string(h.Asset), "://") || !strings.Contains(e, " ") && strings.Contains(e, ".") {
		o.Endpoints = []string{e}
	} else if h.Asset != "" {
		o.Description += "\n\n**Asset:** " + string(h.Asset)
	}
	parsers.SetCVSS(&o, string(h.Vector))
	return o
}

func (h retestHit) observation(r retest) gate.Observation {
	o := h.Original.observation("Retest: " + string(r.name))
	status := parsers.First(statuses[h.Status], string(h.Status))
	o.Title = string(h.ID) + ": " + string(h.Original.Title)
	if status != "" {
		o.Title += " (" + status + ")"
	}
	o.UniqueID = string(h.ID)
	o.Date = parsers.ParseDate(string(r.start))
	o.Files = files(h.Screenshots, h.Attachments)
	var text parsers.Text
	text.Add(string(h.Body)).Fact("Result of the retest", status).Section("What was found first", string(h.Original.Body))
	o.Description = text.String()
	return o
}

// files reads the pictures and attachments that a hit carries.
func files(screenshots []screenshot, attachments []attachment) []gate.File {
	var list []gate.File
	for _, s := range screenshots {
		list = s.Screenshot.add(list, string(s.Caption))
	}
	for _, a := range attachments {
		list = a.add(list, string(a.Title))
	}
	return list
}

func (a attachment) add(list []gate.File, title string) []gate.File {
	data, err := base64.StdEncoding.DecodeString(string(a.Data))
	if err != nil || len(data) == 0 {
		return list
	}
	name := path.Base(string(a.Filename))
	if ext := path.Ext(name); title == "" {
		title = name
	} else if !strings.HasSuffix(title, ext) {
		title += ext
	}
	return append(list, gate.File{Title: title, Data: data})
}
