package awscli

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/slipway-iac/slipway/sandbox/aws"
	"github.com/slipway-iac/slipway/sandbox/home"
	"github.com/slipway-iac/slipway/sandbox/kube/token"
)

// run is Main with what it prints.
func run(t *testing.T, args ...string) (code int, out, errOut string) {
	t.Helper()
	read := func(f **os.File) func() string {
		old := *f
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		*f = w
		said := make(chan string)
		go func() {
			var b bytes.Buffer
			_, _ = io.Copy(&b, r)
			said <- b.String()
		}()
		return func() string {
			*f = old
			w.Close()
			return <-said
		}
	}
	stdout, stderr := read(&os.Stdout), read(&os.Stderr)
	code = Main(args)
	return code, stdout(), stderr()
}

func account(t *testing.T) home.Home {
	t.Helper()
	h := home.Home(t.TempDir())
	t.Setenv(home.Variable, string(h))
	if err := h.Make(); err != nil {
		t.Fatal(err)
	}
	return h
}

// The kubeconfigs of pulumi-eks, of `aws eks update-kubeconfig` and of this sandbox order the flags each in their own way.
func TestGetToken(t *testing.T) {
	h := account(t)
	for _, c := range []struct {
		why, region, caller string
		args                []string
	}{
		{"as pulumi-eks writes it", "us-west-2", aws.CallerARN, []string{"eks", "get-token", "--cluster-name", "prod"}},
		{"as update-kubeconfig writes it", "eu-west-1", aws.CallerARN, []string{"--region", "eu-west-1", "eks", "get-token", "--cluster-name", "prod", "--output", "json"}},
		{"with a role, as pulumi-eks writes it", "us-west-2", "arn:aws:sts::123456789012:assumed-role/ops/EKSGetTokenAuth", []string{"eks", "get-token", "--cluster-name", "prod", "--role", "arn:aws:iam::123456789012:role/ops"}},
		{"with a role, in full", "us-west-2", "arn:aws:sts::123456789012:assumed-role/ops/EKSGetTokenAuth", []string{"eks", "get-token", "--cluster-name=prod", "--role-arn=arn:aws:iam::123456789012:role/ops"}},
	} {
		t.Run(c.why, func(t *testing.T) {
			code, out, errOut := run(t, c.args...)
			if code != 0 {
				t.Fatalf("ended with %d: %s", code, errOut)
			}
			var credential struct {
				Kind, APIVersion string
				Status           struct {
					ExpirationTimestamp time.Time
					Token               string
				}
			}
			if err := json.Unmarshal([]byte(out), &credential); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if credential.Kind != "ExecCredential" || credential.APIVersion != "client.authentication.k8s.io/v1beta1" {
				t.Errorf("it is a %s of %s", credential.Kind, credential.APIVersion)
			}
			if left := time.Until(credential.Status.ExpirationTimestamp); left <= 0 || left >= token.Lifetime {
				t.Errorf("it says that it lives %s more, want less than the %s of the token", left, token.Lifetime)
			}
			key, err := token.LoadKey(h.Account())
			if err != nil {
				t.Fatal(err)
			}
			claims, err := key.Parse(credential.Status.Token, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if claims.Cluster != "prod" || claims.PrincipalArn != c.caller {
				t.Errorf("the token is for %+v, want cluster prod as %s", claims, c.caller)
			}
			signed, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(credential.Status.Token, token.Prefix))
			if want := "https://sts." + c.region + ".amazonaws.com/"; err != nil || !strings.HasPrefix(string(signed), want) {
				t.Errorf("the token is %s, %v, want it to begin with %s", signed, err, want)
			}
		})
	}
}

// A client refuses an answer of another version than the one it asked for.
func TestGetTokenAnswersInTheClientsVersion(t *testing.T) {
	account(t)
	t.Setenv("KUBERNETES_EXEC_INFO", `{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential"}`)
	if code, out, errOut := run(t, "eks", "get-token", "--cluster-name", "prod"); code != 0 || !strings.Contains(out, `"client.authentication.k8s.io/v1"`) {
		t.Errorf("ended with %d: %s%s", code, out, errOut)
	}
}

func TestGetCallerIdentity(t *testing.T) {
	code, out, _ := run(t, "sts", "get-caller-identity", "--output", "json")
	var who struct{ UserId, Account, Arn string }
	if err := json.Unmarshal([]byte(out), &who); code != 0 || err != nil {
		t.Fatalf("ended with %d, %v: %s", code, err, out)
	}
	if who.Account != aws.AccountID || who.Arn != aws.CallerARN || who.UserId != aws.CallerUserID {
		t.Errorf("it is %+v", who)
	}
}

func TestRefused(t *testing.T) {
	account(t)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"the following arguments are required: --cluster-name", []string{"eks", "get-token"}},
		{`not "s3 ls"`, []string{"s3", "ls"}},
		{`not ""`, nil},
	} {
		code, out, errOut := run(t, c.args...)
		if code != 252 || out != "" || !strings.Contains(errOut, c.want) {
			t.Errorf("aws %v ended with %d, printed %q, said %q, want 252 and %q", c.args, code, out, errOut, c.want)
		}
	}
}
