package command

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
)

const cutOff = `{"version": 3, "deployment": {"resources": [
	{"urn": "urn:pulumi:prod::s::aws:ec2/vpc:Vpc::old", "type": "aws:ec2/vpc:Vpc", "id": "vpc-1", "sequenceNumber": 12345678901234567890},
	{"urn": "urn:pulumi:prod::s::aws:ec2/eip:Eip::nat", "type": "aws:ec2/eip:Eip", "id": "eip-1"}],
	"pending_operations": [
	{"type": "creating", "resource": {"urn": "urn:pulumi:prod::s::aws:ec2/vpc:Vpc::new", "type": "aws:ec2/vpc:Vpc", "inputs": {"cidrBlock": "10.0.0.0/16"}}},
	{"type": "creating", "resource": {"urn": "urn:pulumi:prod::s::aws:ec2/eip:Eip::nat", "type": "aws:ec2/eip:Eip"}},
	{"type": "creating", "resource": {"urn": "urn:pulumi:prod::s::aws:ecr/repository:Repository::api", "type": "aws:ecr/repository:Repository"}},
	{"type": "updating", "resource": {"urn": "urn:pulumi:prod::s::aws:ec2/vpc:Vpc::old", "type": "aws:ec2/vpc:Vpc", "id": "vpc-1"}}]}}`

func TestAdopt(t *testing.T) {
	ids := map[string]string{"new": "vpc-2", "nat": "eip-2"}
	state, said, found, err := adopt([]byte(cutOff), func(r resource) (string, map[string]any, error) {
		urn := r.text("urn")
		return ids[urn[strings.LastIndex(urn, "::")+2:]], map[string]any{"made": urn}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"aws:ec2/vpc:Vpc new is vpc-2", "aws:ec2/eip:Eip nat is eip-2", "aws:ecr/repository:Repository api was not made"}; !slices.Equal(said, want) {
		t.Errorf("it says %q, want %q", said, want)
	}
	if want := []string{"urn:pulumi:prod::s::aws:ec2/vpc:Vpc::new", "urn:pulumi:prod::s::aws:ec2/eip:Eip::nat"}; !slices.Equal(found, want) {
		t.Errorf("it found %q, want %q", found, want)
	}
	var got struct {
		Deployment struct {
			Resources []struct {
				ID             string
				Delete         bool
				Inputs         map[string]any
				Outputs        map[string]any
				SequenceNumber json.Number
			}
			PendingOperations []struct{ Type string } `json:"pending_operations"`
		}
	}
	if err := json.Unmarshal(state, &got); err != nil {
		t.Fatal(err)
	}
	r := got.Deployment.Resources
	if len(r) != 4 || r[0].ID != "vpc-1" || r[0].Delete || r[2].ID != "vpc-2" || r[2].Inputs["cidrBlock"] != "10.0.0.0/16" || r[2].Outputs["made"] == nil {
		t.Errorf("the resources are %+v", r)
	}
	// The new one was to replace the old one: two of one URN are a valid state only if one of them is to be deleted.
	if len(r) == 4 && (!r[1].Delete || r[3].ID != "eip-2" || r[3].Delete) {
		t.Errorf("the resources are %+v, want the old address to be deleted", r)
	}
	if r[0].SequenceNumber != "12345678901234567890" {
		t.Errorf("a number became %s", r[0].SequenceNumber)
	}
	if p := got.Deployment.PendingOperations; len(p) != 1 || p[0].Type != "updating" {
		t.Errorf("pending are %+v, want the update alone, which the next one does again", p)
	}
}

func TestAdoptLeavesAStateAloneThatWasNotCutOff(t *testing.T) {
	for _, state := range []string{`{"version":3,"deployment":{}}`, `{"version":3,"deployment":{"pending_operations":[{"type":"deleting","resource":{"urn":"x"}}]}}`} {
		got, said, found, err := adopt([]byte(state), func(resource) (string, map[string]any, error) { return "", nil, errors.New("asked") })
		if err != nil || string(got) != state || said != nil || found != nil {
			t.Errorf("got %s, %v, %v, %v", got, said, found, err)
		}
	}
}
