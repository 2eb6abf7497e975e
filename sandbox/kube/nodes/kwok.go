package nodes

import (
	"context"
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	nodefast "sigs.k8s.io/kwok/kustomize/stage/node/fast"
	nodeheartbeat "sigs.k8s.io/kwok/kustomize/stage/node/heartbeat-with-lease"
	podfast "sigs.k8s.io/kwok/kustomize/stage/pod/fast"
	"sigs.k8s.io/kwok/pkg/apis/internalversion"
	"sigs.k8s.io/kwok/pkg/apis/v1alpha1"
	"sigs.k8s.io/kwok/pkg/kwok/controllers"
	kwoklog "sigs.k8s.io/kwok/pkg/log"
	kwokclient "sigs.k8s.io/kwok/pkg/utils/client"
	"sigs.k8s.io/kwok/pkg/utils/gotpl"
	"sigs.k8s.io/yaml"

	"github.com/slipway-iac/slipway/sandbox/kube/endpoint"
)

// kwokID is the holder of the nodes' leases. It is the same in every process, so that the next one need not wait until the
// leases of a killed one expire.
const kwokID = "slipway-kube"

// startKwok plays the kubelets of the nodes that carry annotationFake, until ctx ends: nodes become ready and stay so, pods
// run as soon as they are scheduled, those of Jobs succeed, deleted ones go. It runs no probe and pulls no image.
func startKwok(ctx context.Context, info endpoint.Info, a *addresses) error {
	stages, err := kwokStages()
	if err != nil {
		return err
	}
	clients, err := kwokclient.NewClientset("", info.Kubeconfig("nodes"))
	if err != nil {
		return err
	}
	config, err := clients.ToRESTConfig()
	if err != nil {
		return err
	}
	dynamic, err := clients.ToDynamicClient()
	if err != nil {
		return err
	}
	mapper, err := clients.ToRESTMapper()
	if err != nil {
		return err
	}
	restClient, err := rest.RESTClientFor(config)
	if err != nil {
		return err
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		return err
	}
	c, err := controllers.NewController(controllers.Config{
		Clock: clock.RealClock{}, ID: kwokID,
		DynamicClient: dynamic, RESTClient: restClient, RESTMapper: mapper, TypedClient: typed,
		ImpersonatingDynamicClient: clients.ToImpersonatingDynamicClient(), ImpersonatingTypedClient: clients.ToImpersonatingTypedClient(),
		ManageNodesWithAnnotationSelector: annotationFake + "=fake",
		LocalStages:                       stages,
		FuncMap:                           gotpl.FuncMap{"PodIPsWith": a.PodIPs},
		CIDR:                              "10.0.0.0/8", // of no consequence beside PodIPsWith, but it must parse
		NodeLeaseDurationSeconds:          40,
		NodeLeaseParallelism:              4, NodePlayStageParallelism: 4, PodPlayStageParallelism: 8,
		PodsOnNodeSyncParallelism: 2, EnablePodsOnNodeSyncListPager: true,
	})
	if err != nil {
		return err
	}
	return c.Start(kwoklog.NewContext(ctx, kwoklog.NewLogger(os.Stderr, kwoklog.LevelWarn)))
}

// kwokStages is what happens to nodes and pods, as KWOK's own module ships it but for readiness gates.
func kwokStages() (map[internalversion.StageResourceRef][]*internalversion.Stage, error) {
	stages := map[internalversion.StageResourceRef][]*internalversion.Stage{}
	ready, err := readyStage()
	if err != nil {
		return nil, err
	}
	for _, text := range append([]string{
		nodefast.DefaultNodeInit, nodeheartbeat.DefaultNodeHeartbeatWithLease, ready, podfast.DefaultPodComplete, podfast.DefaultPodDelete,
	}, gateStages()...) {
		var s v1alpha1.Stage
		if err := yaml.Unmarshal([]byte(text), &s); err != nil {
			return nil, fmt.Errorf("KWOK stage: %w", err)
		}
		stage, err := internalversion.ConvertToInternalStage(&s)
		if err != nil {
			return nil, fmt.Errorf("KWOK stage %s: %w", s.Name, err)
		}
		stages[stage.Spec.ResourceRef] = append(stages[stage.Spec.ResourceRef], stage)
	}
	return stages, nil
}
