package inbound

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"defectdojo/gate/store"
)

// artifact is what a build keeps at its code host.
type artifact struct {
	name     string
	id, size int64
}

// bringing takes artifacts of builds in from one code host.
type bringing struct {
	*Puller

	largest  int64 // bytes of one, packed
	download func(ctx context.Context, id int64, into *os.File) error
	want     func(context.Context, store.Publication) error
}

// bring downloads artifacts and takes them in. Those that cannot be read are
// told at the commit: they must not look like reports without findings.
func (p *bringing) bring(ctx context.Context, b Build, list []artifact) (string, error) {
	var archives []Archive
	for _, a := range list {
		if a.size > p.largest {
			return "", p.problem(ctx, b, &Unreadable{fmt.Sprintf("%s: larger than %d MB", a.name, p.largest>>20)})
		}
		f, err := os.CreateTemp("", "artifact-")
		if err != nil {
			return "", err
		}
		defer os.Remove(f.Name())
		defer f.Close()
		if err := p.download(ctx, a.id, f); err != nil {
			return "", err
		}
		archives = append(archives, Archive{Name: a.name, ID: strconv.FormatInt(a.id, 10), Zip: f})
	}
	t, err := p.Take(ctx, b, archives)
	if u, ok := errors.AsType[*Unreadable](err); ok {
		return "", p.problem(ctx, b, u)
	}
	if err == nil && t.Superseded {
		err = p.want(ctx, store.Publication{RepositoryID: b.Repository.ID, Kind: "status", Target: b.Commit, State: store.PublishSuperseded, Sequence: b.Sequence})
	}
	return t.String(), err
}

// problem tells at the commit why there is no verdict, and returns the reason.
func (p *bringing) problem(ctx context.Context, b Build, u *Unreadable) error {
	err := p.want(ctx, store.Publication{
		RepositoryID: b.Repository.ID, Kind: "status", Target: b.Commit, State: store.PublishProblem, Message: u.Why, Sequence: b.Sequence,
	})
	if err != nil {
		return err
	}
	return u
}

// elsewhere returns where the other parts of a repository are than the i-th.
func elsewhere(parts []store.Repository, i int) []string {
	var out []string
	for j, r := range parts {
		if j != i {
			out = append(out, r.Paths...)
		}
	}
	return out
}
