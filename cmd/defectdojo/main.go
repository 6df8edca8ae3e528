// Defectdojo starts the service: it finds or makes its database, migrates it,
// and serves until it is told to stop.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alecthomas/kong"

	"defectdojo/gate/datadir"
	"defectdojo/gate/server"
)

// Exit codes.
const (
	exitOK     = 0 // it stopped as it was told to, or was running already
	exitFailed = 1 // it could not start, or something that it needs failed
	exitUsage  = 2 // a flag or a variable is wrong
)

// cli are the flags. Each stands for an environment variable, which it overrides.
type cli struct {
	Detach    bool   `short:"d" help:"Run in the background: return when it serves, or say why it does not."`
	NoInstall bool   `help:"Never install or download PostgreSQL (DD_NO_INSTALL)."`
	Role      string `placeholder:"ROLE" help:"What this node does: all, web or worker (DD_ROLE)."`
	Listen    string `placeholder:"HOST:PORT" help:"Where to listen (DD_LISTEN)."`
	DataDir   string `placeholder:"FOLDER" help:"Where to keep data (DD_DATA_DIR)."`

	Serve  struct{}  `cmd:"" default:"1" help:"Start the service (the default)."`
	Fsck   struct{}  `cmd:"" help:"Check that what is stored agrees with itself; exit 1 if it does not."`
	Replay replayCmd `cmd:"" help:"Judge verdicts again from what was kept of their inputs; exit 1 if one does not come out the same, byte for byte."`
	Intel  intelCmd  `cmd:"" help:"What the world knows of vulnerabilities: EPSS, KEV and OSV."`
}

const description = `The gate for security findings: takes reports of scanners, keeps track of their findings,
and passes or fails builds by policies. Without DD_DATABASE_URL it runs a private PostgreSQL.

It stops on Ctrl-C, SIGTERM and defectdojo-stop, and finishes what has begun; a second signal ends it at once.`

const codes = `
Exit codes:
  0  it stopped as it was told to, or it is running already on this data folder
  1  it could not start, or something that it needs failed
  2  a flag or an environment variable is wrong
`

func main() { os.Exit(run(os.Args[1:], os.LookupEnv, os.Stdout, os.Stderr)) }

func run(args []string, env func(string) (string, bool), stdout, stderr io.Writer) int {
	var c cli
	code := -1
	parser := kong.Must(&c, kong.Name("defectdojo"), kong.Description(description), kong.Writers(stdout, stderr),
		kong.Exit(func(n int) { code = n }), kong.Help(help), kong.ConfigureHelp(kong.HelpOptions{WrapUpperBound: 120}))
	parsed, err := parser.Parse(args)
	if code == 0 { // --help
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo: %v\nRun 'defectdojo --help' for usage.\n", err)
		return exitUsage
	}
	cfg, err := server.Read(c.over(env))
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo: the configuration is wrong:\n  %s\nRun 'defectdojo --help' for what can be set.\n",
			strings.ReplaceAll(err.Error(), "\n", "\n  "))
		return exitUsage
	}
	switch command, _, _ := strings.Cut(parsed.Command(), " <"); command {
	case "fsck":
		return check(cfg, stdout, stderr)
	case "replay":
		return c.Replay.run(cfg, stdout, stderr)
	case "intel refresh":
		return refresh(cfg, stdout, stderr)
	}
	_, child := env(inBackground)
	if c.Detach && !child {
		return detach(stdout, stderr)
	}
	return serve(cfg, child, stdout, stderr)
}

// check checks what is stored.
func check(cfg server.Config, stdout, stderr io.Writer) int {
	flaws, err := server.Fsck(context.Background(), cfg, stdout)
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo: %v\n", err)
		return exitFailed
	}
	if flaws > 0 {
		return exitFailed
	}
	return exitOK
}

func help(options kong.HelpOptions, ctx *kong.Context) error {
	if err := kong.DefaultHelpPrinter(options, ctx); err != nil {
		return err
	}
	server.Usage(ctx.Stdout)
	_, err := fmt.Fprint(ctx.Stdout, codes)
	return err
}

// over returns the environment with the flags that were given in their place.
func (c cli) over(env func(string) (string, bool)) func(string) (string, bool) {
	flags := map[string]string{"DD_ROLE": c.Role, "DD_LISTEN": c.Listen, "DD_DATA_DIR": c.DataDir}
	if c.NoInstall {
		flags["DD_NO_INSTALL"] = "true"
	}
	return func(name string) (string, bool) {
		if v := flags[name]; v != "" {
			return v, true
		}
		return env(name)
	}
}

// serve runs the node here until a signal comes.
func serve(cfg server.Config, background bool, stdout, stderr io.Writer) int {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		<-signals
		cancel()
		<-signals // whoever asks twice is in a hurry
		os.Exit(exitFailed)
	}()
	serving := func() error { return nil }
	cfg.Background = background
	if background {
		serving = func() error { return letGo(cfg) }
		if cfg.LogFile == "" {
			cfg.LogFile = filepath.Join(cfg.DataDir, "defectdojo.log")
		}
	}
	err := server.Run(ctx, cfg, stdout, serving)
	if running, ok := errors.AsType[*datadir.RunningError](err); ok {
		fmt.Fprintln(stdout, running)
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo: %v\n", err)
		return exitFailed
	}
	return exitOK
}
