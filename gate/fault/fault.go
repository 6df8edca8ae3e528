// Package fault names the moments at which a test has the program die, to show
// that nothing is lost or half done. Without the build tag "faults" it does nothing.
package fault

// The points of an import and of the job that follows it, in their order.
const (
	BodyRead   = "body_read"   // the upload is in a file
	BlobStored = "blob_stored" // the report is kept
	Parsed     = "parsed"      // it has been read to its end
	Locked     = "locked"      // no other import into the product runs
	Copying    = "copying"     // some findings are stored, uncommitted
	Committing = "committing"  // all is stored, uncommitted
	Committed  = "committed"   // and nobody has been told
	Following  = "following"   // the job of what follows is nearly done
)

// The points of telling a code host, in their order.
const (
	Leased = "leased" // others leave the place alone, and nothing is sent
	Told   = "told"   // the host has done it, and it is not noted
	Noted  = "noted"  // it is noted, and the job is not over
)
