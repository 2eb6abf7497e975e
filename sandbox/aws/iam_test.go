package aws

import (
	"strings"
	"testing"
)

func TestIdentityRefusals(t *testing.T) {
	w := newIdentity(t)
	long := strings.Repeat("n", 65)
	statement := func(s object) object { return object{"assumeRolePolicy": policyText(s)} }
	allow := func(more object) object {
		s := object{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": "ec2.amazonaws.com"}}
		for k, v := range more {
			if s[k] = v; v == nil {
				delete(s, k)
			}
		}
		return s
	}
	identity := func(s object) object { return object{"policy": policyText(s)} }
	w.refuses([]refusal{
		{"role", object{"name": long}, "name has 65 characters, must have 1 to 64"},
		{"role", object{"name": "a b"}, "must be letters, digits and"},
		{"role", object{"name": "a", "namePrefix": "b"}, "name conflicts with namePrefix"},
		{"role", object{"name": w.id("role")}, "EntityAlreadyExists: Role with name " + w.id("role") + " already exists."},
		{"role", object{"name": strings.ToUpper(w.id("role"))}, "EntityAlreadyExists"},
		{"role", object{"assumeRolePolicy": nil}, "assumeRolePolicy is required"},
		{"role", object{"assumeRolePolicy": "trust me"}, "must be JSON"},
		{"role", object{"assumeRolePolicy": `{"Version":"2012-10-17"}`}, "MalformedPolicyDocument: Syntax errors in policy. (no Statement)"},
		{"role", object{"assumeRolePolicy": `{"Version":"2012-10-18","Statement":[{}]}`}, `Version is "2012-10-18"`},
		{"role", object{"assumeRolePolicy": `{"Statements":[],"Statement":{"Effect":"Allow"}}`}, "Syntax errors in policy"},
		{"role", statement(allow(object{"Effect": "allow"})), `Effect is "allow", must be Allow or Deny`},
		{"role", statement(allow(object{"Action": "s3:GetObject"})), "AssumeRole policy may only specify STS AssumeRole actions."},
		{"role", statement(allow(object{"Action": "AssumeRole"})), "must be prefaced by a vendor"},
		{"role", statement(allow(object{"Resource": "*"})), "Has prohibited field Resource"},
		{"role", statement(allow(object{"Principal": nil})), "Missing required field Principal"},
		{"role", statement(allow(object{"Principal": object{"Service": "ec2.amazonaws.example"}})), `Invalid principal in policy: "Service":"ec2.amazonaws.example"`},
		{"role", statement(allow(object{"Principal": object{"AWS": "somebody"}})), `Invalid principal in policy: "AWS":"somebody"`},
		{"role", statement(allow(object{"Principal": object{"Aws": "*"}})), `Invalid principal in policy: "Aws"`},
		{"role", object{"maxSessionDuration": 600.0}, "must be 3600 to 43200"},
		{"role", object{"managedPolicyArns": list("arn:aws:iam::aws:policy/Nothing")}, "NoSuchEntity: Policy arn:aws:iam::aws:policy/Nothing does not exist or is not attachable."},
		{"role", object{"path": "team"}, "must be / or a text that begins and ends with /"},
		{"role", object{"rolename": "x"}, "rolename is no property that the sandbox knows"},
		{"rolePolicy", object{"policyArn": "arn:aws:iam::aws:policy/AmazonEKSClusterPolice"}, "NoSuchEntity: Policy"},
		{"rolePolicy", object{"policyArn": "arn:aws:iam::123456789012:policy/mine"}, "NoSuchEntity: Policy"},
		{"rolePolicy", object{"role": "nobody"}, "NoSuchEntity: The role with name nobody cannot be found."},
		{"policy", object{"name": w.out("policy", "name")}, "EntityAlreadyExists: A policy called"},
		{"policy", identity(object{"Effect": "Allow", "Action": "s3:*"}), "Policy statement must contain resources."},
		{"policy", identity(object{"Effect": "Allow", "Resource": "*"}), "Policy statement must contain actions."},
		{"policy", identity(object{"Effect": "Allow", "Action": "s3:*", "Resource": "bucket"}), "must be in ARN format"},
		{"policy", identity(object{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Principal": "*"}), "should not specify a principal"},
		{"policy", identity(object{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::" + strings.Repeat("b", 6144)}), "Cannot exceed quota for PolicySize: 6144"},
		{"inlinePolicy", object{"role": "nobody"}, "NoSuchEntity"},
		{"profile", object{"role": "nobody"}, "NoSuchEntity"},
		{"profile", object{"name": w.id("profile")}, "EntityAlreadyExists: Instance Profile"},
		{"oidc", nil, "EntityAlreadyExists: Provider with url https://oidc.example.com/id/1 already exists."},
		{"oidc", object{"url": "http://oidc.example.com"}, "must be a URL that begins with https://"},
		{"oidc", object{"url": "https://two.example.com", "clientIdLists": list()}, "clientIdLists has 0 elements"},
		{"oidc", object{"url": "https://two.example.com", "thumbprintLists": list("abc")}, "must be 40 hexadecimal digits"},
	})
}

func TestIdentityRevisions(t *testing.T) {
	w := newIdentity(t)
	other := w.create(roleToken, "other", object{"assumeRolePolicy": trust("ec2.amazonaws.com")})
	w.revises([]revision{
		{"role", object{"description": "for the cluster", "maxSessionDuration": 7200.0}, nil},
		{"role", object{"assumeRolePolicy": object{"Version": "2012-10-17", "Statement": object{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": object{"Service": "eks.amazonaws.com"}}}}, nil},
		{"role", object{"path": "/team/"}, []string{"path"}},
		{"role", object{"name": "chosen"}, []string{"name"}},
		{"rolePolicy", object{"policyArn": "arn:aws:iam::aws:policy/AmazonEKSServicePolicy"}, []string{"policyArn"}},
		{"inlinePolicy", object{"policy": policyText(object{"Effect": "Deny", "Action": "s3:*", "Resource": "*"})}, nil},
		{"inlinePolicy", object{"role": other.ID}, []string{"role"}},
		{"policy", object{"description": "changed"}, []string{"description"}},
		{"profile", object{"role": other.ID}, nil},
		{"oidc", object{"clientIdLists": list("sts.amazonaws.com", "other")}, nil},
		{"oidc", object{"url": "https://oidc.example.com/id/2"}, []string{"url"}},
	})
	same := `{ "Statement": [ {"Principal":{"Service":"ec2.amazonaws.com"}, "Effect":"Allow", "Action":["sts:AssumeRole"]} ], "Version":"2012-10-17" }`
	if diffs, _ := w.diff(w.by["nodeRole"], object{"assumeRolePolicy": same}); len(diffs) > 0 {
		t.Errorf("the same trust policy, written differently, shows as a change of %q", diffs)
	}
}

func TestRoleIsKeptWhilePoliciesAreAttached(t *testing.T) {
	w := newIdentity(t)
	for _, c := range []struct{ key, want, blocker string }{
		{"role", "DeleteConflict: Cannot delete entity, must detach all policies first.", "rolePolicy"},
		{"podRole", "DeleteConflict: Cannot delete entity, must delete policies first.", "inlinePolicy"},
	} {
		if got := w.delete(w.by[c.key]); !strings.Contains(got, c.want) {
			t.Errorf("deleting %s: %q, want %q", c.key, got, c.want)
		}
		if got := w.delete(w.by[c.blocker]); got != "" {
			t.Errorf("deleting %s: %s", c.blocker, got)
		}
		if got := w.delete(w.by[c.key]); got != "" {
			t.Errorf("deleting %s once %s is gone: %s", c.key, c.blocker, got)
		}
	}
	forced := w.create(roleToken, "forced", object{"assumeRolePolicy": trust("ec2.amazonaws.com"), "forceDetachPolicies": true})
	w.create(attachmentToken, "forced", object{"role": forced.ID, "policyArn": w.out("policy", "arn")})
	if got := w.delete(w.by["policy"]); !strings.Contains(got, "DeleteConflict: Cannot delete a policy attached to entities.") {
		t.Errorf("deleting an attached policy: %q", got)
	}
	if got := w.delete(forced); got != "" {
		t.Errorf("deleting a role with forceDetachPolicies: %s", got)
	}
	if got := w.delete(w.by["policy"]); got != "" {
		t.Errorf("deleting a policy that is attached no more: %s", got)
	}
}

func TestQuotaOfPoliciesPerRole(t *testing.T) {
	w := newIdentity(t)
	attach := func(p string) string {
		_, refused := w.try(attachmentToken, p, object{"role": w.id("podRole"), "policyArn": "arn:aws:iam::aws:policy/" + p})
		return refused
	}
	for _, p := range []string{
		"ReadOnlyAccess", "SecurityAudit", "IAMReadOnlyAccess", "AmazonS3FullAccess", "AmazonS3ReadOnlyAccess", "AmazonRDSFullAccess",
		"AmazonSQSFullAccess", "AmazonSNSFullAccess", "AmazonEC2FullAccess", "AmazonVPCFullAccess",
	} {
		if refused := attach(p); refused != "" {
			t.Fatal(refused)
		}
	}
	if refused := attach("AmazonDynamoDBFullAccess"); !strings.Contains(refused, "LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10") {
		t.Errorf("an eleventh policy: %q", refused)
	}
	if refused := attach("ReadOnlyAccess"); refused != "" {
		t.Errorf("a policy that is attached already: %s", refused)
	}
}

func TestIdentityOutputs(t *testing.T) {
	w := newIdentity(t)
	role := w.create(roleToken, "worker", object{"namePrefix": "worker-", "path": "/team/", "assumeRolePolicy": trust("ec2.amazonaws.com")})
	if name, _ := role.Out["name"].(string); len(name) != len("worker-")+26 || role.Out["arn"] != "arn:aws:iam::123456789012:role/team/"+name || role.ID != name {
		t.Errorf("a role of a name prefix: id %q, outputs %v", role.ID, role.Out)
	}
	oidc := w.by["oidc"]
	if oidc.ID != "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/id/1" || len(Strings(oidc.Out["thumbprintLists"])) != 1 {
		t.Errorf("OIDC provider %s: %v", oidc.ID, oidc.Out)
	}
	found, refused := w.invoke("aws:iam/getRole:getRole", object{"name": w.id("role")})
	if refused != "" || found["arn"] != w.out("role", "arn") {
		t.Errorf("getRole: %v %s", found, refused)
	}
	if _, refused = w.invoke("aws:iam/getRole:getRole", object{"name": "nobody"}); !strings.Contains(refused, "NoSuchEntity") {
		t.Errorf("getRole of nobody: %q", refused)
	}
}

func TestPolicyDocument(t *testing.T) {
	h := newHarness(t)
	const token = "aws:iam/getPolicyDocument:getPolicyDocument"
	base := `{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:Get*","Resource":"*"}]}`
	out, refused := h.invoke(token, object{
		"sourcePolicyDocuments": list(base),
		"statements": list(object{
			"sid": "b", "actions": list("sts:AssumeRole", "sts:TagSession"), "principals": list(object{"type": "Service", "identifiers": list("pods.eks.amazonaws.com")}),
			"conditions": list(object{"test": "StringEquals", "variable": "aws:SourceAccount", "values": list("123456789012")}),
		}),
		"overridePolicyDocuments": list(`{"Statement":[{"Sid":"a","Effect":"Deny","Action":"s3:*","Resource":"*"}]}`),
	})
	if refused != "" {
		t.Fatal(refused)
	}
	want := `{"Version":"2012-10-17","Statement":[{"Action":"s3:*","Effect":"Deny","Resource":"*","Sid":"a"},` +
		`{"Action":["sts:TagSession","sts:AssumeRole"],"Condition":{"StringEquals":{"aws:SourceAccount":"123456789012"}},"Effect":"Allow",` +
		`"Principal":{"Service":"pods.eks.amazonaws.com"},"Sid":"b"}]}`
	if out["minifiedJson"] != want {
		t.Errorf("rendered\n%v\nwant\n%v", out["minifiedJson"], want)
	}
	if text, _ := out["json"].(string); !strings.HasPrefix(text, "{\n  \"Version\": \"2012-10-17\",") {
		t.Errorf("json is %q", text)
	}
	if _, refused := h.invoke(token, object{"sourcePolicyDocuments": list(base, base)}); !strings.Contains(refused, "duplicate Sid (a)") {
		t.Errorf("two sources with one Sid: %q", refused)
	}
}
