package drain

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Client speaks with a Kubernetes API server. It is a few lines of net/http because client-go, which everybody else uses, would be
// compiled by all who import the library.
type Client struct {
	// Server is the API server's URL.
	Server string
	// HTTP does the requests; it knows whom to trust.
	HTTP *http.Client
	// Token makes a bearer token; nil where none is needed. EKS's live for 15 minutes.
	Token func(context.Context) (string, error)

	token string
	until time.Time
}

// tokenLife is after how long another one is made.
const tokenLife = 10 * time.Minute

type kubeconfig struct {
	Clusters []struct {
		Cluster struct {
			Server string `json:"server"`
			CA     string `json:"certificate-authority-data"`
		} `json:"cluster"`
	} `json:"clusters"`
	Users []struct {
		User struct {
			Exec *execConfig `json:"exec"`
		} `json:"user"`
	} `json:"users"`
}

type execConfig struct {
	Command string   `json:"command"`
	Args    []string `json:"args"`
	Env     []struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	} `json:"env"`
}

// NewClient reads a kubeconfig in JSON, with the one cluster and the one user of an EKS cluster, whose tokens a command makes.
func NewClient(config string) (*Client, error) {
	var k kubeconfig
	if err := json.Unmarshal([]byte(config), &k); err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	if len(k.Clusters) != 1 || len(k.Users) != 1 || k.Users[0].User.Exec == nil {
		return nil, errors.New("kubeconfig: has not one cluster, and one user of whom a command knows the token")
	}
	ca, err := base64.StdEncoding.DecodeString(k.Clusters[0].Cluster.CA)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: certificate-authority-data: %w", err)
	}
	trusted := x509.NewCertPool()
	if !trusted.AppendCertsFromPEM(ca) {
		return nil, errors.New("kubeconfig: certificate-authority-data holds no certificate")
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = &tls.Config{RootCAs: trusted, MinVersion: tls.VersionTLS12}
	return &Client{
		Server: strings.TrimSuffix(k.Clusters[0].Cluster.Server, "/"),
		HTTP:   &http.Client{Transport: transport, Timeout: time.Minute},
		Token:  k.Users[0].User.Exec.token,
	}, nil
}

// token runs the command and reads what it prints (https://kubernetes.io/docs/reference/config-api/client-authentication.v1beta1/).
func (e *execConfig) token(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, e.Command, e.Args...)
	cmd.Env = os.Environ()
	for _, v := range e.Env {
		cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
	}
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", e.Command, strings.Join(e.Args, " "), err, strings.TrimSpace(errOut.String()))
	}
	var answer struct {
		Status struct {
			Token string `json:"token"`
		} `json:"status"`
	}
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil || answer.Status.Token == "" {
		return "", fmt.Errorf("%s %s prints no token", e.Command, strings.Join(e.Args, " "))
	}
	return answer.Status.Token, nil
}

// refusal is an answer of the API server that is no success.
type refusal struct {
	code    int
	message string
	causes  []string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the API server answers %d: %s", r.code, strings.Join(append([]string{r.message}, r.causes...), " "))
}

// refused tells whether err is an answer with that status code.
func refused(err error, code int) bool {
	var r *refusal
	return errors.As(err, &r) && r.code == code
}

// do sends a request and reads the answer into out, if it is not nil.
func (c *Client) do(ctx context.Context, method, path, contentType string, body, out any) error {
	var content []byte
	if body != nil {
		var err error
		if content, err = json.Marshal(body); err != nil {
			return err
		}
	}
	req, err := http.NewRequestWithContext(ctx, method, c.Server+path, bytes.NewReader(content))
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	if body != nil {
		req.Header.Set("Content-Type", contentType)
	}
	if c.Token != nil {
		if time.Now().After(c.until) {
			if c.token, err = c.Token(ctx); err != nil {
				return err
			}
			c.until = time.Now().Add(tokenLife)
		}
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.HTTP.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	content, err = io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 300 {
		c.until = time.Time{} // if it was the token, the next request has another
		return readRefusal(resp.StatusCode, content)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(content, out)
}

func readRefusal(code int, content []byte) *refusal {
	var status struct {
		Message string `json:"message"`
		Details struct {
			Causes []struct {
				Message string `json:"message"`
			} `json:"causes"`
		} `json:"details"`
	}
	r := &refusal{code: code, message: strings.TrimSpace(string(content))}
	if json.Unmarshal(content, &status) == nil && status.Message != "" {
		r.message = status.Message
		for _, c := range status.Details.Causes {
			r.causes = append(r.causes, c.Message)
		}
	}
	return r
}
