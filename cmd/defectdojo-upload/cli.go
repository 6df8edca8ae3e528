package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/alecthomas/kong"

	"defectdojo/gate"
)

// Exit codes. 1 is only ever a policy failure.
const (
	exitPass         = 0
	exitFailed       = 1
	exitUsage        = 2
	exitInconclusive = 3
	exitRejected     = 4
	exitUnreachable  = 5
)

// cli is the command line.
type cli struct {
	Parse parseCmd `cmd:"" help:"Print what a parser makes of a report, as JSON, without a server."`
}

// run runs the program and returns its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	var c cli
	code := -1
	parser, err := kong.New(&c, kong.Name("defectdojo-upload"), kong.Writers(stdout, stderr), kong.Exit(func(n int) { code = n }),
		kong.Description("Uploads scanner reports to DefectDojo and passes or fails the build by its policies."))
	if err != nil {
		fmt.Fprintln(stderr, err)
		return exitUsage
	}
	k, err := parser.Parse(args)
	if code == 0 { // --help
		return exitPass
	}
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo-upload: %v\nRun 'defectdojo-upload --help' for usage.\n", err)
		return exitUsage
	}
	switch k.Command() {
	case "parse <file>":
		err = c.Parse.run(ctx, stdout)
	}
	if err == nil {
		return exitPass
	}
	fmt.Fprintf(stderr, "defectdojo-upload: %v\n", err)
	if errors.Is(err, context.Canceled) {
		return exitUnreachable
	}
	if gate.KindOf(err) == gate.Invalid || gate.KindOf(err) == gate.TooLarge {
		return exitRejected
	}
	return exitUsage
}
