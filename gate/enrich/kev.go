package enrich

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"defectdojo/gate"
	"defectdojo/gate/store"
)

// catalogue is CISA's file, as far as it is used:
// https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities_schema.json
type catalogue struct {
	Version         string    `json:"catalogVersion"`
	Released        time.Time `json:"dateReleased"`
	Count           int       `json:"count"`
	Vulnerabilities []struct {
		CVE        string    `json:"cveID"`
		Added      gate.Date `json:"dateAdded"`
		Due        gate.Date `json:"dueDate"`
		Ransomware string    `json:"knownRansomwareCampaignUse"` // Known or Unknown
	} `json:"vulnerabilities"`
}

// readKEV reads the catalogue of known exploited vulnerabilities.
func readKEV(_ context.Context, _ *store.Store, files []file) (c content, err error) {
	f, err := one(files)
	if err != nil {
		return c, err
	}
	text, packed, err := f.whole(maxText)
	c.text = packed
	if err != nil {
		return c, err
	}
	var k catalogue
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &k); err != nil {
		return c, gate.Errorf(gate.Invalid, "it is not the KEV catalogue: %v", err)
	}
	if k.Released.IsZero() || k.Version == "" {
		return c, gate.Errorf(gate.Invalid, "it is not the KEV catalogue: it tells neither version nor date")
	}
	if k.Count != len(k.Vulnerabilities) {
		return c, gate.Errorf(gate.Invalid, "it says that it has %d entries, and has %d: it is not whole", k.Count, len(k.Vulnerabilities))
	}
	seen := map[string]bool{}
	for i, v := range k.Vulnerabilities {
		if !isCVE.MatchString(v.CVE) || seen[v.CVE] {
			return c, gate.Errorf(gate.Invalid, "entry %d has no CVE of its own", i+1)
		}
		seen[v.CVE] = true
		c.exploited = append(c.exploited, store.Exploited{CVE: v.CVE, Ransomware: v.Ransomware == "Known", Added: dayOf(v.Added), Due: dayOf(v.Due)})
	}
	c.digest, c.bytes, c.version, c.published, c.records = digestOf(text), int64(len(text)), k.Version, k.Released.UTC(), len(c.exploited)
	return c, nil
}

func dayOf(d gate.Date) *time.Time {
	if d.IsZero() {
		return nil
	}
	t := d.Time()
	return &t
}
