package config_test

import (
	"encoding/json"
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"gopkg.in/yaml.v3"

	"github.com/slipway-iac/slipway/internal/config"
	"github.com/slipway-iac/slipway/internal/recorder"
)

// good is a configuration without a mistake, as the engine hands it over.
func good() map[string]string {
	return map[string]string{
		"slipway:domain": "www.example.com", "slipway:zone": "example.com", "slipway:alternativeNames": `["example.com"]`,
		"slipway:registry": `{"keepReleases":30}`,
		"slipway:network":  `{"cidr":"10.20.0.0/16","zones":3,"natGateways":"one"}`,
		"slipway:cluster": `{"version":"1.35","admins":["arn:aws:iam::123456789012:role/a"],"prefixDelegation":true,` +
			`"nodes":{"instanceTypes":["m5.large"],"min":2,"desired":3,"max":6,"maxPods":60,` +
			`"instanceSizes":{"m5.large":{"vcpu":2,"memoryMiB":8192,"networkInterfaces":3,"addressesPerInterface":10}}}}`,
		"slipway:images":           `{"frontend":"1.10","thoughts_server":"2.0.0","users_server":"2.0.0"}`,
		"slipway:frontend":         `{"minReplicas":2,"maxReplicas":8,"cpuPercent":10}`,
		"slipway:backends":         `{"replicas":2}`,
		"slipway:database":         `{"host":"db.example.com","port":5432,"name":"thoughts","user":"app","cidrs":["10.20.0.0/16"]}`,
		"slipway:repositoriesOnly": "true",
		"slipway:databasePassword": "s3cret",
		"slipway:rollout":          `{"drainSeconds":30,"slowestRequestSeconds":30}`,
		"slipway:schedule":         `{"timeZone":"Europe/Madrid","nightsFrom":"20:00","nightsTo":"07:00","nightNodes":2,"weekendNodes":2}`,
		"slipway:protect":          "true",
		"slipway:accessLogDays":    "30",
		"slipway:migration":        `{"stage":"canary 10","routes":{"frontend":"split 30"},"old":{"addresses":["10.20.4.4"],"port":8080}}`,
	}
}

// load runs Load as a stack named prod would, with all that the engine hands over.
func load(t *testing.T, values map[string]string, secrets ...string) (cfg *config.Config, err error) {
	t.Helper()
	all, jsonErr := json.Marshal(values)
	if jsonErr != nil {
		t.Fatal(jsonErr)
	}
	t.Setenv(pulumi.EnvConfig, string(all))
	err = pulumi.RunErr(func(ctx *pulumi.Context) error {
		var err error
		cfg, err = config.Load(ctx)
		return err
	}, pulumi.WithMocks("slipway", "prod", &recorder.Recorder{}), func(i *pulumi.RunInfo) {
		i.Config, i.ConfigSecretKeys = values, secrets
	})
	return cfg, err
}

const password = "slipway:databasePassword"

func TestLoadFillsEveryField(t *testing.T) {
	cfg, err := load(t, good(), password)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Images.Frontend != "1.10" || cfg.Cluster.Nodes.Max != 6 || cfg.AlternativeNames[0] != "example.com" || !cfg.Protect {
		t.Errorf("got %+v", cfg)
	}
	if n := cfg.Cluster.Nodes; !cfg.Cluster.PrefixDelegation || n.MaxPods != 60 || n.InstanceSizes["m5.large"] != (config.InstanceSize{VCPU: 2, MemoryMiB: 8192, NetworkInterfaces: 3, AddressesPerInterface: 10}) {
		t.Errorf("cluster %+v", cfg.Cluster)
	}
	if m := cfg.Migration; m == nil || m.Stage != "canary 10" || m.Routes["frontend"] != "split 30" || m.Old.Addresses[0] != "10.20.4.4" || m.Old.Port != 8080 {
		t.Errorf("migration %+v", m)
	}
	if cfg.Registry.ExpireUntaggedDays != 0 {
		t.Error("what is left out must stay zero, so that the component's default holds")
	}
}

func TestLoadSaysEveryProblemAtOnce(t *testing.T) {
	values := good()
	maps.Copy(values, map[string]string{
		"slipway:domain":           "",
		"slipway:database":         "{}",
		"slipway:registry":         `{"keepRelease":30}`,
		"slipway:network":          `"10.0.0.0/16"`,
		"slipway:cluster":          `{"version":1.34,"admins":"me","nodes":{"instanceTypes":["m5.large"],"min":"two","desired":3.5}}`,
		"slipway:images":           `{"frontend":1.1,"thoughts_server":"2.0.0","users_server":"2.0.0"}`,
		"slipway:protect":          "maybe",
		"slipway:frontned":         "8",
		"slipway:migration":        `{"stage":10,"routes":["frontend"],"old":"10.0.0.1"}`,
		"slipway:databasePassword": "in the open",
	})
	delete(values, "slipway:zone")
	_, err := load(t, values)
	if err == nil {
		t.Fatal("accepted")
	}
	want, readErr := os.ReadFile("testdata/problems.txt")
	if readErr != nil {
		t.Fatal(readErr)
	}
	_, got, _ := strings.Cut(err.Error(), "* ")
	if strings.TrimSpace(got) != strings.TrimSpace(string(want)) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if strings.Contains(err.Error(), "in the open") {
		t.Error("the error shows the password")
	}
}

// Whoever types a secret under the wrong key does not read it in the log of a pipeline.
func TestAProblemShowsNoSecret(t *testing.T) {
	for key, value := range map[string]string{
		"database": "hunter2", "migration": `{"stage":{"hunter2":1}}`, "protect": "hunter2", "accessLogDays": "hunter2", "alternativeNames": "hunter2",
		"rollout": `{"drainSeconds":"hunter2"}`, "images": `{"frontend":["hunter2"]}`,
	} {
		values := good()
		values["slipway:"+key] = value
		_, err := load(t, values, password, "slipway:"+key)
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "is a secret, must ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

func TestWhatIsMissingInsideAnObjectIsSetByItsParts(t *testing.T) {
	values := good()
	values["slipway:cluster"] = `{"version":"1.35"}`
	_, err := load(t, values, password)
	for _, want := range []string{
		"slipway:cluster.admins is missing: set it with `pulumi config set --path 'slipway:cluster.admins[0]' VALUE --stack prod`",
		"slipway:cluster.nodes is missing: set each of its values, such as `pulumi config set --path 'slipway:cluster.nodes.instanceTypes[0]' VALUE --stack prod`",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

// The engine gives a key's default only where the whole key is left out, and a stack that sets one value of it keeps the others.
func TestAPartOfAKeyKeepsTheOtherDefaults(t *testing.T) {
	text, err := os.ReadFile("../../Pulumi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var project struct {
		Config map[string]struct {
			Default any `yaml:"default"`
		} `yaml:"config"`
	}
	if err := yaml.Unmarshal(text, &project); err != nil {
		t.Fatal(err)
	}
	byDefault, err := json.Marshal(project.Config["slipway:network"].Default)
	if err != nil {
		t.Fatal(err)
	}
	whole := good()
	whole["slipway:network"] = string(byDefault)
	want, err := load(t, whole, password)
	if err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{`{"zones":3}`, `{"cidr":"10.20.0.0/16"}`, `{"natGateways":"perZone"}`} {
		part := good()
		part["slipway:network"] = given
		if got, err := load(t, part, password); err != nil || got.Network != want.Network {
			t.Errorf("%s: got %+v, %v, want %+v", given, got, err, want.Network)
		}
	}
}

// Pulumi.yaml gives every key a value, so that none means an empty one.
func TestNoMigrationIsNone(t *testing.T) {
	values := good()
	values["slipway:migration"] = "{}"
	cfg, err := load(t, values, password)
	if err != nil || cfg.Migration != nil {
		t.Errorf("got %+v, %v", cfg, err)
	}
}

func TestMissingPasswordNamesTheCommandThatSetsASecret(t *testing.T) {
	values := good()
	delete(values, password)
	_, err := load(t, values)
	if err == nil || !strings.Contains(err.Error(), "pulumi config set --secret slipway:databasePassword --stack prod") {
		t.Errorf("got %v", err)
	}
}
