package ssl_labs

import (
	"strconv"
	"strings"
	"time"

	"defectdojo/parsers"
	"defectdojo/parsers/stream"
)

type certificate struct {
	Subject   stream.Text  `json:"subject"`
	Issuer    stream.Text  `json:"issuerSubject"`
	Algorithm stream.Text  `json:"sigAlg"`
	Key       stream.Text  `json:"keyAlg"`
	KeySize   stream.Text  `json:"keySize"`
	NotAfter  stream.Float `json:"notAfter"`
	Revoked   stream.Int   `json:"revocationStatus"`
}

type suites struct {
	List []struct {
		Name     stream.Text `json:"name"`
		Strength stream.Int  `json:"cipherStrength"`
		Quality  stream.Int  `json:"q"` // 0 is insecure, 1 weak
	} `json:"list"`
}

// details are of API version 3 and 4; of 2 where it differs.
type details struct {
	Cert  certificate `json:"cert"`
	Chain struct {
		Certs []certificate `json:"certs"`
	} `json:"chain"`
	Protocols []struct {
		Name    stream.Text `json:"name"`
		Version stream.Text `json:"version"`
	} `json:"protocols"`
	Suites         stream.OneOrMany[suites] `json:"suites"`
	Signature      stream.Text              `json:"serverSignature"`
	Beast          bool                     `json:"vulnBeast"`
	Renegotiation  stream.Int               `json:"renegSupport"`
	Compression    stream.Int               `json:"compressionMethods"`
	RC4            bool                     `json:"supportsRc4"`
	RC4Modern      bool                     `json:"rc4WithModern"`
	ForwardSecrecy stream.Int               `json:"forwardSecrecy"`
	Heartbleed     bool                     `json:"heartbleed"`
	OpenSSLCCS     stream.Int               `json:"openSslCcs"`
	LuckyMinus20   stream.Int               `json:"openSSLLuckyMinus20"`
	Ticketbleed    stream.Int               `json:"ticketbleed"`
	Bleichenbacher stream.Int               `json:"bleichenbacher"`
	ZombiePoodle   stream.Int               `json:"zombiePoodle"`
	GoldenDoodle   stream.Int               `json:"goldenDoodle"`
	Poodle         bool                     `json:"poodle"`
	PoodleTLS      stream.Int               `json:"poodleTls"`
	FallbackSCSV   *bool                    `json:"fallbackScsv"`
	Freak          bool                     `json:"freak"`
	Logjam         bool                     `json:"logjam"`
	DHKnownPrimes  stream.Int               `json:"dhUsesKnownPrimes"`
	DHReuse        bool                     `json:"dhYsReuse"`
	DrownBad       bool                     `json:"drownVulnerable"`
	HSTS           struct {
		Status stream.Text `json:"status"`
	} `json:"hstsPolicy"`
	Transactions []struct {
		URL stream.Text `json:"requestUrl"`
	} `json:"httpTransactions"`
}

// weaknesses lists what the details find wrong.
func (d details) weaknesses() []string {
	var list []string
	for _, w := range []struct {
		is   bool
		text string
	}{
		{d.Heartbleed, "Heartbleed (CVE-2014-0160)"},
		{d.OpenSSLCCS.N == 2 || d.OpenSSLCCS.N == 3, "OpenSSL CCS injection (CVE-2014-0224)"},
		{d.LuckyMinus20.N == 2, "OpenSSL padding oracle (CVE-2016-2107)"},
		{d.Ticketbleed.N == 2, "Ticketbleed (CVE-2016-9244)"},
		{d.Bleichenbacher.N == 2 || d.Bleichenbacher.N == 3, "ROBOT (Bleichenbacher)"},
		{d.ZombiePoodle.N == 2 || d.ZombiePoodle.N == 3, "Zombie POODLE"},
		{d.GoldenDoodle.N == 4 || d.GoldenDoodle.N == 5, "GOLDENDOODLE"},
		{d.Poodle, "POODLE with SSL 3 (CVE-2014-3566)"},
		{d.PoodleTLS.N == 2, "POODLE with TLS"},
		{d.Freak, "FREAK (CVE-2015-0204)"},
		{d.Logjam, "Logjam (CVE-2015-4000)"},
		{d.DrownBad, "DROWN (CVE-2016-0800)"},
		{d.Beast, "BEAST (CVE-2011-3389)"},
		{d.RC4, "RC4 is offered"},
		{d.RC4Modern, "RC4 is used with modern clients"},
		{d.Renegotiation.N&1 != 0, "insecure renegotiation by the client"},
		{d.Compression.N&1 != 0, "TLS compression (CRIME)"},
		{d.DHKnownPrimes.N == 2, "weak common primes for Diffie-Hellman"},
		{d.DHReuse, "Diffie-Hellman values are used again"},
		{d.ForwardSecrecy.OK && d.ForwardSecrecy.N == 0, "no forward secrecy"},
		{d.FallbackSCSV != nil && !*d.FallbackSCSV, "a downgrade is not prevented (TLS_FALLBACK_SCSV)"},
	} {
		if w.is {
			list = append(list, w.text)
		}
	}
	return list
}

func describe(h host, e endpoint) string {
	d := e.Details
	var text parsers.Text
	text.Add("SSL Labs gives the TLS of "+string(h.Host)+" at "+string(e.IP)+" the grade **"+string(e.Grade)+"**.").Fact("Server", string(e.Server))
	if e.Trusted != e.Grade {
		text.Fact("Grade if the certificate were trusted", string(e.Trusted))
	}
	text.Fact("Software", string(d.Signature)).Fact("Strict transport security", string(d.HSTS.Status))
	if w := d.weaknesses(); len(w) > 0 {
		text.Section("Weaknesses", "- "+strings.Join(w, "\n- "))
	}
	var protocols []string
	for _, p := range d.Protocols {
		protocols = append(protocols, string(p.Name+" "+p.Version))
	}
	text.Section("Offered", "").Facts("Protocols", protocols)
	text.Facts("Cipher suites", d.names())
	certificates := h.Certs
	if len(certificates) == 0 && d.Cert.Subject != "" {
		certificates = append([]certificate{d.Cert}, d.Chain.Certs...)
	}
	if len(certificates) > 0 {
		text.Section("Certificates", lines(certificates))
	}
	return text.String()
}

// names lists the cipher suites, the doubtful ones marked.
func (d details) names() []string {
	var list []string
	for _, s := range d.Suites {
		for _, c := range s.List {
			name := string(c.Name)
			switch {
			case c.Quality.OK && c.Quality.N == 0:
				name += " (insecure)"
			case c.Quality.OK && c.Quality.N == 1:
				name += " (weak)"
			}
			list = append(list, name)
		}
	}
	return list
}

func lines(list []certificate) string {
	var b strings.Builder
	for i, c := range list[:min(len(list), 50)] {
		b.WriteString(strconv.Itoa(i+1) + ". " + string(c.Subject) + "\n   issued by " + string(c.Issuer))
		if c.Algorithm != "" {
			b.WriteString("\n   signed with " + string(c.Algorithm) + ", key " + strings.TrimSpace(string(c.Key+" "+c.KeySize)))
		}
		if at := milliseconds(c.NotAfter); !at.IsZero() {
			b.WriteString("\n   valid until " + at.Format(time.DateOnly))
		}
		if c.Revoked.N == 1 {
			b.WriteString("\n   **revoked**")
		}
		b.WriteString("\n")
	}
	return b.String()
}
