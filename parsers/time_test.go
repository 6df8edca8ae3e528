package parsers

import "testing"

func TestParseTimeLong(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"Sunday, February 25, 2018 11:35:52 AM": "2018-02-25T11:35:52Z",
		"Monday, 22 April 2019 15:12:18":        "2019-04-22T15:12:18Z",
		"02/03/2018":                            "0001-01-01T00:00:00Z", // a day or a month
	} {
		if got := ParseTime(text).Format("2006-01-02T15:04:05Z07:00"); got != want {
			t.Errorf("ParseTime(%q) = %s, want %s", text, got, want)
		}
	}
}
