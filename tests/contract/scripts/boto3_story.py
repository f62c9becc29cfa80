"""What a user of asynchronous inference writes with boto3. Nothing in it knows of the emulator.

Creates everything it needs, invokes, receives, reads the metrics, the scaling activities and the alarm's history, and
prints what it saw as one JSON document.
"""

import json
import sys
import time
from datetime import UTC, datetime, timedelta

import boto3  # boto3 has no types of its own

BUCKET, NAME = "my-inference-bucket", "my-endpoint"
RESOURCE = f"endpoint/{NAME}/variant/AllTraffic"
TARGET = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": RESOURCE,
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
SECONDS_PER_MINUTE = float(sys.argv[1])  # a minute of the region's time, in ours

s3, sqs, sns = boto3.client("s3"), boto3.client("sqs"), boto3.client("sns")
sagemaker, runtime = boto3.client("sagemaker"), boto3.client("sagemaker-runtime")
scaling, cloudwatch = boto3.client("application-autoscaling"), boto3.client("cloudwatch")
account = boto3.client("sts").get_caller_identity()["Account"]


def wait_minutes(minutes: float) -> None:
    time.sleep(minutes * SECONDS_PER_MINUTE)


def create() -> str:
    s3.create_bucket(Bucket=BUCKET)
    topics = {kind: sns.create_topic(Name=f"my-{kind}")["TopicArn"] for kind in ("success", "error")}
    queue: str = sqs.create_queue(QueueName="my-queue")["QueueUrl"]
    queue_arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": list(topics.values())}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    for topic in topics.values():
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue_arn)
    sagemaker.create_model(
        ModelName="my-model",
        ExecutionRoleArn=f"arn:aws:iam::{account}:role/my-role",
        PrimaryContainer={"Image": f"{account}.dkr.ecr.us-east-1.amazonaws.com/my-model:1"},
    )
    variant = {"VariantName": "AllTraffic", "ModelName": "my-model", "InstanceType": "ml.g4dn.xlarge"}
    sagemaker.create_endpoint_config(
        EndpointConfigName="my-config",
        ProductionVariants=[variant | {"InitialInstanceCount": 1}],
        AsyncInferenceConfig={
            "OutputConfig": {
                "S3OutputPath": f"s3://{BUCKET}/out",
                "S3FailurePath": f"s3://{BUCKET}/failed",
                "NotificationConfig": {"SuccessTopic": topics["success"], "ErrorTopic": topics["error"]},
            },
            "ClientConfig": {"MaxConcurrentInvocationsPerInstance": 2},
        },
    )
    sagemaker.create_endpoint(EndpointName=NAME, EndpointConfigName="my-config")
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName=NAME, WaiterConfig={"Delay": 1})
    return queue


def scale() -> None:
    scaling.register_scalable_target(MinCapacity=0, MaxCapacity=3, **TARGET)
    scaling.put_scaling_policy(
        PolicyName="backlog",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": 5.0,
            "CustomizedMetricSpecification": {
                "MetricName": "ApproximateBacklogSizePerInstance",
                "Namespace": "AWS/SageMaker",
                "Dimensions": [{"Name": "EndpointName", "Value": NAME}],
                "Statistic": "Average",
            },
            "ScaleInCooldown": 600,
            "ScaleOutCooldown": 300,
        },
        **TARGET,
    )
    wake = scaling.put_scaling_policy(
        PolicyName="HasBacklogWithoutCapacity-ScalingPolicy",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "MetricAggregationType": "Average",
            "Cooldown": 300,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
        **TARGET,
    )
    cloudwatch.put_metric_alarm(
        AlarmName="step_scaling_policy_alarm_name",
        MetricName="HasBacklogWithoutCapacity",
        Namespace="AWS/SageMaker",
        Statistic="Average",
        EvaluationPeriods=2,
        DatapointsToAlarm=2,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        TreatMissingData="missing",
        Dimensions=[{"Name": "EndpointName", "Value": NAME}],
        Period=60,
        AlarmActions=[wake["PolicyARN"]],
    )


def invoke(count: int) -> dict[str, str]:
    accepted = {}
    s3.put_object(Bucket=BUCKET, Key="in/question.json", Body=b'{"question":1}')
    for _ in range(count):
        answer = runtime.invoke_endpoint_async(
            EndpointName=NAME, InputLocation=f"s3://{BUCKET}/in/question.json", ContentType="application/json"
        )
        accepted[answer["InferenceId"]] = answer["OutputLocation"]
    return accepted


def receive(queue: str, accepted: dict[str, str]) -> dict[str, str]:
    heard: dict[str, str] = {}
    deadline = time.monotonic() + 120
    while set(heard) != set(accepted) and time.monotonic() < deadline:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=20)
        for message in received.get("Messages", []):
            told = json.loads(json.loads(message["Body"])["Message"])
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            if told["eventName"] == "InferenceResult":
                heard[told["inferenceId"]] = told["responseParameters"]["outputLocation"]
    return heard


def metric(name: str, statistic: str, start: datetime, **dimensions: str) -> list[float]:
    found = cloudwatch.get_metric_statistics(
        Namespace="AWS/SageMaker",
        MetricName=name,
        Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
        StartTime=start - timedelta(hours=1),
        EndTime=start + timedelta(hours=12),
        Period=60,
        Statistics=[statistic],
    )
    return [point[statistic] for point in found["Datapoints"]]


start = datetime.now(UTC)
queue = create()
accepted = invoke(20)
heard = receive(queue, accepted)
first = s3.get_object(Bucket=BUCKET, Key=next(iter(heard.values())).removeprefix(f"s3://{BUCKET}/"))
sagemaker.update_endpoint_weights_and_capacities(
    EndpointName=NAME, DesiredWeightsAndCapacities=[{"VariantName": "AllTraffic", "DesiredInstanceCount": 0}]
)
wait_minutes(8)
asleep = sagemaker.describe_endpoint(EndpointName=NAME)["ProductionVariants"][0]
scale()
woken = receive(queue, invoke(1))
wait_minutes(3)
activities = scaling.describe_scaling_activities(ServiceNamespace="sagemaker", ResourceId=RESOURCE)
history = cloudwatch.describe_alarm_history(
    AlarmName="step_scaling_policy_alarm_name", HistoryItemType="StateUpdate", ScanBy="TimestampAscending"
)
json.dump(
    {
        "all_heard": heard == accepted,
        "first_output": json.loads(first["Body"].read()),
        "instances_asleep": asleep["CurrentInstanceCount"],
        "woken": len(woken),
        "processed": sum(metric("InvocationsProcessed", "Sum", start, EndpointName=NAME, VariantName="AllTraffic")),
        "backlog": max(metric("ApproximateBacklogSize", "Maximum", start, EndpointName=NAME)),
        "causes": [activity["Cause"] for activity in activities["ScalingActivities"]],
        "history": [item["HistorySummary"] for item in history["AlarmHistoryItems"]],
    },
    sys.stdout,
)
