// Package github talks to GitHub and GitHub Enterprise Server: it proves their
// webhooks, reads what a workflow run left, and writes check runs, commit
// statuses and comments.
package github
