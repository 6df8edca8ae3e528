package sslyze

import (
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type server struct {
	Location *location `json:"server_location"`
	Info     struct {
		Location location `json:"server_location"`
	} `json:"server_info"`
	Status       string  `json:"scan_status"`
	Connectivity string  `json:"connectivity_status"`
	Result       *checks `json:"scan_result"`
	OldResult    *checks `json:"scan_commands_results"`
}

type location struct {
	Hostname string      `json:"hostname"`
	IP       stream.Text `json:"ip_address"`
	Port     stream.Text `json:"port"`
}

type checks struct {
	Heartbleed    check `json:"heartbleed"`
	CCS           check `json:"openssl_ccs_injection"`
	Robot         check `json:"robot"`
	Renegotiation check `json:"session_renegotiation"`
	Compression   check `json:"tls_compression"`
	Certificate   check `json:"certificate_info"`
	SSL2          check `json:"ssl_2_0_cipher_suites"`
	SSL3          check `json:"ssl_3_0_cipher_suites"`
	TLS10         check `json:"tls_1_0_cipher_suites"`
	TLS11         check `json:"tls_1_1_cipher_suites"`
	TLS12         check `json:"tls_1_2_cipher_suites"`
	TLS13         check `json:"tls_1_3_cipher_suites"`
}

// check is the result of a check, within "result" since version 5.
type check struct {
	Status string   `json:"status"`
	Reason string   `json:"error_reason"`
	Result *results `json:"result"`
	results
}

type results struct {
	Heartbleed  bool        `json:"is_vulnerable_to_heartbleed"`
	CCS         bool        `json:"is_vulnerable_to_ccs_injection"`
	Robot       stream.Text `json:"robot_result"`
	ClientDoS   bool        `json:"is_vulnerable_to_client_renegotiation_dos"`
	ClientOld   bool        `json:"accepts_client_renegotiation"`
	Secure      *bool       `json:"supports_secure_renegotiation"`
	Compression bool        `json:"supports_compression"`
	Accepted    []struct {
		Suite struct {
			Name string `json:"name"`
		} `json:"cipher_suite"`
	} `json:"accepted_cipher_suites"`
	Deployments []deployment `json:"certificate_deployments"`
}

type deployment struct {
	Matches    *bool `json:"leaf_certificate_subject_matches_hostname"`
	SHA1       *bool `json:"verified_chain_has_sha1_signature"`
	Validation []struct {
		Successful *bool       `json:"was_validation_successful"`
		Error      stream.Text `json:"openssl_error_string"`
		Store      struct {
			Name string `json:"name"`
		} `json:"trust_store"`
	} `json:"path_validation_results"`
}

func (c check) get() results {
	if c.Result != nil {
		return *c.Result
	}
	return c.results
}

func parseJSON(in *stream.Input, out *parsers.Report) error {
	run := out.Run()
	return stream.JSON(in, stream.Object(stream.Fields{
		"sslyze_version":       stream.One(func(t stream.Text) error { run.Version = string(t); return nil }),
		"date_scans_started":   stream.One(func(t stream.Text) error { run.StartedAt = parsers.ParseTime(string(t)); return nil }),
		"date_scans_completed": stream.One(func(t stream.Text) error { run.FinishedAt = parsers.ParseTime(string(t)); return nil }),
		"server_scan_results": stream.Each(func(s server) error {
			if s.Location == nil {
				s.Location = &s.Info.Location
			}
			t := target{out, *s.Location}
			run.Target = parsers.First(run.Target, t.place())
			result := s.Result
			if result == nil {
				result = s.OldResult
			}
			if result == nil || strings.HasPrefix(s.Status, "ERROR") || s.Connectivity == "ERROR" {
				out.Problem("%s could not be scanned", t.place())
				return nil
			}
			t.report(result)
			return nil
		}),
	}, "server_scan_results"))
}

// target is the server whose results are read.
type target struct {
	out *parsers.Report
	at  location
}

func (t target) place() string {
	host := parsers.First(t.at.Hostname, string(t.at.IP))
	if t.at.Port != "" {
		host += ":" + string(t.at.Port)
	}
	return host
}

// bsi is the recommendation that the findings follow.
const bsi = "BSI TR-02102-2, Use of Transport Layer Security: https://www.bsi.bund.de/EN/Themen/Unternehmen-und-Organisationen/Standards-und-Zertifizierung/Technische-Richtlinien/TR-nach-Thema-sortiert/tr02102/tr02102_node.html"

func (t target) emit(title string, severity gate.Severity, description string, ids ...string) {
	t.out.Emit(gate.Observation{
		Title:            title + " (" + t.place() + ")",
		Severity:         severity,
		Description:      description,
		References:       bsi,
		VulnerabilityIDs: ids,
		Endpoints:        []string{parsers.HostPort("", parsers.First(t.at.Hostname, string(t.at.IP)), string(t.at.Port))},
	})
}

func (t target) report(c *checks) {
	for _, one := range []check{c.Heartbleed, c.CCS, c.Robot, c.Renegotiation, c.Compression, c.Certificate, c.SSL2, c.SSL3, c.TLS10, c.TLS11, c.TLS12, c.TLS13} {
		if one.Status == "ERROR" {
			t.out.Problem("%s: a check failed: %s", t.place(), one.Reason)
		}
	}
	if c.Heartbleed.get().Heartbleed {
		t.emit("Heartbleed", gate.High, t.place()+" is vulnerable to Heartbleed: its memory, with keys and passwords, can be read from outside.", "CVE-2014-0160")
	}
	if c.CCS.get().CCS {
		t.emit("CCS injection", gate.High, t.place()+" is vulnerable to the injection of ChangeCipherSpec: someone in between can read and change the traffic.", "CVE-2014-0224")
	}
	if robot := string(c.Robot.get().Robot); strings.HasPrefix(robot, "VULNERABLE") {
		t.emit("ROBOT", gate.Medium, t.place()+" is vulnerable to ROBOT: recorded sessions with RSA key exchange can be decrypted ("+robot+").")
	}
	t.renegotiation(c.Renegotiation.get())
	if c.Compression.get().Compression {
		t.emit("TLS compression", gate.Medium, t.place()+" compresses within TLS, so that secrets can be guessed from the length of messages (CRIME).", "CVE-2012-4929")
	}
	t.certificate(c.Certificate.get())
	for _, old := range []struct {
		name string
		c    check
	}{{"SSL 2.0", c.SSL2}, {"SSL 3.0", c.SSL3}, {"TLS 1.0", c.TLS10}, {"TLS 1.1", c.TLS11}} {
		if r := old.c.get(); len(r.Accepted) > 0 {
			t.emit(old.name+" not recommended", gate.Medium, t.place()+" accepts "+old.name+" connections. The protocol is outdated.")
		}
	}
	t.suites("TLS 1.2", c.TLS12.get(), recommended12)
	t.suites("TLS 1.3", c.TLS13.get(), recommended13)
}

func (t target) renegotiation(r results) {
	var problems []string
	if r.ClientDoS || r.ClientOld {
		problems = append(problems, "The client may start a renegotiation, which costs the server much.")
	}
	if r.Secure != nil && !*r.Secure {
		problems = append(problems, "Secure renegotiation is not supported, so that text can be put in front of a session.")
	}
	if len(problems) > 0 {
		var text parsers.Text
		t.emit("Session renegotiation", gate.Medium, text.Add(t.place()+" has problems with the renegotiation of sessions:").List(problems).String())
	}
}

func (t target) certificate(r results) {
	var problems []string
	for _, d := range r.Deployments {
		if d.Matches != nil && !*d.Matches {
			problems = append(problems, "The certificate is for another host name.")
		}
		if d.SHA1 != nil && *d.SHA1 {
			problems = append(problems, "A signature in the chain uses SHA-1.")
		}
		for _, v := range d.Validation {
			if v.Successful != nil && !*v.Successful {
				problems = append(problems, "The chain is not valid to "+v.Store.Name+"'s trust store. "+string(v.Error))
			}
		}
	}
	if len(problems) > 0 {
		var text parsers.Text
		t.emit("Problems in certificate deployments", gate.Medium, text.Add(t.place()+" has problems with its certificate:").List(problems).String())
	}
}

func (t target) suites(protocol string, r results, good func(string) bool) {
	var bad []string
	for _, a := range r.Accepted {
		if !good(a.Suite.Name) {
			bad = append(bad, a.Suite.Name)
		}
	}
	if len(bad) > 0 {
		var text parsers.Text
		t.emit("Unrecommended cipher suites for "+protocol, gate.Medium, text.Add(t.place()+" accepts cipher suites for "+protocol+" that are not recommended:").List(bad).String())
	}
}

// recommended12 tells whether TR-02102-2 recommends a cipher suite for TLS 1.2:
// forward secrecy, AES, and a hash of the SHA-2 family.
func recommended12(name string) bool {
	exchange, cipher, ok := strings.Cut(strings.TrimPrefix(name, "TLS_"), "_WITH_")
	return ok && slices.Contains([]string{"ECDHE_ECDSA", "ECDHE_RSA", "DHE_RSA", "DHE_DSS", "ECDHE_PSK", "DHE_PSK"}, exchange) &&
		slices.Contains([]string{"AES_256_GCM_SHA384", "AES_128_GCM_SHA256", "AES_256_CBC_SHA384", "AES_256_CBC_SHA256", "AES_128_CBC_SHA256", "AES_256_CCM", "AES_128_CCM"}, cipher)
}

// recommended13 tells the same for TLS 1.3.
func recommended13(name string) bool {
	return slices.Contains([]string{"TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256", "TLS_AES_128_CCM_SHA256"}, name)
}
