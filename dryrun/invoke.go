package dryrun

import (
	"cmp"
	"context"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

// account is the one that AWS's documentation uses in examples.
const account = "123456789012"

// Invoke implements pulumirpc.ResourceMonitorServer: it answers with names that fit the region where a program cannot go on without,
// and otherwise with what was asked, of which all that is missing is empty.
func (m *monitor) Invoke(_ context.Context, r *pulumirpc.ResourceInvokeRequest) (*pulumirpc.ResourceInvokeResponse, error) {
	region := cmp.Or(m.region, "us-east-1")
	answer := map[string]any{}
	switch r.GetTok() {
	case "aws:index/getAvailabilityZones:getAvailabilityZones":
		var names, ids []any
		for _, z := range []string{"a", "b", "c", "d"} {
			names, ids = append(names, region+z), append(ids, "zone-"+z)
		}
		answer = map[string]any{"id": region, "names": names, "zoneIds": ids, "groupNames": []any{region}}
	case "aws:index/getCallerIdentity:getCallerIdentity":
		answer = map[string]any{"id": account, "accountId": account, "arn": "arn:aws:iam::" + account + ":role/dry-run", "userId": "dry-run"}
	case "aws:index/getRegion:getRegion":
		answer = map[string]any{"id": region, "name": region, "endpoint": "ec2." + region + ".amazonaws.com"}
	case "aws:index/getPartition:getPartition":
		answer = map[string]any{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}
	case "aws:route53/getZone:getZone":
		answer = map[string]any{"id": "Z0DRYRUN", "zoneId": "Z0DRYRUN", "nameServers": []any{}}
	}
	out, err := structpb.NewStruct(answer)
	if err != nil {
		return nil, err
	}
	for k, v := range r.GetArgs().GetFields() {
		if _, given := out.GetFields()[k]; !given {
			out.Fields[k] = v
		}
	}
	return &pulumirpc.ResourceInvokeResponse{Return: out}, nil
}
