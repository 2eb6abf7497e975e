package aws

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	certificateToken           = "aws:acm/certificate:Certificate"
	certificateValidationToken = "aws:acm/certificateValidation:CertificateValidation"

	pendingValidation, issued = "PENDING_VALIDATION", "ISSUED"
)

const domainName = `^(\*\.)?(([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9])?)\.)+[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])$`

func init() {
	name := text.within(1, 253).like(domainName, "a domain name such as www.example.com or *.example.com, without a trailing period")
	register(
		&Type{
			Token: certificateToken, Label: "ACM Certificate", Service: "ACM",
			Ops: Ops{"RequestCertificate", "UpdateCertificateOptions", "DeleteCertificate"},
			Props: map[string]Prop{
				"certificateAuthorityArn": text.fixed().to(&Ref{Code: "InvalidArnException", Message: "Could not find certificate authority %s"}),
				"certificateBody":         text, "certificateChain": text, "domainName": name.filled().fixed().not("certificateBody", "certificateChain", "privateKey"),
				"earlyRenewalDuration": text,
				"keyAlgorithm":         text.filled().fixed().in("RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"),
				"options":              fields(map[string]Prop{"certificateTransparencyLoggingPreference": text.or("ENABLED").in("ENABLED", "DISABLED")}).filled(),
				"privateKey":           text.secret(), "subjectAlternativeNames": setOf(name).filled().fixed(), "tags": tagMap,
				"validationMethod":  text.filled().fixed().in("DNS", "EMAIL", "NONE"),
				"validationOptions": setOf(fields(map[string]Prop{"domainName": text.must().fixed(), "validationDomain": text.must().fixed()})).fixed(),
			},
			Outputs: []string{
				"arn", "domainValidationOptions", "notAfter", "notBefore", "pendingRenewal", "renewalEligibility", "renewalSummaries", "status",
				"type", "validationEmails",
			},
			Check: checkCertificate, Validate: validateCertificate, Create: createCertificate,
			Update: func(_ *Tx, o, _ *Object) error {
				if !o.has("certificateBody") {
					o.Set("subjectAlternativeNames", anys(namesOf(o)))
				}
				return nil
			},
			Waits: true,
			Held:  Held{"ResourceInUseException", "Certificate %s in account " + AccountID + " is in use."},
		},
		&Type{
			Token: certificateValidationToken, Label: "ACM Certificate Validation", Service: "ACM",
			Ops: Ops{"DescribeCertificate", "", ""},
			Props: map[string]Prop{
				"certificateArn": text.must().fixed().to(&Ref{
					Types: []string{certificateToken}, By: "arn", Code: "ResourceNotFoundException", Message: "Could not find certificate %s.",
				}),
				"validationRecordFqdns": setOf(text).fixed(),
			},
			Create: validated,
		},
	)
}

func checkCertificate(in Inputs) []Problem {
	o := in.Object()
	if in.Has("certificateBody") {
		if !in.Has("privateKey") {
			return []Problem{{"privateKey", "is required with certificateBody"}}
		}
		return nil
	}
	if !in.Has("domainName") {
		return []Problem{{"domainName", "is required, or certificateBody and privateKey"}}
	}
	if in.Known("validationMethod") && !in.Has("certificateAuthorityArn") && !slices.Contains([]string{"DNS", "EMAIL"}, o.Str("validationMethod")) {
		return []Problem{{"validationMethod", "must be DNS or EMAIL for a certificate that ACM issues"}}
	}
	return nil
}

// namesOf is the names that a certificate is for: its domain name, then the others, each once.
func namesOf(o *Object) []string {
	out := []string{o.Str("domainName")}
	for _, n := range Strings(o.Inputs["subjectAlternativeNames"]) {
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out
}

func validateCertificate(tx *Tx, o, old *Object) error {
	if old == nil && len(tx.All(certificateToken)) >= 2500 {
		return Errorf("LimitExceededException", "Error: you have reached your limit of 2500 certificates.")
	}
	if n := len(namesOf(o)); n > 10 {
		return Errorf("LimitExceededException", "Error: you have reached your limit of 10 domain names per certificate: %d are asked for.", n)
	}
	return nil
}

func createCertificate(tx *Tx, o *Object) error {
	o.ID = tx.ARN("acm", "certificate/"+uuid())
	o.Set("arn", o.ID)
	options, emails := []any{}, []any{}
	imported := o.has("certificateBody")
	for _, n := range namesOf(o) {
		base := strings.TrimPrefix(n, "*.")
		switch {
		case imported:
		case o.Str("validationMethod") == "DNS":
			record, value := validationRecord(base)
			options = append(options, map[string]any{
				"domainName": n, "resourceRecordName": record, "resourceRecordType": "CNAME", "resourceRecordValue": value,
			})
		default:
			for _, who := range []string{"admin", "administrator", "hostmaster", "postmaster", "webmaster"} {
				emails = append(emails, who+"@"+base)
			}
		}
	}
	for name, v := range map[string]any{
		"domainValidationOptions": options, "validationEmails": emails, "notAfter": "", "notBefore": "", "pendingRenewal": false,
		"renewalEligibility": "INELIGIBLE", "renewalSummaries": []any{}, "status": pendingValidation, "type": "AMAZON_ISSUED",
	} {
		o.Set(name, v)
	}
	o.fill("keyAlgorithm", "RSA_2048")
	o.fill("options", map[string]any{"certificateTransparencyLoggingPreference": "ENABLED"})
	o.Set("subjectAlternativeNames", anys(namesOf(o)))
	if imported {
		o.Set("type", "IMPORTED")
		o.Set("subjectAlternativeNames", []any{})
		o.fill("domainName", "")
		o.fill("validationMethod", "NONE")
		tx.issue(o)
	}
	return nil
}

// issue makes a certificate valid from today on for thirteen months, as ACM's are.
func (tx *Tx) issue(o *Object) {
	from := tx.Now().Truncate(24 * time.Hour)
	o.Set("status", issued)
	o.Set("notBefore", from.Format(time.RFC3339))
	o.Set("notAfter", from.AddDate(0, 13, 0).Add(-time.Second).Format(time.RFC3339))
}

// validationRecord is the DNS record by which ACM sees that the account controls a domain. It depends on account and
// domain only: a name and its wildcard share it, and so do all certificates for them.
func validationRecord(domain string) (name, value string) {
	sum := sha256.Sum256([]byte(AccountID + " " + strings.ToLower(domain)))
	h := hex.EncodeToString(sum[:])
	zone := make([]byte, 10)
	for i := range zone {
		zone[i] = 'a' + sum[i]%26
	}
	return "_" + h[:32] + "." + domain + ".", "_" + h[32:] + "." + string(zone) + ".acm-validations.aws."
}

// settle issues a certificate whose validation records can all be found, and tells which cannot.
func (tx *Tx) settle(cert *Object) (missing []string) {
	if cert.Str("status") != pendingValidation {
		return nil
	}
	for _, option := range objects(cert.Get("domainValidationOptions")) {
		name, _ := option["resourceRecordName"].(string)
		value, _ := option["resourceRecordValue"].(string)
		if !slices.Contains(tx.resolve(name, "CNAME"), canonical(value)) && !slices.Contains(missing, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) == 0 && cert.Str("validationMethod") == "DNS" {
		tx.issue(cert)
		tx.Touch()
	}
	return missing
}

// validated waits, as the provider does, until the certificate is issued; here that is so at once, or never.
func validated(tx *Tx, o *Object) error {
	cert := tx.Find(certificateToken, "arn", o.Str("certificateArn"))
	if given := o.Inputs["validationRecordFqdns"]; given != nil {
		if cert.Str("validationMethod") != "DNS" {
			return fmt.Errorf("creating ACM Certificate Validation: validation_record_fqdns is not valid for %s validation", cert.Str("validationMethod"))
		}
		var have []string
		for _, f := range Strings(given) {
			have = append(have, canonical(f))
		}
		for _, option := range objects(cert.Get("domainValidationOptions")) {
			name, _ := option["resourceRecordName"].(string)
			if !slices.Contains(have, canonical(name)) {
				return fmt.Errorf("creating ACM Certificate Validation: missing %s DNS validation record: %s", option["domainName"], canonical(name))
			}
		}
	}
	missing := tx.settle(cert)
	if cert.Str("status") != issued {
		why := "the mails of the validation method EMAIL are answered by nobody here"
		if len(missing) > 0 {
			why = "no public zone that the internet would ask answers " + strings.Join(missing, ", ") + " as ACM expects"
		}
		timeout := tx.timeout
		if timeout == 0 {
			timeout = 75 * time.Minute
		}
		return fmt.Errorf("waiting for ACM Certificate (%s) to be issued: timeout while waiting for state to become 'ISSUED' (last state: '%s', timeout: %s): %s",
			cert.ID, pendingValidation, timeout, why)
	}
	o.ID = time.Now().UTC().String()
	return nil
}
