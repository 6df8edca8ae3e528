package ingest

import (
	"context"
	"errors"
	"io"
	"strings"

	"defectdojo/gate"
	"defectdojo/parsers"
	"defectdojo/parsers/all"
)

// looksLike adds to why a report could not be read which scan type it may be of,
// if it does not look like one of the type that was named.
func (i *Importer) looksLike(ctx context.Context, r Request, cause error) error {
	e, ok := errors.AsType[*gate.Error](cause)
	if !ok || e.Kind != gate.Invalid || r.Report.Content == nil {
		return cause
	}
	if _, err := r.Report.Content.Seek(0, io.SeekStart); err != nil {
		return cause
	}
	sample, err := parsers.NewSample(ctx, r.Report.Content, i.Limits)
	if err != nil {
		return cause
	}
	var names []string
	for _, c := range parsers.Detect(all.Parsers, sample) {
		if c.Parser.ScanType == r.ScanType {
			return cause // it does: something in it is wrong
		}
		if c.Likeness >= parsers.Likely && len(names) < 3 {
			names = append(names, `"`+c.Parser.ScanType+`"`)
		}
	}
	if len(names) == 0 {
		return cause
	}
	better := *e
	better.Message += "; it looks like a report of " + strings.Join(names, " or ")
	return &better
}
