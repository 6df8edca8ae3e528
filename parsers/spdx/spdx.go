// Package spdx reads software bills of materials in SPDX 2.2 and 2.3, as JSON
// and as tag-value text: https://spdx.github.io/spdx-spec/v2.3/.
//
// Made by "syft -o spdx-json IMAGE", "trivy image --format spdx-json" and many
// more:
//
//	{"spdxVersion": "SPDX-2.3", "SPDXID": "SPDXRef-DOCUMENT", "name": "image",
//	 "creationInfo": {"created": "2026-07-29T00:00:00Z", "creators": ["Tool: syft-1.50.0"]},
//	 "packages": [{"SPDXID": "SPDXRef-Package-1", "name": "apk-tools", "versionInfo": "2.10.6-r0", "licenseDeclared": "GPL-2.0-only",
//	   "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:apk/…"},
//	     {"referenceCategory": "SECURITY", "referenceType": "advisory", "referenceLocator": "https://…/CVE-2024-10001", "comment": "…"}]}]}
//
// Every package goes to the inventory. A package whose security references
// name a CVE or GHSA id has a finding for each such id: medium, since SPDX 2
// has no severity. SPDX 3 is another format, and refused.
package spdx

import (
	"bufio"
	"bytes"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads SPDX 2 as JSON and tag-value.
var Parsers = []parsers.Parser{{
	Name:     "spdx",
	ScanType: "SPDX Scan",
	Files:    "JSON or tag-value text",
	Command:  "syft -o spdx-json=bom.spdx.json IMAGE",
	URL:      "https://spdx.github.io/spdx-spec/v2.3/",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case strings.HasPrefix(s.Value("spdxVersion"), "SPDX-2"), bytes.Contains(s.Head[:min(len(s.Head), 4096)], []byte("SPDXVersion: SPDX-2")):
		return parsers.Sure
	case s.Has("SPDXID", "packages"):
		return parsers.Likely
	}
	return parsers.No
}

type pack struct {
	ID        string      `json:"SPDXID"`
	Name      stream.Text `json:"name"`
	Version   stream.Text `json:"versionInfo"`
	File      stream.Text `json:"packageFileName"`
	Supplier  stream.Text `json:"supplier"`
	Declared  stream.Text `json:"licenseDeclared"`
	Concluded stream.Text `json:"licenseConcluded"`
	Refs      []reference `json:"externalRefs"`
}

type reference struct {
	Category stream.Text `json:"referenceCategory"`
	Type     string      `json:"referenceType"`
	Locator  string      `json:"referenceLocator"`
	Comment  stream.Text `json:"comment"`
}

// bill is what the document says of itself.
type bill struct {
	version, name, created string
	creators               []string
}

func parse(in *stream.Input, out *parsers.Report) error {
	head, _ := bufio.NewReaderSize(in, 4096).Peek(4096)
	if err := in.Rewind(); err != nil {
		return err
	}
	if bytes.HasPrefix(bytes.TrimSpace(head), []byte("{")) {
		return parseJSON(in, out)
	}
	return parseTags(in, out)
}

// parseJSON reads what the document says of itself first, wherever it stands.
func parseJSON(in *stream.Input, out *parsers.Report) error {
	var b bill
	err := stream.JSON(in, stream.Object(stream.Fields{
		"spdxVersion": stream.One(func(t stream.Text) error { b.version = string(t); return nil }),
		"name":        stream.One(func(t stream.Text) error { b.name = string(t); return nil }),
		"creationInfo": stream.One(func(c struct {
			Created  stream.Text                   `json:"created"`
			Creators stream.OneOrMany[stream.Text] `json:"creators"`
		},
		) error {
			b.created = string(c.Created)
			for _, t := range c.Creators {
				b.creators = append(b.creators, string(t))
			}
			return nil
		}),
	}, "spdxVersion"))
	if err != nil {
		return err
	}
	date, err := b.note(out)
	if err != nil {
		return err
	}
	if err := in.Rewind(); err != nil {
		return err
	}
	return stream.JSON(in, stream.Object(stream.Fields{
		"packages": stream.Each(func(p pack) error {
			emit(p, date, out)
			return nil
		}),
	}))
}

// note checks the version and fills in the run.
func (b bill) note(out *parsers.Report) (gate.Date, error) {
	if !strings.HasPrefix(b.version, "SPDX-2.") {
		return gate.Date{}, stream.Errorf("%q is not read: export the bill as SPDX 2.3, JSON or tag-value", b.version)
	}
	run := out.Run()
	run.Target, run.FinishedAt = b.name, parsers.ParseTime(b.created)
	for _, c := range b.creators {
		if tool, ok := strings.CutPrefix(c, "Tool: "); ok && run.Tool == "" {
			run.Tool = tool
			if i := strings.LastIndexByte(tool, '-'); i > 0 && strings.ContainsAny(tool[i:], "0123456789") {
				run.Tool, run.Version = tool[:i], tool[i+1:]
			}
		}
	}
	return gate.DateOf(run.FinishedAt), nil
}

// ids finds the ids of vulnerabilities in a reference.
var ids = regexp.MustCompile(`(?i)CVE-\d{4}-\d{4,7}|GHSA(?:-[0-9a-z]{4}){3}`)

func emit(p pack, date gate.Date, out *parsers.Report) {
	purl := ""
	var order []string
	byID := map[string][]reference{}
	for _, r := range p.Refs {
		switch category := strings.ReplaceAll(string(r.Category), "_", "-"); {
		case category == "PACKAGE-MANAGER" && r.Type == "purl":
			purl = parsers.First(purl, r.Locator)
		case category == "SECURITY" && !strings.HasPrefix(r.Type, "cpe") && r.Type != "swid":
			for _, id := range ids.FindAllString(r.Locator, 20) {
				id = strings.ToUpper(id)
				if byID[id] == nil {
					order = append(order, id)
				}
				byID[id] = append(byID[id], r)
			}
		}
	}
	if p.Name != "" {
		out.Component(gate.Component{Name: string(p.Name), Version: string(p.Version), PURL: purl, Licenses: p.licenses(), Path: string(p.File)})
	}
	for _, id := range order {
		out.Emit(observation(p, purl, id, byID[id], date))
	}
}

func (p pack) licenses() []string {
	for _, l := range []stream.Text{p.Concluded, p.Declared} {
		if s := string(l); s != "" && s != "NOASSERTION" && s != "NONE" {
			return []string{s}
		}
	}
	return nil
}

func observation(p pack, purl, id string, refs []reference, date gate.Date) gate.Observation {
	name, version := string(p.Name), string(p.Version)
	var links []string
	for _, r := range refs {
		line := r.Type + ": " + r.Locator
		if r.Comment != "" {
			line += " (" + string(r.Comment) + ")"
		}
		links = append(links, line)
	}
	var text parsers.Text
	text.Add("The bill of materials refers from the package `" + name + "` " + version + " to " + id + ". It does not say whether the package is affected, or how much.")
	text.Fact("Package", p.ID).Fact("Package URL", purl).Fact("File", string(p.File)).Fact("Supplier", string(p.Supplier)).Facts("License", p.licenses())
	return gate.Observation{
		Title:            name + ":" + version + " | " + id,
		Severity:         gate.Medium,
		Description:      text.String(),
		Mitigation:       "Read the advisory for " + id + ", and upgrade `" + name + "` to a version with a fix. SPDX does not name it.",
		References:       parsers.Lines(links...),
		VulnerabilityIDs: []string{id},
		RuleID:           id,
		UniqueID:         p.ID + "|" + id,
		ComponentName:    name,
		ComponentVersion: version,
		PURL:             purl,
		Date:             date,
	}
}
