package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"defectdojo/gate"
	"defectdojo/gate/client"
)

// waiverCmd holds the commands about waivers.
type waiverCmd struct {
	Request waiverRequestCmd `cmd:"" help:"Ask that findings are taken out of the gate's counts for a while. Somebody else has to approve it."`
}

// waiverRequestCmd asks for a waiver.
type waiverRequestCmd struct {
	serverFlags `embed:""`

	Product string `env:"DD_PRODUCT" help:"Product; the repository's name when not given."`

	Fingerprint   string   `help:"The finding, as the shortest way to green names it."`
	Finding       int64    `placeholder:"ID" help:"The finding, by its id on the server."`
	Vulnerability string   `placeholder:"CVE" help:"A vulnerability in a component (with --purl)."`
	PURL          string   `name:"purl" placeholder:"pkg:…" help:"The component; without a version, all versions."`
	Rule          string   `help:"A scanner's rule at a path (with --path)."`
	Path          string   `help:"The path; dir/** and * are understood."`
	Branches      []string `help:"Only for these target branches."`
	Component     string   `env:"DD_COMPONENT" help:"Only for this part of a monorepo."`

	Reason        string   `help:"Why that is no risk for now. Asked for on a terminal."`
	Justification string   `help:"The same in VEX's words: component_not_present, vulnerable_code_not_present, vulnerable_code_not_in_execute_path …"`
	Ticket        string   `help:"Where it is being dealt with."`
	Days          int      `default:"30" help:"How long it is to hold."`
	MaxMatches    int      `help:"More findings than these void it."`
	VoidIf        string   `placeholder:"CEL" help:"Unless this is definitely false, it does not cover a finding: f.kev."`
	Evidence      []string `placeholder:"sha256:…" help:"Digests of VEX documents that support it."`
}

// Run runs the command.
func (c *waiverRequestCmd) Run(ctx context.Context, t terminal) error {
	if err := c.complete(t); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	cl, err := c.proven(ctx, t)
	if err != nil {
		return err
	}
	w, err := cl.RequestWaiver(ctx, client.WaiverRequest{
		ProductName: c.Product, Finding: c.Finding, Reason: c.Reason, Justification: gate.Justification(c.Justification), Ticket: c.Ticket, Days: c.Days,
		MaxMatches: c.MaxMatches, VoidIf: c.VoidIf, Evidence: c.Evidence, Match: gate.WaiverMatch{
			Fingerprint: c.Fingerprint, Vulnerability: c.Vulnerability, PURL: c.PURL, Rule: c.Rule, Path: c.Path, Component: c.Component, Branches: c.Branches,
		},
	})
	if err != nil {
		return err
	}
	approvals := "an approval"
	if w.Needed > 1 {
		approvals = fmt.Sprintf("%d approvals", w.Needed)
	}
	fmt.Fprintf(t.stdout, "%s is asked for, until %s. It needs %s of others than you.\n", w.Name, w.Expires, approvals)
	if w.URL != "" {
		fmt.Fprintln(t.stdout, w.URL)
	}
	return nil
}

// complete asks for what is missing, where there is somebody to ask.
func (c *waiverRequestCmd) complete(t terminal) error {
	if c.Fingerprint == "" && c.Finding == 0 && (c.Vulnerability == "" || c.PURL == "") && (c.Rule == "" || c.Path == "") {
		return gate.Errorf(gate.Conflict, "say what it is for: --fingerprint, --finding, --vulnerability with --purl, or --rule with --path")
	}
	c.Product = first(c.Product, detectBuild(t.getenv).repository)
	in := bufio.NewReader(t.stdin)
	for _, q := range []struct {
		value *string
		what  string
		flag  string
	}{{&c.Product, "Product", "--product"}, {&c.Reason, "Why is that no risk for now", "--reason"}} {
		if *q.value != "" || q.flag == "--product" && c.Finding != 0 {
			continue
		}
		if !t.asks() {
			return gate.Errorf(gate.Conflict, "%s is needed", q.flag)
		}
		fmt.Fprintf(t.stderr, "%s: ", q.what)
		line, err := in.ReadString('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if *q.value = strings.TrimSpace(line); *q.value == "" {
			return gate.Errorf(gate.Conflict, "%s is needed", q.flag)
		}
	}
	return nil
}

// asks tells whether somebody can be asked.
func (t terminal) asks() bool {
	f, ok := t.stdin.(*os.File)
	if !ok {
		return t.stdin != nil
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
