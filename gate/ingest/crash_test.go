package ingest

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/gatetest"
)

// TestLockPileUp has many uploads into one test wait for each other at once, on
// fewer connections than there are uploads: each is done, and none tells of a
// deadlock or a lock that it did not get.
func TestLockPileUp(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	var wg sync.WaitGroup
	errs := make([]error, 64)
	for i := range errs {
		report := generic(located(manyTitles(40 + i%3*20))...)
		wg.Go(func() { _, errs[i] = b.try(b.request(report, func(r *Request) { r.CloseOldFindings = false })) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	if got := len(b.findings()); got != 80 {
		t.Errorf("%d findings, want 80", got)
	}
}

// TestCommitReplyLost cuts the connection between COMMIT and its reply: nobody
// knows whether the import is stored. It is, and the upload sent again gets the
// first one's answer.
func TestCommitReplyLost(t *testing.T) {
	t.Parallel()
	address := gatetest.URL(t)
	cfg, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	network, to := "tcp", net.JoinHostPort(cfg.ConnConfig.Host, fmt.Sprint(cfg.ConnConfig.Port))
	if host := cfg.ConnConfig.Host; host[0] == '/' {
		network, to = "unix", fmt.Sprintf("%s/.s.PGSQL.%d", host, cfg.ConnConfig.Port)
	}
	proxy := startProxy(t, network, to)
	through, err := pgxpool.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	at := proxy.listener.Addr().(*net.TCPAddr) //nolint:forcetypeassert // it listens on TCP
	through.ConnConfig.Host, through.ConnConfig.Port, through.ConnConfig.TLSConfig, through.ConnConfig.Fallbacks = "127.0.0.1", uint16(at.Port), nil, nil
	pool, err := pgxpool.NewWithConfig(t.Context(), through)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	b, _ := newBenchOn(t, pool)

	rounds := 10
	if os.Getenv("DD_LONG_TESTS") != "" {
		rounds = 50
	}
	for n := range rounds {
		report := generic(located(manyTitles(20))...)
		keyed := func(r *Request) {
			r.IdempotencyKey, r.Target.EngagementName = fmt.Sprint("run ", n), fmt.Sprint("e", n)
		}
		proxy.cut.Store(true)
		if _, err := b.try(b.request(report, keyed)); err == nil {
			t.Fatalf("round %d: the reply to COMMIT was not lost", n)
		}
		if proxy.cut.Load() {
			t.Fatalf("round %d: it failed before COMMIT", n)
		}
		r, err := b.try(b.request(report, keyed))
		if err != nil || !r.Replayed || r.New != 20 {
			t.Errorf("round %d: sent again: %+v, %v", n, r, err)
		}
	}
	var imports, findings int
	if err := pool.QueryRow(t.Context(), `select (select count(*) from test_imports), (select count(*) from findings)`).Scan(&imports, &findings); err != nil {
		t.Fatal(err)
	}
	if imports != rounds || findings != 20*rounds {
		t.Errorf("%d imports and %d findings after %d rounds", imports, findings, rounds)
	}
}

// proxy passes on what a client and PostgreSQL say to each other. While cut is
// set, it loses the reply to the COMMIT of a transaction that had a COPY into
// findings, and the connection with it, once.
type proxy struct {
	listener    net.Listener
	network, to string
	cut         atomic.Bool
}

func startProxy(t *testing.T, network, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &proxy{listener: l, network: network, to: to}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.serve(c)
		}
	}()
	return p
}

func (p *proxy) serve(client net.Conn) {
	defer client.Close()
	server, err := net.Dial(p.network, p.to)
	if err != nil {
		return
	}
	defer server.Close()
	var copied atomic.Bool
	go func() {
		defer server.Close()
		buf := make([]byte, 64<<10)
		for {
			n, err := client.Read(buf)
			if bytes.Contains(buf[:n], []byte("copy findings (")) {
				copied.Store(true)
			}
			if _, werr := server.Write(buf[:n]); err != nil || werr != nil {
				return
			}
		}
	}()
	// What the server says is messages: a letter, a length, and the rest
	// (https://www.postgresql.org/docs/current/protocol-message-formats.html).
	head := make([]byte, 5)
	for {
		if _, err := io.ReadFull(server, head); err != nil {
			return
		}
		body := make([]byte, binary.BigEndian.Uint32(head[1:])-4)
		if _, err := io.ReadFull(server, body); err != nil {
			return
		}
		if head[0] == 'C' && bytes.HasPrefix(body, []byte("COMMIT\x00")) && copied.Swap(false) && p.cut.CompareAndSwap(true, false) {
			return
		}
		if _, err := client.Write(append(head, body...)); err != nil {
			return
		}
	}
}
