package promotion

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// wholeLists puts the pages in which a registry lists what refers to a manifest into one: the library reads the first alone, and signatures
// would stay behind without a word. It takes the list's type with parameters, too, which the library takes for a registry without lists.
// https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
type wholeLists struct{ next http.RoundTripper }

var (
	listPath = regexp.MustCompile(`^/v2/.+/referrers/[a-z0-9]+:[0-9a-f]+$`)
	nextPage = regexp.MustCompile(`<([^>]*)>\s*;\s*rel="?next"?`)
)

// maxPages is more than anybody signs; a registry that names still more goes round in circles.
const maxPages = 1000

// RoundTrip implements http.RoundTripper.
func (t wholeLists) RoundTrip(req *http.Request) (*http.Response, error) {
	first, err := t.next.RoundTrip(req)
	if err != nil || req.Method != http.MethodGet || !listPath.MatchString(req.URL.Path) || !isList(first) {
		return first, err
	}
	first.Header.Set("Content-Type", string(types.OCIImageIndex))
	if first.Header.Get("Link") == "" {
		return first, nil
	}
	var list map[string]json.RawMessage
	var all []json.RawMessage
	page, at := first, req.URL
	for n := 1; ; n++ {
		manifests, whole, err := readPage(page)
		if err != nil {
			return nil, err
		}
		if n == 1 {
			list = whole
		}
		all = append(all, manifests...)
		if at, err = after(page, at); err != nil {
			return nil, err
		}
		if at == nil {
			break
		}
		if n == maxPages {
			return nil, fmt.Errorf("%s lists what refers to %s on more than %d pages", req.URL.Host, req.URL.Path, maxPages)
		}
		again := req.Clone(req.Context())
		again.URL = at
		if page, err = t.next.RoundTrip(again); err != nil || page.StatusCode == http.StatusUnauthorized {
			return page, err // with a new token all pages are asked for again
		}
		if err := transport.CheckError(page, http.StatusOK); err != nil {
			page.Body.Close()
			return nil, err
		}
	}
	if list["manifests"], err = json.Marshal(all); err != nil {
		return nil, err
	}
	content, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	first.Header.Del("Link")
	first.Header.Set("Content-Length", strconv.Itoa(len(content)))
	first.ContentLength, first.Body = int64(len(content)), io.NopCloser(bytes.NewReader(content))
	return first, nil
}

func isList(resp *http.Response) bool {
	kind, _, err := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return err == nil && resp.StatusCode == http.StatusOK && kind == string(types.OCIImageIndex)
}

func readPage(resp *http.Response) (manifests []json.RawMessage, whole map[string]json.RawMessage, err error) {
	defer resp.Body.Close()
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(content, &whole); err != nil {
		return nil, nil, fmt.Errorf("a list of what refers to a manifest: %w", err)
	}
	if whole["manifests"] != nil {
		err = json.Unmarshal(whole["manifests"], &manifests)
	}
	return manifests, whole, err
}

// after is where the page after one is, nil where there is none. Credentials go nowhere else with it.
func after(page *http.Response, at *url.URL) (*url.URL, error) {
	link := nextPage.FindStringSubmatch(page.Header.Get("Link"))
	if link == nil {
		return nil, nil
	}
	next, err := at.Parse(link[1])
	if err != nil || next.Scheme != at.Scheme || next.Host != at.Host || next.Path != at.Path {
		return nil, fmt.Errorf("%s says that its list goes on at %q, which is not the same list", at.Host, link[1])
	}
	return next, nil
}
