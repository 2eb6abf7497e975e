package drain

import (
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// config is a kubeconfig as the eks plugin makes it.
func config(server, ca, command string, args ...string) string {
	b, _ := json.Marshal(map[string]any{
		"clusters": []any{map[string]any{"name": "kubernetes", "cluster": map[string]any{"server": server, "certificate-authority-data": ca}}},
		"users": []any{map[string]any{"name": "aws", "user": map[string]any{"exec": map[string]any{
			"apiVersion": "client.authentication.k8s.io/v1beta1", "command": command, "args": args, "env": []any{map[string]any{"name": "WHO", "value": "me"}},
		}}}},
	})
	return string(b)
}

func TestKubeconfig(t *testing.T) {
	var got string
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Header.Get("Authorization")
		_, _ = w.Write([]byte(`{"items":[]}`))
	}))
	defer server.Close()
	ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
	c, err := NewClient(config(server.URL, ca, "sh", "-c", `echo "{\"status\":{\"token\":\"of $WHO\"}}"`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.nodes(t.Context()); err != nil || got != "Bearer of me" {
		t.Errorf("%v; it came as %q", err, got)
	}
	for name, c := range map[string]struct{ config, want string }{
		"no JSON":        {"{", "kubeconfig:"},
		"nobody":         {`{"clusters":[],"users":[]}`, "has not one cluster"},
		"no certificate": {config(server.URL, "eA==", "true"), "holds no certificate"},
		"no base64":      {config(server.URL, "?", "true"), "certificate-authority-data: illegal base64"},
	} {
		if _, err := NewClient(c.config); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for command, want := range map[string]string{"echo who are you >&2; exit 3": "exit status 3: who are you", "echo {}": "prints no token"} {
		c, err := NewClient(config(server.URL, ca, "sh", "-c", command))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.nodes(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", command, err)
		}
	}
}
