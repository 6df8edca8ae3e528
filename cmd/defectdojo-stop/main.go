// Defectdojo-stop stops the service, and its private database with it.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"defectdojo/gate/datadir"

	"github.com/alecthomas/kong"
)

// Exit codes.
const (
	exitOK     = 0 // nothing runs any more
	exitFailed = 1 // something still does
	exitUsage  = 2
)

type cli struct {
	DataDir string `placeholder:"FOLDER" help:"The data folder of the node to stop (DD_DATA_DIR); by default the same as defectdojo's."`
}

const description = `Stops the DefectDojo that runs on this data folder: requests and jobs that have begun finish, then its private
PostgreSQL stops. That nothing runs is not an error.

Exit codes: 0 nothing runs any more, 1 it could not be stopped, 2 a flag is wrong.`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Getenv("DD_DATA_DIR"), os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, dir string, stdout, stderr io.Writer) int {
	var c cli
	code := -1
	_, err := kong.Must(&c, kong.Name("defectdojo-stop"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(n int) { code = n })).Parse(args)
	if code == 0 { // --help
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo-stop: %v\nRun 'defectdojo-stop --help' for usage.\n", err)
		return exitUsage
	}
	if c.DataDir != "" {
		dir = c.DataDir
	}
	if dir, err = datadir.Path(dir); err == nil {
		err = datadir.Stop(ctx, dir, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo-stop: %v\n", err)
		return exitFailed
	}
	return exitOK
}
