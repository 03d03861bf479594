// Package prepare makes a folder that holds all that a build needs and an auditor
// wants: a recipe's verified archives and the bundles that prove who signed them,
// the trusted root, the other files of the recipe's folder, and a recipe that
// takes its sources from there.
//
//	prepared, err := prepare.Prepare(ctx, "recipe.yaml", "build/recipe", prepare.Options{})
//	if err != nil {
//		return err // there is no build/recipe
//	}
//	// rattler-build build --recipe build/recipe
//
// [Verify] verifies such a folder again, and asks nobody.
//
// # All or nothing
//
// A folder is made beside the place that it is for, verified there, and put in
// its place by renaming it. Whatever happens before, that place is as it was. One
// run at a time prepares a folder; what a run that was killed has left beside it
// is removed by the next one.
//
// # Whom it helps to trust
//
// A folder's content is vouched for by prepared.json, which lists it, and that
// file by nobody but its digest ([Prepared.Digest]): whoever can write into the
// folder can put another recipe there, and sign its archives himself. Whoever
// wants to know that a folder is the one that was made demands the digest
// ([VerifyOptions.Digest]). Whom to believe, and what to demand of sources, is
// never taken from the folder.
package prepare
