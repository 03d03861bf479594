//go:build race

package attestation_test

// slowness is how much slower code is with the race detector, at worst; and
// documents are that much smaller, since it looks at no race here.
const slowness = 10
