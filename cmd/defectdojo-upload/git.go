package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// What the uploader tells of a checkout's history. More would be larger than the
// server takes a question to be.
const (
	maxAncestors = 1000
	maxChanged   = 5000
)

// history is what the checkout tells of the commits before a build and of what
// the change touches. What it does not tell is empty: the server then takes the
// newest scan of the target branch.
type history struct {
	mergeBase string
	ancestors []string          // before the merge base, or of a push before the head, the nearest first
	changed   []string          // nil: not known
	renames   map[string]string // new path → old path
	notes     []string          // what people should know
}

// checkout is a folder under git.
type checkout struct{ dir string }

// look reads the history of a build. deepen allows it to fetch commits that a
// shallow clone lacks: CI systems clone the newest one only, unless told otherwise.
func (g checkout) look(ctx context.Context, b build, deepen bool) history {
	var h history
	if b.commit == "" || !g.is(ctx, "rev-parse", "--is-inside-work-tree") {
		return h // no checkout, or nothing to look for in it
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	shallow := g.is(ctx, "rev-parse", "--is-shallow-repository")
	base, err := g.base(ctx, b)
	for _, more := range []int{50, 1000} {
		if !shallow || err == nil && g.reaches(ctx, base) || !deepen {
			break
		}
		if fetched := g.deepen(ctx, b, more); fetched != nil {
			h.notes = append(h.notes, "the clone is shallow, and older commits could not be fetched: "+fetched.Error())
			break
		}
		shallow = g.is(ctx, "rev-parse", "--is-shallow-repository")
		base, err = g.base(ctx, b)
	}
	if err != nil {
		h.notes = append(h.notes, "git does not tell what the change is compared with ("+err.Error()+"): the newest scan of the target branch is taken. "+wholeClone(b))
		return h
	}
	if b.targetBranch != "" && b.event != "merge_group" {
		h.mergeBase = base
	}
	h.tell(ctx, g, b, base, shallow)
	return h
}

// tell fills in what is known once the base is.
func (h *history) tell(ctx context.Context, g checkout, b build, base string, shallow bool) {
	if shallow && !g.reaches(ctx, base) { // what is cut off could be nearer than what is there
		h.notes = append(h.notes, "the clone is shallow: of the commits before, only "+short(base)+" is known. "+wholeClone(b))
	} else if lines, err := g.lines(ctx, "rev-list", "--first-parent", "--max-count="+strconv.Itoa(maxAncestors+1), base); err == nil && len(lines) > 0 {
		h.ancestors = lines[1:]
	}
	if b.targetBranch == "" { // of a push, only the server knows what it is compared with
		return
	}
	changed, renames, err := g.changes(ctx, base, b.commit)
	switch {
	case err != nil:
		h.notes = append(h.notes, "git does not tell which files the change touches: "+err.Error())
	case len(changed) > maxChanged:
		h.notes = append(h.notes, fmt.Sprintf("the change touches %d files: which, is not told to the server", len(changed)))
	default:
		h.changed, h.renames = changed, renames
	}
}

// wholeClone says how the CI clones with history.
func wholeClone(b build) string {
	switch b.ci {
	case "GitHub Actions":
		return "Give actions/checkout fetch-depth: 0."
	case "GitLab CI":
		return `Set the variable GIT_DEPTH: "0" for the job.`
	}
	return "Clone with the whole history."
}

// base is the commit that the build's commits begin after: of a change the merge
// base with its target, of a queue its base, of a push its head.
func (g checkout) base(ctx context.Context, b build) (string, error) {
	if !g.has(ctx, b.commit) {
		return "", fmt.Errorf("the commit %s is not in the clone", short(b.commit))
	}
	switch {
	case b.targetBranch == "":
		return b.commit, nil
	case b.event == "merge_group" && b.baseCommit != "":
		if !g.has(ctx, b.baseCommit) {
			return "", fmt.Errorf("the commit %s is not in the clone", short(b.baseCommit))
		}
		return b.baseCommit, nil
	case b.mergeBase != "" && g.has(ctx, b.mergeBase):
		return b.mergeBase, nil
	}
	for _, target := range []string{"refs/remotes/origin/" + b.targetBranch, b.baseCommit, "refs/heads/" + b.targetBranch} {
		if target == "" || !g.has(ctx, target) {
			continue
		}
		if lines, err := g.lines(ctx, "merge-base", b.commit, target); err == nil && len(lines) > 0 {
			return lines[0], nil
		}
	}
	return "", fmt.Errorf("the commit that it has in common with %s is not in the clone", b.targetBranch)
}

// has tells whether a commit is in the clone.
func (g checkout) has(ctx context.Context, commit string) bool {
	_, err := g.run(ctx, "cat-file", "-e", "--end-of-options", commit+"^{commit}")
	return err == nil
}

// reaches tells whether the clone has enough of what is before a commit: all, or
// as much as is told to the server.
func (g checkout) reaches(ctx context.Context, commit string) bool {
	lines, err := g.lines(ctx, "rev-list", "--first-parent", "--max-count="+strconv.Itoa(maxAncestors+1), commit)
	if err != nil || len(lines) == 0 {
		return false
	}
	if len(lines) > maxAncestors {
		return true
	}
	// git takes a commit at which the clone is cut for one without parents; the
	// commit itself knows better.
	last, err := g.run(ctx, "cat-file", "commit", lines[len(lines)-1])
	head, _, _ := bytes.Cut(last, []byte("\n\n"))
	return err == nil && !bytes.Contains(head, []byte("\nparent "))
}

// deepen fetches so many commits more, of the target and of the change. The CI
// has left its credentials in the checkout, or has not.
func (g checkout) deepen(ctx context.Context, b build, more int) error {
	refs := []string{b.commit}
	if b.targetBranch != "" {
		refs = append(refs, "+refs/heads/"+b.targetBranch+":refs/remotes/origin/"+b.targetBranch)
	}
	args := append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--deepen=" + strconv.Itoa(more), "origin"}, refs...)
	_, err := g.run(ctx, args...)
	return err
}

// changes returns the paths that differ between two commits, and where those
// that moved were.
func (g checkout) changes(ctx context.Context, from, to string) (changed []string, renames map[string]string, err error) {
	out, err := g.run(ctx, "diff", "--name-status", "-z", "-M", "--no-ext-diff", "--no-textconv", from, to, "--")
	if err != nil {
		return nil, nil, err
	}
	changed, renames = []string{}, map[string]string{}
	parts := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	for i := 0; i+1 < len(parts); i += 2 {
		path := parts[i+1]
		if kind := parts[i]; (kind[0] == 'R' || kind[0] == 'C') && i+2 < len(parts) {
			i++
			if kind[0] == 'R' {
				renames[parts[i+1]] = path
			}
			path = parts[i+1]
		}
		changed = append(changed, path)
	}
	return changed, renames, nil
}

func (g checkout) is(ctx context.Context, args ...string) bool {
	out, err := g.run(ctx, args...)
	return err == nil && strings.TrimSpace(string(out)) == "true"
}

func (g checkout) lines(ctx context.Context, args ...string) ([]string, error) {
	out, err := g.run(ctx, args...)
	return strings.Fields(string(out)), err
}

// run runs git. Nothing that the checkout configures is run by it, and nobody is
// asked for a password.
func (g checkout) run(ctx context.Context, args ...string) ([]byte, error) {
	all := append([]string{"-c", "safe.directory=*", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-C", g.dir}, args...)
	c := exec.CommandContext(ctx, "git", all...)
	c.Env = append(c.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_OPTIONAL_LOCKS=0", "LC_ALL=C")
	var errs bytes.Buffer
	c.Stderr = &errs
	c.WaitDelay = 5 * time.Second
	out, err := c.Output()
	if err != nil && errs.Len() > 0 {
		first, _, _ := strings.Cut(strings.TrimSpace(errs.String()), "\n")
		err = errors.New(first)
	}
	return out, err
}
