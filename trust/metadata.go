package trust

import "time"

// Metadata identifies the TUF metadata that vouched for a trusted root.
type Metadata struct {
	// Repository is the address of the TUF repository.
	Repository string
	// Versions of the four top-level roles.
	Root, Timestamp, Snapshot, Targets int64
	// Expires is the first of their four dates of expiry.
	Expires time.Time
}
