package eks

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

// kubeconfig is what kubectl reads; fields in the order in which the real plugin writes them.
type kubeconfig struct {
	APIVersion     string         `json:"apiVersion"`
	Clusters       []namedCluster `json:"clusters"`
	Contexts       []namedContext `json:"contexts"`
	CurrentContext string         `json:"current-context"`
	Kind           string         `json:"kind"`
	Users          []namedUser    `json:"users"`
}

type namedCluster struct {
	Cluster struct {
		Server string `json:"server"`
		CA     string `json:"certificate-authority-data"`
	} `json:"cluster"`
	Name string `json:"name"`
}

type namedContext struct {
	Context struct {
		Cluster string `json:"cluster"`
		User    string `json:"user"`
	} `json:"context"`
	Name string `json:"name"`
}

type namedUser struct {
	Name string `json:"name"`
	User struct {
		Exec struct {
			APIVersion string   `json:"apiVersion"`
			Command    string   `json:"command"`
			Args       []string `json:"args"`
			Env        []envVar `json:"env"`
		} `json:"exec"`
	} `json:"user"`
}

type envVar struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

const execAPI = "client.authentication.k8s.io/v1beta1"

// credentials are the arguments providerCredentialOpts: a role to assume, a profile to use.
type credentials struct{ role, profile string }

// kubeconfigOf is the kubeconfig of a cluster: the user is whoever `aws eks get-token` says.
func kubeconfigOf(cluster, region, server, ca string, c credentials) (string, error) {
	k := kubeconfig{APIVersion: "v1", CurrentContext: "aws", Kind: "Config"}
	k.Clusters = []namedCluster{{Name: "kubernetes"}}
	k.Clusters[0].Cluster.Server, k.Clusters[0].Cluster.CA = server, ca
	k.Contexts = []namedContext{{Name: "aws"}}
	k.Contexts[0].Context.Cluster, k.Contexts[0].Context.User = "kubernetes", "aws"
	k.Users = []namedUser{{Name: "aws"}}
	exec := &k.Users[0].User.Exec
	exec.APIVersion, exec.Command = execAPI, "aws"
	exec.Args = []string{"--region", region, "eks", "get-token", "--cluster-name", cluster, "--output", "json"}
	if c.role != "" {
		exec.Args = append(exec.Args, "--role", c.role)
	}
	if c.profile != "" {
		exec.Args = append(exec.Args, "--profile", c.profile)
	}
	exec.Env = []envVar{{"KUBERNETES_EXEC_INFO", `{"apiVersion": "` + execAPI + `"}`}}
	b, err := json.Marshal(k)
	return string(b), err
}

// makeProvider makes the Kubernetes provider, and the outputs around it.
func (c *clusterBuild) makeProvider() error {
	endpoint := pulumi.StringInput(c.cluster.Endpoint)
	if c.EndpointPublicAccess != nil && !c.dryRun {
		endpoint = pulumi.All(c.cluster.Endpoint, c.EndpointPublicAccess).ApplyT(func(l []any) string {
			if l[1].(bool) {
				c.awaitHealthy(l[0].(string))
			}
			return l[0].(string)
		}).(pulumi.StringOutput)
	}
	credentialOpts := c.ProviderCredentialOpts
	if credentialOpts == nil {
		credentialOpts = pulumi.StringMap{}
	}
	config := func(profile bool) pulumi.StringOutput {
		return pulumi.All(c.cluster.Name, c.cluster.Arn, endpoint, c.cluster.CertificateAuthority, credentialOpts).ApplyT(func(l []any) (string, error) {
			region := strings.Split(l[1].(string)+":::::", ":")[3]
			opts := l[4].(map[string]string)
			creds := credentials{role: opts["roleArn"]}
			if profile {
				creds.profile = opts["profileName"]
			}
			return kubeconfigOf(l[0].(string), region, l[2].(string), l[3].(map[string]string)["data"], creds)
		}).(pulumi.StringOutput)
	}
	// The provider uses the profile of whoever deploys; the kubeconfig that is given out does not name it.
	if err := c.ctx.RegisterResource("pulumi:providers:kubernetes", c.name+"-eks-k8s", pulumi.Map{"kubeconfig": config(true)},
		&kubernetesProvider{}, pulumi.Parent(c.self), pulumi.Version(kubernetesVersion)); err != nil {
		return fmt.Errorf("pulumi:providers:kubernetes: %w", err)
	}
	c.out.KubeconfigJSON = config(false)
	c.out.Kubeconfig = c.out.KubeconfigJSON.ApplyT(func(text string) (any, error) {
		var v any
		err := json.Unmarshal([]byte(text), &v)
		return v, err
	}).(pulumi.AnyOutput)
	return nil
}

// How long a cluster may take to answer: what the real plugin allows, asked more often.
const (
	healthyWithin = 5 * time.Minute
	askEvery      = 250 * time.Millisecond
)

// awaitHealthy waits until the control plane answers. Like the real plugin it goes on after a while: whoever uses the
// kubeconfig will say what is wrong.
func (c *clusterBuild) awaitHealthy(endpoint string) {
	client := http.Client{Timeout: time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // nothing is sent, and only the status is read
	told := false
	for deadline := time.Now().Add(healthyWithin); time.Now().Before(deadline) && c.ctx.Context().Err() == nil; time.Sleep(askEvery) {
		resp, err := client.Get(endpoint + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if !told {
			told = true
			_ = c.ctx.Log.Info(fmt.Sprintf("Waiting up to %s for cluster readiness...", healthyWithin), &pulumi.LogArgs{Resource: c.cluster, Ephemeral: true})
		}
	}
}

// getKubeconfig is the cluster's method of that name: a kubeconfig for a role or a profile.
func getKubeconfig(args provider.CallArgs) (*provider.CallResult, error) {
	var in struct {
		ProfileName pulumi.StringInput `pulumi:"profileName"`
		RoleArn     pulumi.StringInput `pulumi:"roleArn"`
	}
	self, err := args.CopyTo(&in)
	if err != nil {
		return nil, err
	}
	of, ok := self.(*remoteCluster)
	if !ok {
		return nil, fmt.Errorf("%s/getKubeconfig: it was not called on a cluster", clusterType)
	}
	given := func(v pulumi.StringInput) pulumi.StringInput {
		if v == nil {
			return pulumi.String("")
		}
		return v
	}
	result := pulumi.All(of.KubeconfigJSON, given(in.RoleArn), given(in.ProfileName)).ApplyT(func(l []any) (string, error) {
		var k kubeconfig
		if err := json.Unmarshal([]byte(l[0].(string)), &k); err != nil {
			return "", fmt.Errorf("the cluster's kubeconfig: %w", err)
		}
		exec := k.Users[0].User.Exec.Args
		return kubeconfigOf(exec[5], exec[1], k.Clusters[0].Cluster.Server, k.Clusters[0].Cluster.CA, credentials{l[1].(string), l[2].(string)})
	}).(pulumi.StringOutput)
	return provider.NewCallResult(&struct {
		Result pulumi.StringOutput `pulumi:"result"`
	}{result})
}
