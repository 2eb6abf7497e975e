package ci_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/slipway-iac/slipway/components/ci"
	"github.com/slipway-iac/slipway/internal/recorder"
)

func makeState(r *recorder.Recorder, args *ci.StateArgs, use func(*ci.State)) error {
	return answering(r).Run(func(ctx *pulumi.Context) error {
		c, err := ci.NewState(ctx, "state", args)
		if err == nil && use != nil {
			use(c)
		}
		return err
	})
}

func TestStateRegistered(t *testing.T) {
	r := &recorder.Recorder{}
	got := make(chan string, 1)
	err := makeState(r, nil, func(c *ci.State) {
		pulumi.All(c.BackendUrl, c.SecretsProvider, c.BucketArn, c.KeyArn).ApplyT(func(all []any) string {
			got <- fmt.Sprint(all...)
			return ""
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := <-got, fmt.Sprint("s3://state-1a2b3c4?region=us-west-2", "awskms://alias/state?region=us-west-2", "arn:aws:s3:::state-1a2b3c4", secretsKey); got != want {
		t.Errorf("the outputs are\n%s, want\n%s", got, want)
	}
	r.Golden(t, "state-fewest")
	recorder.CheckDocTree(t, "state.go", "State", r)
	all := &recorder.Recorder{}
	err = makeState(all, &ci.StateArgs{BucketName: "team-state", KeyAlias: "team/pulumi", KeepDays: 365, EncryptWithKey: true, Ephemeral: true, Tags: map[string]string{"team": "platform"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	all.Golden(t, "state-most")
}

func TestStateErrors(t *testing.T) {
	for name, tt := range map[string]struct {
		args ci.StateArgs
		want string
	}{
		"dots":       {ci.StateArgs{BucketName: "team.state"}, `bucketName is "team.state", must be 3 to 63 lower-case letters, digits and "-", from a letter or digit to one: with a "." in it TLS fails`},
		"an alias":   {ci.StateArgs{KeyAlias: "alias/pulumi"}, `keyAlias is "alias/pulumi", must be without "alias/"`},
		"AWS's own":  {ci.StateArgs{KeyAlias: "aws/s3"}, `keyAlias is "aws/s3", must not begin with "aws/", which AWS keeps for itself`},
		"no time":    {ci.StateArgs{KeepDays: -1}, `keepDays is -1, must be 1 to 3650`},
		"wrong tags": {ci.StateArgs{Tags: map[string]string{"aws:x": ""}}, `tags["aws:x"] has a key that begins with "aws:"`},
	} {
		t.Run(name, func(t *testing.T) {
			err := makeState(&recorder.Recorder{}, &tt.args, nil)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("the error is %v, want it to say\n%s", err, tt.want)
			}
			if check := tt.args.Check(nil, "state"); check == nil {
				t.Error("Check finds nothing")
			}
		})
	}
}
