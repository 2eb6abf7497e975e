package aws

import "strings"

// managedPolicies are the policies that AWS itself keeps and that stacks around EKS, ECR and EC2 use, below
// arn:aws:iam::aws:policy/. AWS has some 1,400; whoever needs another one adds its name here.
var managedPolicies = func() map[string]bool {
	m := map[string]bool{}
	for _, name := range strings.Fields(`
		AdministratorAccess PowerUserAccess ReadOnlyAccess SecurityAudit job-function/ViewOnlyAccess IAMFullAccess IAMReadOnlyAccess
		AmazonEKSClusterPolicy AmazonEKSServicePolicy AmazonEKSVPCResourceController AmazonEKSWorkerNodePolicy
		AmazonEKSWorkerNodeMinimalPolicy AmazonEKS_CNI_Policy AmazonEKSFargatePodExecutionRolePolicy AmazonEKSLocalOutpostClusterPolicy
		AmazonEKSComputePolicy AmazonEKSBlockStoragePolicy AmazonEKSLoadBalancingPolicy AmazonEKSNetworkingPolicy AmazonEKSDashboardConsoleReadOnly
		service-role/AmazonEBSCSIDriverPolicy service-role/AmazonEFSCSIDriverPolicy
		AmazonEC2ContainerRegistryReadOnly AmazonEC2ContainerRegistryPullOnly AmazonEC2ContainerRegistryPowerUser
		AmazonEC2ContainerRegistryFullAccess AmazonElasticContainerRegistryPublicReadOnly AmazonElasticContainerRegistryPublicPowerUser
		AmazonElasticContainerRegistryPublicFullAccess
		AmazonSSMManagedInstanceCore AmazonSSMPatchAssociation AmazonSSMReadOnlyAccess AmazonSSMFullAccess AmazonSSMManagedEC2InstanceDefaultPolicy
		CloudWatchAgentServerPolicy CloudWatchAgentAdminPolicy CloudWatchFullAccess CloudWatchFullAccessV2 CloudWatchReadOnlyAccess
		CloudWatchLogsFullAccess CloudWatchLogsReadOnlyAccess AWSXrayWriteOnlyAccess AWSXRayDaemonWriteAccess AmazonPrometheusRemoteWriteAccess
		AmazonEC2FullAccess AmazonEC2ReadOnlyAccess AmazonVPCFullAccess AmazonVPCReadOnlyAccess ElasticLoadBalancingFullAccess
		ElasticLoadBalancingReadOnly AutoScalingFullAccess AutoScalingReadOnlyAccess service-role/AutoScalingNotificationAccessRole
		AmazonRoute53FullAccess AmazonRoute53ReadOnlyAccess AWSCertificateManagerFullAccess AWSCertificateManagerReadOnly
		AmazonS3FullAccess AmazonS3ReadOnlyAccess AmazonRDSFullAccess AmazonRDSReadOnlyAccess SecretsManagerReadWrite
		AWSKeyManagementServicePowerUser AmazonSQSFullAccess AmazonSNSFullAccess AmazonDynamoDBFullAccess
		service-role/AWSLambdaBasicExecutionRole service-role/AWSLambdaVPCAccessExecutionRole service-role/AmazonECSTaskExecutionRolePolicy`) {
		m[name] = true
	}
	return m
}()

// isManagedPolicy tells whether the ARN is one of the policies that AWS itself keeps.
func isManagedPolicy(arn string) bool {
	name, ok := strings.CutPrefix(arn, "arn:aws:iam::aws:policy/")
	return ok && managedPolicies[name]
}
