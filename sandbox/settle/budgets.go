package settle

import (
	"context"
	"fmt"
	"sync"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

// budgets follows all disruption budgets of a cluster. It goes by their status, where the disruption controller writes in one piece how
// many pods are healthy and how many must be: counted here, the two would be of different moments.
type budgets struct {
	client kubernetes.Interface
	say    func(string)

	mu sync.Mutex
	// seen is the last of each, by namespace and name; those that are gone stay.
	seen  map[string]*policyv1.PodDisruptionBudget
	falls []string
}

func watchBudgets(ctx context.Context, client kubernetes.Interface, say func(string)) (*budgets, error) {
	b := &budgets{client: client, say: say, seen: map[string]*policyv1.PodDisruptionBudget{}}
	factory := informers.NewSharedInformerFactory(client, 0)
	informer := factory.Policy().V1().PodDisruptionBudgets().Informer()
	see := func(o any) {
		if pdb, ok := o.(*policyv1.PodDisruptionBudget); ok {
			b.see(pdb)
		}
	}
	handler, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{AddFunc: see, UpdateFunc: func(_, o any) { see(o) }})
	if err != nil {
		return nil, err
	}
	factory.Start(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), handler.HasSynced) {
		return nil, fmt.Errorf("no list of disruption budgets: %w", context.Cause(ctx))
	}
	return b, nil
}

// see judges a budget as it is now. An app fell below it where its healthy pods became fewer than they have to be; where more are
// wanted, and do not run yet, none fell.
func (b *budgets) see(pdb *policyv1.PodDisruptionBudget) {
	b.mu.Lock()
	defer b.mu.Unlock()
	key := pdb.Namespace + "/" + pdb.Name
	before := b.seen[key]
	b.seen[key] = pdb
	s := pdb.Status
	if before == nil || before.UID != pdb.UID || s.CurrentHealthy >= s.DesiredHealthy || s.CurrentHealthy >= before.Status.CurrentHealthy {
		return
	}
	fall := fmt.Sprintf("%s: %d of %d pods are ready, its budget wants %d at least", key, s.CurrentHealthy, s.ExpectedPods, s.DesiredHealthy)
	b.falls = append(b.falls, fall)
	b.say(fall)
}

// caughtUp waits until all has been seen that happened to the budgets before.
func (b *budgets) caughtUp(ctx context.Context) error {
	list, err := b.client.PolicyV1().PodDisruptionBudgets("").List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	for i := range list.Items {
		pdb := &list.Items[i]
		for !b.has(pdb) {
			select {
			case <-ctx.Done():
				return fmt.Errorf("no word of disruption budget %s/%s: %w", pdb.Namespace, pdb.Name, ctx.Err())
			case <-time.After(time.Millisecond):
			}
		}
	}
	return nil
}

// has tells whether a budget was seen as it is there, or newer.
func (b *budgets) has(pdb *policyv1.PodDisruptionBudget) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	seen := b.seen[pdb.Namespace+"/"+pdb.Name]
	// Resource versions of one kind may be compared since Kubernetes 1.35; etcd's revisions could be before.
	return seen != nil && (len(seen.ResourceVersion) > len(pdb.ResourceVersion) ||
		len(seen.ResourceVersion) == len(pdb.ResourceVersion) && seen.ResourceVersion >= pdb.ResourceVersion)
}

// Budgets is how many disruption budgets there were, and each time that an app fell below its own.
func (c *Cluster) Budgets() (watched int, falls []string) {
	c.budgets.mu.Lock()
	defer c.budgets.mu.Unlock()
	return len(c.budgets.seen), append([]string(nil), c.budgets.falls...)
}
