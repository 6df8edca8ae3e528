// Package gobuster reads the text output of gobuster, which looks for paths, virtual hosts and DNS names.
//
// Made by "gobuster dir -u https://example.org -w words.txt -q -o gobuster.txt". Each line is one hit:
//
//	/admin                (Status: 301) [Size: 169] [--> https://example.org/admin/]
//	https://example.org/img (Status: 200) [Size: 7]         with -e
//	Found: mail.example.org                                 dns
//	Found: shop.example.org Status: 200 [Size: 612]         vhost
//
// The banner, its settings ("[+] Url: https://example.org") and progress lines
// are there without -q. Only the banner names the host; without it, only a
// redirect may.
package gobuster

import (
	"net/url"
	"regexp"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads gobuster's text.
var Parsers = []parsers.Parser{{
	Name:     "gobuster",
	ScanType: "Gobuster Scan",
	Files:    "text",
	Command:  "gobuster dir -u https://example.org -w words.txt -q -o gobuster.txt",
	URL:      "https://github.com/OJ/gobuster",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Format != parsers.Plain && s.Format != parsers.CSV {
		return parsers.No
	}
	head := string(s.Head)
	for line := range strings.SplitSeq(head, "\n") {
		switch line = strings.TrimSpace(line); {
		case path.MatchString(line) && strings.Contains(line, "[Size:"), strings.HasPrefix(line, "Gobuster v"):
			return parsers.Sure
		case path.MatchString(line), found.MatchString(line):
			return parsers.Likely
		}
	}
	return parsers.No
}

var (
	path    = regexp.MustCompile(`^(?:Found: )?(\S.*?)\s+\(Status: (\d{3})\)(?:\s+\[Size: (\d+)\])?(?:\s+\[--> (.*?)\])?$`)
	found   = regexp.MustCompile(`^Found: (\S+)(?:\s+\(?Status: (\d{3})\)?)?(?:.*\[Size: (\d+)\])?(?:\s+\[(.*)\])?`)
	target  = regexp.MustCompile(`^\[\+\] (?:Url|Domain|Target):\s+(\S+)`)
	version = regexp.MustCompile(`^Gobuster v(\S+)`)
	colours = regexp.MustCompile("\x1b\\[[0-9;]*[A-Za-z]|\\[\\d*[Km]")
)

func parse(in *stream.Input, out *parsers.Report) error {
	run, known, seen := out.Run(), false, map[string]bool{}
	run.Tool = "gobuster"
	err := stream.Lines(in, func(_ int, line string) error {
		line = strings.TrimSpace(colours.ReplaceAllString(line, ""))
		if m := target.FindStringSubmatch(line); m != nil {
			run.Target = m[1]
		}
		if m := version.FindStringSubmatch(line); m != nil {
			run.Version, known = m[1], true
		}
		if h, ok := read(line); ok {
			known = true
			if key := h.name + " " + h.status; !seen[key] {
				seen[key] = true // a list of words may hold one twice
				out.Emit(h.observation(run.Target))
			}
		}
		return nil
	})
	if err == nil && !known {
		return stream.Errorf("no line is of gobuster's form, \"/path (Status: 200) [Size: 7]\"")
	}
	return err
}

// hit is what one line says.
type hit struct {
	name, status, size, more string
	isHost                   bool
}

func read(line string) (hit, bool) {
	if m := path.FindStringSubmatch(line); m != nil {
		return hit{m[1], m[2], m[3], m[4], strings.HasPrefix(line, "Found: ")}, true
	}
	if m := found.FindStringSubmatch(line); m != nil {
		return hit{m[1], m[2], m[3], m[4], true}, true
	}
	return hit{}, false
}

func (h hit) observation(base string) gate.Observation {
	var text parsers.Text
	if h.isHost {
		text.Fact("Name", h.name).Fact("Status", h.status).Fact("Response size", h.size).Fact("Addresses", h.more).Fact("Target", base)
		return gate.Observation{
			Title:       "Host found: " + h.name,
			Severity:    gate.Info,
			Description: text.String(),
			Endpoints:   []string{parsers.Endpoint(h.name)},
		}
	}
	name, address := h.address(base)
	text.Add("The server answers a request for this path: look whether it should be reachable.").
		Fact("Path", name).Fact("Status", h.status).Fact("Response size", h.size).Fact("Redirects to", h.more)
	if address == "" {
		text.Add("gobuster wrote only the path: the report does not say which host was scanned.")
	}
	return gate.Observation{
		Title:       "HTTP " + h.status + ": " + name,
		Severity:    gate.Info,
		Description: text.String(),
		Endpoints:   []string{parsers.Endpoint(address)},
	}
}

// address returns the path, and the whole address where the hit, the banner or
// a redirect names the host.
func (h hit) address(base string) (name, address string) {
	if u, err := url.Parse(h.name); err == nil && u.Host != "" {
		return "/" + strings.TrimPrefix(u.RequestURI(), "/"), h.name
	}
	name = "/" + strings.TrimPrefix(h.name, "/")
	switch {
	case base != "":
		return name, strings.TrimSuffix(base, "/") + name
	case strings.Contains(h.more, "://"):
		return name, h.more
	}
	return name, ""
}
