package server

import (
	"context"
	"sync"
	"time"

	"defectdojo/gate/outbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
)

// clients keeps the clients of connections of one kind, each until its
// connection is changed: their tokens and idle connections are worth keeping.
type clients[C any] struct {
	box  *seal.Box
	make func(conn store.Connection, secrets map[string]string) (C, error)

	mu   sync.Mutex
	kept map[int64]keptClient[C]
}

type keptClient[C any] struct {
	updated time.Time
	client  C
}

// of returns the client of a connection.
func (k *clients[C]) of(_ context.Context, conn store.Connection) (C, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if had, ok := k.kept[conn.ID]; ok && had.updated.Equal(conn.Updated) {
		return had.client, nil
	}
	var none C
	secrets, err := k.box.OpenObject(store.SecretsOf(conn.PublicID), conn.Secrets)
	if err != nil {
		return none, err
	}
	c, err := k.make(conn, secrets)
	if err != nil {
		return none, err
	}
	if k.kept == nil {
		k.kept = map[int64]keptClient[C]{}
	}
	k.kept[conn.ID] = keptClient[C]{conn.Updated, c}
	return c, nil
}

// codeHost is what telling code hosts needs of this node.
func (s *Server) codeHost() outbound.Host {
	return outbound.Host{Store: s.store, Site: s.site, Now: now, Enqueue: s.enqueueSend}
}
