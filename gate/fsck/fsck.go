// Package fsck checks that what is stored agrees with itself: the invariants
// that must hold whatever died when.
package fsck

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"

	"gocloud.dev/blob"

	"defectdojo/gate"
	"defectdojo/gate/dedup"
	"defectdojo/gate/ingest"
	"defectdojo/gate/store"
	"defectdojo/gate/verdict"
)

// Checker checks one installation.
type Checker struct {
	Store *store.Store
	Blobs *blob.Bucket
	Judge *verdict.Judge

	Verdicts int // how many of the newest verdicts are judged again; default 100
}

// Check calls found for each flaw, and returns the names of what it checked.
func (c *Checker) Check(ctx context.Context, found func(store.Flaw)) ([]string, error) {
	flaws, err := c.Store.Flaws(ctx)
	if err != nil {
		return nil, fmt.Errorf("check the database: %w", err)
	}
	for _, f := range flaws {
		found(f)
	}
	rules := store.FlawRules()
	for _, check := range []struct {
		rule string
		do   func(context.Context, func(string)) error
	}{
		{"no two open findings of a test are the same", c.twins},
		{"every report that was kept is there, byte for byte", c.artifacts},
		{"a verdict is what its kept inputs give", c.verdicts},
	} {
		if err := check.do(ctx, func(what string) { found(store.Flaw{Rule: check.rule, What: what}) }); err != nil {
			return rules, err
		}
		rules = append(rules, check.rule)
	}
	return rules, nil
}

// twins looks at scan types whose algorithm takes equal hashes for one finding.
func (c *Checker) twins(ctx context.Context, found func(string)) error {
	list, err := c.Store.Twins(ctx)
	if err != nil {
		return err
	}
	for _, t := range list {
		s, err := ingest.Settings(ctx, c.Store, t.ScanType)
		if err != nil {
			return err
		}
		if s.Algorithm == dedup.HashCode || s.Algorithm == dedup.UniqueIDOrHashCode {
			found(fmt.Sprintf("findings %v of test %d are the same", t.IDs, t.TestID))
		}
	}
	return nil
}

// pageSize is how many reports are looked up at once.
const pageSize = 500

func (c *Checker) artifacts(ctx context.Context, found func(string)) error {
	for after := int64(0); ; {
		page, err := c.Store.Artifacts(ctx, after, pageSize)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, a := range page {
			after = a.ID
			if err := c.artifact(ctx, a); err != nil {
				found(fmt.Sprintf("report %d: %v", a.ID, err))
			}
		}
	}
}

func (c *Checker) artifact(ctx context.Context, a store.Artifact) error {
	r, err := c.Blobs.NewReader(ctx, ingest.BlobKey(a.SHA256), nil)
	if err != nil {
		return err
	}
	defer r.Close()
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return err
	}
	if got := h.Sum(nil); !bytes.Equal(got, a.SHA256) {
		return fmt.Errorf("its SHA-256 is %x, not %x", got, a.SHA256)
	}
	return nil
}

func (c *Checker) verdicts(ctx context.Context, found func(string)) error {
	n := c.Verdicts
	if n == 0 {
		n = 100
	}
	ids, err := c.Store.NewestVerdicts(ctx, n)
	if err != nil {
		return err
	}
	for _, id := range ids {
		kept, again, err := c.Judge.Replay(ctx, gate.Scope{All: true}, id)
		if err != nil {
			found(fmt.Sprintf("verdict %d: %v", id, err))
			continue
		}
		want, err := json.Marshal(kept)
		if err != nil {
			return err
		}
		got, err := json.Marshal(again)
		if err != nil {
			return err
		}
		if !bytes.Equal(want, got) {
			found(fmt.Sprintf("verdict %d: judged again it is %s, not %s", id, again.Overall, kept.Overall))
		}
	}
	return nil
}
