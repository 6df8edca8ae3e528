package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"defectdojo/gate"
	"defectdojo/gate/client"
)

// cli is the command line.
type cli struct {
	Upload    uploadCmd    `cmd:"" default:"withargs" help:"Upload reports, wait for the verdict and exit by it (the default command)."`
	Flush     flushCmd     `cmd:"" help:"Send the reports that were kept while the server did not answer."`
	Bundle    bundleCmd    `cmd:"" help:"Fetch what is needed to judge without the server."`
	Verify    verifyCmd    `cmd:"" help:"Check a verdict's signed statement, without a server."`
	Policy    policyCmd    `cmd:"" help:"Test, check and explain policies, without a server."`
	Waiver    waiverCmd    `cmd:"" help:"Ask for waivers."`
	Parse     parseCmd     `cmd:"" help:"Print what a parser makes of a report, as JSON, without a server."`
	Detect    detectCmd    `cmd:"" help:"Print which scan types a report looks like, most alike first."`
	ScanTypes scanTypesCmd `cmd:"" help:"List the scan types with what to upload and the command that makes it."`
}

const description = `Uploads reports of security scanners to DefectDojo and passes or fails the build by its policies.

  defectdojo-upload --product payments-api trivy.json semgrep.sarif

Exit codes: 0 passed, 1 a policy failed, 2 wrong usage, 3 could not be decided,
4 a report or the token was rejected, 5 the server did not answer in time.`

// terminal is where the program writes.
type terminal struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	getenv         func(string) string
	sleep          func(context.Context, time.Duration) error // between tries; nil waits
}

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, t terminal) gate.ExitCode {
	var c cli
	exited := -1
	parser, err := kong.New(&c, kong.Name("defectdojo-upload"), kong.Description(description), kong.Writers(t.stdout, t.stderr), kong.UsageOnError(),
		kong.Exit(func(n int) { exited = n }), kong.BindTo(ctx, (*context.Context)(nil)), kong.Bind(t), kong.ConfigureHelp(kong.HelpOptions{Compact: true}))
	if err != nil {
		fmt.Fprintln(t.stderr, err)
		return gate.ExitUsage
	}
	k, err := parser.Parse(args)
	if exited == 0 { // --help
		return gate.ExitPassed
	}
	if err != nil {
		fmt.Fprintf(t.stderr, "defectdojo-upload: %v\nRun 'defectdojo-upload --help' for usage.\n", err)
		return gate.ExitUsage
	}
	err = k.Run()
	if err == nil {
		return gate.ExitPassed
	}
	if e, ok := errors.AsType[exitError](err); ok {
		return e.code
	}
	fmt.Fprintf(t.stderr, "defectdojo-upload: %s\n", strings.TrimSpace(err.Error()))
	return exitCode(err)
}

// exitError ends the program with a code after everything was said.
type exitError struct{ code gate.ExitCode }

func (e exitError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

// exitCode is what an error makes the program end with.
func exitCode(err error) gate.ExitCode {
	var unreachable *client.UnreachableError
	var rejected *client.RejectedError
	var report *reportError
	var alone *aloneError
	switch {
	case errors.As(err, &unreachable), errors.As(err, &alone), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return gate.ExitUnreachable
	case errors.As(err, &rejected), errors.As(err, &report):
		return gate.ExitRejected
	}
	return gate.ExitUsage
}

// reportError is about a report that cannot be read.
type reportError struct{ err error }

func (e *reportError) Error() string { return e.err.Error() }
func (e *reportError) Unwrap() error { return e.err }

// isTerminal tells whether w is one that a person watches.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
