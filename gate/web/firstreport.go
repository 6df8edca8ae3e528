package web

// firstReport is what teaches how to get the first report in: _first.html.
type firstReport struct {
	URL   string
	Token string // the real one right after it was made; else a placeholder
	CSRF  string
	Real  bool // Token is a real one
}
