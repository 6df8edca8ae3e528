package ingest

import (
	"context"
	"slices"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// group puts new findings into groups. Where not all are to be grouped, those
// alone under a name stay out.
func (m *importing) group(ctx context.Context) error {
	if !m.request.CreateFindingGroupsForAllFindings {
		n := map[string]int{}
		for _, g := range m.groups {
			n[g.Group]++
		}
		m.groups = slices.DeleteFunc(m.groups, func(g store.Grouping) bool { return n[g.Group] < 2 })
	}
	return m.store.GroupFindings(ctx, m.test.ID, m.request.User.ID, m.groups)
}

// groupName is the name of the group that an observation belongs to, or nothing.
func groupName(by string, o *gate.Observation) string {
	name := ""
	switch by {
	case "component_name":
		name = o.ComponentName
	case "component_name+component_version":
		if o.ComponentName != "" || o.ComponentVersion != "" {
			name = orNone(o.ComponentName) + ":" + orNone(o.ComponentVersion)
		}
	case "file_path":
		name = o.FilePath
	case "finding_title":
		name = o.Title
	case "vuln_id_from_tool":
		name = o.RuleID
	}
	if name == "" {
		return ""
	}
	if r := []rune("Findings in: " + name); len(r) > 255 {
		return string(r[:255])
	}
	return "Findings in: " + name
}

func orNone(s string) string {
	if s == "" {
		return "None"
	}
	return s
}
