package web

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gofiber/fiber/v2"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// exportTime is how long an export may take.
const exportTime = 10 * time.Minute

// exported is a finding in a file, under the names of DefectDojo's API.
type exported struct {
	ID               int64         `json:"id"`
	Title            string        `json:"title"`
	Severity         gate.Severity `json:"severity"`
	Status           string        `json:"status"`
	Active           bool          `json:"active"`
	Verified         bool          `json:"verified"`
	Product          string        `json:"product_name"`
	TestID           int64         `json:"test"`
	Scanner          string        `json:"test_type"`
	VulnerabilityIDs []string      `json:"vulnerability_ids"`
	CWE              *int32        `json:"cwe"`
	FilePath         *string       `json:"file_path"`
	Line             *int32        `json:"line"`
	ComponentName    *string       `json:"component_name"`
	ComponentVersion *string       `json:"component_version"`
	FixAvailable     *bool         `json:"fix_available"`
	FixVersion       *string       `json:"fix_version"`
	Endpoint         *string       `json:"endpoint"`
	Service          *string       `json:"service"`
	EPSSScore        *float64      `json:"epss_score"`
	KnownExploited   bool          `json:"known_exploited"`
	Date             string        `json:"date"`
	SLA              string        `json:"sla_expiration_date"`
	Mitigated        string        `json:"mitigated"`
	Assignee         *string       `json:"assignee"`
	Tags             []string      `json:"tags"`
	URL              string        `json:"url"`
}

func (w *web) exported(r store.FindingRow) exported {
	return exported{
		r.ID, r.Title, r.Severity, r.Status(), r.Active, r.Verified, r.Product, r.TestID, r.Scanner, r.VulnerabilityIDs, r.CWE, r.FilePath, r.Line,
		r.ComponentName, r.ComponentVersion, r.FixAvailable, r.FixVersion, r.Endpoint, r.Service, r.EPSSScore, r.KnownExploited,
		isoDay(&r.Date), isoDay(r.SLAExpirationDate), isoDay(r.Mitigated), r.Assignee, r.Tags, w.SiteURL + "/findings/" + strconv.FormatInt(r.ID, 10),
	}
}

var csvHead = []string{
	"id", "title", "severity", "status", "active", "verified", "product_name", "test", "test_type", "vulnerability_ids", "cwe", "file_path", "line",
	"component_name", "component_version", "fix_available", "fix_version", "endpoint", "service", "epss_score", "known_exploited",
	"date", "sla_expiration_date", "mitigated", "assignee", "tags", "url",
}

func (e exported) csv() []string {
	return []string{
		strconv.FormatInt(e.ID, 10), cell(e.Title), e.Severity.String(), e.Status, strconv.FormatBool(e.Active), strconv.FormatBool(e.Verified),
		cell(e.Product), strconv.FormatInt(e.TestID, 10), cell(e.Scanner), cell(strings.Join(e.VulnerabilityIDs, " ")), optional(e.CWE), optional(e.FilePath),
		optional(e.Line), optional(e.ComponentName), optional(e.ComponentVersion), optional(e.FixAvailable), optional(e.FixVersion), optional(e.Endpoint),
		optional(e.Service), optional(e.EPSSScore), strconv.FormatBool(e.KnownExploited), e.Date, e.SLA, e.Mitigated, optional(e.Assignee),
		cell(strings.Join(e.Tags, " ")), e.URL,
	}
}

// findingsCSV serves GET /findings.csv.
func (w *web) findingsCSV(v *visit) error {
	return w.export(v, "csv", "text/csv; charset=utf-8", func(out io.Writer, each func(func(exported) error) error) error {
		c := csv.NewWriter(out)
		if err := c.Write(csvHead); err != nil {
			return err
		}
		if err := each(func(e exported) error { return c.Write(e.csv()) }); err != nil {
			return err
		}
		c.Flush()
		return c.Error()
	})
}

// findingsJSON serves GET /findings.json: an array, one finding a line.
func (w *web) findingsJSON(v *visit) error {
	return w.export(v, "json", fiber.MIMEApplicationJSON, func(out io.Writer, each func(func(exported) error) error) error {
		between := "[\n"
		err := each(func(e exported) error {
			b, err := json.Marshal(e)
			if err == nil {
				_, err = io.WriteString(out, between+string(b))
			}
			between = ",\n"
			return err
		})
		if err != nil {
			return err
		}
		_, err = io.WriteString(out, strings.Replace(between, ",\n", "", 1)+"\n]\n")
		return err
	})
}

// export sends all that the address's filter selects, as it comes from the database.
func (w *web) export(v *visit, ext, contentType string, write func(io.Writer, func(func(exported) error) error) error) error {
	f, _ := newFilter(queryOf(v.Ctx))
	q, err := f.search(v.scope, gate.DateOf(v.now.UTC()), v.User)
	if err != nil {
		return err
	}
	v.Set(fiber.HeaderContentType, contentType)
	v.Set(fiber.HeaderContentDisposition, `attachment; filename="findings-`+v.now.UTC().Format("2006-01-02")+`.`+ext+`"`)
	ctx := context.WithoutCancel(v.UserContext()) // the body is written after the handler has returned
	v.Context().SetBodyStreamWriter(func(out *bufio.Writer) {
		ctx, cancel := context.WithTimeout(ctx, exportTime)
		defer cancel()
		err := write(out, func(f func(exported) error) error {
			return w.Store.EachFindingRow(ctx, q, func(r store.FindingRow) error { return f(w.exported(r)) })
		})
		if err != nil {
			slog.ErrorContext(ctx, "export broke off", "error", err)
		}
	})
	return nil
}

// cell makes a text safe in a spreadsheet: what would begin a formula there
// begins with an apostrophe (OWASP, CSV injection).
func cell(s string) string {
	s = strings.ReplaceAll(s, "\x00", "")
	if first, _ := utf8.DecodeRuneInString(s); s != "" && strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// optional writes what a pointer points to, or nothing.
func optional[T int32 | string | bool | float64](p *T) string {
	if p == nil {
		return ""
	}
	switch v := any(*p).(type) {
	case string:
		return cell(v)
	case int32:
		return strconv.Itoa(int(v))
	case bool:
		return strconv.FormatBool(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	}
	return ""
}

func isoDay(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
