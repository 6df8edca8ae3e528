package twistlock

import (
	"strconv"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

func parseCSV(in *stream.Input, emit func(gate.Observation)) error {
	return stream.CSV(in, []string{"CVE ID", "Severity", "Packages"}, func(r stream.Row) error {
		if r.Get("CVE ID") != "" || r.Get("Packages") != "" {
			emit(observation(r))
		}
		return nil
	})
}

// observation reads a row of the console's CSV.
func observation(r stream.Row) gate.Observation {
	id, name, version := r.Get("CVE ID"), r.Get("Packages"), r.Get("Package Version")
	var about, impact, why parsers.Text
	about.Add(r.Get("Description")).Fact("Package", name).Fact("Version", version).Fact("Source package", r.Get("Source Package")).
		Fact("Licence", r.Get("Package License")).Fact("Files", r.Get("Binaries")).Fact("Cause", r.Get("Cause"))
	for _, column := range []string{"Registry", "Repository", "Tag", "Id", "Distro", "Hosts", "Containers", "Clusters", "Layer", "Published", "Discovered"} {
		impact.Fact(titles[column], r.Get(column))
	}
	if cvss := r.Get("CVSS"); cvss != "" {
		why.Fact("CVSS 3 base score", cvss)
	}
	why.Fact("Risk factors", r.Get("Risk Factors"))
	o := gate.Observation{
		Title:                 id + ": " + name + " - " + version,
		Severity:              severity(r.Get("Severity")),
		Description:           about.String(),
		Impact:                impact.String(),
		SeverityJustification: why.String(),
		ComponentName:         name,
		ComponentVersion:      version,
		Date:                  parsers.ParseDate(r.Get("Published")),
		PublishDate:           parsers.ParseDate(r.Get("Published")),
	}
	if id != "" {
		o.VulnerabilityIDs = []string{id}
	}
	if s := r.Get("Fix Status"); s != "" {
		o.Mitigation, o.Fix = mitigation(s), parsers.FixedInWords(s)
	}
	return o
}

// titles are what a person calls the columns.
var titles = map[string]string{
	"Registry": "Registry", "Repository": "Repository", "Tag": "Tag", "Id": "Image ID", "Distro": "Distribution", "Hosts": "Hosts", "Containers": "Containers",
	"Clusters": "Clusters", "Layer": "Layer", "Published": "Published", "Discovered": "Discovered",
}

// number writes a score as the report does.
func number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
