package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	"github.com/slipway-iac/slipway/promotion"
)

// ecrScan asks ECR by the command that pipelines log in to ECR with: AWS's library for it would be the heaviest thing that this
// program is made of, for one call.
func ecrScan(ctx context.Context, host, repository, digest string) (promotion.Report, error) {
	ecr, ok := promotion.EcrOf(host)
	if !ok {
		return promotion.Report{}, fmt.Errorf("%s is not ECR: give what a scanner found with --scan FILE", host)
	}
	out, err := exec.CommandContext(ctx, "aws", "ecr", "describe-image-scan-findings", "--registry-id", ecr.Account, "--region", ecr.Region,
		"--repository-name", repository, "--image-id", "imageDigest="+digest, "--output", "json").Output()
	var failed *exec.ExitError
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return promotion.Report{}, errors.New("the aws command is not installed: install it, or give the findings with --scan FILE")
	case errors.As(err, &failed):
		return promotion.Report{}, fmt.Errorf("aws ecr describe-image-scan-findings: %s", strings.TrimSpace(string(failed.Stderr)))
	case err != nil:
		return promotion.Report{}, err
	}
	return promotion.ParseReport(out)
}
