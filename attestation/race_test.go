//go:build race

package attestation_test

// slowness is how much slower code is with the race detector, at worst.
const slowness = 10
