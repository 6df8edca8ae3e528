package connection

import (
	"context"
	"fmt"

	"defectdojo/gate/store"
	"defectdojo/integrations/github"
)

// GitHub is the kind of connections to GitHub. client and sync are how it is reached.
func GitHub(client func(context.Context, store.Connection) (*github.Client, error), sync func(context.Context, *github.Client, store.Connection) (known, lost int, err error)) Kind {
	return Kind{
		Name: "github", Title: "GitHub", Hooked: true, Hosts: true,
		Fields: []Field{
			{"url", "Address", "Blank for github.com; of an Enterprise Server, its address.", Text, "https://github.example.org"},
			{"app_id", "App ID", "Of a GitHub App: the number on its settings page. Blank with a token.", Number, "123456"},
			{github.PrivateKey, "Private key", "Of the App: the whole .pem file that GitHub made.", LongSecret, ""},
			{github.Token, "Token", "Instead of an App: fine-grained, with read access to Actions, contents and pull requests, and write access to commit statuses and issues.", Secret, ""},
			{"artifacts", "Artifacts", "Patterns of the names of artifacts that hold reports, one a line. A repository can have its own.", List, "*sarif*"},
			{"create", "Products by rule", "Repositories that match get a product by themselves, one pattern a line.", List, "acme/*"},
			{"product", "Their name", "{owner}, {name} and {repository} are filled in.", Text, "{name}"},
			{"product_type", "Their product type", "", Text, "Research and Development"},
			{"no_comment", "No comment at pull requests", "The check alone tells.", Flag, ""},
			{"code_scanning", "Code scanning", "Show what counts in GitHub's code scanning, too.", Flag, ""},
			{"artifact_hosts", "Hosts of artifacts", "Of an Enterprise Server whose artifacts are kept elsewhere, one a line.", List, "storage.example.org"},
		},
		Guide: []string{
			"At GitHub, make a GitHub App for your organization (Settings, Developer settings, GitHub Apps); its webhook need not be active yet.",
			"Permissions: Actions read, Checks write, Contents read, Pull requests write, Commit statuses write, Metadata read; Code scanning alerts write, if you want it.",
			"Make a private key there, and install the App at the organization.",
			"Here: App ID and private key, Save. Then the webhook's address and secret are shown.",
			"At the App: make its webhook active, with that address and secret, content type application/json.",
			"Events: Check run, Check suite, Merge group, Pull request, Push, Repository, Workflow run.",
			"Here: Test it, and Look which there are.",
			"Without an App: a token, and a webhook of the repository or organization with the same address, secret and events. Then there are commit statuses instead of checks with annotations.",
		},
		Check: check[github.Settings],
		Try: func(ctx context.Context, conn store.Connection) (string, error) {
			c, err := client(ctx, conn)
			if err != nil {
				return "", err
			}
			name, err := c.Account(ctx)
			if err != nil {
				return "", err
			}
			list, _, err := c.Repositories(ctx)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("GitHub knows us as %s, with access to %d repositories.", name, len(list)), nil
		},
		Sync: func(ctx context.Context, conn store.Connection) (int, error) {
			c, err := client(ctx, conn)
			if err != nil {
				return 0, err
			}
			known, _, err := sync(ctx, c, conn)
			return known, err
		},
	}
}
