// A backend with a PostgreSQL outside the cluster: migrated before each release, scaled, and closed to all but its frontend.
package main

import (
	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/workload"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// The cluster of the kubeconfig at hand; a stack that makes its own cluster passes that one's provider on.
		cluster, err := kubernetes.NewProvider(ctx, "cluster", nil)
		if err != nil {
			return err
		}
		in := pulumi.Provider(cluster)
		namespace, err := workload.NewAppNamespace(ctx, "shop", nil, in)
		if err != nil {
			return err
		}
		database, err := workload.NewDatabase(ctx, "orders-database", &workload.DatabaseArgs{
			Namespace: namespace.Name, Host: "10.20.0.7", Name: "orders", User: "orders", Password: pulumi.ToSecret(pulumi.String("change-me")).(pulumi.StringOutput),
		}, in)
		if err != nil {
			return err
		}
		orders, err := workload.NewAppDeployment(ctx, "orders", &workload.AppDeploymentArgs{
			Namespace: namespace.Name, Image: pulumi.String("registry.example.com/orders:2.3.0"), Port: 8080,
			Database:      database.Binding,
			BeforeRelease: &workload.BeforeRelease{Command: []string{"/app/orders", "migrate"}},
			Files:         map[string]pulumi.StringInput{"/etc/orders/limits.yaml": pulumi.String("perCustomer: 20\n")},
			Sidecars:      []workload.Container{{Name: "metrics", Image: pulumi.String("registry.example.com/exporter:1.4"), Port: 9102}},
			Resources:     &workload.Resources{Requests: workload.Amounts{CPU: "100m", Memory: "128Mi"}},
			Autoscaling:   &workload.Autoscaling{Min: 2, Max: 6, CPUPercent: 70},
			Service:       &workload.Service{},
			Network:       &workload.Network{From: []workload.Peer{{App: "storefront"}}},
		}, in)
		if err != nil {
			return err
		}
		ctx.Export("address", pulumi.Sprintf("http://%s.shop", orders.ServiceName))
		ctx.Export("release", orders.RolloutSummary)
		return nil
	})
}
