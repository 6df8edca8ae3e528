// Package clamav reads what ClamAV's clamscan or clamdscan prints.
//
// Made by "clamscan -r --log=clamav.txt DIR": a line for each file, "-i" for
// each infected one only, and "--allmatch" for each signature that fits.
//
//	/scan/a.bin: Win.Test.EICAR_HDB-1 FOUND
//	/scan/b.bin: OK
//	/scan/c.bin: Permission denied. ERROR
//
//	----------- SCAN SUMMARY -----------
//	Known viruses: 8700000
//	Engine version: 1.2.2
//	Infected files: 1
//	Start Date: 2026:07:31 18:41:55
//
// A signature's name that ends in ".UNOFFICIAL" is not ClamAV's own.
package clamav

import (
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads ClamAV's text.
var Parsers = []parsers.Parser{{
	Name:     "clamav",
	ScanType: "ClamAV Scan",
	Files:    "text",
	Command:  "clamscan --recursive --allmatch --log=clamav.txt .",
	URL:      "https://docs.clamav.net/manual/Usage/Scanning.html",
	Analysis: gate.Static,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	switch {
	case s.Contains("----------- SCAN SUMMARY -----------"):
		return parsers.Sure
	case s.Format == parsers.Plain && s.Contains(": ", " FOUND\n"):
		return parsers.Likely
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "ClamAV"
	known, summary := false, false
	seen := map[string]bool{}
	err := stream.Lines(in, func(_ int, line string) error {
		if strings.Contains(line, "SCAN SUMMARY") {
			known, summary = true, true
			return nil
		}
		if summary {
			summarise(run, line)
			return nil
		}
		at := strings.LastIndex(line, ": ")
		if at < 0 {
			return nil
		}
		file, says := line[:at], strings.TrimSpace(line[at+2:])
		switch signature, found := strings.CutSuffix(says, " FOUND"); {
		case found:
			known = true
			if !seen[line] {
				seen[line] = true
				out.Emit(observation(file, signature))
			}
		case strings.HasSuffix(says, "ERROR"), strings.HasPrefix(says, "Access denied"):
			known = true
			out.Problem("%s: %s", file, strings.TrimSuffix(says, " ERROR"))
		case says == "OK", says == "Empty file", says == "Excluded", says == "Symbolic link":
			known = true
		}
		return nil
	})
	if err == nil && !known {
		err = stream.Errorf("there is neither a scan summary nor a scanned file: this is not ClamAV's output")
	}
	return err
}

// summarise reads a line of the summary.
func summarise(run *gate.Run, line string) {
	name, value, _ := strings.Cut(line, ":")
	value = strings.TrimSpace(value)
	switch name {
	case "Engine version":
		run.Version = value
	case "Known viruses":
		run.Ruleset = value + " signatures"
	case "Start Date":
		run.StartedAt = date(value)
	case "End Date":
		run.FinishedAt = date(value)
	}
}

func date(s string) time.Time {
	t, _ := time.Parse("2006:01:02 15:04:05", s)
	return t
}

func observation(file, signature string) gate.Observation {
	var text parsers.Text
	text.Add("ClamAV found malware in a file.").Fact("File", file).Fact("Signature", signature)
	if strings.HasSuffix(signature, ".UNOFFICIAL") {
		text.Add("The signature is not from ClamAV's own database but from another one.")
	}
	if strings.HasPrefix(signature, "PUA.") {
		text.Add("It is of a program that may be unwanted, not of malware proper.")
	}
	return gate.Observation{
		Title:       "Malware detected: " + signature + " in " + file,
		Severity:    gate.High,
		Description: text.String(),
		Mitigation:  "Take the file out of use, find out where it came from and what it could have done there, and check what else came the same way. If it is harmless, mark the finding as a false positive and report it to the signature's authors.",
		RuleID:      signature,
		CWE:         506,
		FilePath:    file,
	}
}
