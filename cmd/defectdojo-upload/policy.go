package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"defectdojo/gate"
	"defectdojo/gate/evidence"
	"defectdojo/policies"
)

// policyCmd holds the commands about policies.
type policyCmd struct {
	Lint    lintCmd    `cmd:"" help:"Say what is wrong with policies, and what is probably not meant, with line and column; exit 2 if there is something."`
	Test    testCmd    `cmd:"" help:"Run the tests in policy files; exit 2 if one fails."`
	Explain explainCmd `cmd:"" help:"Say why a finding counted, or did not."`
}

// policyFiles are the files of a command, parsed together.
type policyFiles struct {
	policies []*policies.Policy
	waivers  []gate.Waiver
	tests    []policies.Test
	problems policies.Problems
}

// readPolicies parses files. What is wrong with them is in problems.
func readPolicies(patterns []string) (policyFiles, error) {
	var out policyFiles
	paths, err := expand(patterns)
	if err != nil {
		return out, err
	}
	for _, path := range paths {
		b, err := os.ReadFile(path)
		if err != nil {
			return out, err
		}
		f, err := policies.ParseFile(filepath.ToSlash(path), policies.FromServer, b)
		if found, ok := errors.AsType[policies.Problems](err); ok {
			out.problems = append(out.problems, found...)
		} else if err != nil {
			return out, err
		}
		out.policies, out.waivers, out.tests = append(out.policies, f.Policies...), append(out.waivers, f.Waivers...), append(out.tests, f.Tests...)
	}
	return out, nil
}

// lintCmd checks policies.
type lintCmd struct {
	Files  []string `arg:"" help:"Files of policies, waivers and tests; patterns are expanded where the shell does not."`
	Format string   `enum:"text,json" default:"text" help:"text or json."`
}

// Run runs the command.
func (c *lintCmd) Run(t terminal) error {
	files, err := readPolicies(c.Files)
	if err != nil {
		return err
	}
	found := files.problems
	if len(found) == 0 { // of half of the files it would tell what is not so
		found = policies.Lint(files.policies, policies.Known{Scanners: evidence.Scanners(), Waivers: files.waivers})
	}
	if c.Format == "json" {
		e := json.NewEncoder(t.stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(append(policies.Problems{}, found...)); err != nil {
			return err
		}
	} else {
		for _, p := range found {
			fmt.Fprintf(t.stdout, "%s:%d:%d: %s\n", p.File, p.Line, p.Column, p.Message)
		}
	}
	if len(found) > 0 {
		fmt.Fprintf(t.stderr, "%d problems\n", len(found))
		return exitError{gate.ExitUsage}
	}
	fmt.Fprintf(t.stderr, "%d policies, %d waivers, %d tests: nothing is wrong\n", len(files.policies), len(files.waivers), len(files.tests))
	return nil
}

// testCmd runs tests of policies.
type testCmd struct {
	Files   []string `arg:"" help:"Files of policies and tests; patterns are expanded where the shell does not."`
	Verbose bool     `short:"v" help:"Tell of tests that pass, too."`
	Format  string   `enum:"text,json" default:"text" help:"text or json."`
}

// Run runs the command.
func (c *testCmd) Run(t terminal) error {
	files, err := readPolicies(c.Files)
	if err != nil {
		return err
	}
	if len(files.problems) > 0 {
		return gate.Errorf(gate.Conflict, "%v", files.problems)
	}
	if len(files.tests) == 0 {
		return gate.Errorf(gate.Conflict, "there is no test in these files: a document of kind PolicyTest")
	}
	judged := slices.Concat(files.policies, builtin(files.policies))
	var results []policies.TestResult
	failed := 0
	for i := range files.tests {
		ps := judged
		if len(files.tests[i].Policies) == 0 {
			ps = files.policies // the presets only by name
		}
		results = append(results, files.tests[i].Run(ps)...)
	}
	for _, r := range results {
		if len(r.Failures) > 0 {
			failed++
		}
	}
	if c.Format == "json" {
		e := json.NewEncoder(t.stdout)
		e.SetIndent("", "  ")
		if err := e.Encode(results); err != nil {
			return err
		}
	} else {
		c.print(t, results)
	}
	fmt.Fprintf(t.stderr, "%d cases, %d failed\n", len(results), failed)
	if failed > 0 {
		return exitError{gate.ExitUsage}
	}
	return nil
}

func (c *testCmd) print(t terminal, results []policies.TestResult) {
	for _, r := range results {
		if len(r.Failures) == 0 {
			if c.Verbose {
				fmt.Fprintf(t.stdout, "ok    %s / %s\n", r.Test, r.Case)
			}
			continue
		}
		fmt.Fprintf(t.stdout, "FAIL  %s / %s (%s:%d)\n", r.Test, r.Case, r.File, r.Line)
		for _, f := range r.Failures {
			fmt.Fprintf(t.stdout, "        %s\n", f)
		}
	}
}

// builtin returns the presets whose names no file uses.
func builtin(own []*policies.Policy) []*policies.Policy {
	var out []*policies.Policy
	for _, name := range slices.Sorted(maps.Keys(policies.Builtin())) {
		p := policies.Builtin()[name]
		if !slices.ContainsFunc(own, func(o *policies.Policy) bool { return o.Name == p.Name }) {
			out = append(out, p)
		}
	}
	return out
}
