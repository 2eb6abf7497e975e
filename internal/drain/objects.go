package drain

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// groupLabel is EKS's on the nodes of a managed node group: the group's name.
const groupLabel = "eks.amazonaws.com/nodegroup"

type meta struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	UID               string            `json:"uid"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
	DeletionTimestamp *time.Time        `json:"deletionTimestamp"`
	Finalizers        []string          `json:"finalizers"`
	OwnerReferences   []struct {
		Kind       string `json:"kind"`
		Controller bool   `json:"controller"`
	} `json:"ownerReferences"`
}

type condition struct {
	Type               string    `json:"type"`
	Status             string    `json:"status"`
	Message            string    `json:"message"`
	LastTransitionTime time.Time `json:"lastTransitionTime"`
}

type node struct {
	Metadata meta `json:"metadata"`
	Spec     struct {
		Unschedulable bool `json:"unschedulable"`
	} `json:"spec"`
	Status struct {
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

// ready tells whether the node is, and since when.
func (n node) ready() (since time.Time, ok bool) {
	for _, c := range n.Status.Conditions {
		if c.Type == "Ready" && c.Status == "True" {
			return c.LastTransitionTime, true
		}
	}
	return time.Time{}, false
}

type pod struct {
	Metadata meta `json:"metadata"`
	Spec     struct {
		NodeName string `json:"nodeName"`
	} `json:"spec"`
	Status struct {
		Phase      string      `json:"phase"`
		Conditions []condition `json:"conditions"`
	} `json:"status"`
}

func (p pod) key() string { return p.Metadata.Namespace + "/" + p.Metadata.Name }

// controller is the kind of what makes the pod anew; empty where nothing does.
func (p pod) controller() string {
	for _, o := range p.Metadata.OwnerReferences {
		if o.Controller {
			return o.Kind
		}
	}
	return ""
}

// moves tells whether the pod has to leave before its node may go: not those that belong to the node, and not those that have ended.
func (p pod) moves() bool {
	_, mirror := p.Metadata.Annotations["kubernetes.io/config.mirror"]
	return !mirror && p.controller() != "DaemonSet" && p.controller() != "Node" && p.Status.Phase != "Succeeded" && p.Status.Phase != "Failed"
}

// lost tells whether the pod would be gone for good. Whoever says that it may be ended, in the cluster autoscaler's words, knows.
func (p pod) lost() bool {
	return p.controller() == "" && p.Metadata.DeletionTimestamp == nil && p.Metadata.Annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"] != "true"
}

// lingers is what keeps a pod from ending that should have, in words after a text; empty where nobody can tell.
func (p pod) lingers(n node) string {
	if _, ok := n.ready(); !ok {
		return ", and its node is not ready: end its instance, then the pod goes with it"
	}
	if len(p.Metadata.Finalizers) > 0 {
		return ", and waits for whoever takes away its finalizers: " + strings.Join(p.Metadata.Finalizers, ", ")
	}
	return ""
}

// waits is why the scheduler finds no node for the pod; empty where it has one.
func (p pod) waits() string {
	if p.Spec.NodeName != "" {
		return ""
	}
	for _, c := range p.Status.Conditions {
		if c.Type == "PodScheduled" && c.Status == "False" {
			return c.Message
		}
	}
	return ""
}

// nodes are those of managed node groups, by name.
func (c *Client) nodes(ctx context.Context) ([]node, error) {
	var list struct {
		Items []node `json:"items"`
	}
	if err := c.do(ctx, http.MethodGet, "/api/v1/nodes?labelSelector="+url.QueryEscape(groupLabel), "", nil, &list); err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b node) int { return strings.Compare(a.Metadata.Name, b.Metadata.Name) })
	return list.Items, nil
}

// pods are those that a field selector chooses, by namespace and name.
func (c *Client) pods(ctx context.Context, where string) ([]pod, error) {
	var list struct {
		Items []pod `json:"items"`
	}
	if err := c.do(ctx, http.MethodGet, "/api/v1/pods?fieldSelector="+url.QueryEscape(where), "", nil, &list); err != nil {
		return nil, err
	}
	slices.SortFunc(list.Items, func(a, b pod) int { return strings.Compare(a.key(), b.key()) })
	return list.Items, nil
}

// cordon keeps further pods off a node.
func (c *Client) cordon(ctx context.Context, name string) error {
	return c.do(ctx, http.MethodPatch, "/api/v1/nodes/"+url.PathEscape(name), "application/strategic-merge-patch+json",
		map[string]any{"spec": map[string]any{"unschedulable": true}}, nil)
}

// evict asks for the end of a pod, which the API server grants if the pod's disruption budget allows it.
func (c *Client) evict(ctx context.Context, p pod) error {
	return c.do(ctx, http.MethodPost, "/api/v1/namespaces/"+url.PathEscape(p.Metadata.Namespace)+"/pods/"+url.PathEscape(p.Metadata.Name)+"/eviction", "application/json", map[string]any{
		"apiVersion": "policy/v1", "kind": "Eviction",
		"metadata": map[string]any{"name": p.Metadata.Name, "namespace": p.Metadata.Namespace},
		// Not another of the same name, made meanwhile by a StatefulSet.
		"deleteOptions": map[string]any{"preconditions": map[string]any{"uid": p.Metadata.UID}},
	}, nil)
}
