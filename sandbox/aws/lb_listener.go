package aws

import "slices"

const (
	listenerToken            = "aws:lb/listener:Listener"
	listenerCertificateToken = "aws:lb/listenerCertificate:ListenerCertificate"
)

var (
	listenerRef       = &Ref{Types: []string{listenerToken}, By: "arn", Code: "ListenerNotFound", Message: "One or more listeners not found: '%s'"}
	ofCertificateRef  = &Ref{Types: []string{certificateToken}, By: "arn", Code: "CertificateNotFound", Message: "Certificate '%s' not found", Holds: true}
	listenerHeaders   = []string{"MtlsClientcert", "MtlsClientcertIssuer", "MtlsClientcertLeaf", "MtlsClientcertSerialNumber", "MtlsClientcertSubject", "MtlsClientcertValidity", "TlsCipherSuite", "TlsVersion"}
	listenerResponses = []string{
		"AccessControlAllowCredentials", "AccessControlAllowHeaders", "AccessControlAllowMethods", "AccessControlAllowOrigin", "AccessControlExposeHeaders",
		"AccessControlMaxAge", "ContentSecurityPolicy", "StrictTransportSecurity", "XContentTypeOptions", "XFrameOptions",
	}
)

// tlsPolicies are ELB's security policies ("Security policies for your Application Load Balancer").
var tlsPolicies = []string{
	"ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-FS-2018-06", "ELBSecurityPolicy-FS-1-1-2019-08", "ELBSecurityPolicy-FS-1-2-2019-08",
	"ELBSecurityPolicy-FS-1-2-Res-2019-08", "ELBSecurityPolicy-FS-1-2-Res-2020-10", "ELBSecurityPolicy-TLS-1-0-2015-04", "ELBSecurityPolicy-TLS-1-1-2017-01",
	"ELBSecurityPolicy-TLS-1-2-2017-01", "ELBSecurityPolicy-TLS-1-2-Ext-2018-06", "ELBSecurityPolicy-TLS13-1-0-2021-06", "ELBSecurityPolicy-TLS13-1-1-2021-06",
	"ELBSecurityPolicy-TLS13-1-2-2021-06", "ELBSecurityPolicy-TLS13-1-2-Res-2021-06", "ELBSecurityPolicy-TLS13-1-2-Ext1-2021-06",
	"ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06", "ELBSecurityPolicy-TLS13-1-3-2021-06", "ELBSecurityPolicy-TLS13-1-0-FIPS-2023-04",
	"ELBSecurityPolicy-TLS13-1-1-FIPS-2023-04", "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04", "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
	"ELBSecurityPolicy-TLS13-1-2-Ext0-FIPS-2023-04", "ELBSecurityPolicy-TLS13-1-2-Ext1-FIPS-2023-04", "ELBSecurityPolicy-TLS13-1-2-Ext2-FIPS-2023-04",
	"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
}

func init() {
	props := map[string]Prop{
		"alpnPolicy": text.in("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"), "certificateArn": text.to(ofCertificateRef),
		"defaultActions":  listOf(actionProp).must().within(1, 50),
		"loadBalancerArn": text.must().fixed().to(loadBalancerRef),
		"mutualAuthentication": fields(map[string]Prop{
			"advertiseTrustStoreCaNames": text.filled().in("on", "off"), "ignoreClientCertificateExpiry": flag, "mode": text.must().in("off", "passthrough", "verify"),
			// Trust stores are made elsewhere: the model has none, and takes any of the right form.
			"trustStoreArn": text.like(`^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:\d{12}:truststore/[\w-]+/[0-9a-f]+$`, "the ARN of a trust store"),
		}).filled(),
		"port": number.within(1, 65535), "protocol": text.filled().in("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE"),
		"sslPolicy": text.filled(), "tags": tagMap, "tcpIdleTimeoutSeconds": number.filled().within(60, 6000),
		"routingHttpResponseServerEnabled": flag.filled(),
	}
	for _, h := range listenerHeaders {
		props["routingHttpRequestXAmzn"+h+"HeaderName"] = text.filled()
	}
	for _, h := range listenerResponses {
		props["routingHttpResponse"+h+"HeaderValue"] = text.filled()
	}
	register(
		&Type{
			Token: listenerToken, Label: "ELBv2 Listener", Service: "Elastic Load Balancing v2", Ops: Ops{"CreateListener", "ModifyListener", "DeleteListener"},
			Props: props, Outputs: []string{"arn"},
			Check:    func(in Inputs) []Problem { return actionProblems("defaultActions", in.Values["defaultActions"]) },
			Validate: validateListener,
			Create: func(tx *Tx, o *Object) error {
				balancer := tx.Find(loadBalancerToken, "arn", o.Str("loadBalancerArn"))
				o.ID = tx.ARN("elasticloadbalancing", "listener/"+balancer.Str("arnSuffix")+"/"+Hex(16))
				o.Set("arn", o.ID)
				return describeListener(tx, o, o)
			},
			Update: describeListener,
			Delete: func(tx *Tx, o *Object) error {
				removeListener(tx, o)
				return nil
			},
		},
		&Type{
			Token: listenerCertificateToken, Label: "ELBv2 Listener Certificate", Service: "Elastic Load Balancing v2",
			Ops:   Ops{"AddListenerCertificates", "", "RemoveListenerCertificates"},
			Props: map[string]Prop{"certificateArn": text.must().fixed().to(ofCertificateRef), "listenerArn": text.must().fixed().to(listenerRef)},
			Validate: func(tx *Tx, o, _ *Object) error {
				n := 1
				for _, c := range tx.All(listenerCertificateToken) {
					if c.Str("listenerArn") == o.Str("listenerArn") {
						n++
					}
				}
				if n > 25 {
					return Errorf("TooManyCertificates", "The maximum number of certificates on a listener has been reached")
				}
				return tx.usable(o.Str("certificateArn"))
			},
			Create: func(_ *Tx, o *Object) error {
				o.ID = o.Str("listenerArn") + "_" + o.Str("certificateArn")
				return nil
			},
		},
	)
}

// usable is why a load balancer does not take a certificate.
func (tx *Tx) usable(certificate string) error {
	c := tx.Find(certificateToken, "arn", certificate)
	tx.settle(c)
	if c.Str("status") != issued {
		return Errorf("UnsupportedCertificate", "The certificate '%s' must have a fully-qualified domain name, a supported signature, and a supported key size. (its status is %s)", certificate, c.Str("status"))
	}
	return nil
}

// isSecure tells whether a listener ends TLS.
func isSecure(o *Object) bool { return o.Str("protocol") == "HTTPS" || o.Str("protocol") == "TLS" }

func validateListener(tx *Tx, o, old *Object) error {
	balancer := tx.Find(loadBalancerToken, "arn", o.Str("loadBalancerArn"))
	application := balancer.Str("loadBalancerType") == "application"
	protocol := o.Str("protocol")
	if application && !o.hasInput("port") {
		return Errorf("ValidationError", "A port must be specified for a listener of an application load balancer")
	}
	if application && protocol == "" {
		return Errorf("ValidationError", "A protocol must be specified for a listener of an application load balancer")
	}
	if application != (protocol == "HTTP" || protocol == "HTTPS") {
		return Errorf("InvalidConfigurationRequest", "Listener protocol '%s' is not supported by a load balancer of type '%s'", protocol, balancer.Str("loadBalancerType"))
	}
	n := 0
	for _, l := range tx.All(listenerToken) {
		if l.Str("loadBalancerArn") != balancer.ID || (old != nil && l.ID == old.ID) {
			continue
		}
		if n++; l.Num("port") == o.Num("port") {
			return Errorf("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", balancer.ID)
		}
	}
	if n >= 50 {
		return Errorf("TooManyListeners", "The maximum number of listeners on a load balancer has been reached")
	}
	certificate := o.Str("certificateArn")
	switch {
	case isSecure(o) && certificate == "":
		return Errorf("ValidationError", "A certificate must be specified for %s listeners", protocol)
	case !isSecure(o) && certificate != "":
		return Errorf("InvalidConfigurationRequest", "A certificate cannot be specified for %s listeners", protocol)
	case !isSecure(o) && o.hasInput("sslPolicy") && o.Inputs["sslPolicy"] != "":
		return Errorf("InvalidConfigurationRequest", "An SSL policy cannot be specified for %s listeners", protocol)
	case isSecure(o):
		if err := tx.usable(certificate); err != nil {
			return err
		}
		if p := o.Str("sslPolicy"); p != "" && !slices.Contains(tlsPolicies, p) {
			return Errorf("SSLPolicyNotFound", "SSL policy '%s' not found", p)
		}
	}
	return tx.validateActions(balancer, o, o.Inputs["defaultActions"])
}

func describeListener(tx *Tx, o, _ *Object) error {
	policy := ""
	if isSecure(o) {
		policy = "ELBSecurityPolicy-2016-08"
	}
	o.fill("sslPolicy", policy)
	o.fill("mutualAuthentication", map[string]any{"advertiseTrustStoreCaNames": "", "ignoreClientCertificateExpiry": false, "mode": "off", "trustStoreArn": ""})
	o.fill("tcpIdleTimeoutSeconds", 0.0)
	o.fill("routingHttpResponseServerEnabled", true)
	for _, h := range listenerHeaders {
		o.fill("routingHttpRequestXAmzn"+h+"HeaderName", "")
	}
	for _, h := range listenerResponses {
		o.fill("routingHttpResponse"+h+"HeaderValue", "")
	}
	tx.describeAttachments(o, nil)
	return nil
}

func removeListener(tx *Tx, l *Object) {
	for _, token := range []string{listenerRuleToken, listenerCertificateToken} {
		tx.removeWhere(token, func(r *Object) bool { return r.Str("listenerArn") == l.ID })
	}
	tx.describeAttachments(nil, l)
}

// describeAttachments writes to each target group which load balancers use it; added is about to come, gone to go.
func (tx *Tx) describeAttachments(added, gone *Object) {
	look := *tx
	look.Objects = slices.DeleteFunc(slices.Clone(tx.Objects), func(o *Object) bool {
		return o == gone || (added != nil && o.Type == added.Type && o.ID == added.ID)
	})
	if added != nil {
		look.Objects = append(look.Objects, added)
	}
	for _, g := range tx.All(targetGroupToken) {
		g.Set("loadBalancerArns", anys(look.attachedTo(g.ID)))
	}
}

// listenerOf is a listener and its load balancer.
func listenerOf(tx *Tx, arn string) (listener, balancer *Object) {
	if listener = tx.Find(listenerToken, "arn", arn); listener != nil {
		balancer = tx.Find(loadBalancerToken, "arn", listener.Str("loadBalancerArn"))
	}
	return listener, balancer
}
