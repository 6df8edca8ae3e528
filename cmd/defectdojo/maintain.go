package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"defectdojo/gate/server"
)

// replayCmd are the flags of replay.
type replayCmd struct {
	Verdicts []int64 `arg:"" optional:"" placeholder:"ID" help:"Verdicts to judge again."`
	All      bool    `help:"All of them, or those of --since."`
	Since    string  `placeholder:"30d" help:"With --all: those that are no older than this: 30d, 12h."`
}

// intelCmd holds the commands about intelligence.
type intelCmd struct {
	Refresh struct{} `cmd:"" help:"Refresh all sources now (DD_EPSS_URL, DD_KEV_URL, DD_OSV_URL); exit 1 if one fails."`
}

// request checks the flags.
func (c *replayCmd) request() (r server.ReplayRequest, err error) {
	if c.All == (len(c.Verdicts) > 0) {
		return r, errors.New("name verdicts, or use --all")
	}
	if c.Since != "" {
		if r.Since, err = period(c.Since); err != nil || !c.All {
			return r, errors.New("--since takes a time like 30d or 12h, and goes with --all")
		}
	}
	r.IDs = c.Verdicts
	return r, nil
}

// period reads a duration that may be in days.
func period(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 15)
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(text)
	if err == nil && d <= 0 {
		err = errors.New("not a period")
	}
	return d, err
}

func (c *replayCmd) run(cfg server.Config, stdout, stderr io.Writer) int {
	r, err := c.request()
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo: replay: %v\n", err)
		return exitUsage
	}
	return count(stderr, func(ctx context.Context) (int, error) { return server.Replay(ctx, cfg, r, stdout) })
}

func refresh(cfg server.Config, stdout, stderr io.Writer) int {
	return count(stderr, func(ctx context.Context) (int, error) { return server.RefreshIntel(ctx, cfg, stdout) })
}

// count runs something that counts what is wrong, until it ends or a signal comes.
func count(stderr io.Writer, f func(context.Context) (int, error)) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	n, err := f(ctx)
	if err != nil {
		fmt.Fprintf(stderr, "defectdojo: %v\n", err)
	}
	if err != nil || n > 0 {
		return exitFailed
	}
	return exitOK
}
