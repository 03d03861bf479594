// Package audit takes recipes to verdicts: it lists their sources, fetches
// archives and evidence side by side, has the evidence verified, and gives one
// [Result] for each source, in the recipes' order.
//
// It knows no resolver, no format of evidence and no way of reporting; those
// are given to it.
package audit
