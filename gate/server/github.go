package server

import (
	"context"
	"encoding/json"

	"defectdojo/gate/inbound"
	"defectdojo/gate/outbound"
	"defectdojo/gate/store"
	"defectdojo/integrations/github"
	"defectdojo/parsers/stream"
)

// wireGitHub makes what takes in from GitHub and tells it.
func (s *Server) wireGitHub() {
	made := &clients[*github.Client]{box: s.box, make: func(conn store.Connection, secrets map[string]string) (*github.Client, error) {
		var set github.Settings
		if err := json.Unmarshal(conn.Settings, &set); err != nil {
			return nil, err
		}
		return github.New(set.Config(secrets, s.cfg.AllowedNet), now)
	}}
	s.toGitHub = &outbound.GitHub{Host: s.codeHost(), Client: made.of}
	s.fromGitHub = &inbound.GitHubWork{
		Store: s.store, Now: now, Client: made.of, Want: s.toGitHub.Want, Puller: s.puller,
		Rejudge: func(ctx context.Context, v store.StoredVerdict) error { return s.judge.Rejudge(ctx, v, now()) },
	}
}

// wirePuller makes what takes the reports of builds in.
func (s *Server) wirePuller() {
	s.puller = &inbound.Puller{Store: s.store, Import: s.importer.Import, Judge: s.judge, Limits: stream.Limits{}, Now: now}
}
