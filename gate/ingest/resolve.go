package ingest

import (
	"context"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// Resolved is a Target that was looked up once: permission is checked on it,
// and the import acts on it and on nothing else. Zero ids are to be created.
type Resolved struct {
	ProductTypeID int64
	ProductID     int64
	EngagementID  int64
	TestID        int64
}

// Resolve looks a target up. What is missing is an error, unless it may be created.
func Resolve(ctx context.Context, s *store.Store, r Request) (Resolved, error) {
	t := r.Target
	switch {
	case r.Reimport && t.TestID != 0:
		return resolveTest(ctx, s, r)
	case t.EngagementID != 0 && !r.Reimport:
		return resolveEngagement(ctx, s, t)
	}
	return resolveNames(ctx, s, r)
}

func resolveTest(ctx context.Context, s *store.Store, r Request) (Resolved, error) {
	test, err := s.ImportTest(ctx, r.Target.TestID)
	if gate.KindOf(err) == gate.NotFound {
		return Resolved{}, gate.Errorf(gate.Invalid, "Test %q does not exist", idText(r.Target.TestID))
	}
	if err != nil {
		return Resolved{}, err
	}
	found := Resolved{ProductTypeID: test.ProdTypeID, ProductID: test.ProductID, EngagementID: test.EngagementID, TestID: test.ID}
	return found, consistent(test.ProductName, test.EngagementName, r.Target)
}

func resolveEngagement(ctx context.Context, s *store.Store, t Target) (Resolved, error) {
	e, err := s.ImportEngagement(ctx, t.EngagementID)
	if gate.KindOf(err) == gate.NotFound {
		return Resolved{}, gate.Errorf(gate.Invalid, "Engagement %q does not exist", idText(t.EngagementID))
	}
	if err != nil {
		return Resolved{}, err
	}
	return Resolved{ProductTypeID: e.ProdTypeID, ProductID: e.ProductID, EngagementID: e.ID}, consistent(e.ProductName, e.Name, t)
}

// consistent refuses names that contradict what the ids name.
func consistent(product, engagement string, t Target) error {
	if t.ProductName != "" && t.ProductName != product || t.EngagementName != "" && t.EngagementID != 0 && t.EngagementName != engagement {
		return gate.Errorf(gate.Invalid, "The provided identifiers are inconsistent — the engagement does not belong to the specified product.")
	}
	return nil
}

func resolveNames(ctx context.Context, s *store.Store, r Request) (Resolved, error) {
	t := r.Target
	switch {
	case t.ProductName == "" && t.EngagementName == "" && r.Reimport:
		return Resolved{}, gate.Errorf(gate.Invalid, "Need test_id or product_name + engagement_name + scan_type to perform reimport")
	case t.ProductName == "" && t.EngagementName == "":
		return Resolved{}, gate.Errorf(gate.Invalid, "Need engagement_id or product_name + engagement_name to perform import")
	case t.ProductName == "":
		return Resolved{}, gate.Errorf(gate.Invalid, "product_name parameter missing")
	case t.EngagementName == "":
		return Resolved{}, gate.Errorf(gate.Invalid, "engagement_name parameter missing")
	}
	p, err := s.ProductByName(ctx, t.ProductName)
	if gate.KindOf(err) == gate.NotFound {
		return resolveNewProduct(ctx, s, t)
	}
	if err != nil {
		return Resolved{}, err
	}
	if t.ProductTypeName != "" {
		pt, err := s.ProductType(ctx, gate.Scope{All: true}, p.ProdTypeID)
		if err != nil {
			return Resolved{}, err
		}
		if pt.Name != t.ProductTypeName {
			return Resolved{}, gate.Errorf(gate.Invalid, "The fetched product has a conflict with the supplied product type name: existing product type name - %s vs supplied product type name - %s", pt.Name, t.ProductTypeName)
		}
	}
	found := Resolved{ProductTypeID: p.ProdTypeID, ProductID: p.ID}
	if found.EngagementID, err = s.EngagementByName(ctx, p.ID, t.EngagementName); err != nil {
		return found, err
	}
	if found.EngagementID == 0 {
		if !t.AutoCreateContext {
			return found, gate.Errorf(gate.Invalid, "Engagement %q does not exist in Product %q", t.EngagementName, t.ProductName)
		}
		return found, nil
	}
	if !r.Reimport {
		return found, nil
	}
	if found.TestID, err = s.TestByScanType(ctx, found.EngagementID, r.ScanType, t.TestTitle, r.Line, text(r.BranchTag)); err != nil {
		return found, err
	}
	if found.TestID == 0 && !t.AutoCreateContext {
		if t.TestTitle != "" {
			return found, gate.Errorf(gate.Invalid, "Test %q with scan_type %q does not exist in Engagement %q", t.TestTitle, r.ScanType, t.EngagementName)
		}
		return found, gate.Errorf(gate.Invalid, "Test with scan_type %q does not exist in Engagement %q", r.ScanType, t.EngagementName)
	}
	return found, nil
}

// defaultProductType is where products belong that are created without a type:
// the one that DefectDojo's clients take to be there.
const defaultProductType = 1

// resolveNewProduct is for a product name that is not there yet.
func resolveNewProduct(ctx context.Context, s *store.Store, t Target) (Resolved, error) {
	if !t.AutoCreateContext {
		if t.ProductTypeName != "" {
			return Resolved{}, gate.Errorf(gate.Invalid, "Product %q does not exist in Product_Type %q", t.ProductName, t.ProductTypeName)
		}
		return Resolved{}, gate.Errorf(gate.Invalid, "Product %q does not exist", t.ProductName)
	}
	if t.ProductTypeName == "" {
		// DefectDojo refuses here. A first report should not fail for want of a
		// name that the pipeline does not care about.
		return Resolved{ProductTypeID: defaultProductType}, nil
	}
	pt, err := s.ProductTypeByName(ctx, t.ProductTypeName)
	if gate.KindOf(err) == gate.NotFound {
		return Resolved{}, nil
	}
	return Resolved{ProductTypeID: pt.ID}, err
}
