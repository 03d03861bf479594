//go:build race

package recipe

// raceEnabled tells that the race detector slows the tests down.
const raceEnabled = true
