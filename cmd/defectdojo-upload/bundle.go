package main

import (
	"context"
	"fmt"
	"time"

	"defectdojo/gate"
)

// bundleCmd fetches what is needed to judge without the server.
type bundleCmd struct {
	serverFlags `embed:""`
	cacheFlags  `embed:""`

	subjectFlags `embed:""`
}

// Help describes the command.
func (bundleCmd) Help() string {
	return `Fetches the policies, waivers, baseline and intelligence for builds of a branch, signed by the server, into the
cache folder. By them 'upload --on-unreachable=local' judges a build while the server does not answer. Let the CI
keep the folder between pipelines; give --key where others can write into it.`
}

// Run runs the command.
func (c *bundleCmd) Run(ctx context.Context, t terminal) error {
	b := detectBuild(t.getenv)
	product, branch := first(c.Product, b.repository), first(c.TargetBranch, b.targetBranch, c.Branch, b.branch, c.Engagement, "default")
	if product == "" {
		return gate.Errorf(gate.Conflict, "--product is needed: no CI says which repository this is")
	}
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	cl, err := c.proven(ctx, t)
	if err != nil {
		return err
	}
	got, err := c.cache().fetch(ctx, cl, product, branch, c.Component)
	if err != nil {
		return err
	}
	known := 0
	if got.Baseline != nil {
		known = len(got.Baseline.Findings)
	}
	fmt.Fprintf(t.stdout, "%s %s: %d policies, %d waivers, %d findings in the baseline; good until %s\n",
		product, branch, len(got.Policies), len(got.Waivers), known, got.Expires.Local().Format(time.RFC3339))
	return nil
}
