//go:build !race

package attestation_test

// slowness is that of code without the race detector.
const slowness = 1
