package tracker

// What a ticket is about.
type kind int

const (
	aFinding kind = iota
	aGroup
	anEpic
	anOrphan // what it was about is deleted
)

// meaning is what somebody says by closing a ticket.
type meaning string

const (
	fixed         meaning = "claimed_fixed"
	wontDo        meaning = "wont_do"
	falsePositive meaning = "false_positive"
)

// proof is what later scans say of a claim.
type proof int

const (
	noScan proof = iota
	stillThere
	notThere
)

// view is all that decides whether a ticket should be open, and whether what
// happened to it in JIRA means something here.
type view struct {
	Kind       kind
	Open       bool // here: there is something to fix
	Dismissed  bool // not open for another reason than that it was fixed: only we can open it again
	Base       bool // it was done when both sides last agreed
	Theirs     bool // it is done there
	Claim      meaning
	Resolution meaning // of what is done there
	Mode       string  // the instance's Inbound
	Proof      proof
	Refused    bool // the waiver that the claim asks for
}

// act is what happens to the findings.
type act string

const (
	nothing   act = ""
	mitigate  act = "close"
	accept    act = "accept_risk"
	dismiss   act = "false_positive"
	reopen    act = "reopen"
	askWaiver act = "request_waiver"
)

// remark is what is told on the ticket.
type remark string

const (
	silence    remark = ""
	confirmed  remark = "confirmed"
	refuted    remark = "refuted"
	unwaived   remark = "unwaived"
	notHere    remark = "closed-here"
	deleted    remark = "deleted"
	claimHeard remark = "claimed"
)

// decision is what a view leads to.
type decision struct {
	Claim  meaning
	Agreed bool // the new base, once the rest is done
	Act    act  // on the findings
	Move   bool // the ticket, to Agreed
	Say    remark
}

// merge compares what is here, what is there, and what both last agreed on. Who
// has not changed their mind since follows who has. It is pure, and what it
// decides leaves nothing to do when it is asked again.
func merge(v view) decision {
	d := decision{Claim: v.Claim, Agreed: v.Theirs}
	switch {
	case v.Kind == anOrphan:
		if v.Theirs {
			return decision{Agreed: true}
		}
		return decision{Agreed: true, Move: true, Say: deleted}
	case v.Kind == anEpic: // people close epics as they like
		return decision{Agreed: v.Theirs || !v.Open, Move: !v.Open && !v.Theirs && !v.Base}
	case v.Theirs && !v.Base && v.Open && v.Mode != "none":
		return closedThere(v)
	case !v.Theirs && v.Base && !v.Open && v.Mode != "none":
		return openedThere(v)
	case !v.Theirs && v.Base: // both agree that it is open
		d.Claim = ""
	}
	settle(v, &d)
	want := !v.Open || d.Claim != ""
	d.Move = want != v.Theirs
	d.Agreed = want
	return d
}

// closedThere is a ticket that somebody closed though its finding is open.
func closedThere(v view) decision {
	d := decision{Agreed: true}
	if v.Mode != "defectdojo" {
		d.Claim = v.Resolution
		if v.Resolution != fixed {
			d.Act, d.Say = askWaiver, claimHeard
		}
		return d
	}
	d.Act = map[meaning]act{fixed: mitigate, wontDo: accept, falsePositive: dismiss}[v.Resolution]
	return d
}

// openedThere is a ticket that somebody opened though its finding is closed. A
// group is not opened: nobody knows which of its findings is meant.
func openedThere(v view) decision {
	if v.Kind == aFinding && (!v.Dismissed || v.Mode == "defectdojo") {
		return decision{Act: reopen}
	}
	return decision{Agreed: true, Move: true, Say: notHere}
}

// settle ends a claim that was decided.
func settle(v view, d *decision) {
	switch {
	case d.Claim == "":
	case !v.Open:
		if d.Claim == fixed && v.Theirs {
			d.Say = confirmed
		}
		d.Claim = ""
	case d.Claim == fixed && v.Proof == stillThere:
		d.Claim, d.Say = "", refuted
	case d.Claim == fixed && v.Proof == notThere:
		d.Act = mitigate // and then it is not open
	case d.Claim != fixed && v.Refused:
		d.Claim, d.Say = "", unwaived
	}
}
