package mail_test

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/netip"
	"strings"
	"testing"

	"defectdojo/integrations"
	"defectdojo/integrations/mail"
	"defectdojo/integrations/mail/mailtest"
)

var message = integrations.Message{
	Title: "3 new findings\r\nBcc: evil@example.org", Text: "in <script>alert(1)</script>", URL: "https://gate.example.org/findings?test=1",
	Facts: []integrations.Fact{{Name: "Product", Value: "shop & co"}}, Items: []integrations.Item{{Mark: "High", Title: "SQL ünjection", URL: "https://gate.example.org/findings/1"}}, More: 2, Footer: "DefectDojo",
}

func config(s *mailtest.Server, how mail.Security) mail.Config {
	return mail.Config{Host: s.Host, Port: s.Port, Security: how, Username: mailtest.Username, Password: mailtest.Password, From: "Gate <gate@example.org>", TLS: s.TLS, Dial: (&net.Dialer{}).DialContext}
}

func TestSend(t *testing.T) {
	t.Parallel()
	for _, how := range []mail.Security{mail.StartTLS, mail.TLS} {
		s := mailtest.New(t, how == mail.TLS)
		if err := mail.Send(t.Context(), config(s, how), "ada@example.org", "abc@defectdojo.invalid", message); err != nil {
			t.Fatal(how, err)
		}
		if err := mail.Check(t.Context(), config(s, how)); err != nil {
			t.Error(how, err)
		}
		got := s.Mails()
		if len(got) != 1 || !got[0].Secure || got[0].User != mailtest.Username || got[0].To != "ada@example.org" || got[0].From != "gate@example.org" {
			t.Fatalf("%s: %+v", how, got)
		}
		check(t, got[0])
	}
}

// check looks at the parts of a mail: text and HTML, and no header of the title's making.
func check(t *testing.T, m mailtest.Mail) {
	t.Helper()
	msg, err := m.Message()
	if err != nil {
		t.Fatal(err)
	}
	if msg.Header.Get("Bcc") != "" || msg.Header.Get("Message-Id") != "<abc@defectdojo.invalid>" || msg.Header.Get("Auto-Submitted") != "auto-generated" {
		t.Errorf("headers: %v", msg.Header)
	}
	_, params, err := mime.ParseMediaType(msg.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for r := multipart.NewReader(msg.Body, params["boundary"]); ; {
		p, err := r.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		b, _ := io.ReadAll(p)
		kinds = append(kinds, strings.Split(p.Header.Get("Content-Type"), ";")[0])
		html := strings.HasPrefix(p.Header.Get("Content-Type"), "text/html")
		if html == strings.Contains(string(b), "<script>") || !strings.Contains(string(b), "ünjection") || !strings.Contains(string(b), "2 more") {
			t.Errorf("%s", b)
		}
	}
	if strings.Join(kinds, " ") != "text/plain text/html" {
		t.Errorf("parts: %v", kinds)
	}
}

func TestFailures(t *testing.T) {
	t.Parallel()
	s := mailtest.New(t, false)
	send := func(change func(*mail.Config), to string) error {
		c := config(s, mail.StartTLS)
		change(&c)
		return mail.Send(t.Context(), c, to, "x@y", message)
	}
	for name, c := range map[string]struct {
		refuse    string
		change    func(*mail.Config)
		permanent bool
	}{
		"unknown receiver": {"550 5.1.1 nobody of that name", func(*mail.Config) {}, true},
		"full":             {"452 4.2.2 full", func(*mail.Config) {}, false},
		"wrong password":   {"", func(c *mail.Config) { c.Password = "hunter2wrong" }, false},
		"not trusted":      {"", func(c *mail.Config) { c.TLS = nil }, false},
		"nobody there":     {"", func(c *mail.Config) { c.Port = 1 }, false},
		"private network":  {"", func(c *mail.Config) { c.Dial = integrations.NewDialer(nil).DialContext }, true},
	} {
		s.Refuse(c.refuse)
		err := send(c.change, "ada@example.org")
		if err == nil || integrations.IsPermanent(err) != c.permanent || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
	s.Refuse("")
	s.Plain()
	if err := send(func(*mail.Config) {}, "ada@example.org"); err == nil {
		t.Error("a server without STARTTLS was sent a mail")
	}
	if err := send(func(*mail.Config) {}, "ada@example.org\r\nRCPT TO:<evil@example.org>"); !integrations.IsPermanent(err) {
		t.Errorf("a receiver with a line break: %v", err)
	}
	if len(s.Mails()) != 0 {
		t.Errorf("%+v", s.Mails())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := mail.Check(ctx, config(s, mail.StartTLS)); err == nil {
		t.Error("a check that was called off says that all is well")
	}
}

func TestPrivateNetworks(t *testing.T) {
	t.Parallel()
	s := mailtest.New(t, false)
	c := config(s, mail.StartTLS)
	c.Dial = integrations.NewDialer([]netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}).DialContext
	if err := mail.Send(t.Context(), c, "ada@example.org", "x@y", message); err != nil {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	good := mail.Config{Host: "mail.example.org", Security: mail.StartTLS, From: "gate@example.org"}
	if w := good.Validate(); len(w) != 0 {
		t.Error(w)
	}
	for field, bad := range map[string]mail.Config{
		"host": {Host: "mail example", Security: mail.TLS, From: "a@b.c"}, "port": {Host: "m", Port: 70000, Security: mail.TLS, From: "a@b.c"},
		"security": {Host: "m", Security: mail.None, Username: "x", From: "a@b.c"}, "from": {Host: "m", Security: mail.TLS, From: "nobody"},
	} {
		if w := bad.Validate(); w[field] == "" || len(w) != 1 {
			t.Errorf("%s: %v", field, w)
		}
	}
}
