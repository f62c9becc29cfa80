#!/usr/bin/env bash
# moto 5.2.5 answers CREATE_COMPLETE for a stack whose resources it cannot make, also for types that do not exist.
#
# Guess: CloudFormation on moto makes a resource or fails the stack; a type with a spelling mistake is refused, as AWS refuses it.
# Seen: of a queue, a scalable target and a type `AWS::SageMaker::Endpontt` the queue is made, and the stack is complete; the waiter is content. The other two are in no list of resources and no event, and an output that refers to
#       one is not there. A line on the standard error says so. A deployment that was tested so has never scaled.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check moto==5.2.5 boto3==1.44.8 PyYAML==6.0.4 openapi-spec-validator==0.9.0
cat > measure.py <<'PY'
import json

import boto3
from moto import mock_aws

TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/example/variant/AllTraffic",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    "MinCapacity": 0,
    "MaxCapacity": 2,
}
TEMPLATE = {
    "Resources": {
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Target": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": TARGET},
        "Endpoint": {"Type": "AWS::SageMaker::Endpontt", "Properties": {"EndpointConfigName": "example"}},
    },
    "Outputs": {"Target": {"Value": {"Ref": "Target"}}},
}

with mock_aws():
    session = boto3.Session("AKIDEXAMPLE", "example", region_name="us-east-1")
    stacks = session.client("cloudformation")
    stacks.create_stack(StackName="example", TemplateBody=json.dumps(TEMPLATE))
    stacks.get_waiter("stack_create_complete").wait(StackName="example")
    [stack] = stacks.describe_stacks()["Stacks"]
    made = stacks.describe_stack_resources(StackName="example")["StackResources"]
    targets = session.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    print(f"moto 5.2.5: {stack['StackStatus']}, outputs {stack.get('Outputs', [])}")
    print(f"resources: {sorted({one['LogicalResourceId'] for one in made if 'LogicalResourceId' in one})}, scalable targets: {len(targets)}")
PY
venv/bin/python -W ignore measure.py > seen 2>errors || { cat errors; exit 1; }
cat > expected <<'TXT'
moto 5.2.5: CREATE_COMPLETE, outputs []
resources: ['Queue'], scalable targets: 0
TXT
cat seen
diff expected seen
