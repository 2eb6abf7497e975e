package aws

import (
	"slices"
	"strings"
)

// regions are the regions that are open to every account, with what AWS calls them.
var regions = map[string]string{
	"af-south-1": "Africa (Cape Town)", "ap-east-1": "Asia Pacific (Hong Kong)", "ap-northeast-1": "Asia Pacific (Tokyo)",
	"ap-northeast-2": "Asia Pacific (Seoul)", "ap-northeast-3": "Asia Pacific (Osaka)", "ap-south-1": "Asia Pacific (Mumbai)",
	"ap-south-2": "Asia Pacific (Hyderabad)", "ap-southeast-1": "Asia Pacific (Singapore)", "ap-southeast-2": "Asia Pacific (Sydney)",
	"ap-southeast-3": "Asia Pacific (Jakarta)", "ap-southeast-4": "Asia Pacific (Melbourne)", "ap-southeast-5": "Asia Pacific (Malaysia)",
	"ap-southeast-7": "Asia Pacific (Thailand)", "ca-central-1": "Canada (Central)", "ca-west-1": "Canada West (Calgary)",
	"eu-central-1": "Europe (Frankfurt)", "eu-central-2": "Europe (Zurich)", "eu-north-1": "Europe (Stockholm)",
	"eu-south-1": "Europe (Milan)", "eu-south-2": "Europe (Spain)", "eu-west-1": "Europe (Ireland)", "eu-west-2": "Europe (London)",
	"eu-west-3": "Europe (Paris)", "il-central-1": "Israel (Tel Aviv)", "me-central-1": "Middle East (UAE)",
	"me-south-1": "Middle East (Bahrain)", "mx-central-1": "Mexico (Central)", "sa-east-1": "South America (Sao Paulo)",
	"us-east-1": "US East (N. Virginia)", "us-east-2": "US East (Ohio)", "us-west-1": "US West (N. California)", "us-west-2": "US West (Oregon)",
}

// zonesOf is the names of a region's availability zones; none where there is no such region.
func zonesOf(region string) []string {
	if regions[region] == "" {
		return nil
	}
	letters := "abc"
	switch region {
	case "us-west-2":
		letters = "abcd"
	case "us-east-1":
		letters = "abcdef"
	}
	var out []string
	for _, l := range letters {
		out = append(out, region+string(l))
	}
	return out
}

// zoneID is the id of an availability zone, which is the same place in every account: "usw2-az1" for "us-west-2a".
func zoneID(zone string) string {
	w := strings.SplitN(zone, "-", 3)
	if len(w) != 3 || len(w[2]) < 2 {
		return ""
	}
	direction := map[string]string{
		"north": "n", "south": "s", "east": "e", "west": "w", "central": "c",
		"northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
	}[w[1]]
	number, letter := w[2][:len(w[2])-1], w[2][len(w[2])-1]
	return w[0] + direction + number + "-az" + string('1'+letter-'a')
}

// CallerARN is the identity that everything in the account runs as.
const CallerARN = "arn:aws:sts::" + AccountID + ":assumed-role/" + callerRole + "/sandbox"

// CallerUserID is the unique id of that identity.
const CallerUserID = "AROASANDBOXSLIPWAY001:sandbox"

const callerRole = "slipway-deploy"

var filter = fields(map[string]Prop{"name": text.must(), "values": listOf(text).must()})

func init() {
	registerFunctions(
		&Function{Token: "aws:index/getAvailabilityZones:getAvailabilityZones", Props: map[string]Prop{
			"allAvailabilityZones": flag, "excludeNames": listOf(text), "excludeZoneIds": listOf(text), "filters": listOf(filter),
			"state": text.in("available", "information", "impaired", "unavailable"),
		}, Call: availabilityZones},
		&Function{Token: "aws:index/getCallerIdentity:getCallerIdentity", Props: map[string]Prop{"id": text}, Call: func(*Tx, Inputs) (map[string]any, error) {
			return map[string]any{"id": AccountID, "accountId": AccountID, "arn": CallerARN, "userId": CallerUserID}, nil
		}},
		&Function{Token: "aws:index/getRegion:getRegion", Props: map[string]Prop{"id": text, "name": text, "endpoint": text}, Call: region},
		&Function{Token: "aws:index/getPartition:getPartition", Props: map[string]Prop{"id": text}, Call: func(*Tx, Inputs) (map[string]any, error) {
			return map[string]any{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
		}},
		&Function{Token: "aws:index/getDefaultTags:getDefaultTags", Props: map[string]Prop{"id": text, "tags": tagMap}, Call: func(tx *Tx, _ Inputs) (map[string]any, error) {
			tags := map[string]any{}
			if tx.defaultTags != nil {
				tags = tx.defaultTags
			}
			return map[string]any{"id": "aws", "tags": tags}, nil
		}},
	)
}

func availabilityZones(tx *Tx, in Inputs) (map[string]any, error) {
	o := in.Object()
	zones := zonesOf(tx.Region)
	keep := func(zone string) bool {
		if slices.Contains(o.List("excludeNames"), zone) || slices.Contains(o.List("excludeZoneIds"), zoneID(zone)) {
			return false
		}
		return !o.has("state") || o.Str("state") == "available"
	}
	for _, f := range objects(o.Get("filters")) {
		before, values, name := keep, Strings(f["values"]), f["name"]
		attribute, ok := map[any]func(string) string{
			"zone-name": func(z string) string { return z }, "zone-id": zoneID,
			"region-name": func(string) string { return tx.Region }, "state": func(string) string { return "available" },
			"group-name": func(string) string { return tx.Region }, "zone-type": func(string) string { return "availability-zone" },
			"opt-in-status": func(string) string { return "opt-in-not-required" },
		}[name]
		if !ok {
			return nil, Errorf("InvalidParameterValue", "The filter '%v' is invalid", name)
		}
		keep = func(z string) bool { return before(z) && slices.Contains(values, attribute(z)) }
	}
	names, ids := []any{}, []any{}
	for _, z := range zones {
		if keep(z) {
			names, ids = append(names, z), append(ids, zoneID(z))
		}
	}
	out := map[string]any{"id": tx.Region, "names": names, "zoneIds": ids, "groupNames": []any{tx.Region}}
	for k, v := range in.Values {
		out[k] = v
	}
	return out, nil
}

func region(tx *Tx, in Inputs) (map[string]any, error) {
	name := tx.Region
	if n := in.Object().Str("name"); n != "" {
		name = n
	}
	if e := in.Object().Str("endpoint"); e != "" {
		name = strings.TrimSuffix(strings.TrimPrefix(e, "ec2."), ".amazonaws.com")
	}
	if regions[name] == "" {
		return nil, Errorf("no matching EC2 Region found", "%q", name)
	}
	return map[string]any{"id": name, "name": name, "description": regions[name], "endpoint": "ec2." + name + ".amazonaws.com"}, nil
}
