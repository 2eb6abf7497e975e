package github

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// attempts is how often a request is sent, longestWait how long a limit is waited for at most.
const (
	attempts    = 5
	longestWait = 2 * time.Minute
)

// answerError is an answer that is no success.
type answerError struct {
	method, url, message string
	status               int
	// limited says that there were too many requests, and after how long another is welcome.
	limited bool
	after   time.Duration
}

func (e *answerError) Error() string {
	s := fmt.Sprintf("%s %s answered %d: %s", e.method, e.url, e.status, e.message)
	if e.limited {
		s += fmt.Sprintf(" (too many requests; another is welcome in %s)", e.after.Round(time.Second))
	}
	return s
}

// retry says whether a request that failed may succeed later, and when.
func retry(err error, attempt int) (time.Duration, bool) {
	backoff := time.Second << attempt
	if attempt+1 >= attempts || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return 0, false
	}
	var e *answerError
	if !errors.As(err, &e) {
		return backoff, true // the network
	}
	if e.limited {
		return max(e.after, backoff), e.after <= longestWait
	}
	return backoff, e.status >= 500
}

// get reads, again and again where that may help, and returns the answer's header.
func (c *Client) get(ctx context.Context, url string, into any) (http.Header, error) {
	for attempt := 0; ; attempt++ {
		header, err := c.do(ctx, http.MethodGet, url, nil, into)
		if err == nil {
			return header, nil
		}
		wait, again := retry(err, attempt)
		if !again {
			return nil, err
		}
		if err := c.Sleep(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// write sends a comment once.
func (c *Client) write(ctx context.Context, method, url, body string) (comment, error) {
	var made comment
	_, err := c.do(ctx, method, url, map[string]any{"body": body}, &made)
	return made, err
}

// do sends one request, with what is given as JSON; nil for none.
func (c *Client) do(ctx context.Context, method, url string, given map[string]any, into any) (http.Header, error) {
	var content io.Reader
	if given != nil {
		b, err := json.Marshal(given)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, url, content)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/vnd.github+json")
	r.Header.Set("Authorization", "Bearer "+c.Token)
	r.Header.Set("X-GitHub-Api-Version", "2022-11-28")
	r.Header.Set("User-Agent", "slipway")
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	all, err := io.ReadAll(io.LimitReader(answer.Body, 64<<20))
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		return nil, errorOf(method, url, answer, all)
	}
	return answer.Header, json.Unmarshal(all, into)
}

// errorOf tells a limit from a refusal, which GitHub answers with the same 403.
// https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
func errorOf(method, url string, answer *http.Response, body []byte) error {
	e := &answerError{method: method, url: url, status: answer.StatusCode}
	var said struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &said) == nil {
		e.message = said.Message
	}
	if e.status != http.StatusForbidden && e.status != http.StatusTooManyRequests {
		return e
	}
	after, reset := answer.Header.Get("Retry-After"), answer.Header.Get("X-RateLimit-Reset")
	switch {
	case after != "":
		n, _ := strconv.Atoi(after)
		e.limited, e.after = true, time.Duration(n)*time.Second
	case answer.Header.Get("X-RateLimit-Remaining") == "0":
		n, _ := strconv.ParseInt(reset, 10, 64)
		e.limited, e.after = true, max(0, time.Until(time.Unix(n, 0)))
	case e.status == http.StatusTooManyRequests || strings.Contains(strings.ToLower(e.message), "rate limit"):
		e.limited, e.after = true, time.Minute
	}
	return e
}

var nextLink = regexp.MustCompile(`<([^>]*)>;\s*rel="next"`)

// list reads one page, and returns the address of the next.
func (c *Client) list(ctx context.Context, url string, into any) (next string, err error) {
	header, err := c.get(ctx, url, into)
	if err != nil {
		return "", err
	}
	m := nextLink.FindStringSubmatch(header.Get("Link"))
	if m == nil {
		return "", nil
	}
	// The token goes nowhere else.
	if !strings.HasPrefix(m[1], c.API+"/") {
		return "", fmt.Errorf("GitHub's next page %s is not below %s", m[1], c.API)
	}
	return m[1], nil
}
