package notification

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/jobs"
	"defectdojo/gate/store"
)

// planning is what is known while a notice is planned.
type planning struct {
	*Notifier
	tx          pgx.Tx
	store       *store.Store
	notice      Notice
	id          int64
	now         time.Time
	directory   Directory
	connections []connection
	products    map[int64]store.ConnectionProduct // by connection
	hooks       bool                              // there are webhooks
}

// connection is one with its settings read.
type connection struct {
	store.Connection

	Settings Settings
}

// planning looks up who there is, and over what they can be told.
func (n *Notifier) planning(ctx context.Context, tx pgx.Tx, notice Notice, id int64) (*planning, error) {
	p := &planning{Notifier: n, tx: tx, store: store.In(tx), notice: notice, id: id, now: n.Now(), products: map[int64]store.ConnectionProduct{}}
	var product, productType int64
	if notice.Product != nil {
		product = notice.Product.ID
	}
	if notice.ProductType != nil {
		productType = notice.ProductType.ID
	}
	system, err := p.store.NotificationRowOf(ctx, nil, nil, false)
	switch {
	case err == nil:
		p.directory.System = &system
	case gate.KindOf(err) != gate.NotFound:
		return p, err
	}
	addressees, err := p.store.Addressees(ctx, product, productType, notice.To)
	if err != nil {
		return p, err
	}
	for _, a := range addressees {
		p.directory.People = append(p.directory.People, memberOf(a))
	}
	if p.connections, err = connections(ctx, p.store); err != nil {
		return p, err
	}
	if product != 0 {
		places, err := p.store.ProductConnections(ctx, product)
		if err != nil {
			return p, err
		}
		for _, c := range places {
			p.products[c.ConnectionID] = c
		}
	}
	hooks, err := p.store.NotificationWebhooks(ctx, store.Page{Limit: 1})
	p.hooks = hooks.Count > 0
	return p, err
}

func memberOf(a store.Addressee) Member {
	m := Member{ID: a.ID, Superuser: a.Superuser, Sees: a.Sees}
	for i, row := range a.Rows {
		if row.ProductID == nil {
			m.Global = &a.Rows[i]
		} else {
			m.Product = &a.Rows[i]
		}
	}
	return m
}

// kinds are the connections' words for channels.
var kinds = map[Channel]string{Slack: "slack", Teams: "msteams", Mail: "mail"}

// connections returns those of channels that are switched on.
func connections(ctx context.Context, s *store.Store) ([]connection, error) {
	rows, err := s.Connections(ctx, "slack", "msteams", "mail")
	var out []connection
	for _, r := range rows {
		if !r.Enabled {
			continue
		}
		settings, err := ReadSettings(r)
		if err != nil {
			return nil, err
		}
		out = append(out, connection{r, settings})
	}
	return out, err
}

// open tells whether a channel is set up.
func (p *planning) open(c Channel) bool {
	if c == Webhooks {
		return p.hooks
	}
	return slices.ContainsFunc(p.connections, func(x connection) bool { return x.Kind == kinds[c] })
}

// deliver plans one delivery.
func (p *planning) deliver(ctx context.Context, d Delivery) error {
	switch {
	case d.Channel == Alert:
		return p.alert(ctx, d.User)
	case d.Channel == Webhooks:
		return p.post(ctx, d.User)
	case d.User == 0:
		return p.broadcast(ctx, d.Channel)
	default:
		return p.person(ctx, d.Channel, d.User)
	}
}

// alertLengths are DefectDojo's.
const (
	alertTitle = 250
	alertText  = 2000
)

func (p *planning) alert(ctx context.Context, user int64) error {
	return p.store.AddAlert(ctx, store.Alert{
		UserID: orNil(user), Event: p.notice.Event, Title: clip(p.notice.Title, alertTitle), Description: clip(p.notice.Description, alertText),
		URL: p.notice.Path, Source: p.notice.Event, Icon: "info-circle", Created: p.now,
	})
}

func orNil(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// post plans what goes to the webhooks of a user, or to the system's.
func (p *planning) post(ctx context.Context, user int64) error {
	hooks, err := p.store.WebhooksOf(ctx, orNil(user))
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if err := p.queue(ctx, store.NoticeDelivery{Channel: string(Webhooks), Target: h.ID, UserID: orNil(user)}, 0); err != nil {
			return err
		}
	}
	return nil
}

// broadcast plans what goes to the channels of the system: each connection has
// its own, and may have another for the product.
func (p *planning) broadcast(ctx context.Context, c Channel) error {
	for _, x := range p.connections {
		if x.Kind != kinds[c] || !x.Settings.takes(p.notice) {
			continue
		}
		address, floor, digest := x.Settings.Address, x.Settings.MinSeverity, x.Settings.DigestMinutes
		if own, ok := p.products[x.ID]; ok {
			address, floor, digest = own.Address, own.MinSeverity, own.DigestMinutes
		}
		if !p.notice.reaches(floor) {
			continue
		}
		for _, a := range addresses(c, address) {
			if err := p.queue(ctx, store.NoticeDelivery{Channel: string(c), Target: x.ID, Address: a}, digest); err != nil {
				return err
			}
		}
	}
	return nil
}

// addresses returns where a broadcast goes: mail can have several. An incoming
// webhook has its place in its own address.
func addresses(c Channel, text string) []string {
	if c != Mail {
		return []string{text}
	}
	var out []string
	for a := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' }) {
		out = append(out, a)
	}
	return out
}

// person plans what goes to one user over the first connection that reaches people.
func (p *planning) person(ctx context.Context, c Channel, user int64) error {
	for _, x := range p.connections {
		if x.Kind != kinds[c] || c == Slack && x.Settings.Webhook {
			continue
		}
		return p.queue(ctx, store.NoticeDelivery{Channel: string(c), Target: x.ID, UserID: &user}, 0)
	}
	return nil
}

// ownersAreTold are the events of which the owners of a product are told in
// Slack, where a connection says so.
var ownersAreTold = []string{ScanAdded, VerdictChanged, SLABreach, SLABreachCombined}

// tellOwners plans direct messages to the people who answer for the product.
func (p *planning) tellOwners(ctx context.Context) error {
	if p.notice.Product == nil || !slices.Contains(ownersAreTold, p.notice.Event) {
		return nil
	}
	var engagement int64
	if p.notice.Engagement != nil {
		engagement = p.notice.Engagement.ID
	}
	for _, x := range p.connections {
		if x.Kind != kinds[Slack] || x.Settings.Webhook || !x.Settings.TellOwners || !x.Settings.takes(p.notice) || !p.notice.reaches(x.Settings.MinSeverity) {
			continue
		}
		place, err := p.store.NoticePlace(ctx, p.notice.Product.ID, engagement, 0)
		if err != nil {
			return err
		}
		owners := place.Owners
		if place.EngagementLead != nil {
			owners = append(owners, *place.EngagementLead)
		}
		active, err := p.store.Addressees(ctx, p.notice.Product.ID, 0, owners)
		if err != nil {
			return err
		}
		for _, a := range active {
			if !a.Sees || !slices.Contains(owners, a.ID) {
				continue
			}
			if err := p.queue(ctx, store.NoticeDelivery{Channel: string(Slack), Target: x.ID, UserID: &a.ID}, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// work is the body of a job that sends.
type work struct {
	Delivery int64 `json:"delivery,omitempty"`
	Digest   int64 `json:"digest,omitempty"`
}

// queue plans a delivery and its job: alone, or with all of its address that
// come within some minutes.
func (p *planning) queue(ctx context.Context, d store.NoticeDelivery, minutes int) error {
	d.PublicID, d.NoticeID, d.State, d.Created = strings.ToLower(rand.Text()), p.id, "queued", p.now
	if minutes > 0 {
		return p.hold(ctx, d, time.Duration(minutes)*time.Minute)
	}
	id, err := p.store.AddNoticeDelivery(ctx, d)
	if err != nil || id == 0 {
		return err
	}
	return p.Enqueue(ctx, p.tx, jobs.Send{Channel: d.Channel, Body: work{Delivery: id}})
}

// hold plans a delivery for the digest of the window that now is in.
func (p *planning) hold(ctx context.Context, d store.NoticeDelivery, window time.Duration) error {
	due := p.now.Truncate(window).Add(window)
	id, added, err := p.store.DigestOf(ctx, d.Target, d.Address, due)
	if err != nil {
		return err
	}
	d.State, d.DigestID = "held", &id
	if _, err := p.store.AddNoticeDelivery(ctx, d); err != nil || !added {
		return err
	}
	return p.Enqueue(ctx, p.tx, jobs.Send{Channel: d.Channel, Body: work{Digest: id}, At: due.Add(digestGrace)})
}

// digestGrace is how long after a window's end its digest is made: transactions
// that began in it may still end.
const digestGrace = 5 * time.Second
