package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/client"
)

// serverFlags say where the server is and who asks.
type serverFlags struct {
	URL       string        `env:"DD_URL" help:"The server: https://gate.example.org." required:""`
	Token     string        `env:"DD_TOKEN,DD_API_KEY" help:"API token; better in the environment than on the command line."`
	TokenFile string        `env:"DD_TOKEN_FILE" type:"path" help:"File that holds the token."`
	Timeout   time.Duration `env:"DD_TIMEOUT" default:"10m" help:"Give up after this time (exit code 5)."`
}

func (f *serverFlags) client(t terminal) (*client.Client, error) {
	if f.Token == "" && f.TokenFile != "" {
		b, err := os.ReadFile(f.TokenFile)
		if err != nil {
			return nil, err
		}
		f.Token = strings.TrimSpace(string(b))
	}
	if f.Token == "" && !hasIdentity(t.getenv) {
		return nil, gate.Errorf(gate.Conflict, "a token is needed: set DD_TOKEN")
	}
	c, err := client.New(f.URL, f.Token)
	if err != nil {
		return nil, err
	}
	c.Sleep = t.sleep
	c.Note = func(format string, args ...any) { fmt.Fprintf(t.stderr, "  "+format+"\n", args...) }
	return c, nil
}

// proven is client, for commands that do not care for which products the job's
// identity is good.
func (f *serverFlags) proven(ctx context.Context, t terminal) (*client.Client, error) {
	c, err := f.client(t)
	if err != nil || c.Token != "" {
		return c, err
	}
	token, err := identity(ctx, c, t.getenv)
	if err != nil {
		return nil, err
	}
	if _, err := c.Exchange(ctx, token); err != nil {
		return nil, fmt.Errorf("exchange the job's identity for a token: %w", err)
	}
	return c, nil
}
