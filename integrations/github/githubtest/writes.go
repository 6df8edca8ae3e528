package githubtest

import (
	"encoding/json"
	"net/http"
	"slices"
)

type checkBody struct {
	Name       string  `json:"name"`
	HeadSHA    string  `json:"head_sha"`
	Status     string  `json:"status"`
	Conclusion string  `json:"conclusion"`
	External   *string `json:"external_id"`
	URL        string  `json:"details_url"`
	Output     struct {
		Title, Summary string
		Annotations    []map[string]any
	} `json:"output"`
}

func (g *GitHub) addCheck(r *http.Request) (int, any) {
	k := &Check{ID: g.id()}
	g.Checks = append(g.Checks, k)
	return 201, g.setCheck(k, r)
}

func (g *GitHub) setCheck(k *Check, r *http.Request) m {
	var b checkBody
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		g.t.Error(err)
	}
	if r.Header.Get("Authorization") == "Bearer "+Token {
		g.t.Error("a token wrote a check run: only an App may")
	}
	if len(b.Output.Annotations) > 50 {
		g.t.Errorf("%d annotations in one request", len(b.Output.Annotations))
	}
	k.Writes++
	k.Name = b.Name
	for _, f := range []struct {
		to   *string
		from string
	}{{&k.SHA, b.HeadSHA}, {&k.Status, b.Status}, {&k.Conclusion, b.Conclusion}, {&k.URL, b.URL}, {&k.Title, b.Output.Title}, {&k.Summary, b.Output.Summary}} {
		if f.from != "" {
			*f.to = f.from
		}
	}
	if b.External != nil {
		k.External = *b.External
	}
	k.Annotations = append(k.Annotations, b.Output.Annotations...)
	return g.showCheck(k)
}

func (g *GitHub) showCheck(k *Check) m {
	return m{"id": k.ID, "name": k.Name, "head_sha": k.SHA, "external_id": k.External, "status": k.Status, "output": m{"annotations_count": len(k.Annotations)}}
}

func (g *GitHub) changeCheck(r *http.Request) (int, any) {
	for _, k := range g.Checks {
		if k.ID == number(r, "id") {
			return 200, g.setCheck(k, r)
		}
	}
	return notFound()
}

func (g *GitHub) checks(r *http.Request) (int, any) {
	list := []any{}
	for _, k := range g.Checks {
		if k.SHA == r.PathValue("sha") && k.Name == r.URL.Query().Get("check_name") {
			list = append(list, g.showCheck(k))
		}
	}
	return 200, m{"total_count": len(list), "check_runs": list}
}

func (g *GitHub) addStatus(r *http.Request) (int, any) {
	var b struct {
		State, Context, Description string
		URL                         string `json:"target_url"`
	}
	if err := json.NewDecoder(r.Body).Decode(&b); err != nil {
		g.t.Error(err)
	}
	if len([]rune(b.Description)) > 140 {
		g.t.Errorf("a description of %d characters", len(b.Description))
	}
	g.Statuses = append(g.Statuses, Status{r.PathValue("sha"), b.State, b.Context, b.Description, b.URL})
	return 201, m{"id": g.id()}
}

func (g *GitHub) statuses(r *http.Request) (int, any) {
	list := []any{}
	for _, s := range slices.Backward(g.Statuses) {
		if s.SHA == r.PathValue("sha") {
			list = append(list, m{"state": s.State, "context": s.Context, "description": s.Description, "target_url": s.URL})
		}
	}
	return 200, list
}

func (g *GitHub) comments(r *http.Request) (int, any) {
	out := []any{}
	for _, k := range g.Comments {
		kind := "Bot"
		if k.Foreign {
			kind = "User"
		}
		if int64(k.Number) == number(r, "number") {
			out = append(out, m{"id": k.ID, "body": k.Body, "user": m{"type": kind}})
		}
	}
	return 200, out
}

func body(r *http.Request) string {
	var b struct{ Body string }
	_ = json.NewDecoder(r.Body).Decode(&b)
	return b.Body
}

func (g *GitHub) addComment(r *http.Request) (int, any) {
	k := &Comment{ID: g.id(), Number: int(number(r, "number")), Body: body(r)}
	g.Comments = append(g.Comments, k)
	return 201, m{"id": k.ID}
}

func (g *GitHub) editComment(r *http.Request) (int, any) {
	for _, k := range g.Comments {
		if k.ID == number(r, "id") && !k.Foreign {
			k.Body = body(r)
			k.Edits++
			return 200, m{"id": k.ID}
		}
	}
	return notFound()
}

func (g *GitHub) sarif(r *http.Request) (int, any) {
	var b json.RawMessage
	_ = json.NewDecoder(r.Body).Decode(&b)
	g.SARIFs = append(g.SARIFs, b)
	return 202, m{"id": "1"}
}
