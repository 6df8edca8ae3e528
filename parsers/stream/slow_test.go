//go:build !race

package stream

// slow is how many times longer than on an idle machine things may take: a busy
// one is no mistake, and what is quadratic takes longer still.
const slow = 20
