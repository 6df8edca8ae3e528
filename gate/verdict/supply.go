package verdict

import (
	"context"
	"slices"
	"strings"

	"defectdojo/gate"
	"defectdojo/policies"
)

// policies returns those of the server that are switched on, for all products
// and for this one, or the built-in one if there are none; and those of the
// repository, which can only tighten.
func (g *gathering) policies(ctx context.Context) ([]*policies.Policy, error) {
	sources, err := g.store.ActivePolicies(ctx, g.product.ID)
	if err != nil {
		return nil, err
	}
	var list []*policies.Policy
	for _, s := range sources {
		p, err := policies.Parse(s.Name, policies.FromServer, []byte(s.Source))
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	if len(list) == 0 {
		list = append(list, policies.Default())
	}
	for _, s := range g.request.Policies {
		file, err := policies.ParseFile(s.Name, policies.FromRepository, []byte(s.Text))
		if err != nil {
			return nil, err
		}
		list = append(list, file.Policies...)
		g.asked = append(g.asked, file.Waivers...)
	}
	return list, nil
}

// waivers returns the product's waivers and VEX statements, and the repository's
// waivers, of which only the approvals of people count who may approve here.
func (g *gathering) waivers(ctx context.Context) ([]gate.Waiver, []gate.VEXStatement, error) {
	rows, err := g.store.JudgedWaivers(ctx, g.product.ID, g.now)
	if err != nil {
		return nil, nil, err
	}
	var out []gate.Waiver
	for _, w := range rows {
		out = append(out, w.Waiver())
	}
	if len(g.asked) > 0 && g.approvers != nil {
		may, err := g.approvers(ctx, g.product.ID)
		if err != nil {
			return nil, nil, err
		}
		for _, w := range g.asked {
			out = append(out, vouched(w, may))
		}
	}
	statements, err := g.store.VEXStatements(ctx, g.product.ID)
	return out, statements, err
}

// vouched returns a repository's waiver with those of its approvers who may
// approve, by their user names.
func vouched(w gate.Waiver, may []gate.User) gate.Waiver {
	var by []string
	for _, name := range w.ApprovedBy {
		i := slices.IndexFunc(may, func(u gate.User) bool {
			return strings.EqualFold(u.Username, name) || u.Email != "" && strings.EqualFold(u.Email, name)
		})
		if i < 0 {
			continue
		}
		u := may[i]
		if strings.EqualFold(w.RequestedBy, u.Username) || u.Email != "" && strings.EqualFold(w.RequestedBy, u.Email) {
			continue // under whatever name, it is their own
		}
		by = append(by, u.Username)
	}
	w.ApprovedBy, w.Origin = by, gate.WaiverFromRepository
	return w
}
