package registry

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/slipway-iac/slipway/sandbox/aws"
)

// served is a registry with the repositories "fixed", whose tags are immutable, and "team/loose".
type served struct {
	t       *testing.T
	account *aws.Account
	dir     string
	server  *httptest.Server
}

func serve(t *testing.T) *served {
	t.Helper()
	account, err := aws.OpenAccount(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := account.Do("us-west-2", func(tx *aws.Tx) error {
		for repository, mutability := range map[string]string{"fixed": "IMMUTABLE", "team/loose": "MUTABLE"} {
			tx.Add(&aws.Object{
				Type: "aws:ecr/repository:Repository", ID: repository, Region: "us-west-2",
				Inputs: map[string]any{"name": repository, "imageTagMutability": mutability},
			})
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	s := &served{t: t, account: account, dir: t.TempDir()}
	s.start()
	t.Cleanup(func() { s.server.Close() })
	return s
}

func (s *served) start() {
	s.t.Helper()
	r, err := Open(s.account, s.dir)
	if err != nil {
		s.t.Fatal(err)
	}
	s.server = httptest.NewServer(r)
}

func (s *served) ref(image string) name.Reference {
	s.t.Helper()
	r, err := name.ParseReference(strings.TrimPrefix(s.server.URL, "http://")+"/"+image, name.Insecure)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *served) push(image string, i v1.Image) error { return remote.Write(s.ref(image), i) }

func (s *served) pulled(image string) (string, error) {
	i, err := remote.Image(s.ref(image))
	if err != nil {
		return "", err
	}
	if err := pullLayers(i); err != nil {
		return "", err
	}
	d, err := i.Digest()
	return d.String(), err
}

func pullLayers(i v1.Image) error {
	layers, err := i.Layers()
	if err != nil {
		return err
	}
	for _, l := range layers {
		content, err := l.Compressed()
		if err != nil {
			return err
		}
		content.Close()
	}
	return nil
}

func image(t *testing.T) (v1.Image, string) {
	t.Helper()
	i, err := random.Image(1024, 2)
	if err != nil {
		t.Fatal(err)
	}
	d, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return i, d.String()
}

func TestImagesSurviveTheProcess(t *testing.T) {
	s := serve(t)
	i, digest := image(t)
	for _, ref := range []string{"fixed:1.0.0", "team/loose:1.0.0"} {
		if err := s.push(ref, i); err != nil {
			t.Fatal(err)
		}
	}
	s.server.Close()
	s.start()
	for _, ref := range []string{"fixed:1.0.0", "team/loose:1.0.0", "fixed@" + digest} {
		if got, err := s.pulled(ref); err != nil || got != digest {
			t.Errorf("%s is %s, %v, want %s", ref, got, err, digest)
		}
	}
}

// refused wants words of the error that a client shows.
func refused(t *testing.T, err error, words ...string) {
	t.Helper()
	for _, w := range words {
		if err == nil || !strings.Contains(err.Error(), w) {
			t.Errorf("got %v, want %q", err, w)
		}
	}
}

func TestTheAccountsRulesHold(t *testing.T) {
	s := serve(t)
	first, digest := image(t)
	second, moved := image(t)
	for _, ref := range []string{"fixed:v1", "team/loose:v1"} {
		if err := s.push(ref, first); err != nil {
			t.Fatal(err)
		}
	}
	refused(t, s.push("fixed:v1", second), "TAG_INVALID", "immutable")
	if got, err := s.pulled("fixed:v1"); err != nil || got != digest {
		t.Errorf("after the refused push fixed:v1 is %s, %v, want %s", got, err, digest)
	}
	if err := s.push("team/loose:v1", second); err != nil {
		t.Errorf("a tag that may move: %v", err)
	}
	if got, err := s.pulled("team/loose:v1"); err != nil || got != moved {
		t.Errorf("team/loose:v1 is %s, %v, want %s", got, err, moved)
	}
	refused(t, s.push("nowhere:v1", first), "NAME_UNKNOWN", "nowhere")
	_, err := s.pulled("nowhere:v1")
	refused(t, err, "NAME_UNKNOWN")
	_, err = s.pulled("fixed:v2")
	refused(t, err, "MANIFEST_UNKNOWN", "v2")
	refused(t, remote.Delete(s.ref("fixed:v1")), "UNSUPPORTED")
}

// A repository that was deleted and made again is empty, whatever lies on disk.
func TestARepositoryMadeAgainIsEmpty(t *testing.T) {
	s := serve(t)
	i, _ := image(t)
	if err := s.push("fixed:v1", i); err != nil {
		t.Fatal(err)
	}
	if err := s.account.Do("us-west-2", func(tx *aws.Tx) error {
		old := tx.Find("aws:ecr/repository:Repository", "name", "fixed")
		tx.Remove(old)
		tx.Add(&aws.Object{Type: old.Type, ID: old.ID, Region: old.Region, Inputs: old.Inputs})
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	_, err := s.pulled("fixed:v1")
	refused(t, err, "MANIFEST_UNKNOWN")
	if err := s.push("fixed:v1", i); err != nil {
		t.Errorf("pushed again: %v", err)
	}
}
