package notification

import (
	"strings"
	"time"

	"defectdojo/gate"
)

// Notice is what is told of something that happened.
type Notice struct {
	Key         string    `json:"-"` // what it is about: it is told once
	Event       string    `json:"event"`
	At          time.Time `json:"at"`
	Title       string    `json:"title"`
	Description string    `json:"description"`
	Path        string    `json:"path,omitempty"` // of the page about it, from the site's root
	Branch      string    `json:"branch,omitempty"`
	Tags        []string  `json:"tags,omitempty"` // the product's

	ProductType *Ref `json:"product_type,omitempty"`
	Product     *Ref `json:"product,omitempty"`
	Engagement  *Ref `json:"engagement,omitempty"`
	Test        *Ref `json:"test,omitempty"`

	Severity *gate.Severity    `json:"severity,omitempty"` // of the worst finding that it is about
	Import   int64             `json:"import,omitempty"`
	Count    int               `json:"finding_count,omitempty"` // findings that are new or changed
	Counts   map[string]int    `json:"counts,omitempty"`        // new, reactivated, mitigated, untouched
	Findings map[string][]Item `json:"findings,omitempty"`      // the worst of them
	Finding  *Item             `json:"finding,omitempty"`
	Verdict  *VerdictNews      `json:"verdict,omitempty"`

	Actor       *Person  `json:"actor,omitempty"`
	RequestedBy *Person  `json:"requested_by,omitempty"`
	Reviewers   []Person `json:"reviewers,omitempty"`

	To      []int64 `json:"to,omitempty"` // the only people that it is for
	Only    bool    `json:"only,omitempty"`
	NoUsers bool    `json:"no_users,omitempty"` // for the system's channels alone
}

// Ref names a product, an engagement and the like.
type Ref struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
}

// Item is a finding in a notice.
type Item struct {
	ID       int64         `json:"id"`
	Title    string        `json:"title"`
	Severity gate.Severity `json:"severity"`
}

// Person is a user as notices tell of them.
type Person struct {
	ID        int64  `json:"id"`
	Username  string `json:"username"`
	Email     string `json:"email"`
	FirstName string `json:"first_name"`
	LastName  string `json:"last_name"`
}

// VerdictNews is a verdict that differs from the one before it.
type VerdictNews struct {
	ID         int64    `json:"id"`
	Overall    string   `json:"overall"`
	Before     string   `json:"before"`
	Conclusive bool     `json:"conclusive"`
	Why        []string `json:"why,omitempty"`
}

// productID returns the product's id, or nil.
func (n Notice) productID() *int64 {
	if n.Product == nil {
		return nil
	}
	return &n.Product.ID
}

// reaches tells whether a notice is as severe as a floor: one that is about no
// finding has no severity, and passes.
func (n Notice) reaches(floor gate.Severity) bool { return n.Severity == nil || *n.Severity >= floor }

// name returns a reference's name, or "".
func (r *Ref) name() string {
	if r == nil {
		return ""
	}
	return r.Name
}

// clip cuts a text to a number of characters, with a mark where it was cut.
func clip(s string, limit int) string {
	r := []rune(s)
	if len(r) <= limit {
		return s
	}
	return strings.TrimSpace(string(r[:limit-1])) + "…"
}
