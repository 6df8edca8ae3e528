package web

import (
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/auth"
	"defectdojo/gate/store"
)

// jiraInstancePage is what jira-instance.html shows.
type jiraInstancePage struct {
	layout
	Instance store.JIRAInstance
	Hook     string // the address of its webhook
	Secret   string // that JIRA is to sign with: shown this once
	Legacy   bool   // DefectDojo's old address is open
	Said     string // by JIRA, when it was tested
	Problems problemsOf
	Accepted string
	False    string
	Text     string
	Template string
}

func (w *web) showJIRAInstance(v *visit, p jiraInstancePage) error {
	title := "New JIRA"
	if p.Instance.ID != 0 {
		title = jiraRow{JIRAInstance: p.Instance}.Name()
	}
	p.layout = w.layout(v, "", title)
	if p.Problems == nil {
		p.Problems = problemsOf{}
	}
	for into, from := range map[*string]*string{&p.Accepted: p.Instance.AcceptedMappingResolution, &p.False: p.Instance.FalsePositiveMappingResolution, &p.Text: p.Instance.FindingText, &p.Template: p.Instance.IssueTemplateDir} {
		if from != nil {
			*into = *from
		}
	}
	if p.Instance.ConnectionID != nil {
		conn, err := w.Store.Connection(v.UserContext(), *p.Instance.ConnectionID)
		if err != nil {
			return err
		}
		p.Hook = w.SiteURL + "/hooks/jira/" + conn.PublicID
		if p.Legacy, err = w.Tracker.HasLegacySecret(v.UserContext(), p.Instance); err != nil {
			return err
		}
	}
	if len(p.Problems) > 0 {
		v.Status(fiber.StatusBadRequest)
	}
	return render(v.Ctx, "jira-instance.html", p)
}

// newJIRAInstance serves GET /integrations/jira/new.
func (w *web) newJIRAInstance(v *visit) error {
	return w.showJIRAInstance(v, jiraInstancePage{Instance: store.JIRAInstance{
		DefaultIssueType: "Bug", InfoMappingSeverity: "Lowest", LowMappingSeverity: "Low", MediumMappingSeverity: "Medium", HighMappingSeverity: "High",
		CriticalMappingSeverity: "Highest", Inbound: "claim", Enabled: true, FindingJIRASync: true,
	}})
}

// jiraInstance serves GET /integrations/jira/:id.
func (w *web) jiraInstance(v *visit) error {
	inst, err := w.jiraInstanceOf(v)
	if err != nil {
		return err
	}
	return w.showJIRAInstance(v, jiraInstancePage{Instance: inst})
}

func (w *web) jiraInstanceOf(v *visit) (store.JIRAInstance, error) {
	id, err := v.id()
	if err != nil {
		return store.JIRAInstance{}, err
	}
	return w.Store.JIRAInstance(v.UserContext(), id)
}

// addJIRAInstance serves POST /integrations/jira.
func (w *web) addJIRAInstance(v *visit) error {
	return w.saveJIRAInstance(v, store.JIRAInstance{GlobalJIRASLANotification: true})
}

// editJIRAInstance serves POST /integrations/jira/:id.
func (w *web) editJIRAInstance(v *visit) error {
	inst, err := w.jiraInstanceOf(v)
	if err != nil {
		return err
	}
	return w.saveJIRAInstance(v, inst)
}

func (w *web) saveJIRAInstance(v *visit, inst store.JIRAInstance) error {
	before := inst
	problems := readInstanceForm(v, &inst)
	if inst.URL != before.URL || inst.Username != before.Username {
		inst.Account, inst.Deployment = "", ""
		if before.ID != 0 && inst.URL != before.URL && v.form("password") == "" {
			problems["password"] = "Give it again: it was for another address."
		}
	}
	if len(problems) == 0 {
		who, err := w.actor(v, auth.Configure)
		if err == nil {
			inst, err = w.Tracker.KeepInstance(v.UserContext(), who, inst, v.form("password"))
		}
		if err := problems.note(err, "url"); err != nil {
			return err
		}
	}
	if len(problems) > 0 {
		return w.showJIRAInstance(v, jiraInstancePage{Instance: inst, Problems: problems})
	}
	w.flash(v, flash{Text: "Saved. Test it, and give JIRA the webhook."})
	return v.Redirect("/integrations/jira/"+strconv.FormatInt(inst.ID, 10), fiber.StatusSeeOther)
}

func readInstanceForm(v *visit, i *store.JIRAInstance) problemsOf {
	problems := problemsOf{}
	for name, into := range map[string]*string{
		"configuration_name": &i.ConfigurationName, "url": &i.URL, "username": &i.Username, "default_issue_type": &i.DefaultIssueType,
		"info_mapping_severity": &i.InfoMappingSeverity, "low_mapping_severity": &i.LowMappingSeverity, "medium_mapping_severity": &i.MediumMappingSeverity,
		"high_mapping_severity": &i.HighMappingSeverity, "critical_mapping_severity": &i.CriticalMappingSeverity, "inbound": &i.Inbound,
	} {
		if *into = strings.TrimSpace(v.form(name)); *into == "" && name != "configuration_name" && name != "username" {
			problems[name] = "It is needed."
		}
	}
	for name, into := range map[string]**string{
		"finding_text": &i.FindingText, "accepted_mapping_resolution": &i.AcceptedMappingResolution,
		"false_positive_mapping_resolution": &i.FalsePositiveMappingResolution, "issue_template_dir": &i.IssueTemplateDir,
	} {
		if *into = nil; strings.TrimSpace(v.form(name)) != "" {
			text := strings.TrimSpace(v.form(name))
			*into = &text
		}
	}
	for name, into := range map[string]*int64{"open_status_key": &i.OpenStatusKey, "close_status_key": &i.CloseStatusKey, "epic_name_id": &i.EpicNameID} {
		n, err := strconv.ParseInt("0"+strings.TrimSpace(v.form(name)), 10, 32)
		if *into = n; err != nil {
			problems[name] = "It must be a number."
		}
	}
	i.FindingJIRASync, i.Enabled = v.form("finding_jira_sync") != "", v.form("enabled") != ""
	if i.Inbound != "claim" && i.Inbound != "defectdojo" && i.Inbound != "none" {
		problems["inbound"] = "Choose one."
	}
	return problems
}

// testJIRAInstance serves POST /integrations/jira/:id/test.
func (w *web) testJIRAInstance(v *visit) error {
	inst, err := w.jiraInstanceOf(v)
	if err != nil {
		return err
	}
	p := jiraInstancePage{Instance: inst, Problems: problemsOf{}}
	probe, err := w.Tracker.TestInstance(v.UserContext(), inst)
	if err := p.Problems.note(err, "test"); err != nil {
		return err
	}
	if err == nil {
		p.Said = "It answers: JIRA " + probe.Deployment + " " + probe.Version + ", where we are " + probe.Account + "."
	}
	return w.showJIRAInstance(v, p)
}

// renewJIRASecret serves POST /integrations/jira/:id/secret. It answers with the
// page itself: the secret is in no address, no cookie and no log.
func (w *web) renewJIRASecret(v *visit) error {
	inst, err := w.jiraInstanceOf(v)
	if err != nil {
		return err
	}
	who, err := w.actor(v, auth.Configure)
	if err != nil {
		return err
	}
	secret, err := w.Tracker.RenewSecret(v.UserContext(), who, inst)
	if err != nil {
		return err
	}
	return w.showJIRAInstance(v, jiraInstancePage{Instance: inst, Secret: secret})
}

// saveJIRALegacy serves POST /integrations/jira/:id/legacy: the secret that is in
// the address which JIRA calls since it was connected with DefectDojo.
func (w *web) saveJIRALegacy(v *visit) error {
	inst, err := w.jiraInstanceOf(v)
	if err != nil {
		return err
	}
	who, err := w.actor(v, auth.Configure)
	if err != nil {
		return err
	}
	err = w.Tracker.KeepLegacySecret(v.UserContext(), who, inst, v.form("secret"))
	p := jiraInstancePage{Instance: inst, Problems: problemsOf{}}
	if err := p.Problems.note(err, "secret"); err != nil {
		return err
	}
	if err != nil {
		return w.showJIRAInstance(v, p)
	}
	w.flash(v, flash{Text: "Saved."})
	return v.Redirect("/integrations/jira/"+strconv.FormatInt(inst.ID, 10), fiber.StatusSeeOther)
}

// deleteJIRAInstance serves POST /integrations/jira/:id/delete.
func (w *web) deleteJIRAInstance(v *visit) error {
	inst, err := w.jiraInstanceOf(v)
	if err != nil {
		return err
	}
	who, err := w.actor(v, auth.Configure)
	if err != nil {
		return err
	}
	err = w.Tracker.RemoveInstance(v.UserContext(), who, inst)
	if err != nil && gate.KindOf(err) == gate.Conflict {
		return w.showJIRAInstance(v, jiraInstancePage{Instance: inst, Problems: problemsOf{"test": "There are projects of this JIRA: remove them first."}})
	}
	if err != nil {
		return err
	}
	w.flash(v, flash{Text: "The JIRA is removed. Its issues stay as they are."})
	return v.Redirect("/integrations/jira", fiber.StatusSeeOther)
}
