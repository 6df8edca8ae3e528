package trufflehog

import (
	"maps"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
)

const (
	mitigation = "Revoke the secret and issue a new one: it stays in the history even when the file is changed. Keep secrets in a vault, out of the repository."
	impact     = "Whoever can read the place, or the history of the repository, can use the secret to reach what it opens, until it is revoked."
	weakness   = "https://cwe.mitre.org/data/definitions/798.html"
)

func (s secret) version3() gate.Observation {
	source := ""
	var p place
	for _, name := range slices.Sorted(maps.Keys(s.Metadata.Data)) {
		source, p = name, s.Metadata.Data[name]
		break
	}
	file := parsers.First(string(p.File), string(p.Channel), string(p.Link), string(p.Image))
	kind := string(s.Detector)
	var text parsers.Text
	text.Add("TruffleHog found a secret of the kind " + kind + " in `" + file + "`.")
	if s.Verified {
		text.Add("It has tried the secret: it is valid.")
	}
	text.Add(string(s.About))
	text.Fact("Secret", s.shown()).Fact("Source", source).Fact("Repository", string(p.Repository)).Fact("File", file).Fact("Commit", string(p.Commit)).Fact("Committed", string(p.Time)).Fact("Author", string(p.Email))
	text.Fact("Image", strings.TrimSpace(string(p.Image)+" "+string(p.Tag))).Fact("Layer", string(p.Layer)).Fact("Bucket", string(p.Bucket)).Fact("Project", string(p.Project)).Fact("Link", string(p.Link)).Fact("Decoder", string(s.Decoder)).Fact("Verification error", string(s.CannotSay))
	for _, k := range slices.Sorted(maps.Keys(s.Extra.Value)) {
		text.Fact(strings.ReplaceAll(k, "_", " "), string(s.Extra.Value[k]))
	}
	o := common("Hard Coded "+kind+" secret in: "+file, file)
	o.Severity = s.severity()
	o.Description, o.Check, o.Verified = text.String(), kind, s.Verified
	o.Line = p.Line.Ptr()
	if o.Line == nil {
		o.Line = new(0)
	}
	if link := string(p.Link); link != "" {
		o.URL, o.References = link, parsers.Lines(link, weakness)
	}
	return o
}

// shown prefers what TruffleHog itself shows of a secret.
func (s secret) shown() string {
	if r := string(s.Redacted); r != "" && r != string(s.Raw) {
		if lines := strings.SplitN(r, "\n", 2); len(lines) > 1 {
			return lines[0] + " …" // a key's body
		}
		if strings.Contains(r, "*") {
			return strings.ReplaceAll(r, "*", "•")
		}
		return r
	}
	return parsers.Mask(string(s.Raw))
}

func (s secret) severity() gate.Severity {
	kind := string(s.Detector)
	switch {
	case s.Verified, weighty(kind):
		return gate.Critical
	case kind == "PrivateKey":
		return gate.High
	}
	return gate.Medium
}

// weighty tells whether a kind of secret opens much.
func weighty(kind string) bool {
	return strings.Contains(kind, "Oauth") || strings.Contains(kind, "AWS") || strings.Contains(kind, "Heroku")
}

func (s secret) version2() gate.Observation {
	var text parsers.Text
	text.Add("TruffleHog found in `" + s.Path + "`: " + s.Reason + ".")
	text.Fact("File", s.Path).Fact("Reason", s.Reason).Fact("Commit", string(s.Hash)).Fact("Committed", string(s.Date)).Fact("Branch", string(s.Branch))
	text.Section("Commit message", string(s.Message))
	var found []string
	for _, t := range s.Strings {
		if len(found) == 50 {
			break
		}
		found = append(found, "`"+parsers.Mask(strings.ReplaceAll(string(t), "`", "'"))+"`")
	}
	if len(found) > 0 {
		text.Section("Found", strings.Join(found, "\n\n"))
	}
	o := common("Hard Coded "+s.Reason+" in: "+s.Path, s.Path)
	o.Description, o.Check, o.Line = text.String(), s.Reason, new(0)
	switch {
	case s.Reason == "High Entropy":
		o.Severity = gate.Info
	case weighty(s.Reason):
		o.Severity = gate.Critical
	case s.Reason == "Generic Secret":
		o.Severity = gate.Medium
	}
	return o
}

func common(title, file string) gate.Observation {
	return gate.Observation{Title: title, Severity: gate.High, Mitigation: mitigation, Impact: impact, References: weakness, CWE: 798, FilePath: file}
}
