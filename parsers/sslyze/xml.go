package sslyze

import (
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

func parseXML(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	return stream.XML(in, []string{"document"}, stream.Elements{
		"document": stream.Start(func(attr func(string) string) error {
			if run.Version = attr("SSLyzeVersion"); run.Version == "" {
				return stream.Errorf("the document is not SSLyze's: it names no SSLyzeVersion")
			}
			return nil
		}),
		"document/invalidTargets/invalidTarget": stream.Record(func(n *stream.Node) error {
			out.Problem("%s could not be scanned: %s", n.Text(), n.Attr("error"))
			return nil
		}),
		"document/results/target": stream.Record(func(n *stream.Node) error {
			run.Target = parsers.First(run.Target, n.Attr("host"))
			t := xmlTarget{out, n}
			for _, protocol := range []string{"sslv2", "sslv3", "tlsv1", "tlsv1_1", "tlsv1_2", "tlsv1_3"} {
				t.suites(protocol, n.At(protocol))
			}
			t.checks()
			return nil
		}),
	})
}

// xmlTarget is a server in the XML.
type xmlTarget struct {
	out *parsers.Report
	n   *stream.Node
}

func (t xmlTarget) emit(title, description string) {
	t.out.Emit(gate.Observation{
		Title:       title + " | " + t.n.Attr("host"),
		Severity:    gate.Info,
		Description: description,
		Endpoints:   []string{parsers.HostPort(parsers.First(t.n.Attr("tlsWrappedProtocol"), "https"), t.n.Attr("host"), t.n.Attr("port"))},
		Analysis:    gate.Dynamic,
	})
}

func (t xmlTarget) suites(protocol string, n *stream.Node) {
	var weak []string
	for c := range n.Each("acceptedCipherSuites/cipherSuite") {
		if name := c.Attr("name"); !strong(name) {
			weak = append(weak, name)
		}
	}
	if len(weak) > 0 {
		var text parsers.Text
		t.emit(protocol+" | Weak Ciphers", text.Add("The server accepts weak cipher suites.").Fact("Protocol", protocol).List(weak).String())
	}
}

// strong tells whether a cipher suite has forward secrecy and authenticates what it encrypts.
func strong(name string) bool {
	aead := strings.Contains(name, "_GCM_") || strings.Contains(name, "_CCM") || strings.Contains(name, "CHACHA20")
	forward := strings.Contains(name, "DHE_") || !strings.Contains(name, "_WITH_") // a suite of TLS 1.3 names no key exchange
	return aead && forward
}

func (t xmlTarget) checks() {
	is := func(path, attr, value string) bool { return strings.EqualFold(t.n.At(path).Attr(attr), value) }
	vulnerable := func(element, what string) {
		t.emit(parsers.First(t.n.At(element).Attr("title"), element), what)
	}
	if is("heartbleed/openSslHeartbleed", "isVulnerable", "True") {
		vulnerable("heartbleed", "The server is vulnerable to Heartbleed (CVE-2014-0160): its memory, with keys and passwords, can be read from outside.")
	}
	if is("openssl_ccs/openSslCcsInjection", "isVulnerable", "True") {
		vulnerable("openssl_ccs", "The server is vulnerable to the injection of ChangeCipherSpec (CVE-2014-0224): someone in between can read and change the traffic.")
	}
	if is("reneg/sessionRenegotiation", "isSecure", "False") || is("reneg/sessionRenegotiation", "canBeClientInitiated", "True") {
		vulnerable("reneg", "The renegotiation of sessions is not safe: it is not secure, or the client may start it.")
	}
	if is("compression/compressionMethod", "isSupported", "True") {
		vulnerable("compression", "The server compresses within TLS, so that secrets can be guessed from the length of messages (CRIME).")
	}
	if strings.HasPrefix(t.n.At("robot/robotAttack").Attr("resultEnum"), "VULNERABLE") {
		vulnerable("robot", "The server is vulnerable to ROBOT: recorded sessions with RSA key exchange can be decrypted.")
	}
}
