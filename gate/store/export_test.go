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
