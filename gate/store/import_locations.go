package store

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"golang.org/x/crypto/blake2b"
)

// Placement is a finding at an endpoint.
type Placement struct {
	FindingID int64
	Endpoint  string // canonical
}

// PlaceFindings records where findings are: it adds the locations that are not
// there, references from the findings, and the product's own reference.
func (s *Store) PlaceFindings(ctx context.Context, product int64, tags []string, places []Placement) error {
	if len(places) == 0 {
		return nil
	}
	ids, err := s.locations(ctx, tags, places)
	if err != nil {
		return err
	}
	type ref struct{ finding, location int64 }
	refs := make([]ref, 0, len(places))
	for _, p := range places {
		refs = append(refs, ref{p.FindingID, ids[p.Endpoint]})
	}
	slices.SortFunc(refs, func(a, b ref) int {
		if a.finding != b.finding {
			return int(a.finding - b.finding)
		}
		return int(a.location - b.location)
	})
	refs = slices.Compact(refs)
	findings, locations := make([]int64, len(refs)), make([]int64, len(refs))
	for i, r := range refs {
		findings[i], locations[i] = r.finding, r.location
	}
	if _, err := s.db.Exec(ctx, `
		insert into location_findings (finding_id, location_id)
		select * from unnest(@findings::bigint[], @locations::bigint[])
		on conflict (finding_id, location_id) do update set status = 'Active' where location_findings.status = 'Mitigated'`,
		pgx.NamedArgs{"findings": findings, "locations": locations}); err != nil {
		return err
	}
	_, err = s.db.Exec(ctx, `
		insert into location_products (location_id, product_id, status)
		select distinct l, @product::bigint, 'Active' from unnest(@locations::bigint[]) l order by l
		on conflict (location_id, product_id) do update set status = 'Active' where location_products.status <> 'Active'`,
		pgx.NamedArgs{"product": product, "locations": locations})
	return err
}

// locations returns the ids of the endpoints' locations, which it adds in the
// order of their identities, so that two imports never wait for each other in a circle.
func (s *Store) locations(ctx context.Context, tags []string, places []Placement) (map[string]int64, error) {
	endpoints := make([]string, 0, len(places))
	for _, p := range places {
		endpoints = append(endpoints, p.Endpoint)
	}
	slices.Sort(endpoints)
	endpoints = slices.Compact(endpoints)
	type location struct {
		endpoint string
		hash     [32]byte
	}
	all := make([]location, len(endpoints))
	for i, e := range endpoints {
		all[i] = location{e, blake2b.Sum256([]byte(e))}
	}
	slices.SortFunc(all, func(a, b location) int { return slices.Compare(a.hash[:], b.hash[:]) })

	n := len(all)
	hashes, values, protocols, users, hosts, paths, queries, fragments := make([][]byte, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	ports := make([]*int32, n)
	for i, l := range all {
		p := splitEndpoint(l.endpoint)
		hashes[i], values[i], protocols[i], users[i], hosts[i], ports[i], paths[i], queries[i], fragments[i] = l.hash[:], l.endpoint, p.protocol, p.user, p.host, p.port, p.path, p.query, p.fragment
	}
	if _, err := s.db.Exec(ctx, `
		insert into locations (location_type, location_value, identity_hash, protocol, user_info, host, port, path, query, fragment)
		select 'url', * from unnest(@values::text[], @hashes::bytea[], @protocols::text[], @users::text[], @hosts::text[], @ports::int[], @paths::text[], @queries::text[], @fragments::text[])
		on conflict (identity_hash) do nothing`, pgx.NamedArgs{
		"values": values, "hashes": hashes, "protocols": protocols, "users": users, "hosts": hosts, "ports": ports, "paths": paths, "queries": queries, "fragments": fragments,
	}); err != nil {
		return nil, err
	}
	type row struct {
		ID            int64
		LocationValue string
	}
	rows, err := many[row](ctx, s.db, `select id, location_value from locations where identity_hash = any(@hashes)`, pgx.NamedArgs{"hashes": hashes})
	if err != nil {
		return nil, err
	}
	ids := make(map[string]int64, len(rows))
	all2 := make([]int64, 0, len(rows))
	for _, r := range rows {
		ids[r.LocationValue] = r.ID
		all2 = append(all2, r.ID)
	}
	if len(tags) > 0 {
		_, err = s.db.Exec(ctx, `
			update locations set tags = (select array_agg(distinct t order by t) from unnest(tags || @tags::text[]) t)
			where id = any(@ids) and not tags @> @tags`, pgx.NamedArgs{"ids": all2, "tags": tags})
	}
	return ids, err
}

// MovePlaces makes places the only open ones of the findings, as their newest
// report has them. Places that somebody judged stay as they are.
func (s *Store) MovePlaces(ctx context.Context, product, user int64, findings []int64, places []Placement) error {
	ids, endpoints := make([]int64, len(places)), make([]string, len(places))
	for i, p := range places {
		ids[i], endpoints[i] = p.FindingID, p.Endpoint
	}
	if _, err := s.db.Exec(ctx, `
		update location_findings r set status = 'Mitigated', auditor_id = @user, audit_time = now()
		from locations l
		where l.id = r.location_id and r.finding_id = any(@findings) and r.status = 'Active'
		  and not exists (select from unnest(@ids::bigint[], @endpoints::text[]) p (finding, endpoint) where p.finding = r.finding_id and p.endpoint = l.location_value)`,
		pgx.NamedArgs{"findings": findings, "user": user, "ids": ids, "endpoints": endpoints}); err != nil {
		return err
	}
	return s.PlaceFindings(ctx, product, nil, places)
}

// SettleLocations makes a product's references to locations Active where one of
// its findings there is, and Mitigated elsewhere.
func (s *Store) SettleLocations(ctx context.Context, product int64) error {
	_, err := s.db.Exec(ctx, `
		update location_products p set status = 'Mitigated'
		where p.product_id = $1 and p.status = 'Active' and not exists (
			select from location_findings r join findings f on f.id = r.finding_id
			where r.location_id = p.location_id and f.product_id = $1 and r.status = 'Active')`, product)
	return err
}

// LocationValues returns the canonical endpoints of locations by id.
func (s *Store) LocationValues(ctx context.Context, ids []int64) ([]string, error) {
	return scalars[string](ctx, s.db, `select location_value from locations where id = any($1) order by id`, ids)
}

type endpointParts struct {
	protocol, user, host, path, query, fragment string
	port                                        *int32
}

// standardPorts are those that a canonical endpoint leaves out.
var standardPorts = map[string]int32{"http": 80, "https": 443, "ssh": 22, "sftp": 22, "ftp": 21, "telnet": 23, "smtp": 25, "ldap": 389, "ldaps": 636, "rtsp": 554}

func splitEndpoint(e string) endpointParts {
	raw := e
	if !strings.Contains(raw, "://") {
		raw = "//" + raw
	}
	u, err := url.Parse(raw)
	if err != nil {
		return endpointParts{host: e}
	}
	p := endpointParts{protocol: u.Scheme, host: u.Hostname(), path: strings.TrimPrefix(u.EscapedPath(), "/"), query: u.RawQuery, fragment: u.EscapedFragment()}
	if u.User != nil {
		p.user = u.User.String()
	}
	if n, err := strconv.Atoi(u.Port()); err == nil && n > 0 && n < 65536 {
		p.port = new(int32(n)) //nolint:gosec // checked
	} else if n, ok := standardPorts[u.Scheme]; ok {
		p.port = &n
	}
	return p
}
