// Package postgres finds or runs the PostgreSQL server that everything is
// stored in. Without a server of the operator's own it keeps a private cluster:
// reachable only over a unix socket, run as an unprivileged user, started and
// stopped with the program that uses it, and recovered by itself after a crash.
package postgres

// The versions that this project is tested on.
const (
	oldest = 14
	newest = 18
)

// Names inside a private cluster.
const (
	superuser = "postgres"   // the role that makes the other one
	Name      = "defectdojo" // the role, and the database that it owns
)
