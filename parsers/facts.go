package parsers

import (
	"regexp"
	"strings"
	"time"

	gocvss20 "github.com/pandatix/go-cvss/20"
	gocvss30 "github.com/pandatix/go-cvss/30"
	gocvss31 "github.com/pandatix/go-cvss/31"
	gocvss40 "github.com/pandatix/go-cvss/40"

	"defectdojo/gate"
)

// CVSS is a valid CVSS vector with its score.
type CVSS struct {
	Version string // "2.0", "3.0", "3.1" or "4.0"
	Vector  string
	Score   float64 // environmental if the vector says so, else the base score
}

// vectors finds CVSS vectors in a text.
var vectors = regexp.MustCompile(`CVSS:(?:3\.[01]|4\.0)(?:/[A-Za-z]{1,4}:[A-Za-z]+)+|AV:[NAL]/AC:[LMH]/Au:[NSM](?:/[A-Za-z]{1,3}:[A-Za-z]+)+`)

// ParseCVSS returns the first valid vector in a text, and whether there is one.
func ParseCVSS(text string) (CVSS, bool) {
	if !strings.Contains(text, "AV:") {
		return CVSS{}, false
	}
	if c, ok := score(text); ok { // mostly it is nothing but a vector
		return c, true
	}
	for _, v := range vectors.FindAllString(text, 4) {
		if c, ok := score(v); ok {
			return c, true
		}
	}
	return CVSS{}, false
}

func score(v string) (CVSS, bool) {
	switch {
	case strings.HasPrefix(v, "CVSS:4.0/"):
		if c, err := gocvss40.ParseVector(v); err == nil {
			return CVSS{"4.0", c.Vector(), c.Score()}, true
		}
	case strings.HasPrefix(v, "CVSS:3.1/"):
		if c, err := gocvss31.ParseVector(v); err == nil {
			return CVSS{"3.1", c.Vector(), c.EnvironmentalScore()}, true
		}
	case strings.HasPrefix(v, "CVSS:3.0/"):
		if c, err := gocvss30.ParseVector(v); err == nil {
			return CVSS{"3.0", c.Vector(), c.EnvironmentalScore()}, true
		}
	default:
		if c, err := gocvss20.ParseVector(v); err == nil {
			return CVSS{"2.0", c.Vector(), c.BaseScore()}, true
		}
	}
	return CVSS{}, false
}

// SetCVSS puts the valid vectors of the texts into o, with their scores: the
// first of version 3 and the first of version 4. Version 2 has no place there.
func SetCVSS(o *gate.Observation, texts ...string) {
	for _, text := range texts {
		c, ok := ParseCVSS(text)
		switch {
		case !ok:
		case c.Version == "4.0" && o.CVSSv4 == "":
			o.CVSSv4, o.CVSSv4Score = c.Vector, new(c.Score)
		case strings.HasPrefix(c.Version, "3") && o.CVSSv3 == "":
			o.CVSSv3, o.CVSSv3Score = c.Vector, new(c.Score)
		}
	}
}

// CVEs returns the CVE ids in a text, in upper case, each once.
func CVEs(text string) []string {
	var found []string
	for from := 0; len(found) < 1000; {
		i := strings.IndexByte(text[from:], '-')
		if i < 0 {
			break
		}
		i += from
		n := 0
		if i-from >= 3 && strings.EqualFold(text[i-3:i], "CVE") {
			n = cveDigits(text[i+1:])
		}
		if n > 0 {
			found = append(found, strings.ToUpper(text[i-3:i+1+n]))
		}
		from = i + 1 + n
	}
	return cleanList(found)
}

// cveDigits returns the length of "2024-12345" at the start of s: four digits
// and four to seven; 0 is none.
func cveDigits(s string) int {
	if len(s) < 9 || digits(s[:4]) != 4 || s[4] != '-' {
		return 0
	}
	if n := digits(s[5:min(len(s), 12)]); n >= 4 {
		return 5 + n
	}
	return 0
}

// digits returns how many digits s begins with.
func digits(s string) int {
	n := 0
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	return n
}

// timeLayouts are the ways in which reports write an instant.
var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02T15:04:05", "2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05.999999999Z0700", "2006-01-02 15:04:05.999999999 -0700 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05Z0700",
	"2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04Z", "2006-01-02T15:04", "2006-01-02", "2006/01/02 15:04:05", "2006/01/02",
	time.ANSIC, "Mon Jan 2 15:04:05 2006", time.UnixDate, time.RFC1123Z, time.RFC1123, "Mon, 2 Jan 2006 15:04:05 MST", "Mon, 2 Jan 2006 15:04:05 -0700", "Mon, 2 Jan 2006 15:04:05",
	"Jan 2, 2006", "January 2, 2006", "2 Jan 2006", "02 January 2006", "Jan 2, 2006 3:04:05 PM", "Jan 2, 2006, 3:04:05 PM", "2-Jan-2006", "Monday, January 2, 2006 3:04:05 PM", "Monday, January 2, 2006 15:04:05", "Monday, 2 January 2006 15:04:05", "20060102T150405Z", "20060102", "2006-01-02 15:04:05 MST", "2006-01-02T15:04:05.999999999Z07",
}

// ParseTime reads an instant in any of the ways in which reports write it that
// cannot be misread: a day and a month as two numbers are not among them. A
// time without a zone is UTC. What it cannot read is the zero time.
func ParseTime(s string) time.Time {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.Time{}
	}
	number := digits(s) > 0
	for _, layout := range timeLayouts {
		if number != (layout[0] >= '0' && layout[0] <= '9') {
			continue
		}
		if t, err := time.Parse(layout, s); err == nil && t.Year() > 1 {
			return t
		}
	}
	return time.Time{}
}

// ParseDate reads the day of an instant as ParseTime does.
func ParseDate(s string) gate.Date { return gate.DateOf(ParseTime(s)) }

// ParseTimeDayFirst reads an instant whose date is day, month and year in
// numbers, "27/02/2020 12:56 PM"; a date that can only be month first is read
// so. What follows the time, as "(UTC-06:00)", is left out.
func ParseTimeDayFirst(s string) time.Time {
	day, rest, _ := strings.Cut(strings.TrimSpace(strings.ReplaceAll(s, ",", "")), " ")
	rest, _, _ = strings.Cut(rest, "(")
	date, err := time.Parse("2/1/2006", day)
	if err != nil {
		if date, err = time.Parse("1/2/2006", day); err != nil {
			return ParseTime(s)
		}
	}
	for _, layout := range []string{"15:04:05", "15:04", "3:04 PM", "3:04:05 PM", "15:04 PM", "15:04:05 PM"} {
		if t, err := time.Parse(layout, strings.TrimSpace(rest)); err == nil {
			return date.Add(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second)
		}
	}
	return date
}
