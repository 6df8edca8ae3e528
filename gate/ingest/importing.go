package ingest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/evidence"
	"defectdojo/gate/fault"
	"defectdojo/gate/store"
	"defectdojo/parsers"
)

// importing is one import in its transaction.
type importing struct {
	*Importer
	store    *store.Store
	request  Request
	parser   parsers.Parser
	settings dedup.Settings
	now      time.Time

	test           store.ImportTarget
	origin         store.Origin
	isNew          bool // the test is created by this import
	compare        bool // there are findings that those of the report may be duplicates of
	extraEndpoints []string

	storing *task   // the chunk before, which the database takes while the next is made ready: no statement before it ends
	free    []int64 // ids of findings to come

	index   *index   // the findings of the test, and those added
	origins *origins // those added that may have duplicates
	replace map[int64]replacement

	hashes    map[[32]byte]bool // of the report's open findings, if old ones of other tests are to be closed
	uniqueIDs map[string]bool

	before Statistics
	after  Statistics
	delta  Delta
	ids    map[bucket][]int64
	groups []store.Grouping
	extras extras
	notes  []string
}

// replacement is a twin to be stored instead of the one that was.
type replacement struct{ item item }

// extras is what new findings bring beside their row.
type extras struct {
	places    []store.Placement
	exchanges []store.Exchange
	files     []store.Attachment
}

// run does the import.
func (m *importing) run(ctx context.Context, to Resolved) (Result, error) {
	r := m.request
	sum := digest(r)
	if done, err := m.answered(ctx, sum); done != nil || err != nil {
		return deref(done), err
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := m.context(ctx, to); err != nil {
		return Result{}, err
	}
	// Again, now that others who import into this product have finished.
	if done, err := m.answered(ctx, sum); done != nil || err != nil {
		return deref(done), err
	}
	var err error
	if m.extraEndpoints, err = m.store.LocationValues(ctx, r.EndpointsToAdd); err != nil {
		return Result{}, err
	}
	in := m.read(ctx)
	defer func() { // the last statement must have ended before the transaction does, and the reader before the report is closed
		_ = m.storing.wait()
		stop()
		for range in.chunks {
		}
	}()
	first, ok := <-in.chunks
	if !ok && in.err != nil {
		return Result{}, in.err
	}
	if err := m.ensureTest(ctx, in, !ok); err != nil {
		return Result{}, err
	}
	if r.Sequence > 0 && r.Sequence < m.test.Sequence {
		return m.superseded(ctx, sum)
	}
	if err := m.load(ctx); err != nil {
		return Result{}, err
	}
	for chunk := first; ok; chunk, ok = <-in.chunks {
		if err := m.take(ctx, chunk); err != nil {
			return Result{}, err
		}
		fault.Point(fault.Copying)
	}
	if err := errors.Join(in.err, m.storing.wait()); err != nil {
		return Result{}, err
	}
	fault.Point(fault.Parsed)
	if err := m.finish(ctx, in); err != nil {
		return Result{}, err
	}
	return m.record(ctx, in, sum)
}

func deref(r *Result) Result {
	if r == nil {
		return Result{}
	}
	return *r
}

// answered returns the answer to an earlier request with the same idempotency key.
func (m *importing) answered(ctx context.Context, sum []byte) (*Result, error) {
	if m.request.IdempotencyKey == "" {
		return nil, nil //nolint:nilnil // nothing to answer, and nothing wrong
	}
	a, err := m.store.AnsweredImport(ctx, m.request.IdempotencyKey)
	if gate.KindOf(err) == gate.NotFound {
		return nil, nil //nolint:nilnil // as above
	}
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(a.RequestSHA256, sum) {
		return nil, gate.Errorf(gate.Conflict, "the idempotency key was used for another report or with other parameters")
	}
	result := Result{Replayed: true}
	return &result, json.Unmarshal(a.Response, &result)
}

// context makes product and engagement be there and locks the product.
func (m *importing) context(ctx context.Context, to Resolved) error {
	t := m.request.Target
	var err error
	if to.ProductTypeID == 0 && to.ProductID == 0 {
		if to.ProductTypeID, err = m.store.EnsureProductType(ctx, t.ProductTypeName); err != nil {
			return err
		}
	}
	if to.ProductID == 0 {
		if to.ProductID, err = m.store.EnsureProduct(ctx, t.ProductName, to.ProductTypeID); err != nil {
			return err
		}
	}
	if err := m.store.LockProduct(ctx, to.ProductID); err != nil {
		return err
	}
	fault.Point(fault.Locked)
	if err := catchUp(ctx, m.store, to.ProductID, m.parser.ScanType); err != nil {
		return err
	}
	if m.settings, err = Settings(ctx, m.store, m.parser.ScanType); err != nil {
		return err
	}
	m.test.ProductID = to.ProductID
	if m.test.EngagementID = to.EngagementID; m.test.EngagementID == 0 {
		// Another import may have created it while this one waited.
		if m.test.EngagementID, err = m.store.EngagementByName(ctx, to.ProductID, t.EngagementName); err != nil {
			return err
		}
	}
	if m.test.EngagementID == 0 {
		if m.test.EngagementID, err = m.addEngagement(ctx); err != nil {
			return err
		}
	}
	if m.test.ID = to.TestID; m.test.ID == 0 && m.request.Reimport {
		m.test.ID, err = m.store.TestByScanType(ctx, m.test.EngagementID, m.request.ScanType, t.TestTitle, m.request.Line, text(m.request.BranchTag))
	}
	return err
}

func (m *importing) addEngagement(ctx context.Context) (int64, error) {
	t, today := m.request.Target, gate.DateOf(m.now)
	end := t.EngagementEndDate
	if end.IsZero() || end.Before(today) {
		end = today.AddDays(365)
	}
	return m.store.AddCIEngagement(ctx, store.NewEngagement{
		ProductID: m.test.ProductID, Name: t.EngagementName, LeadID: m.request.User.ID, Start: today.Time(), End: end.Time(),
		DeduplicationOnEngagement: t.DeduplicationOnEngagement, SourceCodeManagementURI: t.SourceCodeManagementURI,
		Version: text(m.request.Version), BuildID: text(m.request.BuildID), CommitHash: text(m.request.CommitHash), BranchTag: text(m.request.BranchTag),
	})
}

func text(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// ensureTest makes the test be there, now that the report's first run is known.
func (m *importing) ensureTest(ctx context.Context, in *reading, ended bool) error {
	r := m.request
	name := m.parser.ScanType
	var first gate.Run
	if ended && len(in.runs) > 0 {
		first = in.runs[0]
	} else {
		first = in.firstRun
	}
	name = evidence.TestType(name, first.Type)
	if m.test.ID != 0 {
		return m.knownTest(ctx, name)
	}
	m.isNew = true
	typeID, err := m.store.EnsureTestType(ctx, name)
	if err != nil {
		return err
	}
	environment := r.Environment
	if environment == "" {
		environment = "Development"
	}
	environmentID, err := m.store.EnvironmentID(ctx, environment, r.Target.AutoCreateContext)
	if err != nil {
		return err
	}
	lead := r.LeadID
	if lead == nil {
		lead = &r.User.ID
	}
	m.test.ID, err = m.store.AddTest(ctx, store.NewTest{
		EngagementID: m.test.EngagementID, ProductID: m.test.ProductID, TestTypeID: typeID, ScanType: m.parser.ScanType, Title: testTitle(r), Description: first.Description,
		LeadID: lead, EnvironmentID: environmentID, At: m.scanTime(), Version: firstText(r.Version, first.Version), BuildID: r.BuildID, CommitHash: r.CommitHash, BranchTag: r.BranchTag,
		APIScanConfigurationID: r.APIScanConfigurationID, Tags: evidence.CleanTags(r.Tags), Line: r.Line,
	})
	if err != nil {
		return err
	}
	return m.target(ctx)
}

// testTitle tells people the tests of pull requests apart where nobody named them.
func testTitle(r Request) string {
	if r.Target.TestTitle == "" && r.Line.IsPull() {
		return r.Line.String()
	}
	return r.Target.TestTitle
}

// firstText returns what the caller said, else what the report says, else nil.
func firstText(s *string, report string) *string {
	if s != nil && *s != "" || report == "" {
		return s
	}
	return &report
}

// knownTest checks that the report's type fits the test that is there.
func (m *importing) knownTest(ctx context.Context, name string) error {
	if err := m.target(ctx); err != nil {
		return err
	}
	if has := m.test.TestTypeName; has != name && has != m.parser.ScanType && m.test.ScanType != m.parser.ScanType {
		return gate.Errorf(gate.Invalid, "the test is of type %q: a report of %q cannot be imported into it", has, name)
	}
	return nil
}

func (m *importing) target(ctx context.Context) error {
	var err error
	if m.test, err = m.store.ImportTest(ctx, m.test.ID); err != nil {
		return err
	}
	m.origin = store.Origin{
		TestID: m.test.ID, EngagementID: m.test.EngagementID, ProductID: m.test.ProductID, TestTypeID: m.test.TestTypeID,
		ReporterID: m.request.User.ID, Now: m.now, HashVersion: dedup.HashVersion,
	}
	if m.test.TagInheritance {
		m.origin.InheritedTags = m.test.ProductTags
	}
	return nil
}

// scanTime is when the scan was: the day that the caller said, or now.
func (m *importing) scanTime() time.Time {
	if d := m.request.ScanDate; !d.IsZero() {
		return d.Time()
	}
	return m.now
}

// load reads what is there already.
func (m *importing) load(ctx context.Context) error {
	m.index, m.origins = newIndex(m.settings.Algorithm), newOrigins()
	m.replace, m.ids = map[int64]replacement{}, map[bucket][]int64{}
	m.hashes, m.uniqueIDs = map[[32]byte]bool{}, map[string]bool{}
	var err error
	if m.compare, err = m.store.HasFindings(ctx, m.test.ProductID, m.test.ID); err != nil || m.isNew {
		return err
	}
	// By the other algorithms, whatever a finding of the test could be the
	// original of is that finding, met again.
	m.compare = m.compare || m.settings.Algorithm == dedup.Legacy
	for k, err := range m.store.TestFindings(ctx, m.test.ID, m.settings.Algorithm == dedup.Legacy) {
		if err != nil {
			return err
		}
		m.before.count(k.Severity, k.Flags)
		m.index.add(tracked{Known: k})
	}
	return nil
}

// finish does what can be done only once the whole report is known.
func (m *importing) finish(ctx context.Context, in *reading) error {
	for _, step := range []func(context.Context) error{m.replaceTwins, m.storeExtras, m.group} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	if err := m.closeOld(ctx, in); err != nil {
		return err
	}
	if err := m.inventory(ctx, in.components); err != nil {
		return err
	}
	if tags := evidence.CleanTags(m.request.Tags); m.request.ApplyTagsToFindings && len(tags) > 0 {
		if err := m.store.TagFindings(ctx, slices.Concat(m.ids[reactivated], m.ids[untouched]), tags); err != nil {
			return err
		}
	}
	if len(m.ids[closed]) > 0 {
		if err := m.store.SettleLocations(ctx, m.test.ProductID); err != nil {
			return err
		}
	}
	var tags []string
	if m.request.Tags != nil {
		tags = evidence.CleanTags(m.request.Tags)
	}
	return m.store.UpdateTest(ctx, store.TestUpdate{
		TestID: m.test.ID, EngagementID: m.test.EngagementID, At: m.scanTime(), Version: m.request.Version, BuildID: m.request.BuildID,
		CommitHash: m.request.CommitHash, BranchTag: m.request.BranchTag, Tags: tags, Sequence: m.request.Sequence, ComponentsDigest: m.test.ComponentsDigest,
		Line: m.request.Line,
	})
}
