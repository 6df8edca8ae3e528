package main

import (
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	pullEvent = `{"number": 7, "pull_request": {"head": {"sha": "headsha", "repo": {"full_name": "org/shop"}}, "base": {"sha": "basesha", "repo": {"full_name": "org/shop"}}}}`
	forkEvent = `{"number": 8, "pull_request": {"head": {"sha": "headsha", "repo": {"full_name": "stranger/shop"}}, "base": {"sha": "basesha", "repo": {"full_name": "org/shop"}}}}`
	goneEvent = `{"number": 9, "pull_request": {"head": {"sha": "headsha", "repo": null}, "base": {"sha": "basesha", "repo": {"full_name": "org/shop"}}}}`
	mergeEven = `{"merge_group": {"head_sha": "groupsha", "base_sha": "groupbase", "base_ref": "refs/heads/main", "head_ref": "refs/heads/gh-readonly-queue/main/pr-7"}}`
)

// TestDetectBuild is what each CI says of each kind of build.
func TestDetectBuild(t *testing.T) {
	t.Parallel()
	github := map[string]string{
		"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "org/shop", "GITHUB_REF_NAME": "main", "GITHUB_SHA": "mergesha", "GITHUB_RUN_ID": "1000", "GITHUB_RUN_ATTEMPT": "1",
		"GITHUB_ACTOR": "ada", "GITHUB_SERVER_URL": "https://github.com", "GITHUB_EVENT_NAME": "push",
	}
	onGitHub := build{ci: "GitHub Actions", repository: "org/shop", branch: "main", commit: "mergesha", buildID: "1000", sequence: 100001, event: "push", actor: "ada", url: "https://github.com/org/shop"}
	gitlab := map[string]string{
		"GITLAB_CI": "true", "CI_PROJECT_PATH": "org/shop", "CI_COMMIT_REF_NAME": "main", "CI_COMMIT_SHA": "sha", "CI_PIPELINE_ID": "55", "GITLAB_USER_LOGIN": "ada",
		"CI_PROJECT_URL": "https://gitlab.com/org/shop", "CI_PIPELINE_SOURCE": "push",
	}
	onGitLab := build{ci: "GitLab CI", repository: "org/shop", branch: "main", commit: "sha", buildID: "55", sequence: 55, event: "push", actor: "ada", url: "https://gitlab.com/org/shop"}
	mergeRequest := map[string]string{
		"CI_PIPELINE_SOURCE": "merge_request_event", "CI_MERGE_REQUEST_IID": "12", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": "feature", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
		"CI_MERGE_REQUEST_DIFF_BASE_SHA": "mergebase", "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "1", "CI_MERGE_REQUEST_PROJECT_ID": "1", "CI_MERGE_REQUEST_EVENT_TYPE": "detached",
		"CI_COMMIT_REF_NAME": "refs/merge-requests/12/head",
	}
	azure := map[string]string{
		"TF_BUILD": "True", "BUILD_REPOSITORY_NAME": "shop", "BUILD_SOURCEBRANCH": "refs/heads/main", "BUILD_SOURCEVERSION": "sha", "BUILD_BUILDID": "9", "BUILD_REQUESTEDFOR": "Ada",
		"BUILD_REPOSITORY_URI": "https://dev.azure.com/org/shop",
	}
	onAzure := build{ci: "Azure Pipelines", repository: "shop", branch: "main", commit: "sha", buildID: "9", sequence: 9, event: "push", actor: "Ada", url: "https://dev.azure.com/org/shop"}
	jenkins := map[string]string{
		"JENKINS_URL": "https://ci", "JOB_NAME": "org/shop/main", "JOB_BASE_NAME": "shop", "BRANCH_NAME": "main", "GIT_COMMIT": "sha", "BUILD_NUMBER": "3", "GIT_URL": "https://git/shop",
	}
	onJenkins := build{ci: "Jenkins", repository: "shop", branch: "main", commit: "sha", buildID: "3", sequence: 3, event: "push", url: "https://git/shop"}

	tests := []struct {
		name  string
		env   []map[string]string
		event string // GITHUB_EVENT_PATH's content
		want  build
	}{
		{"nowhere", nil, "", build{}},
		{"github_push", env(github), "", onGitHub},
		{"github_again", env(github, "GITHUB_RUN_ATTEMPT", "3"), "", with(onGitHub, func(b *build) { b.buildID, b.sequence = "1000.3", 100003 })},
		{"github_tag", env(github, "GITHUB_EVENT_NAME", "release", "GITHUB_REF_NAME", "v1"), "", with(onGitHub, func(b *build) { b.event, b.branch = "release", "v1" })},
		{"github_schedule", env(github, "GITHUB_EVENT_NAME", "schedule"), "", with(onGitHub, func(b *build) { b.event = "schedule" })},
		{"github_by_hand", env(github, "GITHUB_EVENT_NAME", "workflow_dispatch"), "", with(onGitHub, func(b *build) { b.event = "manual" })},
		{"github_pull_request", env(github, "GITHUB_EVENT_NAME", "pull_request", "GITHUB_HEAD_REF", "feature", "GITHUB_BASE_REF", "main", "GITHUB_REF_NAME", "7/merge"), pullEvent, with(onGitHub, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.commit, b.baseCommit = "pull_request", "feature", "main", 7, "headsha", "basesha"
		})},
		{"github_fork", env(github, "GITHUB_EVENT_NAME", "pull_request_target", "GITHUB_HEAD_REF", "main", "GITHUB_BASE_REF", "main"), forkEvent, with(onGitHub, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.commit, b.baseCommit, b.fork = "pull_request", "main", "main", 8, "headsha", "basesha", true
		})},
		{"github_fork_deleted", env(github, "GITHUB_EVENT_NAME", "pull_request", "GITHUB_HEAD_REF", "f", "GITHUB_BASE_REF", "main"), goneEvent, with(onGitHub, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.commit, b.baseCommit, b.fork = "pull_request", "f", "main", 9, "headsha", "basesha", true
		})},
		{"github_pull_request_without_event", env(github, "GITHUB_EVENT_NAME", "pull_request", "GITHUB_HEAD_REF", "feature", "GITHUB_BASE_REF", "main"), "", with(onGitHub, func(b *build) {
			b.event, b.branch, b.targetBranch = "pull_request", "feature", "main"
		})},
		{"github_merge_queue", env(github, "GITHUB_EVENT_NAME", "merge_group", "GITHUB_REF_NAME", "gh-readonly-queue/main/pr-7"), mergeEven, with(onGitHub, func(b *build) {
			b.event, b.branch, b.targetBranch, b.commit, b.baseCommit = "merge_group", "gh-readonly-queue/main/pr-7", "main", "groupsha", "groupbase"
		})},
		{"github_broken_event", env(github, "GITHUB_EVENT_NAME", "merge_group"), `{"merge_gr`, with(onGitHub, func(b *build) { b.event = "merge_group" })},
		{"github_unset", []map[string]string{{"GITHUB_ACTIONS": "true"}}, "", build{ci: "GitHub Actions", event: "push"}},

		{"gitlab_push", env(gitlab), "", onGitLab},
		{"gitlab_tag", env(gitlab, "CI_COMMIT_TAG", "v1", "CI_COMMIT_REF_NAME", "v1"), "", with(onGitLab, func(b *build) { b.event, b.branch = "release", "v1" })},
		{"gitlab_schedule", env(gitlab, "CI_PIPELINE_SOURCE", "schedule"), "", with(onGitLab, func(b *build) { b.event = "schedule" })},
		{"gitlab_by_hand", env(gitlab, "CI_PIPELINE_SOURCE", "web"), "", with(onGitLab, func(b *build) { b.event = "manual" })},
		{"gitlab_detached", append(env(gitlab), mergeRequest), "", with(onGitLab, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.mergeBase = "pull_request", "feature", "main", 12, "mergebase"
		})},
		{"gitlab_merged_results", append(env(gitlab, "CI_COMMIT_SHA", "mergedsha"), mergeRequest, map[string]string{"CI_MERGE_REQUEST_EVENT_TYPE": "merged_result", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "headsha"}), "", with(onGitLab, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.mergeBase, b.commit = "pull_request", "feature", "main", 12, "mergebase", "headsha"
		})},
		{"gitlab_merge_train", append(env(gitlab, "CI_COMMIT_SHA", "trainsha"), mergeRequest, map[string]string{"CI_MERGE_REQUEST_EVENT_TYPE": "merge_train", "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": "headsha"}), "", with(onGitLab, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.mergeBase, b.commit = "merge_group", "refs/merge-requests/12/train", "main", 12, "mergebase", "headsha"
		})},
		{"gitlab_fork", append(env(gitlab), mergeRequest, map[string]string{"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "2", "CI_PROJECT_PATH": "stranger/shop", "CI_MERGE_REQUEST_PROJECT_PATH": "org/shop"}), "", with(onGitLab, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.mergeBase, b.fork = "pull_request", "feature", "main", 12, "mergebase", true
		})},
		{"gitlab_unset", []map[string]string{{"GITLAB_CI": "true"}}, "", build{ci: "GitLab CI", event: "push"}},

		{"azure_push", env(azure), "", onAzure},
		{"azure_pull_request", env(azure, "SYSTEM_PULLREQUEST_PULLREQUESTID", "4", "SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/feature", "SYSTEM_PULLREQUEST_TARGETBRANCH", "refs/heads/main",
			"SYSTEM_PULLREQUEST_SOURCECOMMITID", "headsha", "SYSTEM_PULLREQUEST_ISFORK", "False", "BUILD_SOURCEBRANCH", "refs/pull/4/merge"), "", with(onAzure, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.commit = "pull_request", "feature", "main", 4, "headsha"
		})},
		{"azure_fork_on_github", env(azure, "SYSTEM_PULLREQUEST_PULLREQUESTID", "987654", "SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "4", "SYSTEM_PULLREQUEST_SOURCEBRANCH", "feature",
			"SYSTEM_PULLREQUEST_TARGETBRANCH", "main", "SYSTEM_PULLREQUEST_ISFORK", "True"), "", with(onAzure, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.fork = "pull_request", "feature", "main", 4, true
		})},
		{"azure_unset", []map[string]string{{"TF_BUILD": "True"}}, "", build{ci: "Azure Pipelines", event: "push"}},

		{"jenkins_push", env(jenkins), "", onJenkins},
		{"jenkins_without_branches", env(jenkins, "BRANCH_NAME", "", "GIT_BRANCH", "origin/main", "JOB_BASE_NAME", "", "JOB_NAME", "shop"), "", onJenkins},
		{"jenkins_change", env(jenkins, "BRANCH_NAME", "PR-5", "CHANGE_ID", "5", "CHANGE_BRANCH", "feature", "CHANGE_TARGET", "main"), "", with(onJenkins, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest = "pull_request", "feature", "main", 5
		})},
		{"jenkins_fork", env(jenkins, "CHANGE_ID", "5", "CHANGE_BRANCH", "feature", "CHANGE_TARGET", "main", "CHANGE_FORK", "stranger"), "", with(onJenkins, func(b *build) {
			b.event, b.branch, b.targetBranch, b.pullRequest, b.fork = "pull_request", "feature", "main", 5, true
		})},
		{"jenkins_multibranch_job", env(jenkins, "GIT_URL", ""), "", with(onJenkins, func(b *build) { b.repository, b.url = "org/shop", "" })},
		{"jenkins_job", env(jenkins, "GIT_URL", "", "BRANCH_NAME", "", "JOB_NAME", "folder/shop"), "", with(onJenkins, func(b *build) { b.repository, b.url, b.branch = "folder/shop", "", "" })},
		{"jenkins_ssh", env(jenkins, "GIT_URL", "git@github.com:org/shop.git"), "", with(onJenkins, func(b *build) { b.repository, b.url = "org/shop", "git@github.com:org/shop.git" })},
		{"jenkins_https", env(jenkins, "GIT_URL", "https://me@git.example:8443/org/shop.git/"), "", with(onJenkins, func(b *build) { b.repository, b.url = "org/shop", "https://me@git.example:8443/org/shop.git/" })},
		{"jenkins_unset", []map[string]string{{"JENKINS_URL": "https://ci"}}, "", build{ci: "Jenkins", event: "push"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			vars := map[string]string{}
			for _, m := range tt.env {
				maps.Copy(vars, m)
			}
			if tt.event != "" {
				vars["GITHUB_EVENT_PATH"] = filepath.Join(t.TempDir(), "event.json")
				if err := os.WriteFile(vars["GITHUB_EVENT_PATH"], []byte(tt.event), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			got := detectBuild(func(name string) string { return vars[name] })
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(build{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// env is the usual environment of a CI with changes.
func env(usual map[string]string, changes ...string) []map[string]string {
	m := map[string]string{}
	for i := 0; i < len(changes); i += 2 {
		m[changes[i]] = changes[i+1]
	}
	return []map[string]string{usual, m}
}

func with(b build, change func(*build)) build {
	change(&b)
	return b
}

// TestBuildFlags puts the command line above what the CI says.
func TestBuildFlags(t *testing.T) {
	t.Parallel()
	c := uploadCmd{subjectFlags: subjectFlags{Branch: "b", TargetBranch: "t"}, PullRequest: 3, Commit: "c", BuildID: "1"}
	got := c.build(func(string) string { return "" })
	want := build{branch: "b", targetBranch: "t", pullRequest: 3, commit: "c", buildID: "1", event: "pull_request"}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(build{})); diff != "" {
		t.Error(diff)
	}
}
