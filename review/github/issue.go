package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// Issue is what an issue has to say.
type Issue struct {
	// Marker is the first line of Body, by which the issue is found again.
	Marker, Title, Body string
	// Says tells whether the body of an issue says what this one does; Since is what is different since, for a comment.
	Says  func(body string) bool
	Since func(body string) string
}

// issue is what GitHub says of one.
type issue struct {
	Number      int       `json:"number"`
	State       string    `json:"state"`
	StateReason string    `json:"state_reason"`
	Body        string    `json:"body"`
	HTMLURL     string    `json:"html_url"`
	PullRequest *struct{} `json:"pull_request"`
	User        struct {
		Login string `json:"login"`
	} `json:"user"`
}

// KeepIssue opens the author's issue with the marker, where there is none, and brings it up to date where it says something else: its
// body, and a comment on what is different, since GitHub tells nobody of a changed body. One that was closed is opened again, unless
// somebody closed it as not planned and it says the same. It says what was done.
func (c *Client) KeepIssue(ctx context.Context, i Issue) (said string, err error) {
	if err := c.check(false); err != nil {
		return "", err
	}
	err = c.persist(ctx, i.Marker, func(there *issue) error {
		switch {
		case there == nil:
			var made issue
			if _, err := c.do(ctx, http.MethodPost, c.issues(), map[string]any{"title": i.Title, "body": i.Body}, &made); err != nil {
				return err
			}
			said = "opened " + made.HTMLURL
			return nil
		case i.Says(there.Body) && there.State == "open":
			said = "nothing is different since " + there.HTMLURL + " was written"
			return nil
		case i.Says(there.Body) && there.StateReason == "not_planned":
			said = there.HTMLURL + " was closed as not planned, and nothing is different since"
			return nil
		}
		word := i.Since(there.Body)
		said = "brought up to date " + there.HTMLURL
		if there.State != "open" {
			word = "Something drifts again. " + word
			said = "opened again " + there.HTMLURL
		}
		return c.change(ctx, there, map[string]any{"title": i.Title, "body": i.Body, "state": "open"}, word)
	})
	if err != nil {
		return "", err
	}
	return said, nil
}

// CloseIssue closes the author's issue with the marker, with a word on why, where it is open. It says what was done.
func (c *Client) CloseIssue(ctx context.Context, marker, word string) (said string, err error) {
	if err := c.check(false); err != nil {
		return "", err
	}
	err = c.persist(ctx, marker, func(there *issue) error {
		if there == nil || there.State != "open" {
			said = ""
			return nil
		}
		said = "closed " + there.HTMLURL
		return c.change(ctx, there, map[string]any{"state": "closed", "state_reason": "completed"}, word)
	})
	if err != nil {
		return "", err
	}
	return said, nil
}

func (c *Client) issues() string { return fmt.Sprintf("%s/repos/%s/issues", c.API, c.Repository) }

// persist does something with the author's first issue with the marker, nil where there is none, again and again where that may help. It
// is looked for anew each time: an attempt that failed may have been carried out all the same.
func (c *Client) persist(ctx context.Context, marker string, do func(*issue) error) error {
	author, err := c.author(ctx)
	if err != nil {
		return err
	}
	for attempt := 0; ; attempt++ {
		there, err := c.findIssue(ctx, author, marker)
		if err != nil {
			return err
		}
		if err = do(there); err == nil {
			return nil
		}
		wait, again := retry(err, attempt)
		if !again {
			return err
		}
		if stopped := c.Sleep(ctx, wait); stopped != nil {
			return errors.Join(err, stopped)
		}
	}
}

// findIssue is the oldest of the author's issues that begin with the marker, open or closed; nil for none.
// https://docs.github.com/en/rest/issues/issues#list-repository-issues
func (c *Client) findIssue(ctx context.Context, author, marker string) (*issue, error) {
	next := c.issues() + "?" + url.Values{"state": {"all"}, "creator": {author}, "sort": {"created"}, "direction": {"asc"}, "per_page": {"100"}}.Encode()
	for next != "" {
		var page []issue
		link, err := c.list(ctx, next, &page)
		if err != nil {
			return nil, err
		}
		for _, i := range page {
			if i.PullRequest == nil && i.User.Login == author && begins(i.Body, marker) {
				return &i, nil
			}
		}
		next = link
	}
	return nil, nil
}

// change changes an issue, then says why in a comment. The comment comes second, so that it is not made twice where the change fails; it
// is sent once, since one that was made before its answer was lost cannot be told from an older one.
func (c *Client) change(ctx context.Context, there *issue, to map[string]any, word string) error {
	at := fmt.Sprintf("%s/%d", c.issues(), there.Number)
	if _, err := c.do(ctx, http.MethodPatch, at, to, &issue{}); err != nil {
		return err
	}
	_, err := c.write(ctx, http.MethodPost, at+"/comments", word)
	return err
}
