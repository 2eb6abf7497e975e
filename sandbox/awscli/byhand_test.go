package awscli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestScheduledActionsAreChangedByHand(t *testing.T) {
	groups(t)
	for _, c := range []struct{ args, want string }{
		{"put-scheduled-update-group-action --auto-scaling-group-name web --scheduled-action-name night --desired-capacity 2", `"DesiredCapacity": 2`},
		{"put-scheduled-update-group-action --auto-scaling-group-name db --scheduled-action-name day --min-size 1 --recurrence=0|6|*|*|* --time-zone Europe/Madrid", `"Recurrence": "0 6 * * *"`},
		{"delete-scheduled-action --auto-scaling-group-name db --scheduled-action-name day", `"ScheduledActionName": "night"`},
	} {
		args := strings.Fields("autoscaling " + c.args)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "|", " ")
		}
		if code, out, errOut := run(t, args...); code != 0 || out+errOut != "" {
			t.Errorf("%s ended with %d: %s%s", c.args, code, out, errOut)
		}
		if _, out, _ := run(t, "autoscaling", "describe-scheduled-actions"); !strings.Contains(out, c.want) {
			t.Errorf("after %s there are %s, want %s", c.args, out, c.want)
		}
	}
	if _, out, _ := run(t, "autoscaling", "describe-scheduled-actions"); strings.Contains(out, `"day"`) || !strings.Contains(out, `"Recurrence": "0 20 * * *"`) {
		t.Errorf("left are %s", out)
	}
}

// TestStructures are read as JSON and in the short form, as the real command does.
func TestStructures(t *testing.T) {
	type labels struct {
		Add    map[string]string `json:"addOrUpdateLabels"`
		Remove oneOrMore         `json:"removeLabels"`
	}
	for in, want := range map[string]string{
		`addOrUpdateLabels={tier=hot,n=1},removeLabels=a,b`: `{"addOrUpdateLabels":{"n":"1","tier":"hot"},"removeLabels":["a","b"]}`,
		`removeLabels=a`: `{"addOrUpdateLabels":null,"removeLabels":["a"]}`,
		`{"addOrUpdateLabels": {"tier": "hot"}, "removeLabels": []}`: `{"addOrUpdateLabels":{"tier":"hot"},"removeLabels":[]}`,
		`tier`:                   "Error parsing parameter '--labels'",
		`labels={tier=hot}`:      "Error parsing parameter '--labels'",
		`addOrUpdateLabels={a=b`: "Error parsing parameter '--labels'",
		`{"addOrUpdateLabels": `: "Error parsing parameter '--labels'",
	} {
		var l labels
		err := structure("labels", in, &l)
		got, marshalErr := json.Marshal(l)
		if marshalErr != nil {
			t.Fatal(marshalErr)
		}
		if err != nil {
			got = []byte(err.Error())
		}
		if !strings.HasPrefix(string(got), want) {
			t.Errorf("%s is %s, want %s", in, got, want)
		}
	}
}

func TestByHandRefuses(t *testing.T) {
	groups(t)
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --port 22 --cidr 10.0.0.0/8", 254, "\nAn error occurred (InvalidGroup.NotFound) when calling the AuthorizeSecurityGroupIngress operation: The security group 'sg-1' does not exist\n"},
		{"ec2 authorize-security-group-ingress --group-id sg-1 --protocol tcp --cidr 10.0.0.0/8", 254, "Must specify both from and to ports with TCP/UDP"},
		{"ec2 revoke-security-group-ingress --group-id sg-1 --protocol tcp --port 22", 254, "An error occurred (MissingParameter) when calling the RevokeSecurityGroupIngress operation"},
		{"ec2 revoke-security-group-ingress --group-id sg-1 --protocol tcp --port ssh --cidr 10.0.0.0/8", 252, `port range must be of the form <from[-to]>, not "ssh"`},
		{"ec2 authorize-security-group-ingress", 252, "the following arguments are required: --group-id, --protocol"},
		{"eks update-nodegroup-config --cluster-name prod --nodegroup-name main --scaling-config minSize=few", 252, "Error parsing parameter '--scaling-config'"},
		{"eks update-nodegroup-config --cluster-name prod --nodegroup-name main --scaling-config most=1", 252, "takes whole numbers for minSize, maxSize, desiredSize, not most=1"},
		{"eks update-nodegroup-config --cluster-name prod --nodegroup-name main --labels removeLabels=a", 254, "An error occurred (ResourceNotFoundException) when calling the UpdateNodegroupConfig operation: No cluster found for name: prod."},
		{"ecr put-image-tag-mutability --repository-name web --image-tag-mutability fixed", 254, "must satisfy enum value set"},
		{"elbv2 modify-listener --listener-arn arn:none --ssl-policy x", 254, "One or more listeners not found"},
		{"autoscaling put-scheduled-update-group-action --auto-scaling-group-name web --scheduled-action-name x --min-size few", 252, `--min-size: "few" is no number of instances`},
	} {
		code, out, errOut := run(t, strings.Fields(c.args)...)
		if code != c.code || out != "" || !strings.Contains(errOut, c.want) {
			t.Errorf("%s ended with %d, printed %q, said %q, want %d and %q", c.args, code, out, errOut, c.code, c.want)
		}
	}
}
