package aws

const webAclAssociationToken = "aws:wafv2/webAclAssociation:WebAclAssociation"

func init() {
	register(&Type{
		Token: webAclAssociationToken, Label: "WAF Web ACL Association", Service: "WAFV2", Ops: Ops{"AssociateWebACL", "", "DisassociateWebACL"},
		Props: map[string]Prop{
			"resourceArn": text.must().fixed().to(loadBalancerRef),
			// Web ACLs are made elsewhere: the model has none, and takes any of the right form.
			"webAclArn": text.must().fixed().like(`^arn:aws[a-z-]*:wafv2:[a-z0-9-]+:\d{12}:regional/webacl/[\w-]+/[0-9a-f-]+$`, "the ARN of a regional web ACL"),
		},
		Validate: func(tx *Tx, o, old *Object) error {
			for _, a := range tx.All(webAclAssociationToken) {
				if a.Str("resourceArn") == o.Str("resourceArn") && (old == nil || a.ID != old.ID) {
					return Errorf("WAFAssociatedItemException", "AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated with another resource.")
				}
			}
			return nil
		},
		Create: func(_ *Tx, o *Object) error {
			o.ID = o.Str("webAclArn") + "," + o.Str("resourceArn")
			return nil
		},
	})
}
