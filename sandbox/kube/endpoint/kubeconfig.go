package endpoint

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/slipway-iac/slipway/sandbox/kube/internal/atomicfile"
)

// kubeconfig is written as JSON, which is YAML to every reader.
type kubeconfig struct {
	APIVersion     string         `json:"apiVersion"`
	Kind           string         `json:"kind"`
	Clusters       []namedCluster `json:"clusters"`
	Users          []namedUser    `json:"users"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
}

type namedCluster struct {
	Name    string `json:"name"`
	Cluster struct {
		Server string `json:"server"`
		CAData []byte `json:"certificate-authority-data"`
	} `json:"cluster"`
}

type namedUser struct {
	Name string `json:"name"`
	User struct {
		CertData []byte `json:"client-certificate-data"`
		KeyData  []byte `json:"client-key-data"`
	} `json:"user"`
}

type namedContext struct {
	Name    string `json:"name"`
	Context struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	} `json:"context"`
}

const contextName = "slipway-sandbox"

// writeKubeconfig keeps the kubeconfig of a user in step with its certificate.
func (i Info) writeKubeconfig(p pki, user leaf) error {
	b, err := os.ReadFile(p.path(user.file))
	if err != nil {
		return err
	}
	var c namedCluster
	c.Name, c.Cluster.Server, c.Cluster.CAData = contextName, i.Server, []byte(i.CAPEM)
	var u namedUser
	u.Name = user.name
	for block, rest := pem.Decode(b); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "CERTIFICATE" {
			u.User.CertData = pem.EncodeToMemory(block)
		} else {
			u.User.KeyData = pem.EncodeToMemory(block)
		}
	}
	var x namedContext
	x.Name, x.Context.Cluster, x.Context.User = contextName, contextName, user.name
	out, err := json.MarshalIndent(kubeconfig{
		APIVersion: "v1", Kind: "Config", CurrentContext: contextName,
		Clusters: []namedCluster{c}, Users: []namedUser{u}, Contexts: []namedContext{x},
	}, "", "  ")
	if err != nil {
		return err
	}
	path := i.Kubeconfig(strings.TrimSuffix(user.file, ".pem"))
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, out) {
		return nil
	}
	if err := atomicfile.Write(path, out, 0o600); err != nil {
		return fmt.Errorf("kubeconfig: %w", err)
	}
	return nil
}

// Kubeconfig is the file for one of the control plane's own users: admin, controller-manager, scheduler, nodes.
func (i Info) Kubeconfig(user string) string { return filepath.Join(i.Dir, user+".kubeconfig") }

// PKI is a file of the certificates' folder, for the API server's flags.
func (i Info) PKI(file string) string { return filepath.Join(i.Dir, "pki", file) }
