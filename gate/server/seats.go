package server

import (
	"log/slog"
	"net/netip"
	"sync"
)

// seats are what each client takes at once, so that one alone cannot take all.
type seats struct {
	each int    // client's; 0: any number
	of   string // what they are

	mu    sync.Mutex
	taken map[netip.Addr]*seating
}

// seating is what one client takes.
type seating struct {
	seats int
	told  bool // the log has been, that there are no more
}

// take takes a seat, if the client has one left.
func (s *seats) take(client netip.Addr) bool {
	if s.each == 0 {
		return true
	}
	client = household(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.taken[client]
	switch {
	case t == nil:
		if s.taken == nil {
			s.taken = map[netip.Addr]*seating{}
		}
		s.taken[client] = &seating{seats: 1}
	case t.seats < s.each:
		t.seats++
	default:
		if !t.told {
			t.told = true
			slog.Warn("an address has all that one may have at once: more are refused", "of", s.of, "ip", client.String(), "most", s.each)
		}
		return false
	}
	return true
}

// free gives a seat back.
func (s *seats) free(client netip.Addr) {
	if s.each == 0 {
		return
	}
	client = household(client)
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.taken[client]
	if t.seats--; t.seats == 0 {
		delete(s.taken, client)
	}
}

// household is a client's address without what the client may choose: with IPv6
// everybody has a network of their own.
func household(client netip.Addr) netip.Addr {
	client = client.Unmap()
	if client.Is4() {
		return client
	}
	network, err := client.WithZone("").Prefix(64)
	if err != nil {
		return client
	}
	return network.Addr()
}
