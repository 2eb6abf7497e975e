// Package protection keeps a stack in production from being taken away by a single command.
package protection

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// ProtectionType is in every stack's state: to change it takes an alias and a major version.
const ProtectionType = "slipway:index:Protection"

// ProtectionArgs says what is protected.
type ProtectionArgs struct {
	// Enabled refuses a destroy. Default false. To destroy: set it to false, run `pulumi up`, then `pulumi destroy`.
	Enabled bool `pulumi:"enabled,optional"`
	// Of are the resources that must not go; of a component, all that it holds.
	Of []pulumi.Resource `pulumi:"-"`
}

// Protection refuses `pulumi destroy` before it has deleted anything:
//
//	slipway:index:Protection  NAME
//
// Resources that are protected each by itself, as repositories and clusters are, do not keep a destroy from deleting what needs
// them: it deletes listeners and DNS records first, and is refused only when it comes to the cluster, with the site down. A
// protected resource that depends on all others is the first to go, so it stops a destroy at its first step. It holds nothing
// else back: resources change, are replaced and are removed by `pulumi up` as ever.
type Protection struct{ pulumi.ResourceState }

// NewProtection makes it, after all that it protects. Choose a name that tells whoever is refused what to do: the refusal shows it.
func NewProtection(ctx *pulumi.Context, name string, args *ProtectionArgs, opts ...pulumi.ResourceOption) (*Protection, error) {
	var a ProtectionArgs
	if args != nil {
		a = *args
	}
	c := &Protection{}
	// Without Enabled it stays, unprotected: to remove a protected resource takes an update that unprotects it first.
	opts = append(opts, pulumi.DependsOn(a.Of), pulumi.Protect(a.Enabled))
	if err := ctx.RegisterComponentResourceV2(ProtectionType, name, pulumi.Map{"enabled": pulumi.Bool(a.Enabled)}, c, opts...); err != nil {
		return nil, fmt.Errorf("%s %q: %w", ProtectionType, name, err)
	}
	return c, ctx.RegisterResourceOutputs(c, pulumi.Map{})
}
