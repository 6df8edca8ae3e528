package gitlab

import (
	"net/netip"

	"defectdojo/integrations"
)

// Settings are what is kept of a connection beside its secrets.
type Settings struct {
	URL           string   `json:"url,omitempty"`            // blank is gitlab.com
	Group         string   `json:"group,omitempty"`          // whose projects are known; blank: those that webhooks tell of
	Hosts         []string `json:"artifact_hosts,omitempty"` // that may hold artifacts, beside GitLab's own
	NoComment     bool     `json:"no_comment,omitempty"`     // leave merge requests without a note
	ExternalCheck string   `json:"external_check,omitempty"` // name of the external status check that is answered; blank: none

	integrations.Mapping
}

// Token is the name of the connection's secret that opens the API.
const Token = "token"

// DefaultJobs are the jobs whose archives are taken where nobody says which:
// those of GitLab's own templates, and the names that people give to scans.
var DefaultJobs = append([]string{"*sast*", "*dast*", "*secret*", "*dependency*", "*container*", "*trivy*", "*semgrep*", "*grype*", "*gitleaks*", "*zap*"}, integrations.DefaultArtifacts...)

// Config returns how to reach GitLab with the settings and their secrets.
func (s Settings) Config(secrets map[string]string, allowed []netip.Prefix) Config {
	return Config{URL: s.URL, Token: secrets[Token], Hosts: s.Hosts, Allowed: allowed}
}

// Validate tells what is wrong with settings and their secrets.
func (s Settings) Validate(secrets map[string]string) error {
	if err := s.Config(secrets, nil).Validate(); err != nil {
		return err
	}
	return s.Mapping.Validate()
}

// Takes tells whether the archive of a job is taken.
func (s Settings) Takes(patterns []string, job string) bool {
	if len(patterns) == 0 && len(s.Artifacts) == 0 {
		patterns = DefaultJobs
	}
	return s.Mapping.Takes(patterns, job)
}
