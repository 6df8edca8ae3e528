// Package nmap reads the XML of Nmap, the network scanner: the open ports, and
// the vulnerabilities that its script "vulners" found for the services.
//
// Made by "nmap -sV --script vulners -oX nmap.xml 192.0.2.0/24":
//
//	<nmaprun scanner="nmap" args="nmap …" start="1619688396" version="7.91">
//	  <host starttime="1619688396" endtime="1619688497"><status state="up"/>
//	    <address addr="192.0.2.7" addrtype="ipv4"/><hostnames><hostname name="a.example.org" type="PTR"/></hostnames>
//	    <ports><port protocol="tcp" portid="22"><state state="open"/>
//	      <service name="ssh" product="OpenSSH" version="7.4"><cpe>cpe:/a:openbsd:openssh:7.4</cpe></service>
//	      <script id="vulners" output="…"><table key="cpe:/a:openbsd:openssh:7.4"><table>
//	        <elem key="id">CVE-2019-6111</elem><elem key="type">cve</elem><elem key="cvss">5.8</elem>
//	        <elem key="is_exploit">false</elem></table></table></script></port></ports></host>
//	  <runstats><finished time="1619688497" exit="success"/></runstats></nmaprun>
//
// The same port, or the same vulnerability of the same software, on several
// hosts is one finding with several endpoints. A host goes by its reverse DNS
// name, or its address. A scan that was stopped has no runstats.
package nmap

import (
	"time"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

// Parsers reads Nmap's XML.
var Parsers = []parsers.Parser{{
	Name:     "nmap",
	ScanType: "Nmap Scan",
	Files:    "XML",
	Command:  "nmap -sV --script vulners -oX nmap.xml example.org",
	URL:      "https://nmap.org/book/nmap-dtd.html",
	Analysis: gate.Dynamic,
	Detect:   detect,
	Parse:    parse,
}}

func detect(s *parsers.Sample) parsers.Likeness {
	if s.Root == "nmaprun" {
		return parsers.Sure
	}
	return parsers.No
}

func parse(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	run.Tool = "Nmap"
	f := findings{byKey: map[string]*finding{}}
	err := stream.XML(in, []string{"nmaprun"}, stream.Elements{
		"nmaprun": stream.Start(func(attr func(string) string) error {
			run.Tool = parsers.First(attr("scanner"), "Nmap")
			run.Version = attr("version")
			run.Description = attr("args")
			run.StartedAt = unix(attr("start"))
			f.date = gate.DateOf(run.StartedAt)
			return nil
		}),
		"nmaprun/host": stream.RecordOf(stream.Parts{
			"status":             func(*stream.Node) error { f.host = host{}; return nil },
			"address":            f.addAddress,
			"hostnames/hostname": f.addName,
			"ports/port":         f.addPort,
		}, func(*stream.Node) error { f.host = host{}; return nil }),
		"nmaprun/runstats/finished": stream.Start(func(attr func(string) string) error {
			run.FinishedAt = unix(attr("time"))
			if attr("exit") == "success" {
				run.Outcome = gate.Succeeded
			} else if message := attr("errormsg"); message != "" {
				out.Problem("%s", message)
			}
			return nil
		}),
	})
	if err != nil {
		return err
	}
	for _, one := range f.list {
		out.Emit(one.observation())
	}
	return nil
}

// unix reads an instant that is written in seconds since 1970.
func unix(s string) time.Time {
	n := stream.ParseInt(s)
	if !n.OK || n.N <= 0 {
		return time.Time{}
	}
	return time.Unix(int64(n.N), 0).UTC()
}
