package waiver

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"defectdojo/gate"
	"defectdojo/gate/store"
	"defectdojo/policies"
	"defectdojo/policies/vex"
)

// Document is a VEX document that somebody brings.
type Document struct {
	ProductID int64
	Filename  string
	Content   []byte
	Trusted   bool // it holds by itself: what it says is not affected does not count
}

// AddVEX keeps a VEX document of a product.
func (d *Desk) AddVEX(ctx context.Context, a Actor, doc Document) (store.VEXDocument, error) {
	statements, err := vex.Read(doc.Content)
	if err != nil {
		return store.VEXDocument{}, err
	}
	if len(statements) == 0 {
		return store.VEXDocument{}, gate.FieldErrorf("document", "The document holds no statement.")
	}
	digest, err := hex.DecodeString(strings.TrimPrefix(policies.Digest(doc.Content), "sha256:"))
	if err != nil {
		return store.VEXDocument{}, err
	}
	packed, err := compress(doc.Content)
	if err != nil {
		return store.VEXDocument{}, err
	}
	var out store.VEXDocument
	err = d.vex(ctx, a, doc.ProductID, "add", func(s *store.Store) (int64, map[string]any, error) {
		id, err := s.AddVEXDocument(ctx, store.NewVEXDocument{
			ProductID: doc.ProductID, Digest: digest, Filename: doc.Filename, Format: format(doc.Content), Trusted: doc.Trusted, Content: packed,
			Statements: statements, AddedBy: a.Who.User.ID, Now: a.Now,
		})
		if err == nil {
			out, err = s.VEXDocument(ctx, gate.Scope{All: true}, id)
		}
		return id, map[string]any{"digest": policies.Digest(doc.Content), "trusted": doc.Trusted, "statements": len(statements)}, err
	})
	return out, err
}

// DeleteVEX removes a VEX document. Waivers that it supported lose it.
func (d *Desk) DeleteVEX(ctx context.Context, a Actor, doc store.VEXDocument) error {
	return d.vex(ctx, a, doc.ProductID, "delete", func(s *store.Store) (int64, map[string]any, error) {
		return doc.ID, map[string]any{"digest": "sha256:" + hex.EncodeToString(doc.Digest)}, s.DeleteVEXDocument(ctx, doc.ID)
	})
}

// vex changes VEX documents with their history, and tells of it.
func (d *Desk) vex(ctx context.Context, a Actor, product int64, action string, do func(s *store.Store) (int64, map[string]any, error)) error {
	return d.Store.Tx(ctx, func(s *store.Store, tx pgx.Tx) error {
		id, changes, err := do(s)
		if err != nil {
			return err
		}
		if err := s.AddAuditEvent(ctx, a.audit("vex_document", action, id, product, changes)); err != nil || d.Tell == nil {
			return err
		}
		return d.Tell(ctx, tx, gate.Event{Kind: gate.EventWaiver, At: a.Now, Action: "vex_" + action, ProductID: product, ActorID: a.Who.User.ID})
	})
}

// Formats are the forms in which ExportVEX writes.
var Formats = map[string]func([]gate.Waiver, []policies.Finding, vex.Author) ([]byte, error){"openvex": vex.OpenVEX, "cyclonedx": vex.CycloneDX}

// ExportVEX writes the approved waivers of a product as a VEX document.
func (d *Desk) ExportVEX(ctx context.Context, a Actor, product gate.Product, form, author string) ([]byte, error) {
	write, ok := Formats[form]
	if !ok {
		return nil, gate.FieldErrorf("format", "%q is not a format: use openvex or cyclonedx.", form)
	}
	rows, err := d.Store.JudgedWaivers(ctx, product.ID, a.Now)
	if err != nil {
		return nil, err
	}
	var approved []gate.Waiver
	for i := range rows {
		if rows[i].State == "approved" {
			approved = append(approved, rows[i].Waiver())
		}
	}
	found, err := d.Findings(ctx, product.ID, 0)
	if err != nil {
		return nil, err
	}
	return write(approved, found, vex.Author{Name: author, Product: product.Name, Now: a.Now})
}

// format tells the form of a document that vex.Read has read.
func format(content []byte) string {
	var head struct {
		Context   string `json:"@context"`
		BOMFormat string `json:"bomFormat"`
	}
	_ = json.Unmarshal(content, &head) // it has been read before
	switch {
	case head.BOMFormat != "":
		return "cyclonedx"
	case head.Context != "":
		return "openvex"
	}
	return "csaf"
}

func compress(b []byte) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	if _, err := z.Write(b); err != nil {
		return nil, err
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// VEXContent returns a document as it was brought.
func (d *Desk) VEXContent(ctx context.Context, id int64) ([]byte, error) {
	packed, err := d.Store.VEXContent(ctx, id)
	if err != nil {
		return nil, err
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(z)
}

// EvidenceOf is how a waiver names a document as its evidence.
func EvidenceOf(doc store.VEXDocument) string { return "sha256:" + hex.EncodeToString(doc.Digest) }

// Supported returns the waivers of a document's product that name it as their evidence.
func (d *Desk) Supported(ctx context.Context, doc store.VEXDocument) ([]store.Waiver, error) {
	l, err := d.Store.Waivers(ctx, store.WaiverFilter{Scope: gate.Scope{ProductIDs: []int64{doc.ProductID}}, Page: store.Page{Limit: 10_000}})
	if err != nil {
		return nil, err
	}
	name := EvidenceOf(doc)
	return slices.DeleteFunc(l.Rows, func(w store.Waiver) bool { return !slices.Contains(w.Document.Evidence, name) }), nil
}
