package workload

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	discoveryv1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/discovery/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/internal/check"
	"github.com/slipway-iac/slipway/internal/provider"
)

// DatabaseType is in every stack's state: to change it takes an alias and a major version.
const DatabaseType = "slipway:index:Database"

// DatabaseArgs binds a PostgreSQL database that exists outside the cluster. It makes none, and none of its data ends with a pod.
type DatabaseArgs struct {
	// Namespace of the apps that use it; it must exist. Required. A change replaces everything.
	Namespace pulumi.StringInput `pulumi:"namespace"`
	// Host is the server's DNS name or IP address. Required. A change of the one reaches running pods as soon as their resolver
	// asks again; from a name to an address or back replaces the Service.
	Host string `pulumi:"host"`
	// Port of the server, 1 to 65535; default 5432. A change rolls the pods.
	Port int `pulumi:"port,optional"`
	// Name of the database. Required. A change rolls the pods.
	Name string `pulumi:"name"`
	// User to log in as. Required. A change rolls the pods.
	User string `pulumi:"user"`
	// Password of User; a secret. Required. A change rolls the pods: let the server take the old one and the new one meanwhile,
	// as two users that are used in turn do.
	Password pulumi.StringInput `pulumi:"password"`
	// ServiceName is the host name under which pods of the namespace reach the server; default the component's name. A change
	// replaces the Service.
	ServiceName string `pulumi:"serviceName,optional"`
	// Cidrs are the ranges of addresses that Host is in, for the apps' network policies, which know no names; default any address
	// for a DNS name, and that one for an IP address.
	Cidrs []string `pulumi:"cidrs,optional"`
	// HostInVariables gives the apps Host itself rather than ServiceName; default false. For clients that compare it with the name
	// in the server's certificate (sslmode=verify-full).
	HostInVariables bool `pulumi:"hostInVariables,optional"`
	// Variables renames the variables that the apps get.
	Variables *DatabaseVariables `pulumi:"variables,optional"`
}

// DatabaseVariables are the names of the variables that an app gets.
type DatabaseVariables struct {
	// Engine holds "POSTGRESQL"; default "DATABASE_ENGINE".
	Engine string `pulumi:"engine,optional"`
	// Host holds the host name; default "POSTGRES_HOST".
	Host string `pulumi:"host,optional"`
	// Port default "POSTGRES_PORT".
	Port string `pulumi:"port,optional"`
	// Name holds the name of the database; default "POSTGRES_DB".
	Name string `pulumi:"name,optional"`
	// User default "POSTGRES_USER".
	User string `pulumi:"user,optional"`
	// Password is kept in the app's Secret; default "POSTGRES_PASSWORD".
	Password string `pulumi:"password,optional"`
}

// DatabaseBinding is what an app needs of a Database: AppDeploymentArgs.Database.
type DatabaseBinding struct {
	// Environment and Secrets are added to the app's.
	Environment map[string]pulumi.StringInput `pulumi:"environment"`
	// Secrets are variables kept in the app's Secret.
	Secrets map[string]pulumi.StringInput `pulumi:"secrets"`
	// Cidrs and Port are added to the destinations that the app may connect to.
	Cidrs []string `pulumi:"cidrs"`
	// Port of the server.
	Port int `pulumi:"port"`
}

// Database is a name in the cluster for a server outside of it, and what apps need to use it:
//
//	slipway:index:Database                          NAME
//	├─ kubernetes:core/v1:Service                   NAME-service
//	└─ kubernetes:discovery.k8s.io/v1:EndpointSlice  NAME-address  only for an IP address
type Database struct {
	pulumi.ResourceState
	// ServiceName is a host name within the namespace.
	ServiceName pulumi.StringOutput `pulumi:"serviceName"`
	// Binding is for AppDeploymentArgs.Database.
	Binding *DatabaseBinding
}

// NewDatabase reports every problem with args at once, before it registers anything. A Kubernetes provider must be among opts,
// or be a parent's.
func NewDatabase(ctx *pulumi.Context, name string, args *DatabaseArgs, opts ...pulumi.ResourceOption) (*Database, error) {
	d, err := args.checked(name, opts)
	if err != nil {
		return nil, err
	}
	c := &Database{}
	if err := ctx.RegisterComponentResourceV2(DatabaseType, name, d.recorded(), c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", DatabaseType, name, err)
	}
	if err := c.service(ctx, name, d); err != nil {
		return nil, fmt.Errorf("%s %q: %w", DatabaseType, name, err)
	}
	c.Binding = d.binding(c.ServiceName)
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{"serviceName": c.ServiceName})
}

// Check finds every problem with args but that the cluster and the namespace are not there yet, as AppDeploymentArgs.Check does.
func (args *DatabaseArgs) Check(_ *pulumi.Context, name string) error {
	_, err := args.checked(name, nil)
	return check.Before(err, "provider", "namespace")
}

var dnsName = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)

// database is DatabaseArgs with every default filled in.
type database struct {
	DatabaseArgs
	address   netip.Addr // not valid for a DNS name
	variables DatabaseVariables
}

func (args *DatabaseArgs) checked(name string, opts []pulumi.ResourceOption) (*database, error) {
	d := &database{}
	if args != nil {
		d.DatabaseArgs = *args
	}
	var p check.Problems
	if err := provider.RequireKubernetes(&p, opts); err != nil {
		return nil, err
	}
	p.Match("name", name, label, labelSays)
	checkedNamespace(&p, d.Namespace)
	d.address, _ = netip.ParseAddr(d.Host)
	switch {
	case d.Host == "":
		p.Required("host", false, `"thoughts.c9akciq32rgw.us-west-2.rds.amazonaws.com"`)
	case d.address.IsLoopback() || d.address.IsLinkLocalUnicast() || d.address.IsUnspecified() || d.address.IsMulticast() || d.address.Zone() != "":
		p.Addf("host", "is %q, must be an address that every node reaches", d.Host)
	case !d.address.IsValid():
		p.Match("host", d.Host, dnsName, "an IP address or a DNS name of lower-case letters, digits, hyphens and periods, without a port")
	}
	d.Port = cmp.Or(d.Port, 5432)
	p.Between("port", d.Port, 1, 65535)
	p.Required("name", d.Name != "", `"thoughts"`)
	p.Required("user", d.User != "", `"postgres"`)
	p.Required("password", d.Password != nil, `cfg.RequireSecret("databasePassword")`)
	d.ServiceName = cmp.Or(d.ServiceName, name)
	p.Match("serviceName", d.ServiceName, serviceName, serviceNameSays)
	for i, c := range d.Cidrs {
		checkedCidr(&p, fmt.Sprintf("cidrs[%d]", i), c)
	}
	switch {
	case d.address.IsValid() && len(d.Cidrs) > 0:
		p.Addf("cidrs", "is given, must be unset: host is the address %s itself", d.address)
	case d.address.IsValid():
		d.Cidrs = []string{netip.PrefixFrom(d.address, d.address.BitLen()).String()}
	case len(d.Cidrs) == 0:
		d.Cidrs = []string{"0.0.0.0/0"}
	}
	if d.Variables != nil {
		d.variables = *d.Variables
	}
	taken := map[string]string{}
	for _, v := range []struct {
		path, byDefault string
		name            *string
	}{
		{"engine", "DATABASE_ENGINE", &d.variables.Engine},
		{"host", "POSTGRES_HOST", &d.variables.Host},
		{"port", "POSTGRES_PORT", &d.variables.Port},
		{"name", "POSTGRES_DB", &d.variables.Name},
		{"user", "POSTGRES_USER", &d.variables.User},
		{"password", "POSTGRES_PASSWORD", &d.variables.Password},
	} {
		*v.name = cmp.Or(*v.name, v.byDefault)
		p.Match("variables."+v.path, *v.name, variableName, variableNameSays)
		if other, twice := taken[*v.name]; twice {
			p.Addf("variables."+v.path, "is %q, the same as variables.%s", *v.name, other)
		}
		taken[*v.name] = v.path
	}
	return d, p.Err(DatabaseType, name)
}

func (d *database) recorded() pulumi.Map {
	return pulumi.Map{
		"namespace": d.Namespace, "host": pulumi.String(d.Host), "port": pulumi.Int(d.Port), "name": pulumi.String(d.Name), "user": pulumi.String(d.User),
		"password": pulumi.ToSecret(d.Password), "serviceName": pulumi.String(d.ServiceName), "cidrs": pulumi.ToStringArray(d.Cidrs),
		"hostInVariables": pulumi.Bool(d.HostInVariables),
	}
}

// service gives the server a name in the namespace, by DNS alone: clients connect to the server itself, through no proxy of
// the nodes', so that its address is the one that network policies see.
func (c *Database) service(ctx *pulumi.Context, name string, d *database) error {
	spec := &corev1.ServiceSpecArgs{Type: pulumi.String("ExternalName"), ExternalName: pulumi.String(d.Host)}
	port := corev1.ServicePortArgs{Name: pulumi.String("postgresql"), Port: pulumi.Int(d.Port), Protocol: pulumi.String("TCP")}
	if d.address.IsValid() {
		// An ExternalName that is an address is looked up as a name, and not found.
		spec = &corev1.ServiceSpecArgs{Type: pulumi.String("ClusterIP"), ClusterIP: pulumi.String("None"), Ports: corev1.ServicePortArray{port}}
	}
	s, err := corev1.NewService(ctx, name+"-service", &corev1.ServiceArgs{
		Metadata: &metav1.ObjectMetaArgs{Name: pulumi.String(d.ServiceName), Namespace: d.Namespace, Labels: labels(name)},
		Spec:     spec,
	}, pulumi.Parent(c))
	if err != nil {
		return err
	}
	c.ServiceName = s.Metadata.Name().Elem()
	if !d.address.IsValid() {
		return nil
	}
	family := "IPv4"
	if d.address.Is6() {
		family = "IPv6"
	}
	l := labels(name)
	l["kubernetes.io/service-name"] = pulumi.String(d.ServiceName)
	// Else the cluster's own controller takes the slice for one of its own, left behind, and deletes it.
	l["endpointslice.kubernetes.io/managed-by"] = pulumi.String("pulumi")
	_, err = discoveryv1.NewEndpointSlice(ctx, name+"-address", &discoveryv1.EndpointSliceArgs{
		Metadata:    &metav1.ObjectMetaArgs{Namespace: d.Namespace, Labels: l},
		AddressType: pulumi.String(family),
		Endpoints:   discoveryv1.EndpointArray{discoveryv1.EndpointArgs{Addresses: pulumi.ToStringArray([]string{d.address.String()})}},
		Ports:       discoveryv1.EndpointPortArray{discoveryv1.EndpointPortArgs{Name: pulumi.String("postgresql"), Port: pulumi.Int(d.Port), Protocol: pulumi.String("TCP")}},
	}, pulumi.Parent(c))
	return err
}

// binding makes the apps wait for the Service.
func (d *database) binding(service pulumi.StringInput) *DatabaseBinding {
	host := service
	if d.HostInVariables {
		host = pulumi.String(d.Host)
	}
	return &DatabaseBinding{
		Environment: map[string]pulumi.StringInput{
			d.variables.Engine: pulumi.String("POSTGRESQL"), d.variables.Host: host, d.variables.Port: pulumi.String(strconv.Itoa(d.Port)),
			d.variables.Name: pulumi.String(d.Name), d.variables.User: pulumi.String(d.User),
		},
		Secrets: map[string]pulumi.StringInput{d.variables.Password: d.Password}, Cidrs: d.Cidrs, Port: d.Port,
	}
}

// bindDatabase adds the binding's variables to the app's own.
func (a *app) bindDatabase(p *check.Problems) {
	d := a.Database
	if d == nil {
		return
	}
	for _, m := range []struct {
		path  string
		own   *map[string]pulumi.StringInput
		added map[string]pulumi.StringInput
	}{{"environment", &a.Environment, d.Environment}, {"secrets", &a.Secrets, d.Secrets}} {
		all := map[string]pulumi.StringInput{}
		maps.Copy(all, *m.own)
		for _, key := range slices.Sorted(maps.Keys(m.added)) {
			if _, secret := a.Secrets[key]; secret || a.Environment[key] != nil {
				p.Addf(m.path+"["+key+"]", "stands in database too, must be in one of them")
			}
			all[key] = m.added[key]
		}
		*m.own = all
	}
}
