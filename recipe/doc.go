// Package recipe reads recipes in rattler-build's v1 format and finds their
// sources, for each platform and variant, as rattler-build does. Every value
// knows its file, line and column.
//
// [Find] finds the recipe of a feedstock, [Read] reads and evaluates it, and
// [Parse] does so with bytes. The package knows neither the network nor
// Sigstore, starts no process, and reads no file but the recipe, variant files
// and what load_from_file names inside the recipe's folder. A recipe sees
// environment variables only as [Options] allow.
//
// # Faults
//
// Faults of a recipe are of type *[Error], several are joined in [Faults].
// A recipe with a fault is refused as a whole, with one exception: what cannot
// be known without running something (git.*, files outside the folder) or
// without a variant file that is not at hand is an error for the sources that
// need it and for no others. Such a source has its Err set and Kind zero, so
// that it cannot be taken for one without an attestation block. With
// Options.Lenient all faults of single sources are kept in their Err.
//
// # Limits
//
// A recipe is bytes from a stranger. It costs at most 256 MiB and 5 seconds,
// whatever it holds: the constants of this package and of internal/jinja cap
// bytes, depth, combinations, and the work that templates do over all
// combinations. Going over a limit is an error.
package recipe
