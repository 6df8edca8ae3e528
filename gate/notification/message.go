package notification

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate/store"
	"defectdojo/integrations"
)

// message returns a notice as people read it.
func (n *Notifier) message(notice Notice) integrations.Message {
	m := integrations.Message{Title: notice.Title, URL: n.url(notice.Path), Text: notice.Description, Footer: "DefectDojo · " + strings.ReplaceAll(notice.Event, "_", " ")}
	fact := func(name, value string) {
		if value != "" {
			m.Facts = append(m.Facts, integrations.Fact{Name: name, Value: value})
		}
	}
	fact("Product", notice.Product.name())
	fact("Branch", notice.Branch)
	if notice.Branch == "" {
		fact("Engagement", notice.Engagement.name())
	}
	if v := notice.Verdict; v != nil {
		fact("Verdict", strings.TrimPrefix(v.Before+" → "+v.Overall, " → "))
	}
	for _, c := range []struct{ name, label string }{{"new", "New"}, {"reactivated", "Back again"}, {"mitigated", "Closed"}} {
		if count := notice.Counts[c.name]; count > 0 {
			fact(c.label, strconv.Itoa(count))
		}
	}
	listed := 0
	for _, group := range []struct{ name, mark string }{{"new", ""}, {"reactivated", "back again, "}, {"findings", ""}, {"mitigated", "closed, "}} {
		for _, i := range notice.Findings[group.name] {
			if listed++; listed <= maxItems {
				m.Items = append(m.Items, n.item(i, group.mark))
			}
		}
	}
	if notice.Finding != nil && listed == 0 {
		m.Items, listed = append(m.Items, n.item(*notice.Finding, "")), 1
	}
	if len(notice.Findings) > 0 {
		m.More = max(notice.Count, listed) - len(m.Items)
	}
	return m
}

// maxItems is how many findings a message names.
const maxItems = 10

func (n *Notifier) item(i Item, mark string) integrations.Item {
	return integrations.Item{ID: i.ID, Mark: mark + i.Severity.String(), Title: i.Title, URL: n.url(fmt.Sprintf("/findings/%d", i.ID))}
}

// digest returns what several notices say, as one message.
func (n *Notifier) digest(notices []Notice, due time.Time) integrations.Message {
	m := integrations.Message{Title: fmt.Sprintf("%d notifications up to %s UTC", len(notices), due.UTC().Format("2006-01-02 15:04")), URL: n.url("/alerts"), Footer: "DefectDojo · digest"}
	if len(notices) == 1 {
		return n.message(notices[0])
	}
	totals := map[string]int{}
	for i, notice := range notices {
		for name, count := range notice.Counts {
			totals[name] += count
		}
		if i >= 20 {
			m.More++
			continue
		}
		mark := strings.TrimSpace(notice.Product.name() + " " + notice.Branch)
		m.Items = append(m.Items, integrations.Item{Mark: mark, Title: notice.Title, URL: n.url(notice.Path)})
	}
	for _, c := range []struct{ name, label string }{{"new", "New"}, {"reactivated", "Back again"}, {"mitigated", "Closed"}} {
		if totals[c.name] > 0 {
			m.Facts = append(m.Facts, integrations.Fact{Name: c.label, Value: strconv.Itoa(totals[c.name])})
		}
	}
	return m
}

// parent returns the message under which all about a branch stands: how it is now.
func (n *Notifier) parent(product int64, branch string, s store.BranchState) integrations.Message {
	m := integrations.Message{Title: s.Product, URL: n.url(fmt.Sprintf("/products/%d", product)), Footer: "DefectDojo · what changes stands in the thread"}
	if branch != "" {
		m.Title += " · " + branch
	}
	open := int32(0)
	for i, name := range []string{"Critical", "High", "Medium", "Low", "Info"} {
		count := s.Open[4-i]
		open += count
		if count > 0 {
			m.Facts = append(m.Facts, integrations.Fact{Name: name, Value: strconv.Itoa(int(count))})
		}
	}
	m.Text = fmt.Sprintf("%d open findings", open)
	if s.Verdict != "" {
		m.Text = "Verdict: " + s.Verdict + ", " + m.Text
	}
	return m
}
