package edge

import (
	"net"
	"reflect"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/slipway-iac/slipway/internal/recorder"
)

// dns answers every question for name servers with these, or with "no such name" where there are none.
func dns(t *testing.T, servers ...string) (address string) {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	go func() {
		buf := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(buf)
			if err != nil {
				return // closed: the test is over
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:n]) != nil {
				continue
			}
			m.Response, m.Additionals = true, nil
			if len(servers) == 0 {
				m.RCode = dnsmessage.RCodeNameError
			}
			for _, s := range servers {
				m.Answers = append(m.Answers, dnsmessage.Resource{
					Header: dnsmessage.ResourceHeader{Name: m.Questions[0].Name, Type: dnsmessage.TypeNS, Class: dnsmessage.ClassINET, TTL: 60},
					Body:   &dnsmessage.NSResource{NS: dnsmessage.MustNewName(s)},
				})
			}
			if out, err := m.Pack(); err == nil {
				_, _ = conn.WriteTo(out, from)
			}
		}
	}()
	return conn.LocalAddr().String()
}

func TestAZoneThatTheInternetDoesNotAsk(t *testing.T) {
	closed, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	silent := closed.LocalAddr().String()
	closed.Close()
	set := "At the registrar, or as NS record in the zone above, set its name servers to ns-1.awsdns-1.com, ns-2.awsdns-2.net; "
	for name, tc := range map[string]struct{ resolver, warning, want string }{
		"delegated":       {dns(t, "NS-1.awsdns-1.com.", "ns-9.awsdns-9.org."), "", ""},
		"not delegated":   {dns(t), "", `zoneName is "example.com", which is not delegated: nobody on the internet finds it, and AWS would not prove the certificate. ` + set},
		"to another":      {dns(t, "b.iana.net.", "a.iana.net."), "", `zoneName is "example.com", for which the internet asks a.iana.net, b.iana.net: not this zone, so that AWS would not prove the certificate. ` + set},
		"nobody can tell": {silent, "It is not known whether zone example.com is delegated, as DNS does not answer (", ""},
	} {
		zone := hosted{`zoneName is "example.com"`, "example.com", []string{"ns-2.awsdns-2.net", "ns-1.awsdns-1.com."}}
		warning, err := zone.delegation(tc.resolver)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tc.want) || (err == nil) != (tc.want == "") || !strings.HasPrefix(warning, tc.warning) || (warning == "") != (tc.warning == "") {
			t.Errorf("%s: got %q, warning %q, want %q, %q", name, got, warning, tc.want, tc.warning)
		}
	}
}

// A zone is looked at by its id too, and one that is made in the same run as soon as its id is known.
func TestAZoneGivenById(t *testing.T) {
	str := resource.NewStringProperty
	type parent struct{ pulumi.ResourceState }
	for name, tc := range map[string]struct {
		id      pulumi.StringInput
		preview bool
		want    *hosted
	}{
		"known":                {pulumi.String("/hostedzone/Z1"), true, &hosted{`zoneId is "Z1", the zone example.com`, "example.com", []string{"ns-1.awsdns-1.com"}}},
		"made here":            {pulumi.String("Z1").ToStringOutput(), false, &hosted{`zoneId is "Z1", the zone example.com`, "example.com", []string{"ns-1.awsdns-1.com"}}},
		"made here, a preview": {pulumi.String("Z1").ToStringOutput(), true, nil},
	} {
		r := &recorder.Recorder{Preview: tc.preview, Calls: map[string]func(resource.PropertyMap) resource.PropertyMap{
			"aws:route53/getZone:getZone": func(in resource.PropertyMap) resource.PropertyMap {
				return resource.PropertyMap{"zoneId": in["zoneId"], "name": str("example.com."), "nameServers": resource.NewArrayProperty([]resource.PropertyValue{str("ns-1.awsdns-1.com")})}
			},
		}}
		err := r.Run(func(ctx *pulumi.Context) error {
			var p parent
			if err := ctx.RegisterComponentResource("x:y:Z", "parent", &p); err != nil {
				return err
			}
			b := &builder{ctx: ctx, name: "door", args: HttpsLoadBalancerArgs{ZoneId: tc.id}, below: pulumi.Parent(&p)}
			if _, err := b.zone(); err != nil {
				return err
			}
			if got := b.hosted(); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("%s: got %+v, want %+v", name, got, tc.want)
			}
			return nil
		})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
