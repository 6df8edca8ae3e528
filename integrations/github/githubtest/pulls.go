package githubtest

import (
	"net/http"
	"strings"
)

func (g *GitHub) pulls(r *http.Request) (int, any) {
	out := []any{}
	for _, p := range g.Pulls {
		if p.State == "open" && r.URL.Query().Get("head") == p.HeadOwner+":"+p.Ref {
			out = append(out, g.showPull(p))
		}
	}
	return 200, out
}

func (g *GitHub) showPull(p Pull) m {
	return m{
		"number": p.Number, "state": p.State, "user": m{"login": p.HeadOwner},
		"head": m{"sha": p.SHA, "ref": p.Ref, "repo": m{"id": p.HeadRepo}, "user": m{"login": p.HeadOwner}},
		"base": m{"sha": SHA("base"), "ref": p.Base, "repo": m{"id": Repository}},
	}
}

func (g *GitHub) pull(r *http.Request) (int, any) {
	p, ok := g.Pulls[int(number(r, "number"))]
	if !ok {
		return notFound()
	}
	return 200, g.showPull(p)
}

func (g *GitHub) changes(r *http.Request) (int, any) {
	p, ok := g.Pulls[int(number(r, "number"))]
	if !ok {
		return notFound()
	}
	if p.Changes == nil {
		p.Changes = []Change{{"app/main.py", "modified", "@@ -1,3 +1,1000 @@\n+x"}}
	}
	list := []any{}
	for _, c := range p.Changes {
		f := m{"filename": c.Path, "status": c.Status}
		if c.Patch != "" {
			f["patch"] = c.Patch
		}
		list = append(list, f)
	}
	return 200, list
}

func (g *GitHub) compare(r *http.Request) (int, any) {
	files := []any{m{"filename": "app/main.py"}}
	_, head, _ := strings.Cut(r.PathValue("basehead"), "...")
	for _, p := range g.Pulls {
		if p.SHA == head && p.Changes != nil {
			files = []any{}
			for _, c := range p.Changes {
				files = append(files, m{"filename": c.Path})
			}
		}
	}
	return 200, m{"merge_base_commit": m{"sha": g.Merge}, "files": files}
}
