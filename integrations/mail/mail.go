// Package mail sends messages by e-mail: over SMTP, with TLS from the start or
// by STARTTLS, which is demanded and not only tried, as text and as HTML.
package mail

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"html/template"
	"net"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"defectdojo/integrations"
)

// Security is how a connection is protected.
type Security string

// The ways. Without any, passwords are not sent.
const (
	StartTLS Security = "starttls"
	TLS      Security = "tls"
	None     Security = "none"
)

// Config is over which server mail goes.
type Config struct {
	Host     string
	Port     int // 0: 587, 465 or 25
	Security Security
	Username string
	Password string // secret
	From     string

	Dial func(ctx context.Context, network, address string) (net.Conn, error) // see integrations.NewDialer
	TLS  *tls.Config                                                          // of tests; nil is the system's trust
}

// Validate tells what is wrong with a configuration, by field.
func (c Config) Validate() map[string]string {
	wrong := map[string]string{}
	if c.Host == "" || strings.ContainsAny(c.Host, " /:@\r\n") && net.ParseIP(c.Host) == nil {
		wrong["host"] = "it must be the name of a mail server"
	}
	if c.Port < 0 || c.Port > 65535 {
		wrong["port"] = "it must be between 1 and 65535"
	}
	if c.Security != StartTLS && c.Security != TLS && c.Security != None {
		wrong["security"] = "it must be starttls, tls or none"
	}
	if c.Security == None && c.Username != "" {
		wrong["security"] = "a password is not sent over a connection that is not encrypted"
	}
	if err := gomail.NewMsg().From(c.From); err != nil {
		wrong["from"] = "it is no e-mail address"
	}
	return wrong
}

// CheckAddress tells whether something is an e-mail address.
func CheckAddress(a string) error {
	if err := gomail.NewMsg().To(a); err != nil {
		return errors.New("it is no e-mail address")
	}
	return nil
}

// timeout bounds a delivery.
const timeout = 30 * time.Second

// Send sends a message to an address. id makes the message's id: mail that is
// sent twice has the same, and most programs show it once.
func Send(ctx context.Context, c Config, to, id string, m integrations.Message) error {
	msg, err := compose(c, to, id, m)
	if err != nil {
		return &integrations.Error{System: system, Op: op, Permanent: true, Err: err}
	}
	client, err := c.client()
	if err != nil {
		return &integrations.Error{System: system, Op: op, Permanent: true, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	return c.failed(op, client.DialAndSendWithContext(ctx, msg))
}

// Check connects and authenticates, and sends nothing.
func Check(ctx context.Context, c Config) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	if err := client.DialWithContext(ctx); err != nil {
		return c.failed("connect", err)
	}
	return c.failed("connect", client.Close())
}

const system, op = "mail", "send"

func (c Config) client() (*gomail.Client, error) {
	opts := []gomail.Option{gomail.WithTimeout(timeout)}
	port := c.Port
	switch c.Security {
	case TLS:
		opts = append(opts, gomail.WithSSL())
		port = orElse(port, 465)
	case StartTLS:
		opts = append(opts, gomail.WithTLSPolicy(gomail.TLSMandatory))
		port = orElse(port, 587)
	default:
		opts = append(opts, gomail.WithTLSPolicy(gomail.NoTLS))
		port = orElse(port, 25)
	}
	opts = append(opts, gomail.WithPort(port))
	if c.Username != "" {
		how := gomail.SMTPAuthAutoDiscover
		if c.Security == TLS { // the library does not know that Dial encrypts, and would look for ways that need not be
			how = gomail.SMTPAuthPlain
		}
		opts = append(opts, gomail.WithSMTPAuth(how), gomail.WithUsername(c.Username), gomail.WithPassword(c.Password))
	}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		config = c.TLS.Clone()
	}
	config.ServerName = c.Host
	opts = append(opts, gomail.WithTLSConfig(config))
	if c.Dial != nil {
		opts = append(opts, gomail.WithDialContextFunc(c.dial(config)))
	}
	return gomail.NewClient(c.Host, opts...)
}

// dial opens connections through Dial, and with TLS where that comes first.
func (c Config) dial(config *tls.Config) gomail.DialContextFunc {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := c.Dial(ctx, network, address)
		if err != nil || c.Security != TLS {
			return conn, err
		}
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return secure, nil
	}
}

func orElse(n, other int) int {
	if n == 0 {
		return other
	}
	return n
}

// failed says what an error of the library means. Only an address that is
// refused for good is permanent: a server that is full, or a password that is
// wrong, will be put right.
func (c Config) failed(op string, err error) error {
	if err == nil {
		return nil
	}
	e := &integrations.Error{System: system, Op: op, Err: errors.New(integrations.Redact(err.Error(), c.Password))}
	e.Permanent = errors.Is(err, integrations.ErrForbiddenAddress)
	if sent, ok := errors.AsType[*gomail.SendError](err); ok && !sent.IsTemp() {
		e.Permanent = sent.Reason == gomail.ErrSMTPRcptTo
		e.Unknown = sent.Reason == gomail.ErrSMTPDataClose
	}
	return e
}

// compose makes the mail.
func compose(c Config, to, id string, m integrations.Message) (*gomail.Msg, error) {
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := msg.From(c.From); err != nil {
		return nil, errors.New("the sender is no e-mail address")
	}
	if err := msg.To(to); err != nil {
		return nil, errors.New("the receiver is no e-mail address")
	}
	msg.Subject(oneLine(integrations.Clip(m.Title, 200)))
	msg.SetMessageIDWithValue(id)
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office answers
	msg.SetBodyString(gomail.TypeTextPlain, Text(m))
	return msg, msg.AddAlternativeHTMLTemplate(page, m)
}

// oneLine makes a header's value of a text.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Text returns a message as plain text.
func Text(m integrations.Message) string {
	var b strings.Builder
	b.WriteString(m.Title + "\n")
	if m.Text != "" {
		b.WriteString("\n" + m.Text + "\n")
	}
	if len(m.Facts) > 0 {
		b.WriteString("\n")
	}
	for _, f := range m.Facts {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	if len(m.Items) > 0 {
		b.WriteString("\n")
	}
	for _, i := range m.Items {
		b.WriteString("- ")
		if i.Mark != "" {
			b.WriteString(i.Mark + ": ")
		}
		b.WriteString(i.Title + "\n")
		if i.URL != "" {
			b.WriteString("  " + i.URL + "\n")
		}
	}
	if m.More > 0 {
		fmt.Fprintf(&b, "  and %d more\n", m.More)
	}
	if m.URL != "" {
		b.WriteString("\n" + m.URL + "\n")
	}
	if m.Footer != "" {
		b.WriteString("\n-- \n" + m.Footer + "\n")
	}
	if m.Disclaimer != "" {
		b.WriteString("\n" + m.Disclaimer + "\n")
	}
	return b.String()
}

// page is a message as HTML. It fetches nothing from anywhere.
var page = template.Must(template.New("mail").Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Title}}</title></head>
<body style="font:15px/1.5 system-ui,sans-serif;color:#1c2430;max-width:44em">
<h1 style="font-size:19px">{{if .URL}}<a href="{{.URL}}">{{.Title}}</a>{{else}}{{.Title}}{{end}}</h1>
{{with .Text}}<p style="white-space:pre-line">{{.}}</p>{{end}}
{{with .Facts}}<table>{{range .}}<tr><th style="text-align:left;padding-right:1em">{{.Name}}</th><td>{{.Value}}</td></tr>{{end}}</table>{{end}}
{{with .Items}}<ul>{{range .}}<li>{{with .Mark}}<b>{{.}}</b> {{end}}{{if .URL}}<a href="{{.URL}}">{{.Title}}</a>{{else}}{{.Title}}{{end}}</li>{{end}}</ul>{{end}}
{{with .More}}<p>and {{.}} more</p>{{end}}
{{with .Footer}}<p style="color:#667085;font-size:13px">{{.}}</p>{{end}}
{{with .Disclaimer}}<p style="color:#667085;font-size:13px;white-space:pre-line">{{.}}</p>{{end}}
</body></html>
`))
