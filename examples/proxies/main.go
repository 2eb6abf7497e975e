// HAProxies between a monolith that expects a Host of its own and the new system, which an application load balancer alone could not
// share requests with. They run outside Kubernetes, in a network of their own.
package main

import (
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"

	"github.com/slipway-iac/slipway/components/migration"
	"github.com/slipway-iac/slipway/components/network"
	"github.com/slipway-iac/slipway/cutover"
)

const (
	site = "shop.example.com"
	cidr = "10.60.0.0/16"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		vpc, err := network.NewVpc(ctx, "network", &network.VpcArgs{Cidr: cidr, Zones: 2, NatGateways: "one"})
		if err != nil {
			return err
		}
		zone, err := route53.LookupZone(ctx, &route53.LookupZoneArgs{Name: pulumi.StringRef("example.com")})
		if err != nil {
			return err
		}
		certificate, err := certificate(ctx, zone.ZoneId)
		if err != nil {
			return err
		}
		proxies, err := migration.NewHaproxyFleet(ctx, "proxies", &migration.HaproxyFleetArgs{
			Migration: &cutover.Migration{
				Stage: config.Require(ctx, "stage"),
				Old:   cutover.Old{DnsName: "monolith.example.net", Port: 8080, HostHeader: "www.example.net", HealthCheckPath: "/up"},
			},
			New:   migration.New{Name: pulumi.String("door-1234567.us-west-2.elb.amazonaws.com"), Host: site},
			VpcId: vpc.VpcId, PublicSubnetIds: vpc.PublicSubnetIds, PrivateSubnetIds: vpc.PrivateSubnetIds,
			CertificateArn: certificate,
			Statistics:     &migration.Statistics{Password: pulumi.ToSecret(pulumi.String("change-me-please")).(pulumi.StringOutput), Sources: []string{cidr}},
		})
		if err != nil {
			return err
		}
		_, err = route53.NewRecord(ctx, "site", &route53.RecordArgs{
			ZoneId: pulumi.String(zone.ZoneId), Name: pulumi.String(site), Type: pulumi.String("A"),
			Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
				Name: proxies.LoadBalancerDnsName, ZoneId: proxies.LoadBalancerZoneId, EvaluateTargetHealth: pulumi.Bool(true),
			}},
		})
		ctx.Export("site", pulumi.String("https://"+site+"/"))
		ctx.Export("configuration", proxies.Configuration)
		return err
	})
}

// certificate is the ARN of one for the site, once it is issued.
func certificate(ctx *pulumi.Context, zoneId string) (pulumi.StringOutput, error) {
	requested, err := acm.NewCertificate(ctx, "site", &acm.CertificateArgs{DomainName: pulumi.String(site), ValidationMethod: pulumi.String("DNS")})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	proof := requested.DomainValidationOptions.Index(pulumi.Int(0))
	record, err := route53.NewRecord(ctx, "proof", &route53.RecordArgs{
		ZoneId: pulumi.String(zoneId), Name: proof.ResourceRecordName().Elem(), Type: proof.ResourceRecordType().Elem(),
		Records: pulumi.StringArray{proof.ResourceRecordValue().Elem()}, Ttl: pulumi.Int(60),
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	issued, err := acm.NewCertificateValidation(ctx, "site", &acm.CertificateValidationArgs{
		CertificateArn: requested.Arn, ValidationRecordFqdns: pulumi.StringArray{record.Fqdn},
	})
	if err != nil {
		return pulumi.StringOutput{}, err
	}
	return issued.CertificateArn, nil
}
