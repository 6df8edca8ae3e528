// Package policies judges a build: Evaluate takes findings, scan runs, a
// baseline, waivers and policies, and returns a gate.Verdict that says pass,
// warn or fail, and why. It has no clock, network or database: the same inputs
// give the same bytes, on the server and in the uploader.
//
// A policy is YAML. The smallest useful one:
//
//	rules: [{id: no-new-criticals, select: {severity: critical, delta: [introduced]}, max: 0}]
//
// A fuller one:
//
//	apiVersion: gate/v1
//	kind: GatePolicy
//	metadata: {name: org-baseline, owner: appsec@example.org}
//	spec:
//	  mode: enforce                        # enforce | warn | audit
//	  scope: {products: {tags: [pci]}, target_branches: [main, "release/*"]}
//	  require:                             # evidence, looked at before anything is counted
//	    - {id: sca, any_of: [trivy, grype], max_age: 24h, on: [head]}
//	  rules:
//	    - {id: new-critical, level: fail, select: {severity: critical, delta: new}, max: 0}
//	    - id: exploitable
//	      level: fail
//	      select: {severity: [critical, high]}
//	      when: f.kev || f.epss >= 0.2     # CEL; true, false or unknown
//	      max: 0
//	      grace: {disclosed: 72h, existing: 30d}
//	    - {id: medium-budget, level: warn, select: {severity: medium}, per: vulnerability, max: 25}
//	  waivers:
//	    max_ttl: {critical: 14d, default: 90d}
//	    approvals: {critical: 2, default: 1}
//	    void_if: f.kev
//
// A threshold is always "observed > max violates". What is not known (an EPSS
// score, a baseline) never passes or fails silently: a rule is inconclusive if
// the unknown could change its outcome.
package policies
