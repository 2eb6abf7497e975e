package test

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	teamState  = "team-state"
	secretsKey = "arn:aws:kms:us-west-2:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
)

// backend plays S3 and KMS for whoever has a role, and refuses what the role does not allow.
type backend struct {
	mu      sync.Mutex
	objects map[string][]byte
	// role decides; nil allows everything, as for an admin.
	role rights
	seen map[string]bool
}

// ServeHTTP answers what the CLI asks: https://docs.aws.amazon.com/AmazonS3/latest/API and https://docs.aws.amazon.com/kms/latest/APIReference.
func (b *backend) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if operation, ofKMS := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService."); ofKMS {
		b.kms(w, r, operation)
		return
	}
	key := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/"+teamState), "/")
	object, source := "arn:aws:s3:::"+teamState+"/"+key, r.Header.Get("X-Amz-Copy-Source")
	switch {
	case key == "" && r.Method == http.MethodGet:
		if b.may(w, "s3:ListBucket", "arn:aws:s3:::"+teamState) {
			b.list(w, r.URL.Query().Get("prefix"), r.URL.Query().Get("delimiter"))
		}
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		if !b.may(w, "s3:GetObject", object) {
			return
		}
		content, there := b.objects[key]
		// Who may not list is not told what is not there.
		if !there && b.may(w, "s3:ListBucket", "arn:aws:s3:::"+teamState) {
			problem(w, http.StatusNotFound, "NoSuchKey")
		} else if there {
			_, _ = w.Write(content)
		}
	case r.Method == http.MethodPut && source != "":
		from, err := url.PathUnescape(strings.TrimPrefix(strings.TrimPrefix(source, "/"), teamState+"/"))
		if err == nil && b.may(w, "s3:GetObject", "arn:aws:s3:::"+teamState+"/"+from) && b.may(w, "s3:PutObject", object) {
			b.objects[key] = b.objects[from]
			fmt.Fprint(w, `<CopyObjectResult><ETag>"0"</ETag></CopyObjectResult>`)
		}
	case r.Method == http.MethodPut:
		if content, err := io.ReadAll(r.Body); err == nil && b.may(w, "s3:PutObject", object) {
			b.objects[key] = content
		}
	case r.Method == http.MethodDelete:
		if b.may(w, "s3:DeleteObject", object) {
			delete(b.objects, key)
			w.WriteHeader(http.StatusNoContent)
		}
	default:
		problem(w, http.StatusNotImplemented, r.Method+" "+r.URL.String())
	}
}

// may answers with a refusal where the role does not allow it.
func (b *backend) may(w http.ResponseWriter, action, on string) bool {
	b.seen[action] = true
	if b.role == nil || b.role.allow(asked{Action: action, Resource: on}) {
		return true
	}
	if strings.HasPrefix(action, "kms:") {
		w.WriteHeader(http.StatusBadRequest)
		fmt.Fprint(w, `{"__type": "AccessDeniedException"}`)
		return false
	}
	problem(w, http.StatusForbidden, "AccessDenied")
	return false
}

func problem(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, code)
}

func (b *backend) list(w http.ResponseWriter, prefix, delimiter string) {
	type object struct {
		Key          string
		Size         int
		LastModified string
	}
	type common struct{ Prefix string }
	var answer struct {
		XMLName        xml.Name `xml:"ListBucketResult"`
		Contents       []object
		CommonPrefixes []common
	}
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		rest, within := strings.CutPrefix(key, prefix)
		if !within {
			continue
		}
		if dir, _, deeper := strings.Cut(rest, delimiter); delimiter != "" && deeper {
			if c := (common{prefix + dir + delimiter}); !slices.Contains(answer.CommonPrefixes, c) {
				answer.CommonPrefixes = append(answer.CommonPrefixes, c)
			}
			continue
		}
		answer.Contents = append(answer.Contents, object{key, len(b.objects[key]), "2026-08-01T00:00:00Z"})
	}
	_ = xml.NewEncoder(w).Encode(answer)
}

// kms closes and opens nothing: what matters here is who may ask.
func (b *backend) kms(w http.ResponseWriter, r *http.Request, operation string) {
	var in struct{ Plaintext, CiphertextBlob string }
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil || operation != "Encrypt" && operation != "Decrypt" {
		problem(w, http.StatusNotImplemented, operation)
		return
	}
	if !b.may(w, "kms:"+operation, secretsKey) {
		return
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(map[string]string{"KeyId": secretsKey, "Plaintext": in.CiphertextBlob, "CiphertextBlob": in.Plaintext})
}

// TestStateNeedsWhatTheRolesAllow runs the real CLI on a bucket and a key that refuse everything but what each role of ci.Roles allows.
func TestStateNeedsWhatTheRolesAllow(t *testing.T) {
	b, roles := newBox(t), renderedRoles(t)
	b.must("pulumi", "version") // builds the CLI, and installs what it needs
	s := &backend{objects: map[string][]byte{}, seen: map[string]bool{}}
	server := httptest.NewServer(s)
	defer server.Close()
	endpoint := "?region=us-west-2&endpoint=" + url.QueryEscape(server.URL)
	env := append(os.Environ(), "PULUMI_BACKEND_URL=s3://"+teamState+endpoint+"&s3ForcePathStyle=true")
	for _, line := range regexp.MustCompile(`(?m)^export (\w+)='(.*)'$`).FindAllStringSubmatch(b.must("env").out, -1) {
		if line[1] != "PULUMI_BACKEND_URL" {
			env = append(env, line[1]+"="+line[2])
		}
	}
	program, err := filepath.Abs("testdata/nothing")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), []byte("name: nothing\nruntime: go\nmain: "+program+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pulumi := func(role string, args ...string) (string, error) {
		s.role, s.seen = roles[role], map[string]bool{}
		cmd := exec.Command(filepath.Join(b.home, "bin", "pulumi"), args...)
		cmd.Dir, cmd.Env = dir, env
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := pulumi("admin", "stack", "init", "prod", "--secrets-provider", "awskms://alias/pulumi"+endpoint); err != nil {
		t.Fatalf("an admin makes the stack: %v\n%s", err, out)
	}
	if !s.seen["kms:Encrypt"] {
		t.Error("an admin closes a key for the stack's secrets with KMS")
	}
	read := []string{"kms:Decrypt", "s3:GetObject", "s3:ListBucket"}
	write := []string{"kms:Decrypt", "s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"}
	for _, step := range []struct {
		role string
		args []string
		want []string
		ok   bool
	}{
		{"deploy", []string{"up", "--yes", "--skip-preview"}, write, true},
		{"preview", []string{"preview"}, read, true},
		{"drift", []string{"preview", "--refresh"}, read, true},
		{"drift", []string{"refresh", "--preview-only"}, read, true},
		{"preview", []string{"up", "--yes", "--skip-preview"}, nil, false},
		{"preview", []string{"stack", "rm", "--yes", "--force"}, nil, false},
		{"preview", []string{"preview"}, read, true},
		{"deploy", []string{"destroy", "--yes", "--skip-preview"}, write, true},
	} {
		name := step.role + " " + strings.Join(step.args, " ")
		before := maps.Clone(s.objects)
		out, err := pulumi(step.role, append(step.args, "--stack", "prod")...)
		if (err == nil) != step.ok {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if got := slices.Sorted(maps.Keys(s.seen)); step.ok && !slices.Equal(got, step.want) {
			t.Errorf("%s asks for %v, want %v", name, got, step.want)
		}
		if step.role != "deploy" && !maps.EqualFunc(before, s.objects, slices.Equal) {
			t.Errorf("%s changed the bucket", name)
		}
	}
}
