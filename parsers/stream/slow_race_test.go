//go:build race

package stream

// slow is how many times longer things may take: the race detector watches
// every access.
const slow = 100
