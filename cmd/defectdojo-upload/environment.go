package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
)

// build is what the CI says of the build that runs.
type build struct {
	ci           string // "GitHub Actions", "GitLab CI" …; blank outside of CI
	repository   string
	branch       string
	targetBranch string // of a pull request
	pullRequest  int
	commit       string
	baseCommit   string
	mergeBase    string
	buildID      string
	sequence     int64 // grows with each run of the pipeline
	event        string
	actor        string
	fork         bool
	url          string // of the repository
}

// detectBuild reads what GitHub Actions
// (https://docs.github.com/actions/reference/variables-reference), GitLab CI
// (https://docs.gitlab.com/ci/variables/predefined_variables/), Azure Pipelines
// or Jenkins put into the environment.
func detectBuild(getenv func(string) string) build {
	switch {
	case getenv("GITHUB_ACTIONS") == "true":
		return githubBuild(getenv)
	case getenv("GITLAB_CI") == "true":
		return gitlabBuild(getenv)
	case getenv("TF_BUILD") != "":
		return azureBuild(getenv)
	case getenv("JENKINS_URL") != "":
		return jenkinsBuild(getenv)
	}
	return build{}
}

func githubBuild(getenv func(string) string) build {
	b := build{
		ci: "GitHub Actions", repository: getenv("GITHUB_REPOSITORY"), branch: getenv("GITHUB_REF_NAME"), commit: getenv("GITHUB_SHA"),
		buildID: getenv("GITHUB_RUN_ID"), actor: getenv("GITHUB_ACTOR"), event: "push",
	}
	if s := getenv("GITHUB_SERVER_URL"); s != "" && b.repository != "" {
		b.url = s + "/" + b.repository
	}
	run, _ := strconv.ParseInt(getenv("GITHUB_RUN_ID"), 10, 64) // grows over all workflows of the repository
	attempt, _ := strconv.ParseInt(getenv("GITHUB_RUN_ATTEMPT"), 10, 64)
	b.sequence = run*100 + attempt
	if attempt > 1 {
		b.buildID += "." + strconv.FormatInt(attempt, 10)
	}
	switch getenv("GITHUB_EVENT_NAME") {
	case "pull_request", "pull_request_target":
		b.event, b.branch, b.targetBranch = "pull_request", getenv("GITHUB_HEAD_REF"), getenv("GITHUB_BASE_REF")
		githubPullRequest(&b, getenv("GITHUB_EVENT_PATH"))
	case "merge_group":
		b.event = "merge_group"
		githubMergeGroup(&b, getenv("GITHUB_EVENT_PATH"))
	case "release":
		b.event = "release"
	case "schedule":
		b.event = "schedule"
	case "workflow_dispatch":
		b.event = "manual"
	}
	return b
}

// githubPullRequest reads the event's payload: GITHUB_SHA is that of a merge
// commit that nobody sees.
func githubPullRequest(b *build, path string) {
	var e struct {
		Number      int `json:"number"`
		PullRequest struct {
			Head struct {
				SHA  string `json:"sha"`
				Repo struct {
					FullName string `json:"full_name"`
				} `json:"repo"`
			} `json:"head"`
			Base struct {
				SHA  string `json:"sha"`
				Repo struct {
					FullName string `json:"full_name"`
				} `json:"repo"`
			} `json:"base"`
		} `json:"pull_request"`
	}
	if !readJSON(path, &e) {
		return
	}
	b.pullRequest = e.Number
	if e.PullRequest.Head.SHA != "" {
		b.commit, b.baseCommit = e.PullRequest.Head.SHA, e.PullRequest.Base.SHA
	}
	b.fork = e.PullRequest.Head.Repo.FullName != e.PullRequest.Base.Repo.FullName
}

func githubMergeGroup(b *build, path string) {
	var e struct {
		MergeGroup struct {
			HeadSHA string `json:"head_sha"`
			BaseSHA string `json:"base_sha"`
			BaseRef string `json:"base_ref"`
		} `json:"merge_group"`
	}
	if readJSON(path, &e) && e.MergeGroup.HeadSHA != "" {
		b.commit, b.baseCommit, b.targetBranch = e.MergeGroup.HeadSHA, e.MergeGroup.BaseSHA, strings.TrimPrefix(e.MergeGroup.BaseRef, "refs/heads/")
	}
}

func readJSON(path string, v any) bool {
	b, err := os.ReadFile(path)
	return err == nil && json.Unmarshal(b, v) == nil
}

func gitlabBuild(getenv func(string) string) build {
	b := build{
		ci: "GitLab CI", repository: getenv("CI_PROJECT_PATH"), branch: getenv("CI_COMMIT_REF_NAME"), commit: getenv("CI_COMMIT_SHA"),
		buildID: getenv("CI_PIPELINE_ID"), actor: getenv("GITLAB_USER_LOGIN"), url: getenv("CI_PROJECT_URL"), event: "push",
	}
	b.sequence, _ = strconv.ParseInt(getenv("CI_PIPELINE_ID"), 10, 64)
	if iid := getenv("CI_MERGE_REQUEST_IID"); iid != "" {
		b.event, b.branch, b.targetBranch = "pull_request", getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"), getenv("CI_MERGE_REQUEST_TARGET_BRANCH_NAME")
		b.pullRequest, _ = strconv.Atoi(iid)
		b.mergeBase = getenv("CI_MERGE_REQUEST_DIFF_BASE_SHA")
		// A fork's pipeline runs in the fork; what it is for is the project that it is to go into.
		b.repository, b.url = first(getenv("CI_MERGE_REQUEST_PROJECT_PATH"), b.repository), first(getenv("CI_MERGE_REQUEST_PROJECT_URL"), b.url)
		b.fork = getenv("CI_MERGE_REQUEST_SOURCE_PROJECT_ID") != getenv("CI_MERGE_REQUEST_PROJECT_ID")
		if sha := getenv("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"); sha != "" { // merged results: CI_COMMIT_SHA is of the merge
			b.commit = sha
		}
		if getenv("CI_MERGE_REQUEST_EVENT_TYPE") == "merge_train" {
			b.event, b.branch = "merge_group", "refs/merge-requests/"+iid+"/train" // a line of its own: what the train's other changes bring is not the merge request's
		}
		return b
	}
	switch getenv("CI_PIPELINE_SOURCE") {
	case "schedule":
		b.event = "schedule"
	case "web", "api":
		b.event = "manual"
	}
	if getenv("CI_COMMIT_TAG") != "" {
		b.event = "release"
	}
	return b
}

func azureBuild(getenv func(string) string) build {
	b := build{
		ci: "Azure Pipelines", repository: getenv("BUILD_REPOSITORY_NAME"), branch: strings.TrimPrefix(getenv("BUILD_SOURCEBRANCH"), "refs/heads/"),
		commit: getenv("BUILD_SOURCEVERSION"), buildID: getenv("BUILD_BUILDID"), actor: getenv("BUILD_REQUESTEDFOR"), url: getenv("BUILD_REPOSITORY_URI"), event: "push",
	}
	b.sequence, _ = strconv.ParseInt(getenv("BUILD_BUILDID"), 10, 64)
	if n, err := strconv.Atoi(first(getenv("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER"), getenv("SYSTEM_PULLREQUEST_PULLREQUESTID"))); err == nil {
		b.event, b.pullRequest = "pull_request", n
		b.branch = strings.TrimPrefix(getenv("SYSTEM_PULLREQUEST_SOURCEBRANCH"), "refs/heads/")
		b.targetBranch = strings.TrimPrefix(getenv("SYSTEM_PULLREQUEST_TARGETBRANCH"), "refs/heads/")
		b.commit = first(getenv("SYSTEM_PULLREQUEST_SOURCECOMMITID"), b.commit)
		b.fork = strings.EqualFold(getenv("SYSTEM_PULLREQUEST_ISFORK"), "true")
	}
	return b
}

func jenkinsBuild(getenv func(string) string) build {
	b := build{
		ci: "Jenkins", repository: jenkinsRepository(getenv), branch: strings.TrimPrefix(first(getenv("BRANCH_NAME"), getenv("GIT_BRANCH")), "origin/"),
		commit: getenv("GIT_COMMIT"), buildID: getenv("BUILD_NUMBER"), url: getenv("GIT_URL"), event: "push",
	}
	b.sequence, _ = strconv.ParseInt(getenv("BUILD_NUMBER"), 10, 64)
	if n, err := strconv.Atoi(getenv("CHANGE_ID")); err == nil {
		b.event, b.pullRequest, b.branch, b.targetBranch = "pull_request", n, getenv("CHANGE_BRANCH"), getenv("CHANGE_TARGET")
		b.fork = getenv("CHANGE_FORK") != ""
	}
	return b
}

// jenkinsRepository is what the remote's address says, else the job's name; that
// of a multibranch pipeline's job ends in the branch.
func jenkinsRepository(getenv func(string) string) string {
	if u := strings.TrimSuffix(strings.TrimSuffix(getenv("GIT_URL"), "/"), ".git"); u != "" {
		_, after, hasScheme := strings.Cut(u, "://")
		if hasScheme {
			_, u, _ = strings.Cut(after, "/")
		} else if _, path, ok := strings.Cut(u, ":"); ok { // git@host:org/shop
			u = path
		}
		if u = strings.Trim(u, "/"); u != "" {
			return u
		}
	}
	name := getenv("JOB_NAME")
	if i := strings.LastIndexByte(name, '/'); i > 0 && getenv("BRANCH_NAME") != "" {
		return name[:i]
	}
	return first(name, getenv("JOB_BASE_NAME"))
}

func first(s ...string) string {
	for _, v := range s {
		if v != "" {
			return v
		}
	}
	return ""
}
