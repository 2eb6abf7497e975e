// Program slipway is the production stack: read it from top to bottom as data flows.
package main

import (
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/cluster"
	"github.com/slipway-iac/slipway/components/edge"
	"github.com/slipway-iac/slipway/components/network"
	"github.com/slipway-iac/slipway/components/protection"
	"github.com/slipway-iac/slipway/components/registry"
	"github.com/slipway-iac/slipway/components/scaling"
	"github.com/slipway-iac/slipway/components/workload"
	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/config"
)

func main() { pulumi.Run(stack) }

func stack(ctx *pulumi.Context) error {
	cfg, err := config.Load(ctx)
	if err != nil {
		return err
	}
	s := describe(cfg)
	// Both before anything is registered.
	if err := s.check(ctx); err != nil {
		return err
	}
	if err := s.fits(ctx, cfg); err != nil {
		return err
	}

	// Images, and the network that everything else lives in.
	repos, err := registry.NewEcrRepos(ctx, "images", s.images, pulumi.Protect(cfg.Protect))
	if err != nil {
		return err
	}
	ctx.Export("repositories", repos.RepositoryUrls)
	if cfg.RepositoriesOnly {
		return nil // until they hold the images that the services run
	}
	vpc, err := network.NewVpc(ctx, "network", s.network)
	if err != nil {
		return err
	}

	// The cluster, with nodes in the private subnets.
	s.cluster.VpcId, s.cluster.PrivateSubnetIds = vpc.VpcId, vpc.PrivateSubnetIds
	eks, err := cluster.NewEksCluster(ctx, "cluster", s.cluster)
	if err != nil {
		return err
	}
	nodes := eks.AutoScalingGroupNames.MapIndex(pulumi.String(mainNodes))

	// The namespace, with a name for the database that exists outside the cluster.
	inCluster := pulumi.Provider(eks.Provider)
	namespace, err := workload.NewAppNamespace(ctx, "example", s.namespace, inCluster)
	if err != nil {
		return err
	}
	s.database.Namespace = namespace.Name
	database, err := workload.NewDatabase(ctx, "database", s.database, inCluster)
	if err != nil {
		return err
	}
	s.thoughts.Database, s.users.Database = database.Binding, database.Binding

	// The services: the frontend finds the backends by the names of their Services.
	deploy := func(name string, args *workload.AppDeploymentArgs, repository, release string) (*workload.AppDeployment, error) {
		args.Namespace, args.Image = namespace.Name, image(repos.RepositoryUrls.MapIndex(pulumi.String(repository)), release)
		return workload.NewAppDeployment(ctx, name, args, inCluster)
	}
	thoughts, err := deploy("thoughts-backend", s.thoughts, "thoughts_server", cfg.Images.Thoughts)
	if err != nil {
		return err
	}
	users, err := deploy("users-backend", s.users, "users_server", cfg.Images.Users)
	if err != nil {
		return err
	}
	s.frontend.Environment = map[string]pulumi.StringInput{
		"THOUGHTS_BACKEND_URL": pulumi.Sprintf("http://%s", thoughts.ServiceName),
		"USER_BACKEND_URL":     pulumi.Sprintf("http://%s", users.ServiceName),
	}
	frontend, err := deploy("frontend", s.frontend, "frontend", cfg.Images.Frontend)
	if err != nil {
		return err
	}

	// The public door, to the frontend: to its port on every node, or to its pods.
	s.door.VpcId, s.door.PublicSubnetIds, s.door.NodeSecurityGroupId = vpc.VpcId, vpc.PublicSubnetIds, eks.NodeSecurityGroupId
	s.door.AutoScalingGroupNames = map[string]pulumi.StringInput{mainNodes: nodes}
	s.door.Namespace, s.door.ClusterName = namespace.Name, eks.ClusterName
	s.door.Routes[0].NodePort, s.door.Routes[0].Service.Name = frontend.NodePort, frontend.ServiceName
	door, err := edge.NewHttpsLoadBalancer(ctx, "door", s.door, pulumi.Providers(eks.Provider))
	if err != nil {
		return err
	}

	// Fewer nodes at night and at the weekend.
	s.week.AutoScalingGroupName = nodes
	week, err := scaling.NewNodeScalingSchedule(ctx, "week", s.week)
	if err != nil {
		return err
	}

	// A destroy is refused before it begins, unless the configuration says otherwise.
	_, err = protection.NewProtection(ctx, "set-slipway:protect-to-false-and-run-pulumi-up-before-pulumi-destroy", &protection.ProtectionArgs{
		Enabled: cfg.Protect, Of: []pulumi.Resource{repos, vpc, eks, namespace, database, thoughts, users, frontend, door, week},
	})
	if err != nil {
		return err
	}

	ctx.Export("site", door.Url)
	ctx.Export("cluster", eks.ClusterName)
	ctx.Export("loadBalancer", door.LoadBalancerDnsName)
	ctx.Export("schedule", week.Summary)
	return nil
}

const (
	// mainNodes names the one node group.
	mainNodes = "main"
	// appsNamespace holds all apps.
	appsNamespace = "example"
)

// system is what the stack is made of, before the parts know of each other.
type system struct {
	images                    *registry.EcrReposArgs
	network                   *network.VpcArgs
	cluster                   *cluster.EksClusterArgs
	namespace                 *workload.AppNamespaceArgs
	database                  *workload.DatabaseArgs
	frontend, thoughts, users *workload.AppDeploymentArgs
	door                      *edge.HttpsLoadBalancerArgs
	week                      *scaling.NodeScalingScheduleArgs
}

// describe says what the system is.
func describe(cfg *config.Config) *system {
	size := scaling.Size{Min: cfg.Cluster.Nodes.Min, Max: cfg.Cluster.Nodes.Max, Desired: cfg.Cluster.Nodes.Desired}
	// fewer is a size for quiet hours: down to n, and free to grow as far as by day.
	fewer := func(n int) scaling.Size { return scaling.Size{Min: min(n, size.Min), Max: size.Max, Desired: n} }
	backend := func(service, release string) *workload.AppDeploymentArgs {
		return &workload.AppDeploymentArgs{
			Image: unplaced(release), Port: 8000, Replicas: cfg.Backends.Replicas, Resources: small(), DrainSeconds: cfg.Rollout.DrainSeconds,
			SlowestRequestSeconds: cfg.Rollout.SlowestRequestSeconds, ProgressDeadlineSeconds: cfg.Rollout.ProgressDeadlineSeconds,
			Service: &workload.Service{Name: service, Port: 80},
			Network: &workload.Network{From: []workload.Peer{{App: "frontend"}}},
		}
	}
	frontend := &workload.AppDeploymentArgs{
		Image: unplaced(cfg.Images.Frontend), Port: 8000, Resources: small(), TargetType: cfg.TargetType,
		DrainSeconds: cfg.Rollout.DrainSeconds, SlowestRequestSeconds: cfg.Rollout.SlowestRequestSeconds,
		ProgressDeadlineSeconds: cfg.Rollout.ProgressDeadlineSeconds,
		Autoscaling:             &workload.Autoscaling{Min: cfg.Frontend.MinReplicas, Max: cfg.Frontend.MaxReplicas, CPUPercent: cfg.Frontend.CPUPercent},
		Service:                 &workload.Service{Name: "frontend-service", Port: 80},
		Network:                 &workload.Network{To: []workload.Destination{{App: "thoughts-backend", Port: 8000}, {App: "users-backend", Port: 8000}}},
	}
	health := frontend.HealthCheck()
	s := &system{
		images:  repositories(cfg),
		network: &network.VpcArgs{Cidr: cfg.Network.Cidr, Zones: cfg.Network.Zones, NatGateways: cfg.Network.NatGateways},
		cluster: &cluster.EksClusterArgs{
			Version: cfg.Cluster.Version, Admins: cfg.Cluster.Admins, Viewers: cfg.Cluster.Viewers, Auditors: cfg.Cluster.Auditors,
			PublicAccessCidrs: cfg.Cluster.PublicAccessCidrs, LogRetentionDays: cfg.Cluster.LogRetentionDays, AllowDeletion: !cfg.Protect,
			DrainSeconds: max(cfg.Rollout.DrainSeconds, cfg.Rollout.SlowestRequestSeconds), PrefixDelegation: cfg.Cluster.PrefixDelegation,
			NodeGroups: []cluster.NodeGroup{{
				Name: mainNodes, InstanceTypes: cfg.Cluster.Nodes.InstanceTypes, InstanceSizes: instanceSizes(cfg), DiskSizeGiB: cfg.Cluster.Nodes.DiskGiB,
				Kubelet:  &cluster.Kubelet{MaxPods: cfg.Cluster.Nodes.MaxPods},
				Capacity: cfg.Cluster.Nodes.Capacity, ReleaseVersion: cfg.Cluster.Nodes.ReleaseVersion,
				MinSize: size.Min, DesiredSize: size.Desired, MaxSize: size.Max, DesiredSizeOwner: cluster.OwnerSchedule,
			}},
		},
		namespace: &workload.AppNamespaceArgs{Name: appsNamespace, TargetType: cfg.TargetType},
		frontend:  frontend,
		database: &workload.DatabaseArgs{
			Host: cfg.Database.Host, Port: cfg.Database.Port, Cidrs: cfg.Database.Cidrs,
			Name: cfg.Database.Name, User: cfg.Database.User, Password: cfg.DatabasePassword,
		},
		thoughts: backend("thoughts-service", cfg.Images.Thoughts),
		users:    backend("users-service", cfg.Images.Users),
		door: &edge.HttpsLoadBalancerArgs{
			Domain: cfg.Domain, AlternativeNames: cfg.AlternativeNames, ZoneName: cfg.Zone, OverwriteRecords: cfg.OverwriteRecords,
			TargetType: cfg.TargetType, DrainSeconds: cfg.Rollout.DrainSeconds, SlowestRequestSeconds: cfg.Rollout.SlowestRequestSeconds, AllowDeletion: !cfg.Protect,
			Routes: []edge.Route{{
				Name: "frontend", Paths: []string{"/*"}, Service: &edge.Service{Port: 80, PodPort: 8000},
				HealthCheckPath: health.Path, HealthCheckCodes: health.Codes, HealthCheckIntervalSeconds: health.IntervalSeconds,
			}},
			Migration: cfg.Migration, VpcCidrs: []string{cfg.Network.Cidr},
			AccessLogs: &edge.AccessLogs{RetentionDays: cfg.AccessLogDays},
		},
		week: &scaling.NodeScalingScheduleArgs{
			TimeZone: cfg.Schedule.TimeZone, Base: size,
			Nights:   &scaling.Nights{DownAt: cfg.Schedule.NightsFrom, UpAt: cfg.Schedule.NightsTo, Size: fewer(cfg.Schedule.NightNodes)},
			Weekends: &scaling.Weekends{From: "Fri " + cfg.Schedule.NightsFrom, Until: "Mon " + cfg.Schedule.NightsTo, Size: fewer(cfg.Schedule.WeekendNodes)},
		},
	}
	for _, d := range cfg.Cluster.Developers {
		s.cluster.Developers = append(s.cluster.Developers, cluster.Developer{Principal: d, Namespaces: []string{appsNamespace}})
	}
	if cfg.Cluster.CiRole != "" {
		s.cluster.CiRole, s.cluster.CiNamespaces = cfg.Cluster.CiRole, []string{appsNamespace}
	}
	return s
}

// repositories are those of the services, and keep what the environments run once images are promoted to them.
func repositories(cfg *config.Config) *registry.EcrReposArgs {
	args := &registry.EcrReposArgs{
		Repositories: []string{"frontend", "thoughts_server", "users_server"}, ForceDelete: !cfg.Protect, Environments: cfg.Registry.Environments,
		KeepReleases: cfg.Registry.KeepReleases, ExpireUntaggedDays: cfg.Registry.ExpireUntaggedDays,
	}
	if len(args.Environments) > 0 {
		args.Running = map[string][]string{"frontend": {cfg.Images.Frontend}, "thoughts_server": {cfg.Images.Thoughts}, "users_server": {cfg.Images.Users}}
	}
	return args
}

// check says everything that is wrong with any part at once.
func (s *system) check(ctx *pulumi.Context) error {
	return check.All(
		s.images.Check(ctx, "images"), s.network.Check(ctx, "network"), s.cluster.Check(ctx, "cluster"),
		s.namespace.Check(ctx, "example"), s.database.Check(ctx, "database"), s.thoughts.Check(ctx, "thoughts-backend"), s.users.Check(ctx, "users-backend"),
		s.frontend.Check(ctx, "frontend"), s.door.Check(ctx, "door"), s.week.Check(ctx, "week"),
	)
}

// small is what each of the services asks for, and may use at most.
func small() *workload.Resources {
	return &workload.Resources{Requests: workload.Amounts{CPU: "60m", Memory: "64Mi"}, Limits: workload.Amounts{CPU: "70m", Memory: "128Mi"}}
}

// image is a release in its repository.
func image(repositoryUrl pulumi.StringOutput, release string) pulumi.StringOutput {
	return pulumi.Sprintf("%s%s", repositoryUrl, separated(release))
}

// unplaced stands for a release until the repository's address is known, so that check sees what is wrong with it.
func unplaced(release string) pulumi.String { return pulumi.String("repository" + separated(release)) }

// separated puts what stands before a tag or a digest in an image's reference.
func separated(release string) string {
	if strings.HasPrefix(release, "sha256:") {
		return "@" + release
	}
	return ":" + release
}
