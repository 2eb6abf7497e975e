// Package registry plays the image registry of the account, on loopback: the repositories are those of the account, and so are
// their rules. Images survive the process.
package registry

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// mostManifest is the size of the largest manifest that is taken; ECR's limit.
// https://docs.aws.amazon.com/AmazonECR/latest/userguide/service-quotas.html
const mostManifest = 4 << 20

// Registry is an http.Handler of the OCI distribution protocol.
type Registry struct {
	account *aws.Account
	dir     string
	images  http.Handler
}

// kept is a manifest on disk. The library keeps blobs on disk, and manifests in memory only.
type kept struct {
	Repository string `json:"repository"`
	Reference  string `json:"reference"`
	MediaType  string `json:"mediaType"`
	Content    []byte `json:"content"`

	file string
}

// Open is the registry of the account, with the images that lie in dir.
func Open(account *aws.Account, dir string) (*Registry, error) {
	for _, d := range []string{"blobs", "manifests"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			return nil, fmt.Errorf("the registry's folder: %w", err)
		}
	}
	r := &Registry{account: account, dir: dir, images: ggcr.New(
		ggcr.WithBlobHandler(ggcr.NewDiskBlobHandler(filepath.Join(dir, "blobs"))),
		ggcr.WithReferrersSupport(true),
		ggcr.Logger(log.New(io.Discard, "", 0)),
	)}
	files, err := filepath.Glob(filepath.Join(dir, "manifests", "*.json"))
	if err != nil {
		return nil, err
	}
	var all []kept
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, fmt.Errorf("an image of the registry: %w", err)
		}
		var k kept
		if err := json.Unmarshal(b, &k); err != nil {
			return nil, fmt.Errorf("%s, an image of the registry, is damaged (%w): remove it and push the image again", f, err)
		}
		k.file = f
		all = append(all, k)
	}
	return r, r.load(all)
}

// load gives the library what was kept. It takes an index after the images of its platforms only: what is refused is tried again for
// as long as something else is taken.
func (r *Registry) load(all []kept) error {
	for len(all) > 0 {
		var refused []kept
		var why string
		for _, k := range all {
			if said := r.put(k); said.Code != http.StatusCreated {
				refused, why = append(refused, k), strings.TrimSpace(said.Body.String())
			}
		}
		if len(refused) == len(all) {
			return fmt.Errorf("%s, an image of the registry, is not taken (%s): remove it and push the image again", refused[len(refused)-1].file, why)
		}
		all = refused
	}
	return nil
}

// put gives a manifest to the library.
func (r *Registry) put(k kept) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPut, "/v2/"+k.Repository+"/manifests/"+k.Reference, bytes.NewReader(k.Content))
	req.Header.Set("Content-Type", k.MediaType)
	said := httptest.NewRecorder()
	r.images.ServeHTTP(said, req)
	return said
}

// ServeHTTP implements http.Handler.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	repository, kind, reference := parse(req.URL.Path)
	if kind == "" {
		r.images.ServeHTTP(w, req)
		return
	}
	var image *aws.Object
	err := r.account.Do("", func(tx *aws.Tx) (err error) {
		image, err = tx.Image(repository, reference)
		return err
	})
	switch {
	case err != nil:
		refuse(w, err)
	case kind == "manifests" && req.Method == http.MethodPut:
		r.push(w, req, repository, reference)
	case kind == "manifests" && req.Method == http.MethodDelete:
		refuse(w, aws.Errorf("UnsupportedOperation", "images are deleted with the repository, or by its lifecycle policy"))
	case kind == "manifests" && image == nil:
		refuse(w, aws.Errorf("ImageNotFoundException", "The image with imageId {imageTag:'%s'} does not exist within the repository with name '%s' in the registry with id '%s'", reference, repository, aws.AccountID))
	default:
		r.images.ServeHTTP(w, req)
	}
}

// push takes an image: refused where the account refuses it, then on disk, then in the account, so that one that a kill cuts off
// can be pushed again.
func (r *Registry) push(w http.ResponseWriter, req *http.Request, repository, reference string) {
	content, err := io.ReadAll(http.MaxBytesReader(w, req.Body, mostManifest))
	if err != nil {
		refuse(w, aws.Errorf("InvalidParameterException", "the manifest: %s", err))
		return
	}
	hash, _, err := v1.SHA256(bytes.NewReader(content))
	if err != nil {
		refuse(w, err)
		return
	}
	tag := reference
	if strings.HasPrefix(reference, "sha256:") {
		tag = ""
	}
	if err := r.account.Do("", func(tx *aws.Tx) error { return tx.MayPushImage(repository, tag) }); err != nil {
		refuse(w, err)
		return
	}
	k := kept{Repository: repository, Reference: reference, MediaType: req.Header.Get("Content-Type"), Content: content}
	said := r.put(k)
	if said.Code == http.StatusCreated {
		if err := r.keep(k, hash.Hex); err != nil {
			refuse(w, err)
			return
		}
		if err := r.account.Do("", func(tx *aws.Tx) error { return tx.PushImage(repository, tag, hash.String()) }); err != nil {
			refuse(w, err)
			return
		}
	}
	for name, values := range said.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(said.Code)
	_, _ = w.Write(said.Body.Bytes())
}

func (r *Registry) keep(k kept, digest string) error {
	b, err := json.Marshal(k)
	if err != nil {
		return err
	}
	name := strings.NewReplacer("/", "+", ":", "-").Replace(k.Repository + "+" + k.Reference + "+" + digest)
	file := filepath.Join(r.dir, "manifests", name+".json")
	if err := os.WriteFile(file+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// parse reads /v2/NAME/manifests/REFERENCE and its like, where NAME may have slashes; kind is "" for anything else.
func parse(path string) (repository, kind, reference string) {
	for _, kind := range []string{"manifests", "blobs", "tags", "referrers"} {
		if i := strings.LastIndex(path, "/"+kind+"/"); i > len("/v2") && strings.HasPrefix(path, "/v2/") {
			return path[len("/v2/"):i], kind, strings.Trim(path[i+len(kind)+2:], "/")
		}
	}
	return "", "", ""
}

// refuse answers as ECR does to a client of the protocol.
func refuse(w http.ResponseWriter, err error) {
	code, status := "UNKNOWN", http.StatusInternalServerError
	var known *aws.Error
	if errors.As(err, &known) {
		switch known.Code {
		case "RepositoryNotFoundException":
			code, status = "NAME_UNKNOWN", http.StatusNotFound
		case "ImageNotFoundException":
			code, status = "MANIFEST_UNKNOWN", http.StatusNotFound
		case "ImageTagAlreadyExistsException":
			code, status = "TAG_INVALID", http.StatusBadRequest
		case "UnsupportedOperation":
			code, status = "UNSUPPORTED", http.StatusMethodNotAllowed
		default:
			code, status = "MANIFEST_INVALID", http.StatusBadRequest
		}
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{"code": code, "message": err.Error()}}})
}
