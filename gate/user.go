package gate

import (
	"slices"
	"time"
)

// User is a person or a machine account.
type User struct {
	ID                 int64
	Username           string
	FirstName          string
	LastName           string
	Email              string
	IsActive           bool
	IsStaff            bool
	IsSuperuser        bool
	GlobalRole         *Role
	DateJoined         time.Time
	LastLogin          *time.Time
	PasswordLastReset  *time.Time
	TokenLastReset     *time.Time
	ForcePasswordReset bool
}

// Role is what a member may do in a product or a product type.
type Role string

// The roles, from least to most.
const (
	Reader     Role = "reader"
	Importer   Role = "importer"
	Writer     Role = "writer"
	Maintainer Role = "maintainer"
	Owner      Role = "owner"
)

// TokenScope is what a token may be used for, within what its user may.
type TokenScope string

// The scopes.
const (
	ScopeAll    TokenScope = "all"
	ScopeRead   TokenScope = "read"
	ScopeImport TokenScope = "import" // upload reports and ask for their verdicts: for CI
)

// Token is an API token, without its secret.
type Token struct {
	ID         int64
	PublicID   string // safe to log
	UserID     int64
	Name       string
	Scope      TokenScope
	ProductIDs []int64 // nil: all that the user may
	Bounds     *Bounds // nil: none but these
	Created    time.Time
	Expires    *time.Time
	LastUsed   *time.Time
	Revoked    *time.Time
}

// Principal is who asks: a user, through a session or a token.
type Principal struct {
	User  User
	Token *Token // nil for a session
}

// Name is what the history calls them: the user's name, or the token's public ID.
func (p Principal) Name() string {
	if p.Token != nil {
		return p.Token.PublicID
	}
	return p.User.Username
}

// Scope says which products a query may touch. The zero Scope is none.
type Scope struct {
	All        bool
	ProductIDs []int64
}

// Allows tells whether a product is within the scope.
func (s Scope) Allows(product int64) bool {
	return s.All || slices.Contains(s.ProductIDs, product)
}
