package server

import (
	"encoding/json"

	"defectdojo/gate/inbound"
	"defectdojo/gate/outbound"
	"defectdojo/gate/store"
	"defectdojo/integrations/gitlab"
)

// wireGitLab makes what takes in from GitLab and tells it.
func (s *Server) wireGitLab() {
	made := &clients[*gitlab.Client]{box: s.box, make: func(conn store.Connection, secrets map[string]string) (*gitlab.Client, error) {
		var set gitlab.Settings
		if err := json.Unmarshal(conn.Settings, &set); err != nil {
			return nil, err
		}
		return gitlab.New(set.Config(secrets, s.cfg.AllowedNet), now)
	}}
	s.toGitLab = &outbound.GitLab{Host: s.codeHost(), Client: made.of}
	s.fromGitLab = &inbound.GitLabWork{Store: s.store, Now: now, Client: made.of, Want: s.toGitLab.Want, Puller: s.puller}
}
