// Package ms_defender reads the vulnerabilities that Microsoft Defender for
// Endpoint's API lists.
//
// Made by "GET https://api.securitycenter.microsoft.com/api/vulnerabilities/machinesVulnerabilities",
// which answers with pages of JSON:
//
//	{"@odata.context": "…", "value": [{"id": "m1-_-CVE-2020-6494-_-…", "cveId": "CVE-2020-6494", "machineId": "m1",
//	  "fixingKbId": null, "productName": "edge", "productVendor": "microsoft", "productVersion": "81.0", "severity": "Low"}]}
//
// or by several such pages in a zip archive, in a folder "vulnerabilities", with
// the machines that "GET …/api/machines" lists in a folder "machines":
//
//	{"value": [{"id": "m1", "computerDnsName": "a.example.org", "osPlatform": "Windows10", "lastIpAddress": "192.0.2.7"}]}
package ms_defender

import (
	"bytes"
	"io"
	"path"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Defender's JSON and archives of it.
var Parsers = []parsers.Parser{{
	Name:     "ms_defender",
	ScanType: "MSDefender Parser",
	Files:    "JSON, or a zip archive of it",
	Command:  "curl -H 'Authorization: Bearer …' https://api.securitycenter.microsoft.com/api/vulnerabilities/machinesVulnerabilities -o defender.json",
	URL:      "https://learn.microsoft.com/en-us/defender-endpoint/api/get-all-vulnerabilities-by-machines",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Has("value[].cveId", "value[].machineId"):
		return parsers.Sure
	case s.Has("@odata.context", "value[]") && strings.Contains(s.Value("@odata.context"), "securitycenter"):
		return parsers.Likely
	}
	for _, name := range s.Members {
		if in(name, "vulnerabilities") && path.Ext(name) == ".json" {
			return parsers.Likely
		}
	}
	return parsers.No
}

// in tells whether a member of an archive is in a folder.
func in(name, folder string) bool {
	return strings.Contains("/"+name, "/"+folder+"/") && !strings.Contains(name, "__MACOSX")
}

type vulnerability struct {
	CVE       stream.Text `json:"cveId"`
	MachineID stream.Text `json:"machineId"`
	FixingKB  stream.Text `json:"fixingKbId"`
	Product   stream.Text `json:"productName"`
	Vendor    stream.Text `json:"productVendor"`
	Version   stream.Text `json:"productVersion"`
	Severity  string      `json:"severity"`
}

type machine struct {
	ID         stream.Text  `json:"id"`
	Name       *stream.Text `json:"computerDnsName"`
	Platform   *stream.Text `json:"osPlatform"`
	OSVersion  stream.Text  `json:"osVersion"`
	IP         stream.Text  `json:"lastIpAddress"`
	ExternalIP stream.Text  `json:"lastExternalIpAddress"`
	Health     stream.Text  `json:"healthStatus"`
	Risk       stream.Text  `json:"riskScore"`
	Exposure   stream.Text  `json:"exposureLevel"`
	Group      stream.Text  `json:"rbacGroupName"`
	LastSeen   stream.Text  `json:"lastSeen"`
}

func parse(input *stream.Input, out *parsers.Report) error {
	out.Run().Tool = "Microsoft Defender for Endpoint"
	head := make([]byte, 4)
	n, _ := io.ReadFull(input, head) // whatever is wrong with it is for the reader to say
	if err := input.Rewind(); err != nil {
		return err
	}
	if bytes.HasPrefix(head[:n], []byte("PK")) {
		return parseZip(input, out)
	}
	return stream.JSON(input, page(out, nil))
}

// page reads a page of vulnerabilities.
func page(out *parsers.Report, machines map[stream.Text]machine) stream.Value {
	return stream.Object(stream.Fields{"value": stream.Each(func(v vulnerability) error {
		m, known := machines[v.MachineID]
		out.Emit(observation(v, m, known))
		return nil
	})}, "value")
}

func parseZip(input *stream.Input, out *parsers.Report) error {
	machines := map[stream.Text]machine{}
	pages := 0
	err := stream.Zip(input, func(m stream.Member) error {
		if in(m.Name, "vulnerabilities") {
			pages++
		}
		if !in(m.Name, "machines") || path.Ext(m.Name) != ".json" {
			return nil
		}
		member, err := m.Open()
		if err != nil {
			return err
		}
		err = stream.JSON(member, stream.Object(stream.Fields{"value": stream.Each(func(m stream.Lenient[machine]) error {
			if m.OK {
				machines[m.Value.ID] = m.Value
			}
			return nil
		})}))
		if err != nil {
			out.Problem("the machines in %s cannot be read: %v", m.Name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if pages == 0 {
		return stream.Errorf("the archive has no folder \"vulnerabilities\"")
	}
	return stream.Zip(input, func(m stream.Member) error {
		if !in(m.Name, "vulnerabilities") || path.Ext(m.Name) != ".json" {
			return nil
		}
		member, err := m.Open()
		if err != nil {
			return err
		}
		return stream.JSON(member, page(out, machines))
	})
}

func observation(v vulnerability, m machine, known bool) gate.Observation {
	var text parsers.Text
	text.Add("A machine has software with a known vulnerability.").Fact("Vulnerability", string(v.CVE)).
		Fact("Software", strings.TrimSpace(string(v.Vendor)+" "+string(v.Product)+" "+string(v.Version))).Fact("Machine id", string(v.MachineID))
	o := gate.Observation{
		Title:    string(v.CVE) + "_" + string(v.MachineID),
		Severity: gate.ParseSeverity(v.Severity),
	}
	if v.CVE != "" {
		o.VulnerabilityIDs = []string{string(v.CVE)}
	}
	if v.FixingKB != "" {
		o.Mitigation = "Install the update KB" + strings.TrimPrefix(string(v.FixingKB), "KB") + "."
	}
	if known {
		o.Title = strings.Join([]string{string(v.CVE), orNone(m.Name), orNone(m.Platform), string(v.MachineID)}, "_")
		text.Fact("Machine", orNone(m.Name)).Fact("System", strings.TrimSpace(orNone(m.Platform)+" "+string(m.OSVersion))).Fact("Address", string(m.IP)).Fact("External address", string(m.ExternalIP)).
			Fact("Health", string(m.Health)).Fact("Risk score", string(m.Risk)).Fact("Exposure", string(m.Exposure)).Fact("Group", string(m.Group)).Fact("Last seen", string(m.LastSeen))
		if m.Name != nil {
			o.Endpoints = append(o.Endpoints, parsers.Endpoint(hostname.Replace(string(*m.Name))))
		}
		o.Endpoints = append(o.Endpoints, parsers.HostPort("", string(m.IP), ""), parsers.HostPort("", string(m.ExternalIP), ""))
	} else {
		text.Add("The report says nothing of the machine but its id.")
	}
	o.Description = text.String()
	return o
}

// hostname makes a machine's name one that an endpoint may have.
var hostname = strings.NewReplacer(" ", "", "(", "_", ")", "_")

// orNone writes what is not known as DefectDojo's titles have it.
func orNone(t *stream.Text) string {
	if t == nil {
		return "None"
	}
	return string(*t)
}
