package server

// wire adds to the node what it is for. It is the one place where the parts
// meet: the use cases are made here of the store and of each other, the routes
// mounted on s.app, and the jobs' functions given to the workers in s.jobs.
func (s *Server) wire() error {
	return nil
}
