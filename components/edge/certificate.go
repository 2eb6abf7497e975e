package edge

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/acm"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/lb"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/route53"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// zone is the id of the zone that holds the names.
func (b *builder) zone() (pulumi.StringInput, error) {
	id, plain := b.args.ZoneId.(pulumi.String)
	switch {
	case b.args.ZoneName != "":
		found, err := route53.LookupZone(b.ctx, &route53.LookupZoneArgs{
			Name: pulumi.StringRef(b.args.ZoneName),
			// Nobody but the VPC sees a private zone of the same name, so that it can prove nothing.
			PrivateZone: pulumi.BoolRef(false),
		}, b.below)
		if err != nil {
			return nil, fmt.Errorf("zoneName is %q, must be a public Route 53 zone of the account: %w", b.args.ZoneName, err)
		}
		b.hosted = func() *hosted {
			return &hosted{fmt.Sprintf("zoneName is %q", b.args.ZoneName), b.args.ZoneName, found.NameServers}
		}
		return pulumi.String(found.ZoneId), nil
	case b.args.ZoneId == nil || b.args.CertificateArn != nil || os.Getenv(ResolverVariable) == "off": // nobody would look at it
	case plain:
		found, err := route53.LookupZone(b.ctx, &route53.LookupZoneArgs{ZoneId: pulumi.StringRef(strings.TrimPrefix(string(id), "/hostedzone/"))}, b.below)
		if err != nil {
			return nil, fmt.Errorf("zoneId is %q, must be a public Route 53 zone of the account: %w", string(id), err)
		}
		b.hosted = func() *hosted { return hostedById(*found) }
	default:
		b.hosted = b.hostedLater()
	}
	return b.args.ZoneId, nil
}

// hostedLater is the zone whose id only an update knows.
func (b *builder) hostedLater() func() *hosted {
	known := make(chan *hosted, 1)
	route53.LookupZoneOutput(b.ctx, route53.LookupZoneOutputArgs{ZoneId: b.args.ZoneId.ToStringOutput().ToStringPtrOutput()}, b.below).
		ApplyT(func(found route53.LookupZoneResult) bool {
			known <- hostedById(found)
			return true
		})
	return func() *hosted {
		if b.ctx.DryRun() {
			return nil
		}
		select {
		case h := <-known:
			return h
		case <-time.After(lookupTime):
			return nil
		}
	}
}

// certificate is the ARN of the certificate for all names, once it is issued.
func (b *builder) certificate(zone pulumi.StringInput) (arn pulumi.StringOutput, err error) {
	if b.args.CertificateArn != nil {
		return b.args.CertificateArn.ToStringOutput(), nil
	}
	requested, err := acm.NewCertificate(b.ctx, b.name+"-certificate", &acm.CertificateArgs{
		DomainName:              pulumi.String(b.args.Domain),
		SubjectAlternativeNames: pulumi.ToStringArray(b.args.AlternativeNames),
		ValidationMethod:        pulumi.String("DNS"),
		Tags:                    b.tags(b.name),
	}, b.below)
	if err != nil {
		return arn, fmt.Errorf("certificate: %w", err)
	}
	var proofs pulumi.StringArray
	for _, host := range bases(b.args.names()) {
		proof, err := b.proof(zone, requested, host)
		if err != nil {
			return arn, fmt.Errorf("validation record for %s: %w", host, err)
		}
		proofs = append(proofs, proof.Fqdn)
	}
	delegated, err := b.delegated()
	if err != nil {
		return arn, err
	}
	wait := fmt.Sprintf("%dm", b.args.CertificateTimeoutMinutes)
	issued, err := acm.NewCertificateValidation(b.ctx, b.name+"-certificate", &acm.CertificateValidationArgs{
		CertificateArn: requested.Arn, ValidationRecordFqdns: proofs,
	}, b.below, pulumi.Timeouts(&pulumi.CustomTimeouts{Create: wait}), delegated)
	if err != nil {
		return arn, fmt.Errorf("validation of the certificate: %w", err)
	}
	return issued.CertificateArn, nil
}

// proof is the record that proves to AWS that host, and the wildcard at it, are ours.
func (b *builder) proof(zone pulumi.StringInput, requested *acm.Certificate, host string) (*route53.Record, error) {
	part := func(what string, of func(acm.CertificateDomainValidationOption) *string) pulumi.StringOutput {
		return requested.DomainValidationOptions.ApplyT(func(options []acm.CertificateDomainValidationOption) (string, error) {
			for _, o := range options {
				if o.DomainName != nil && base(*o.DomainName) == host {
					if v := of(o); v != nil {
						return *v, nil
					}
				}
			}
			return "", fmt.Errorf("the certificate has no %s of a validation record for %s", what, host)
		}).(pulumi.StringOutput)
	}
	return route53.NewRecord(b.ctx, b.name+"-"+host+"-proof", &route53.RecordArgs{
		ZoneId:  zone,
		Name:    part("name", func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordName }),
		Type:    part("type", func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordType }),
		Records: pulumi.StringArray{part("value", func(o acm.CertificateDomainValidationOption) *string { return o.ResourceRecordValue })},
		Ttl:     pulumi.Int(60),
		// An account has one and the same proof for a host in all its certificates: another stack's record is equal to this one.
		AllowOverwrite: pulumi.Bool(true),
	}, b.below)
}

// aliases lead the names to the load balancer, once it has answers.
func (b *builder) aliases(zone pulumi.StringInput, alb *lb.LoadBalancer, after []pulumi.Resource) error {
	if zone == nil {
		return nil
	}
	untaken, err := b.untaken()
	if err != nil {
		return err
	}
	types := []string{"A"}
	if b.args.DualStack {
		types = append(types, "AAAA")
	}
	for _, host := range b.args.names() {
		for _, typ := range types {
			suffix := map[string]string{"A": "-a", "AAAA": "-aaaa"}[typ]
			record := &route53.RecordArgs{
				ZoneId: zone,
				Name:   pulumi.String(host),
				Type:   pulumi.String(typ),
				Aliases: route53.RecordAliasArray{&route53.RecordAliasArgs{
					Name: alb.DnsName, ZoneId: alb.ZoneId, EvaluateTargetHealth: pulumi.Bool(true),
				}},
			}
			if b.args.OverwriteRecords {
				record.AllowOverwrite = pulumi.Bool(true)
			}
			if _, err := route53.NewRecord(b.ctx, b.name+"-"+host+suffix, record, b.below, pulumi.DependsOn(after), untaken); err != nil {
				return fmt.Errorf("%s record of %s: %w", typ, host, err)
			}
		}
	}
	return nil
}
