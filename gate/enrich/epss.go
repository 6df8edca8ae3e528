package enrich

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"errors"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// maxText is how large the scores and the catalogue may be, unpacked.
const maxText = 256 << 20

// isCVE is the form of a CVE's id.
var isCVE = regexp.MustCompile(`^CVE-[0-9]{4}-[0-9]{4,19}$`)

// one returns the only file of a source that is one.
func one(files []file) (file, error) {
	if len(files) != 1 {
		return file{}, gate.Errorf(gate.Invalid, "it is one file, and %d were given", len(files))
	}
	return files[0], nil
}

func digestOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// readEPSS reads FIRST's scores:
//
//	#model_version:v2025.03.14,score_date:2026-11-22T12:55:00Z
//	cve,epss,percentile
//	CVE-1999-0001,0.01141,0.77853
func readEPSS(_ context.Context, _ *store.Store, files []file) (c content, err error) {
	f, err := one(files)
	if err != nil {
		return c, err
	}
	text, packed, err := f.whole(maxText)
	c.text = packed
	if err != nil {
		return c, err
	}
	c.digest, c.bytes = digestOf(text), int64(len(text))
	head, rest, _ := bytes.Cut(text, []byte("\n"))
	if c.version, c.published, err = epssHead(string(head)); err != nil {
		return c, err
	}
	if !bytes.HasSuffix(rest, []byte("\n")) {
		return c, gate.Errorf(gate.Invalid, "it ends in the middle of a line: it is not whole")
	}
	if c.scores, err = epssRows(rest); err != nil {
		return c, err
	}
	c.records = len(c.scores)
	return c, nil
}

// epssHead reads the first line.
func epssHead(line string) (version string, date time.Time, err error) {
	line = strings.TrimSpace(line)
	for part := range strings.SplitSeq(strings.TrimPrefix(line, "#"), ",") {
		key, value, _ := strings.Cut(part, ":")
		switch strings.TrimSpace(key) {
		case "model_version":
			version = value
		case "score_date":
			for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05-0700", time.DateOnly} {
				if date, err = time.Parse(layout, value); err == nil {
					break
				}
			}
		}
	}
	if !strings.HasPrefix(line, "#") || version == "" || date.IsZero() {
		return "", date, gate.Errorf(gate.Invalid, "it does not begin with a line that tells the model's version and the scores' date, as EPSS does")
	}
	return version + " of " + date.UTC().Format(time.DateOnly), date.UTC(), nil
}

func epssRows(text []byte) ([]store.Score, error) {
	r := csv.NewReader(bytes.NewReader(text))
	r.ReuseRecord, r.FieldsPerRecord = true, 3
	row, err := r.Read()
	if err != nil || row[0] != "cve" || row[1] != "epss" || row[2] != "percentile" {
		return nil, gate.Errorf(gate.Invalid, "its columns are not cve, epss and percentile")
	}
	rows := make([]store.Score, 0, bytes.Count(text, []byte("\n")))
	seen := make(map[string]bool, cap(rows))
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, gate.Errorf(gate.Invalid, "%v", err)
		}
		line, _ := r.FieldPos(0)
		s := store.Score{CVE: strings.Clone(row[0])}
		score, err1 := strconv.ParseFloat(row[1], 64)
		percentile, err2 := strconv.ParseFloat(row[2], 64)
		if err1 != nil || err2 != nil || !isCVE.MatchString(s.CVE) || !(score >= 0 && score <= 1 && percentile >= 0 && percentile <= 1) || seen[s.CVE] {
			return nil, gate.Errorf(gate.Invalid, "line %d is not a CVE with two numbers from 0 to 1, each CVE once", line+1)
		}
		s.Score, s.Percentile, seen[s.CVE] = score, percentile, true
		rows = append(rows, s)
	}
}
