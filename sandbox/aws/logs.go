package aws

import (
	"fmt"
	"slices"
	"strings"
)

const logGroupToken = "aws:cloudwatch/logGroup:LogGroup"

// retentions are the days for which CloudWatch keeps logs; 0 is for ever.
var retentions = []int{0, 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func init() {
	name := func(longest float64, other string) Prop {
		return text.fixed().within(1, longest).not(other).like(`^[0-9A-Za-z_./#-]+$`, "letters, digits and _./#-")
	}
	register(&Type{
		Token: logGroupToken, Label: "CloudWatch Logs Log Group", Service: "CloudWatch Logs", Ops: Ops{"CreateLogGroup", "PutRetentionPolicy", "DeleteLogGroup"},
		AutoName: &AutoName{Prop: "name", Max: 512},
		Props: map[string]Prop{
			"kmsKeyId":      text.to(&Ref{Types: []string{keyToken}, By: "arn", Code: "InvalidParameterException", Message: "The specified KMS Key Id could not be found: %s"}),
			"logGroupClass": text.filled().fixed().in("STANDARD", "INFREQUENT_ACCESS", "DELIVERY"),
			"name":          name(512, "namePrefix").filled(), "namePrefix": name(486, "name"), "retentionInDays": number.or(0.0), "skipDestroy": flag.or(false), "tags": tagMap,
		},
		Outputs: []string{"arn"},
		Check:   checkLogGroup, Validate: validateLogGroup, Create: createLogGroup, Delete: deleteLogGroup,
	})
}

func checkLogGroup(in Inputs) []Problem {
	o := in.Object()
	if days := o.Num("retentionInDays"); in.Known("retentionInDays") && !slices.Contains(retentions, days) {
		return []Problem{{"retentionInDays", fmt.Sprintf("is %d, must be one of %s", days, strings.Trim(strings.ReplaceAll(fmt.Sprint(retentions), " ", ", "), "[]"))}}
	}
	return nil
}

func validateLogGroup(tx *Tx, o, old *Object) error {
	name := o.named("name", "namePrefix")
	if strings.HasPrefix(name, "aws/") {
		return Errorf("InvalidParameterException", "Log groups starting with AWS/ are reserved for AWS: %s", name)
	}
	if old == nil && tx.Find(logGroupToken, "name", name) != nil {
		return Errorf("ResourceAlreadyExistsException", "The specified log group already exists: %s", name)
	}
	return nil
}

func createLogGroup(tx *Tx, o *Object) error {
	o.ID = o.named("name", "namePrefix")
	o.Set("arn", tx.ARN("logs", "log-group:"+o.ID))
	o.fill("logGroupClass", "STANDARD")
	return nil
}

// deleteLogGroup leaves the group in the account where the program asked for that: a stack that makes it again is refused.
func deleteLogGroup(tx *Tx, o *Object) error {
	if o.Bool("skipDestroy") {
		tx.Add(o.clone())
	}
	return nil
}
