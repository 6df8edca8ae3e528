package github

import (
	"context"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/google/go-github/v60/github"
)

// Diff is which lines a pull request shows, by path: those that it changes, with
// the few around them.
type Diff struct {
	Files map[string][]Lines
	Whole bool // all of its files are here
}

// Lines are those from the first to the last.
type Lines struct{ First, Last int }

// diffPages bounds the files of a pull request that are read: a hundred a page.
const diffPages = 10

// Diff reads what a pull request changes. GitHub leaves out the changes of files
// that are large or no text: of those every line may be shown.
// https://docs.github.com/rest/pulls/pulls#list-pull-requests-files
func (c *Client) Diff(ctx context.Context, repo Repo, number int) (Diff, error) {
	owner, name := repo.Split()
	gh, err := c.as(ctx, owner)
	if err != nil {
		return Diff{}, err
	}
	d := Diff{Files: map[string][]Lines{}}
	resp, err := each(diffPages, func(o github.ListOptions) (*github.Response, error) {
		l, resp, err := gh.PullRequests.ListFiles(ctx, owner, name, number, &o)
		for _, f := range l {
			switch {
			case f.GetStatus() == "removed":
			case f.Patch == nil:
				d.Files[f.GetFilename()] = []Lines{{1, math.MaxInt}}
			default:
				d.Files[f.GetFilename()] = hunks(f.GetPatch())
			}
		}
		return resp, err
	})
	d.Whole = resp != nil
	return d, c.failed("list files of pull request", http.MethodGet, resp, err)
}

// hunks returns the lines of the new file that a patch shows: those in the heads
// of its hunks, "@@ -12,3 +14,5 @@".
func hunks(patch string) []Lines {
	out := []Lines{}
	for line := range strings.Lines(patch) {
		rest, ok := strings.CutPrefix(line, "@@ -")
		if !ok {
			continue
		}
		_, rest, ok = strings.Cut(rest, " +")
		if !ok {
			continue
		}
		text, _, ok := strings.Cut(rest, " @@")
		if !ok {
			continue
		}
		first, count, many := strings.Cut(text, ",")
		n := 1
		k, err := strconv.Atoi(first)
		if err != nil {
			continue
		}
		if many {
			if n, err = strconv.Atoi(count); err != nil {
				continue
			}
		}
		if n > 0 {
			out = append(out, Lines{k, k + n - 1})
		}
	}
	return out
}

// Place returns the line at which a remark at a line of a file is shown: that
// line, or the first that is shown where the remark is of the file as a whole.
// ok is false if the pull request does not show it.
func (d Diff) Place(path string, line int) (at int, ok bool) {
	for _, l := range d.Files[path] {
		if line <= 0 {
			return l.First, true
		}
		if l.First <= line && line <= l.Last {
			return line, true
		}
	}
	return 0, false
}
