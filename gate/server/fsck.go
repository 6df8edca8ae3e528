package server

import (
	"context"
	"errors"
	"fmt"
	"io"

	"defectdojo/gate/datadir"
	"defectdojo/gate/fsck"
	"defectdojo/gate/store"
)

// Fsck checks what is stored, while no node runs on the data folder, and writes
// each flaw to out. It returns how many there are.
func Fsck(ctx context.Context, cfg Config, out io.Writer) (flaws int, err error) {
	d, err := datadir.Claim(cfg.DataDir, now())
	if err != nil {
		return 0, err
	}
	defer d.Release()
	say := func(text string) { fmt.Fprintln(out, text) }
	db, err := openDB(ctx, cfg, say)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.stop(context.WithoutCancel(ctx), say)) }()
	s, err := New(cfg, db.pool, "") //nolint:contextcheck // nothing of it is served
	if err != nil {
		return 0, err
	}
	rules, err := (&fsck.Checker{Store: s.store, Blobs: s.blobs, Judge: s.judge}).Check(ctx, func(f store.Flaw) {
		flaws++
		say(f.Rule + ": " + f.What)
	})
	if err != nil {
		return flaws, err
	}
	for _, r := range rules {
		say("checked: " + r)
	}
	say(fmt.Sprintf("%d rules, %d flaws", len(rules), flaws))
	return flaws, nil
}
