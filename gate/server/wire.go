package server

import (
	"defectdojo/gate/auth"
)

// wire makes what the node is for. It is the one place where the parts meet: the
// use cases are made here of the store and of each other, the routes mounted on
// s.app, and the jobs told in s.jobs which functions they call.
func (s *Server) wire() error {
	s.auth = auth.New(s.store, auth.Config{})
	return nil
}
