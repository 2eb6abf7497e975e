package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"text/template"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
	"github.com/slipway-iac/slipway/sandbox/kube/realnode"
	"github.com/slipway-iac/slipway/sandbox/kube/view"
)

// addons are those of the cluster that pods cannot do without. EKS runs them in pods; here they are processes beside the nodes,
// because their images are in registries that a laptop need not reach.
type addons struct {
	agent   *Agent
	objects dynamic.Interface
	running map[string]*running
}

type running struct {
	stop context.CancelFunc
	ends sync.WaitGroup
}

// knownAddons, by the name that EKS has for them, are the arguments of their programs; the objects are in config/NAME.yaml.
var knownAddons = map[string]func(a *Agent) []string{
	"coredns": func(a *Agent) []string { return []string{"-conf", filepath.Join(a.Dir, "coredns.conf")} },
	"metrics-server": func(a *Agent) []string {
		kubeconfig := a.info.Kubeconfig("nodes")
		return []string{
			"--kubeconfig=" + kubeconfig, "--authentication-kubeconfig=" + kubeconfig, "--authorization-kubeconfig=" + kubeconfig,
			"--bind-address=" + realnode.HostAddress, "--secure-port=4443", "--cert-dir=" + filepath.Join(a.Dir, logs, "metrics-server-certificate"),
			// The kubelets sign their certificates themselves.
			"--kubelet-insecure-tls", "--kubelet-preferred-address-types=InternalIP", "--metric-resolution=10s", "--kubelet-request-timeout=5s",
		}
	},
}

// resources are the kinds that add-ons are made of.
var resources = map[string]schema.GroupVersionResource{
	"Service":       {Version: "v1", Resource: "services"},
	"EndpointSlice": {Group: "discovery.k8s.io", Version: "v1", Resource: "endpointslices"},
	"APIService":    {Group: "apiregistration.k8s.io", Version: "v1", Resource: "apiservices"},
}

// sync starts the add-ons that are installed in the account, and ends those that are not any more.
func (a *addons) sync(ctx context.Context) error {
	v, _, err := view.Read(a.agent.KubeView)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var installed []string
	if err == nil && len(v.Clusters) > 0 {
		installed = v.Clusters[0].Addons
	}
	var errs []error
	for name, args := range knownAddons {
		wanted := slices.Contains(installed, name)
		if !wanted && a.running[name] == nil {
			continue
		}
		if err := a.apply(ctx, name, wanted); err != nil {
			errs = append(errs, fmt.Errorf("add-on %s: %w", name, err))
			continue
		}
		switch {
		case wanted && a.running[name] == nil:
			errs = append(errs, a.start(ctx, name, args(a.agent)))
		case !wanted:
			a.stop(name)
		}
	}
	return errors.Join(errs...)
}

// apply puts the add-on's objects into the cluster, or takes them out of it.
func (a *addons) apply(ctx context.Context, name string, wanted bool) error {
	content, err := a.render(name + ".yaml")
	if err != nil {
		return err
	}
	for _, doc := range bytes.Split(content, []byte("\n---\n")) {
		o := &unstructured.Unstructured{}
		if err := yaml.Unmarshal(doc, &o.Object); err != nil {
			return err
		}
		var client dynamic.ResourceInterface = a.objects.Resource(resources[o.GetKind()])
		if ns := o.GetNamespace(); ns != "" {
			client = a.objects.Resource(resources[o.GetKind()]).Namespace(ns)
		}
		if wanted {
			_, err = client.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "eks", Force: true})
		} else if err = client.Delete(ctx, o.GetName(), metav1.DeleteOptions{}); apierrors.IsNotFound(err) {
			err = nil
		}
		if err != nil {
			return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
		}
	}
	return nil
}

func (a *addons) render(file string) ([]byte, error) {
	t, err := template.ParseFS(configs, "config/"+file)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = t.Execute(&out, map[string]string{
		"Host": realnode.HostAddress, "DNS": endpoint.ClusterDNS, "Kubeconfig": a.agent.info.Kubeconfig("nodes"), "Hosts": filepath.Join(a.agent.Dir, "hosts"),
	})
	return out.Bytes(), err
}

func (a *addons) start(ctx context.Context, name string, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if name == "coredns" {
		conf, err := a.render("coredns.conf")
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(a.agent.Dir, "coredns.conf"), conf, 0o600); err != nil {
			return err
		}
	}
	folder := filepath.Join(a.agent.Dir, logs)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	group := cgroup(filepath.Join(a.agent.id(), "addons"))
	if err := group.make(); err != nil {
		return err
	}
	r := &running{}
	ctx, r.stop = context.WithCancel(ctx)
	process{name: name, args: append([]string{self, name}, args...)}.run(ctx, network{}, group, folder, &r.ends)
	a.running[name] = r
	return nil
}

func (a *addons) stop(name string) {
	r := a.running[name]
	delete(a.running, name)
	r.stop()
	r.ends.Wait()
}

func (a *addons) end() {
	for name := range a.running {
		a.stop(name)
	}
}
