package server

import (
	"bytes"
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"defectdojo/gate/gatetest"
	"defectdojo/gate/inbound"
	"defectdojo/gate/seal"
	"defectdojo/gate/store"
	"defectdojo/integrations/gitlab"
	"defectdojo/integrations/jira"
	"defectdojo/integrations/slack/slacktest"
)

// hookSender sends as one foreign system does. Every system that sends webhooks
// is tried with the same list of what honest and other people do.
type hookSender struct {
	kind      string
	mime      string // application/json if blank
	body      string // of an event that something follows from
	unknown   string // of one that nothing does; blank: this system has none
	signature string // the header that proves
	stamped   bool   // what is signed has a time in it
	anyCase   bool   // the signature's letters may be large or small: it is the same number
	taken     int    // what it is answered; 202 if zero
	// sign returns the headers of a delivery.
	sign func(secret string, body []byte, id string, unknown bool, at time.Time) http.Header
}

// hookSenders are all of them.
func hookSenders() []hookSender {
	all := []hookSender{githubHooks(), gitlabSigned(), gitlabToken(), jiraHooks(), slackHooks()}
	for i := range all {
		all[i].mime = cmp.Or(all[i].mime, "application/json")
		all[i].taken = cmp.Or(all[i].taken, http.StatusAccepted)
	}
	return all
}

func jiraHooks() hookSender {
	return hookSender{
		kind: "jira", signature: jira.SignatureHeader, anyCase: true,
		body:    `{"webhookEvent":"jira:issue_updated","issue":{"id":"10001","key":"SEC-1","fields":{"summary":"Ünïcode 🛡️"}}}`,
		unknown: `{"webhookEvent":"sprint_created","sprint":{"id":1}}`,
		sign: func(secret string, body []byte, id string, _ bool, _ time.Time) http.Header {
			return http.Header{jira.SignatureHeader: {jira.Sign(body, secret)}, jira.IdentifierHeader: {id}}
		},
	}
}

func slackHooks() hookSender {
	payload := func(action string) string {
		return slacktest.Form(`{"type":"block_actions","team":{"id":"T1"},"user":{"id":"U1","name":"Ünïcode 🛡️"},"channel":{"id":"C1"},"actions":[{"type":"button","block_id":"finding-7","action_id":"` + action + `","value":"7"}]}`)
	}
	return hookSender{
		kind: "slack", mime: "application/x-www-form-urlencoded", signature: "X-Slack-Signature", stamped: true, taken: 200,
		body: payload("assign"), unknown: payload("mystery"),
		sign: func(secret string, body []byte, id string, _ bool, at time.Time) http.Header {
			// Slack names no delivery: one is another if it was sent at another time.
			stamp := strconv.FormatInt(at.Unix()-map[string]int64{"again": 1, "crashed": 2}[id], 10)
			return http.Header{"X-Slack-Request-Timestamp": {stamp}, "X-Slack-Signature": {slacktest.Sign(secret, stamp, string(body))}}
		},
	}
}

func githubHooks() hookSender {
	return hookSender{
		kind: "github", signature: "X-Hub-Signature-256",
		body:    `{"action":"completed","workflow_run":{"id":1,"name":"Ünïcode 🛡️"},"repository":{"id":7,"full_name":"a/b"}}`,
		unknown: `{"action":"created","repository":{"id":7}}`,
		sign: func(secret string, body []byte, id string, unknown bool, _ time.Time) http.Header {
			m := hmac.New(sha256.New, []byte(secret))
			m.Write(body)
			event := "workflow_run"
			if unknown {
				event = "star"
			}
			return http.Header{"X-Hub-Signature-256": {"sha256=" + hex.EncodeToString(m.Sum(nil))}, "X-Github-Delivery": {id}, "X-Github-Event": {event}}
		},
	}
}

// gitlabHooks is what both of GitLab's forms have in common.
func gitlabHooks() hookSender {
	return hookSender{
		kind:    "gitlab",
		body:    `{"object_kind":"pipeline","object_attributes":{"id":31,"status":"success"},"project":{"id":7,"path_with_namespace":"a/Ünïcode 🛡️"}}`,
		unknown: `{"object_kind":"wiki_page","project":{"id":7}}`,
	}
}

// gitlabSigned signs as Standard Webhooks has it.
func gitlabSigned() hookSender {
	k := gitlabHooks()
	k.signature, k.stamped = gitlab.SignatureHeader, true
	k.sign = func(secret string, body []byte, id string, _ bool, at time.Time) http.Header {
		stamp := strconv.FormatInt(at.Unix(), 10)
		m := hmac.New(sha256.New, []byte(secret))
		fmt.Fprintf(m, "%s.%s.%s", id, stamp, body)
		return http.Header{
			"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(m.Sum(nil))}, "X-Gitlab-Event": {"Pipeline Hook"},
		}
	}
	return k
}

// gitlabToken sends the secret along.
func gitlabToken() hookSender {
	k := gitlabHooks()
	k.signature = gitlab.TokenHeader
	k.sign = func(secret string, _ []byte, id string, _ bool, _ time.Time) http.Header {
		return http.Header{"X-Gitlab-Token": {secret}, "Idempotency-Key": {id}, "X-Gitlab-Event": {"Pipeline Hook"}, "X-Gitlab-Event-Uuid": {"the same for all"}}
	}
	return k
}

const (
	hookSecret   = "It's a Secret to Everybody"
	hookPrevious = "the one before"
)

// hooked is a node with a connection of each kind of webhook.
type hooked struct {
	t     testing.TB
	pool  *pgxpool.Pool
	addrs []string // of its nodes
	urls  map[string]string
	open  map[string]string // of the connection without a secret
}

func serveHooks(t testing.TB, nodes int, l limits) *hooked {
	t.Helper()
	return serveHooksOn(t, gatetest.DB(t), nodes, l)
}

// serveHooksOn serves on a database that is migrated.
func serveHooksOn(t testing.TB, pool *pgxpool.Pool, nodes int, l limits) *hooked {
	t.Helper()
	h := &hooked{t: t, pool: pool, urls: map[string]string{}, open: map[string]string{}}
	key := seal.NewKey()
	for range nodes {
		s, err := newServer(Config{Listen: "127.0.0.1:0", Role: Web, SecretKey: key, DataDir: t.TempDir()}, h.pool, "http://test", l)
		if err != nil {
			t.Fatal(err)
		}
		s.hooks.Mount(s.app)
		ln, err := listen(s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- s.Serve(ln) }()
		t.Cleanup(func() {
			_ = s.Stop(context.Background(), func(string) {})
			ln.Close()
			<-served
		})
		h.addrs = append(h.addrs, "http://"+ln.Addr().String())
	}
	box, st := seal.New(key), store.New(h.pool)
	for _, k := range hookSenders() {
		if h.urls[k.kind] != "" { // it proves itself in more than one way
			continue
		}
		for id, secrets := range map[string]map[string]string{k.kind + "-1": {inbound.WebhookSecret: hookSecret, inbound.PreviousWebhookSecret: hookPrevious}, k.kind + "-open": {"token": "x"}} {
			sealed, err := box.SealObject(store.SecretsOf(id), secrets)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.AddConnection(t.Context(), store.Connection{PublicID: id, Kind: k.kind, Name: id, Enabled: true, Settings: []byte("{}"), Secrets: sealed}); err != nil {
				t.Fatal(err)
			}
		}
		h.urls[k.kind], h.open[k.kind] = inbound.Path+k.kind+"/"+k.kind+"-1", inbound.Path+k.kind+"/"+k.kind+"-open"
	}
	return h
}

// post sends a delivery to a node and returns the status and the answer; 0 if there is none.
func (h *hooked) post(node int, path, mime string, body io.Reader, header http.Header) (int, string) {
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, h.addrs[node]+path, body)
	if err != nil {
		return 0, err.Error()
	}
	r.Header = header.Clone()
	if r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", mime)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	if resp.StatusCode == http.StatusServiceUnavailable && resp.Header.Get("Retry-After") == "" {
		return 0, "503 without Retry-After"
	}
	return resp.StatusCode, string(b)
}

// count counts kept deliveries and their jobs.
func (h *hooked) count(kind string) (deliveries, jobs int) {
	h.t.Helper()
	if err := h.pool.QueryRow(context.Background(), `
		select (select count(*) from webhook_deliveries d join connections c on c.id = d.connection_id where c.kind = $1 and d.state = 'queued'),
		       (select count(*) from river_job where kind = 'receive' and args->>'from' = $1)`, kind).Scan(&deliveries, &jobs); err != nil {
		h.t.Fatal(err)
	}
	return deliveries, jobs
}

// TestWebhooks is the list of what a webhook's address must stand, for each
// system that sends webhooks.
func TestWebhooks(t *testing.T) {
	t.Parallel()
	for _, k := range hookSenders() {
		t.Run(k.kind, func(t *testing.T) { t.Parallel(); k.try(t) })
	}
}

func (k hookSender) try(t *testing.T) {
	h := serveHooks(t, 2, brisk)
	path, now := h.urls[k.kind], time.Now()
	signed := func(id string) http.Header { return k.sign(hookSecret, []byte(k.body), id, false, now) }
	send := func(header http.Header) int {
		got, _ := h.post(0, path, k.mime, strings.NewReader(k.body), header)
		return got
	}
	refused := 0
	refuse := func(name string, got int, want ...int) {
		t.Helper()
		if refused++; !slices.Contains(append(want, http.StatusUnauthorized, http.StatusTooManyRequests), got) {
			t.Errorf("%s: %d, want it refused", name, got)
		}
	}

	header := signed("x")
	signature := header.Get(k.signature)
	for i := range len(signature) { // each byte flipped
		forged := header.Clone()
		b := []byte(signature)
		if b[i] ^= 1; b[i] == ' ' || b[i] < ' ' || b[i] == 0x7f {
			continue // no header can hold it
		}
		forged.Set(k.signature, string(b))
		refuse(fmt.Sprintf("byte %d flipped", i), send(forged))
		b[i] ^= 1 ^ 0x20
		if b[i] > ' ' && b[i] < 0x7f {
			forged.Set(k.signature, string(b))
			if i < len("sha256=") || !k.anyCase {
				refuse(fmt.Sprintf("letter case of byte %d", i), send(forged))
			}
		}
	}
	without := header.Clone()
	without.Del(k.signature)
	refuse("no signature", send(without))
	weak := without.Clone()
	weak.Set("X-Hub-Signature", "sha1=757107ea0eb2509fc211221cce984b8a37570b6d")
	refuse("sha1 alone", send(weak))
	for name, s := range map[string]string{"blank": "", "prefix alone": "sha256=", "cut": signature[:len(signature)-1], "longer": signature + "0", "null": "null"} {
		forged := header.Clone()
		forged.Set(k.signature, s)
		refuse(name+" signature", send(forged))
	}
	refuse("signed with a blank secret", send(k.sign("", []byte(k.body), "x", false, now)))
	got, _ := h.post(0, h.open[k.kind], k.mime, strings.NewReader(k.body), k.sign("", []byte(k.body), "x", false, now))
	refuse("no secret configured", got)
	got, _ = h.post(0, h.open[k.kind], k.mime, strings.NewReader(k.body), without)
	refuse("no secret configured, no signature", got)
	got, _ = h.post(0, path+"2", k.mime, strings.NewReader(k.body), header)
	refuse("no such connection", got)
	if bytesOver := strings.Replace(k.body, ":", ": ", 1); bytesOver != k.body && k.signature != gitlab.TokenHeader {
		got, _ = h.post(0, path, k.mime, strings.NewReader(bytesOver), header)
		refuse("the same, written otherwise", got)
	}
	if k.stamped {
		// The clock goes on meanwhile: the packages of the systems try the second itself.
		for _, skew := range []time.Duration{-301 * time.Second, 301*time.Second + time.Minute} {
			refuse("skew "+skew.String(), send(k.sign(hookSecret, []byte(k.body), "x", false, now.Add(skew))))
		}
	}
	if d, j := h.count(k.kind); d != 0 || j != 0 {
		t.Fatalf("refused requests left %d deliveries and %d jobs", d, j)
	}

	if got := send(signed("first")); got != k.taken {
		t.Errorf("valid: %d", got)
	}
	if got := send(k.sign(hookPrevious, []byte(k.body), "second", false, now)); got != k.taken {
		t.Errorf("previous secret: %d", got)
	}
	if d, j := h.count(k.kind); d != 2 || j != 2 {
		t.Errorf("two deliveries made %d and %d jobs", d, j)
	}
	if k.unknown != "" {
		got, answer := h.post(0, path, k.mime, strings.NewReader(k.unknown), k.sign(hookSecret, []byte(k.unknown), "third", true, now))
		if d, j := h.count(k.kind); got != k.taken || d != 2 || j != 2 || got == http.StatusAccepted && !strings.Contains(answer, "ignored") {
			t.Errorf("unknown event: %d %s, %d deliveries, %d jobs", got, answer, d, j)
		}
	}

	wrong := signed("fourth")
	wrong.Set("Content-Type", "text/plain")
	if got := send(wrong); got != http.StatusUnsupportedMediaType {
		t.Errorf("wrong content type: %d", got)
	}
	packed := signed("fifth")
	packed.Set("Content-Encoding", "gzip")
	if got := send(packed); got != http.StatusUnsupportedMediaType {
		t.Errorf("packed body: %d", got)
	}
	// Too much is refused, or cut off for its time where the machine is slow: TestWebhooks_too_large has all the time.
	tooMuch := []int{http.StatusRequestEntityTooLarge, http.StatusRequestTimeout, http.StatusBadRequest, 0}
	large := bytes.Repeat([]byte("x"), inbound.MaxBody+1)
	if got, _ := h.post(0, path, k.mime, bytes.NewReader(large), k.sign(hookSecret, large, "sixth", false, now)); !slices.Contains(tooMuch, got) {
		t.Errorf("a byte too many: %d", got)
	}
	if got, _ := h.post(0, path, k.mime, io.MultiReader(bytes.NewReader(large)), k.sign(hookSecret, large, "sixth", false, now)); !slices.Contains(tooMuch, got) {
		t.Errorf("a byte too many, in chunks: %d", got)
	}
	if answer := drip(t, h.addrs[0], path); !strings.Contains(answer, " 408 ") {
		t.Errorf("a body that comes slowly: %.100q", answer)
	}
	if d, j := h.count(k.kind); d != 2 || j != 2 {
		t.Errorf("then there are %d deliveries and %d jobs", d, j)
	}

	k.replay(t, h, path, now)
	k.crash(t, h, path, now)
	t.Logf("%s: %d forgeries refused", k.kind, refused)
}

// replay sends one delivery a hundred times at once, to two nodes.
func (k hookSender) replay(t *testing.T, h *hooked, path string, now time.Time) {
	before, _ := h.count(k.kind)
	var wg sync.WaitGroup
	for i := range 100 {
		wg.Go(func() {
			if got, answer := h.post(i%2, path, k.mime, strings.NewReader(k.body), k.sign(hookSecret, []byte(k.body), "again", false, now)); got != k.taken {
				t.Errorf("replay: %d %s", got, answer)
			}
		})
	}
	wg.Wait()
	if d, j := h.count(k.kind); d != before+1 || j != before+1 {
		t.Errorf("a hundred replays made %d deliveries and %d jobs", d-before, j-before)
	}
}

// crash has the transaction fail that keeps a delivery: it was never here, and
// comes when it is sent again.
func (k hookSender) crash(t *testing.T, h *hooked, path string, now time.Time) {
	before, _ := h.count(k.kind)
	exec := func(sql string) {
		if _, err := h.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	exec(`alter table river_job rename to gone`)
	header := k.sign(hookSecret, []byte(k.body), "crashed", false, now)
	if got, _ := h.post(0, path, k.mime, strings.NewReader(k.body), header); got < 500 {
		t.Errorf("without the queue: %d", got)
	}
	exec(`alter table gone rename to river_job`)
	if d, _ := h.count(k.kind); d != before {
		t.Errorf("half a delivery was kept")
	}
	if got, _ := h.post(0, path, k.mime, strings.NewReader(k.body), header); got != k.taken {
		t.Errorf("sent again: %d", got)
	}
	if d, j := h.count(k.kind); d != before+1 || j != before+1 {
		t.Errorf("sent again after a crash: %d deliveries, %d jobs", d-before, j-before)
	}
}

// drip sends the head of a request and then nothing.
func drip(t *testing.T, address, path string) string {
	t.Helper()
	addr := strings.TrimPrefix(address, "http://")
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprintf(c, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n{", path, addr)
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	b, _ := io.ReadAll(c)
	return string(b)
}

// TestWebhooks_vector is GitHub's own example:
// https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
func TestWebhooks_vector(t *testing.T) {
	t.Parallel()
	got := githubHooks().sign(hookSecret, []byte("Hello, World!"), "", false, time.Time{}).Get("X-Hub-Signature-256")
	if want := "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"; got != want {
		t.Error(got)
	}
}

// BenchmarkWebhookAck sends two hundred deliveries a second to one node and
// tells how long their answers took.
func BenchmarkWebhookAck(b *testing.B) {
	const rate = 200
	for _, k := range hookSenders() {
		b.Run(k.kind, func(b *testing.B) { ack(b, k, rate) })
	}
}

func ack(b *testing.B, k hookSender, rate int) {
	h := serveHooks(b, 1, usual)
	body := []byte(strings.Replace(k.body, "{", `{"padding":"`+strings.Repeat("x", 20_000)+`",`, 1))
	took := make([]time.Duration, b.N)
	var wg sync.WaitGroup
	var failed sync.Map
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := range b.N {
		<-tick.C
		wg.Go(func() {
			body := body
			if k.mime != "application/json" { // Slack names no delivery: what it says makes it another
				body = []byte(strings.Replace(k.body, "U1", fmt.Sprint("U", i), 1))
			}
			header := k.sign(hookSecret, body, fmt.Sprint("d", i), false, time.Now())
			start := time.Now()
			if got, answer := h.post(0, h.urls[k.kind], k.mime, bytes.NewReader(body), header); got >= 300 || got == 0 {
				failed.Store(i, answer)
			}
			took[i] = time.Since(start)
		})
	}
	wg.Wait()
	failed.Range(func(_, answer any) bool { b.Errorf("not taken: %v", answer); return false })
	slices.Sort(took)
	at := func(p float64) float64 {
		return float64(took[int(math.Min(float64(len(took)-1), p*float64(len(took))))].Microseconds()) / 1000
	}
	b.ReportMetric(at(0.5), "p50-ms")
	b.ReportMetric(at(0.99), "p99-ms")
	b.ReportMetric(float64(rate), "sent/s")
	if b.N > 1 {
		if d, j := h.count(k.kind); d != b.N || j != b.N {
			b.Errorf("%d sent, %d kept, %d jobs", b.N, d, j)
		}
	}
}
