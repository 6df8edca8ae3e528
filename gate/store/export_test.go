package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"defectdojo/gate"
)

// TryFindingFilters runs every filter and every order of findings once.
func (s *Store) TryFindingFilters(ctx context.Context) error {
	now := time.Now()
	one := 1.0
	var errs []error
	try := func(name string, f FindingFilter) {
		f.Scope = gate.Scope{All: true}
		if _, err := s.Findings(ctx, f); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	for n := range findingFlags {
		try(n, FindingFilter{Flags: map[string]bool{n: true}})
		try(n, FindingFilter{Flags: map[string]bool{n: false}})
	}
	for n := range findingTexts {
		try(n, FindingFilter{Contains: map[string]string{n: "x"}})
		try(n, FindingFilter{Exact: map[string]string{n: "x"}})
	}
	for n := range findingNumbers {
		try(n, FindingFilter{In: map[string][]int64{n: {1}}})
	}
	for n := range findingTimes {
		try(n, FindingFilter{Times: map[string]Range{n: {From: &now, To: &now}}})
	}
	for n := range findingRanges {
		try(n, FindingFilter{Ranges: map[string]NumberRange{n: {Min: &one, Max: &one}}})
	}
	for n := range findingOrders {
		try(n, FindingFilter{Page: Page{Order: []string{n, "-" + n}}})
	}
	return errors.Join(errs...)
}

// TryFilters runs every filter and every order of products, engagements and
// tests once.
func (s *Store) TryFilters(ctx context.Context) error {
	now, yes := time.Now(), true
	all := gate.Scope{All: true}
	tags := TagFilter{Contains: "x", NotContains: "y", Any: []string{"a"}, All: []string{"b"}, None: []string{"c"}, Has: &yes}
	when := Range{From: &now, To: &now}
	var errs []error
	try := func(name string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	products := func(name string, f ProductFilter) {
		f.Scope = all
		_, err := s.Products(ctx, f)
		try("products "+name, err)
	}
	engagements := func(name string, f EngagementFilter) {
		f.Scope = all
		_, err := s.Engagements(ctx, f)
		try("engagements "+name, err)
	}
	tests := func(name string, f TestFilter) { f.Scope = all; _, err := s.Tests(ctx, f); try("tests "+name, err) }
	for n := range productFlags {
		products(n, ProductFilter{Flags: map[string]bool{n: true}})
	}
	for n := range productTexts {
		products(n, ProductFilter{Contains: map[string]string{n: "x"}, Exact: map[string]string{n: "x"}})
	}
	for n := range productNumbers {
		products(n, ProductFilter{In: map[string][]int64{n: {1}}})
	}
	for n := range productWords {
		products(n, ProductFilter{OneOf: map[string][]string{n: {"x"}}})
	}
	for n := range productTimes {
		products(n, ProductFilter{Times: map[string]Range{n: when}})
	}
	for n := range productOrders {
		products(n, ProductFilter{Page: Page{Order: []string{n, "-" + n}}})
	}
	products("tags", ProductFilter{Tags: tags})
	for n := range engagementFlags {
		engagements(n, EngagementFilter{Flags: map[string]bool{n: false}})
	}
	for n := range engagementNumbers {
		engagements(n, EngagementFilter{In: map[string][]int64{n: {1}}})
	}
	for n := range engagementWords {
		engagements(n, EngagementFilter{OneOf: map[string][]string{n: {"x"}}})
	}
	for n := range engagementTimes {
		engagements(n, EngagementFilter{Times: map[string]Range{n: when}})
	}
	for n := range engagementOrders {
		engagements(n, EngagementFilter{Page: Page{Order: []string{n, "-" + n}}})
	}
	engagements("tags", EngagementFilter{Tags: tags, ProductTags: tags})
	for n := range testNumbers {
		tests(n, TestFilter{In: map[string][]int64{n: {1}}})
	}
	for n := range testWords {
		tests(n, TestFilter{OneOf: map[string][]string{n: {"x"}}})
	}
	for n := range testTimes {
		tests(n, TestFilter{Times: map[string]Range{n: when}})
	}
	for n := range testOrders {
		tests(n, TestFilter{Page: Page{Order: []string{n, "-" + n}}})
	}
	tests("tags", TestFilter{Tags: tags, EngagementTags: tags, ProductTags: tags})
	for n := range userOrders {
		_, err := s.Users(ctx, UserFilter{Page: Page{Order: []string{n, "-" + n}}})
		try("users "+n, err)
	}
	for kind := range lookups {
		_, err := s.Exists(ctx, kind, 1)
		try("exists "+kind, err)
	}
	for kind := range lockable {
		if err := s.Lock(ctx, kind, 1); gate.KindOf(err) != gate.NotFound {
			try("lock "+kind, err)
		}
	}
	return errors.Join(errs...)
}
