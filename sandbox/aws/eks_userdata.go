package aws

import (
	"encoding/base64"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"regexp"
	"strconv"
	"strings"

	"sigs.k8s.io/yaml"
)

// toldMaxPods is how many pods a launch template's user data tells the kubelet to take; 0 where it does not. Amazon Linux reads NodeConfigs
// out of a MIME archive, of which EKS adds the last: it sets maxPods, so that only a flag overrides it
// (https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html#max-pods-precedence, github.com/eksctl-io/eksctl/issues/8037).
// Bottlerocket has settings in TOML.
func toldMaxPods(lt *Object, amiType string) int {
	if lt == nil {
		return 0
	}
	data, err := base64.StdEncoding.DecodeString(lt.Str("userData"))
	if err != nil || len(data) == 0 {
		return 0
	}
	if strings.HasPrefix(amiType, "BOTTLEROCKET_") {
		if m := bottlerocketMaxPods.FindSubmatch(data); m != nil {
			n, _ := strconv.Atoi(string(m[1])) // digits, and few
			return n
		}
		return 0
	}
	pods := 0
	for _, config := range nodeConfigs(string(data)) {
		for _, flag := range config.Spec.Kubelet.Flags {
			if value, ok := strings.CutPrefix(flag, "--max-pods="); ok {
				if n, err := strconv.Atoi(value); err == nil {
					pods = n // the last one holds, as for every flag
				}
			}
		}
	}
	return pods
}

var bottlerocketMaxPods = regexp.MustCompile(`(?m)^\s*(?:settings\.kubernetes\.)?max-pods\s*=\s*([0-9]{1,9})\s*$`)

// nodeConfig is what nodeadm reads, as far as it matters here: https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/.
type nodeConfig struct {
	Spec struct {
		Kubelet struct {
			Flags []string `json:"flags"`
		} `json:"kubelet"`
	} `json:"spec"`
}

// nodeConfigs are those of a MIME archive; none of anything else, and those before the first part that cannot be read.
func nodeConfigs(data string) (all []nodeConfig) {
	m, err := mail.ReadMessage(strings.NewReader(data))
	if err != nil {
		return nil
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || !strings.HasPrefix(kind, "multipart/") {
		return nil
	}
	for parts := multipart.NewReader(m.Body, params["boundary"]); ; {
		part, err := parts.NextPart()
		if err != nil {
			return all
		}
		if part.Header.Get("Content-Type") != "application/node.eks.aws" {
			continue
		}
		text, err := io.ReadAll(part)
		var config nodeConfig
		if err != nil || yaml.Unmarshal(text, &config) != nil {
			return all
		}
		all = append(all, config)
	}
}
