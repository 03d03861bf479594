// Package edit changes recipes as text: it adds keys to the mapping of a source,
// or takes keys away, and leaves every other byte of the file alone.
//
// [Apply] makes the new text, [Diff] shows what it changes, and [Write] writes
// several files, all of them or none. The package knows neither the network nor
// Sigstore, and decides nothing about what is to be written.
//
// # What stays
//
// A change that only adds inserts whole lines behind the last value of a
// mapping in block style, and bytes within the line in one in flow style. So
// comments, quoting, order, indentation, line ends, byte order mark and encoding
// stay as they are. New lines are indented as the recipe indents its own.
//
// Apply trusts nothing that it worked out about the text: it reads the result
// again, and gives an error instead of a text in which anything but the change
// differs.
//
// # Strangers
//
// Recipes and values are strangers' bytes. Recipes are read under the limits of
// package recipe. Values are quoted so that a YAML reader gives back the same
// text, whatever it holds; but they are not kept from being templates, so that
// whoever writes text of a stranger's looks for "${{" first.
package edit
