// Package github keeps one comment of a pull request up to date, and one issue of a stack, with nothing but GitHub's REST API.
package github

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// Client speaks to one repository.
type Client struct {
	// API is where GitHub answers: https://api.github.com, or that of an enterprise's server.
	API string
	// Token is one that may write comments (permissions pull-requests: write) or issues (issues: write).
	Token string
	// Repository is OWNER/NAME, Number the pull request's, for a comment.
	Repository string
	Number     int
	// Author is whose comment or issue is updated; default the token's user, or "github-actions[bot]" for a token that belongs to no user.
	Author string
	// Summary is the file of the run's summary, where the text goes with a token that may only read; empty for none.
	Summary string
	// HTTP sends the requests, Sleep waits between them.
	HTTP  *http.Client
	Sleep func(context.Context, time.Duration) error
}

// FromEnvironment is a client as GitHub Actions describes it; number is the pull request's, 0 for that of the event.
// https://docs.github.com/en/actions/reference/workflows-and-actions/variables
func FromEnvironment(number int) *Client {
	c := &Client{
		API: cmp.Or(os.Getenv("GITHUB_API_URL"), "https://api.github.com"), Token: os.Getenv("GITHUB_TOKEN"), Repository: os.Getenv("GITHUB_REPOSITORY"),
		Number: number, Summary: os.Getenv("GITHUB_STEP_SUMMARY"), HTTP: &http.Client{Timeout: 30 * time.Second}, Sleep: sleep,
	}
	if c.Number == 0 {
		c.Number = eventNumber(os.Getenv("GITHUB_EVENT_PATH"))
	}
	return c
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

// eventNumber is the pull request that an event is about, 0 where it is about none.
func eventNumber(file string) int {
	content, err := os.ReadFile(file)
	if err != nil {
		return 0
	}
	type numbered struct {
		Number int `json:"number"`
	}
	var event struct {
		PullRequest numbered `json:"pull_request"`
		Issue       struct {
			numbered
			PullRequest *struct{} `json:"pull_request"`
		} `json:"issue"`
	}
	if json.Unmarshal(content, &event) != nil {
		return 0
	}
	if event.PullRequest.Number == 0 && event.Issue.PullRequest != nil {
		return event.Issue.Number
	}
	return event.PullRequest.Number
}

// comment is what GitHub says of one.
type comment struct {
	ID      int64  `json:"id"`
	Body    string `json:"body"`
	HTMLURL string `json:"html_url"`
	User    struct {
		Login string `json:"login"`
	} `json:"user"`
}

// Comment writes body, whose first line is the marker, over the author's comment that begins with the marker, or into a new one where
// there is none. It says where the text is. A token that may not write, as that of a fork's pull request, is no error: the text goes to
// the run's summary.
func (c *Client) Comment(ctx context.Context, marker, body string) (said string, err error) {
	if err := c.check(true); err != nil {
		return "", err
	}
	url, err := c.put(ctx, marker, body)
	var refused *answerError
	if errors.As(err, &refused) && refused.status == http.StatusForbidden && !refused.limited {
		return c.summarize(body, refused)
	}
	if err != nil {
		return "", err
	}
	return "the comment is " + url, nil
}

// check finds what is missing of what the environment gives.
func (c *Client) check(numbered bool) error {
	var missing []string
	for _, v := range []struct {
		name  string
		given bool
	}{
		{"GITHUB_TOKEN", c.Token != ""},
		{"GITHUB_REPOSITORY (OWNER/NAME)", strings.Count(c.Repository, "/") == 1},
		{"the pull request's number (--pr, or GITHUB_EVENT_PATH of an event on one)", c.Number > 0 || !numbered},
	} {
		if !v.given {
			missing = append(missing, v.name)
		}
	}
	if len(missing) > 0 {
		return fmt.Errorf("missing: %s", strings.Join(missing, ", "))
	}
	return nil
}

// put updates the comment that is there, or makes one.
func (c *Client) put(ctx context.Context, marker, body string) (url string, err error) {
	author, err := c.author(ctx)
	if err != nil {
		return "", err
	}
	var last error
	for attempt := range attempts {
		// Looked for again before each attempt: one that failed may have made it all the same.
		id, err := c.find(ctx, author, marker)
		if err != nil {
			return "", err
		}
		var made comment
		if id != 0 {
			made, err = c.write(ctx, http.MethodPatch, fmt.Sprintf("%s/repos/%s/issues/comments/%d", c.API, c.Repository, id), body)
			if gone(err) {
				id = 0 // somebody has deleted it meanwhile
			}
		}
		if id == 0 {
			made, err = c.write(ctx, http.MethodPost, fmt.Sprintf("%s/repos/%s/issues/%d/comments", c.API, c.Repository, c.Number), body)
		}
		if err == nil {
			return made.HTMLURL, nil
		}
		last = err
		wait, again := retry(err, attempt)
		if !again {
			break
		}
		if err := c.Sleep(ctx, wait); err != nil {
			return "", errors.Join(last, err)
		}
	}
	return "", last
}

func gone(err error) bool {
	var e *answerError
	return errors.As(err, &e) && e.status == http.StatusNotFound
}

// author is whose comments may be updated.
func (c *Client) author(ctx context.Context) (string, error) {
	if c.Author != "" {
		return c.Author, nil
	}
	var user struct {
		Login string `json:"login"`
	}
	_, err := c.get(ctx, c.API+"/user", &user)
	var e *answerError
	if errors.As(err, &e) && e.status == http.StatusForbidden && !e.limited {
		// The token of a workflow belongs to no user.
		return "github-actions[bot]", nil
	}
	return user.Login, err
}

// find is the id of the author's first comment that begins with the marker, 0 for none.
func (c *Client) find(ctx context.Context, author, marker string) (int64, error) {
	next := fmt.Sprintf("%s/repos/%s/issues/%d/comments?per_page=100", c.API, c.Repository, c.Number)
	for next != "" {
		var page []comment
		link, err := c.list(ctx, next, &page)
		if err != nil {
			return 0, err
		}
		for _, m := range page {
			if m.User.Login == author && begins(m.Body, marker) {
				return m.ID, nil
			}
		}
		next = link
	}
	return 0, nil
}

// begins tells whether the first line of a text is the marker. GitHub may give lines back with carriage returns.
func begins(body, marker string) bool {
	first, _, _ := strings.Cut(body, "\n")
	return strings.TrimSpace(first) == marker
}

// summarize appends the text to the run's summary.
func (c *Client) summarize(body string, why error) (string, error) {
	if c.Summary == "" {
		return "", fmt.Errorf("the token may not write comments, and there is no GITHUB_STEP_SUMMARY to write to: %w", why)
	}
	f, err := os.OpenFile(c.Summary, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return "", err
	}
	_, err = fmt.Fprintln(f, body)
	if err := errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	return "the token may not write comments, as that of a fork's pull request: the review is in the run's summary", nil
}
