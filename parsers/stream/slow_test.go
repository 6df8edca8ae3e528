//go:build !race

package stream

// slow is how many times longer than promised things may take.
const slow = 1
