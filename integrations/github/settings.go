package github

import (
	"errors"
	"net/netip"
	"strings"

	"defectdojo/integrations"
)

// Settings are what is kept of a connection beside its secrets.
type Settings struct {
	URL          string   `json:"url,omitempty"`            // blank is github.com
	AppID        int64    `json:"app_id,omitempty"`         // 0: with a token
	Hosts        []string `json:"artifact_hosts,omitempty"` // that may hold artifacts, beside GitHub's own
	NoComment    bool     `json:"no_comment,omitempty"`     // leave pull requests without a comment
	CodeScanning bool     `json:"code_scanning,omitempty"`  // show what counts in GitHub's code scanning, too

	integrations.Mapping
}

// The names of a connection's secrets.
const (
	PrivateKey = "private_key" // of the App
	Token      = "token"       // instead of an App
)

// Config returns how to reach GitHub with the settings and their secrets.
func (s Settings) Config(secrets map[string]string, allowed []netip.Prefix) Config {
	return Config{URL: s.URL, AppID: s.AppID, Hosts: s.Hosts, PrivateKey: secrets[PrivateKey], Token: secrets[Token], Allowed: allowed}
}

// Validate tells what is wrong with settings and their secrets.
func (s Settings) Validate(secrets map[string]string) error {
	if err := s.Config(secrets, nil).Validate(); err != nil {
		return err
	}
	for _, h := range s.Hosts {
		if strings.ContainsAny(h, "/:@ ") || h == "" {
			return errors.New("artifact_hosts: " + h + " is not the name of a host")
		}
	}
	return s.Mapping.Validate()
}
