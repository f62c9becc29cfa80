#!/usr/bin/env bash
# cfn-lint 1.58.0 passes a scalable target of 5 to 2 instances that tracks -5, and an alarm that wants five of two data points.
#
# Guess: a linter that refuses a period of 45 s, and knows the words for missing data, sees that a minimum is above its maximum.
# Seen: it checks each property against its own type, and few against each other: a minimum above the maximum, a target below 0, a cooldown of -1 s, DatapointsToAlarm above EvaluationPeriods and a
#       variant that is serverless and has instances all pass with exit status 0. The period of 45 s in the same template is found, so the check seems to look. CloudFormation
#       refuses the stack when it is made.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check cfn-lint==1.58.0
template() {
  cat <<YAML
AWSTemplateFormatVersion: "2010-09-09"
Resources:
  Target:
    Type: AWS::ApplicationAutoScaling::ScalableTarget
    Properties: {MinCapacity: 5, MaxCapacity: 2, ResourceId: endpoint/e/variant/v, ScalableDimension: sagemaker:variant:DesiredInstanceCount, ServiceNamespace: sagemaker}
  Policy:
    Type: AWS::ApplicationAutoScaling::ScalingPolicy
    Properties:
      PolicyName: backlog
      PolicyType: TargetTrackingScaling
      ScalingTargetId: !Ref Target
      TargetTrackingScalingPolicyConfiguration:
        TargetValue: -5
        ScaleInCooldown: -1
        CustomizedMetricSpecification: {MetricName: ApproximateBacklogSizePerInstance, Namespace: AWS/SageMaker, Statistic: Average}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {ComparisonOperator: GreaterThanThreshold, EvaluationPeriods: 2, DatapointsToAlarm: 5, MetricName: Backlog, Namespace: Own, Period: $1, Statistic: Average, Threshold: 1}
  Config:
    Type: AWS::SageMaker::EndpointConfig
    Properties:
      ProductionVariants:
        - {VariantName: v, ModelName: m, InitialVariantWeight: 1, InitialInstanceCount: 1, InstanceType: ml.m5.large, ServerlessConfig: {MaxConcurrency: 5, MemorySizeInMB: 2048}}
YAML
}
for period in 60 45; do
  template $period > template.yaml
  status=0
  venv/bin/cfn-lint template.yaml > out 2>&1 || status=$?
  echo "period $period: exit status $status, $(grep -c '^[EW][0-9]' out || true) findings"
done > seen
cat > expected <<'TXT'
period 60: exit status 0, 0 findings
period 45: exit status 2, 1 findings
TXT
cat seen
diff expected seen
