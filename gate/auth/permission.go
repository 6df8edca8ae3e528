package auth

import (
	"context"

	"defectdojo/gate"
)

// Action is something that may be done. What is not in the table may not.
type Action string

// Actions on a product and what is in it.
const (
	View           Action = "view"
	ViewVerdict    Action = "verdict:view"
	AddNote        Action = "note:add"
	Import         Action = "import"
	EditEngagement Action = "engagement:edit" // and add
	EditTest       Action = "test:edit"
	AddTest        Action = "test:add"
	EditFinding    Action = "finding:edit" // and add, and groups
	EditMetadata   Action = "metadata:edit"
	AcceptRisk     Action = "risk:accept"
	Delete         Action = "delete" // a finding, test, engagement or note
	EditProduct    Action = "product:edit"
	DeleteProduct  Action = "product:delete"
	ManageMembers  Action = "member:edit"
	AddOwner       Action = "member:owner"
	WritePolicy    Action = "policy:write"
	Override       Action = "gate:override"
	RequestWaiver  Action = "waiver:request" // and bring VEX documents that support it
	ApproveWaiver  Action = "waiver:approve" // reject, revoke; and trust VEX documents
	ManageChannels Action = "integration:write"
	ReadAudit      Action = "audit:read"
)

// Actions on a product type.
const (
	AddProduct        Action = "product:add"
	EditProductType   Action = "product_type:edit"
	DeleteProductType Action = "product_type:delete"
)

// Actions that an import does on the way when it is told to make what is not there.
const (
	ImportEngagement  Action = "import:engagement"
	ImportProduct     Action = "import:product"      // on a product type
	ImportProductType Action = "import:product_type" // on nothing
)

// Actions on nothing of a product.
const (
	AddProductType Action = "product_type:add"
	ViewUsers      Action = "user:view"
	EditUsers      Action = "user:edit"
	ViewReference  Action = "reference:view"      // test types, environments and the like
	Configure      Action = "configure"           // and change them
	Self           Action = "self"                // one's own profile
	ManageNotices  Action = "notification:manage" // the system's notifications, and what they go over
	Public         Action = "public"              // nobody has to be signed in
)

type roles uint8

const (
	reader roles = 1 << iota
	importer
	writer
	maintainer
	owner
	anybody // no role at all

	readers = reader | importer | writer | maintainer | owner
)

var roleBits = map[gate.Role]roles{
	gate.Reader: reader, gate.Importer: importer, gate.Writer: writer, gate.Maintainer: maintainer, gate.Owner: owner,
}

type tokens uint8

const (
	readToken tokens = 1 << iota
	importToken
)

// rule says who may do an action. Superusers may do all, and a token of scope
// all may do what its user may.
type rule struct {
	roles  roles
	tokens tokens
	staff  bool // is_staff is enough
}

// table is the one list of permissions.
var table = map[Action]rule{
	View:           {roles: readers, tokens: readToken},
	ViewVerdict:    {roles: readers, tokens: readToken | importToken},
	AddNote:        {roles: reader | writer | maintainer | owner},
	Import:         {roles: importer | writer | maintainer | owner, tokens: importToken},
	EditEngagement: {roles: importer | writer | maintainer | owner},
	EditTest:       {roles: importer | writer | maintainer | owner},
	AddTest:        {roles: writer | maintainer | owner},
	EditFinding:    {roles: writer | maintainer | owner},
	EditMetadata:   {roles: writer | maintainer | owner},
	AcceptRisk:     {roles: writer | maintainer | owner},
	Delete:         {roles: maintainer | owner},
	EditProduct:    {roles: maintainer | owner},
	ManageMembers:  {roles: maintainer | owner},
	WritePolicy:    {roles: maintainer | owner},
	Override:       {roles: maintainer | owner},
	RequestWaiver:  {roles: readers, tokens: importToken},
	ApproveWaiver:  {roles: maintainer | owner},
	ManageChannels: {roles: maintainer | owner},
	ReadAudit:      {roles: maintainer | owner},
	DeleteProduct:  {roles: owner},
	AddOwner:       {roles: owner},

	AddProduct:        {roles: maintainer | owner},
	EditProductType:   {roles: maintainer | owner},
	DeleteProductType: {roles: owner},

	ImportEngagement:  {roles: importer | writer | maintainer | owner, tokens: importToken},
	ImportProduct:     {roles: maintainer | owner, tokens: importToken},
	ImportProductType: {roles: maintainer | owner, tokens: importToken},

	AddProductType: {roles: maintainer | owner},
	ViewUsers:      {roles: maintainer | owner, tokens: readToken, staff: true},
	EditUsers:      {},
	ManageNotices:  {},
	ViewReference:  {roles: anybody, tokens: readToken},
	Configure:      {roles: maintainer | owner, staff: true},
	Self:           {roles: anybody, tokens: readToken | importToken},
}

// global are the actions that are on nothing of a product.
var global = map[Action]bool{
	AddProductType: true, ViewUsers: true, EditUsers: true, ManageNotices: true, ViewReference: true, Configure: true, Self: true,
}

// tokenMay tells whether a principal's token, if it came with one, is good for an action.
func tokenMay(p gate.Principal, do Action) bool {
	if p.Token == nil || p.Token.Scope == gate.ScopeAll {
		return true
	}
	switch r := table[do]; p.Token.Scope {
	case gate.ScopeRead:
		return r.tokens&readToken != 0
	case gate.ScopeImport:
		return r.tokens&importToken != 0
	default:
		return false
	}
}

// everywhere tells whether a user may do an action on everything.
func everywhere(u gate.User, do Action) bool {
	r, known := table[do]
	if !known || !u.IsActive {
		return false
	}
	if u.IsSuperuser || r.roles&anybody != 0 || r.staff && u.IsStaff {
		return true
	}
	return u.GlobalRole != nil && r.roles&roleBits[*u.GlobalRole] != 0
}

// Holders returns the people who may do an action on a product.
func (a *Auth) Holders(ctx context.Context, do Action, product int64) ([]gate.User, error) {
	return a.store.Holders(ctx, product, rolesFor(do), table[do].staff)
}

// rolesFor returns the roles that may do an action.
func rolesFor(do Action) []gate.Role {
	var out []gate.Role
	for _, r := range []gate.Role{gate.Reader, gate.Importer, gate.Writer, gate.Maintainer, gate.Owner} {
		if table[do].roles&roleBits[r] != 0 {
			out = append(out, r)
		}
	}
	return out
}
