"""IAM policies beyond one run's: an order's machines, a job, a sweep's stacks, the recommender.

Each is held against every call of its command, as those of one run are.
"""

from collections.abc import Sequence

from smbench.account.permissions import run_statements
from smbench.account.places import bucket_of, folder_of
from smbench.account.stack_permissions import stack_statements
from smbench.account.statements import Document, Place, Statement, document, merged, statement
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.jobs.processing import LOG_GROUP
from smbench.generator.plan import RunPlan
from smbench.scenario.deploy import Deploy
from smbench.stack.template import FAILURES, OUTPUTS, stack_name

_JOB = "smbench-*"  # processing jobs and recommendation jobs are named so
_PASSED_TO = {"StringEquals": {"iam:PassedToService": "sagemaker.amazonaws.com"}}


def order_policy(place: Place, plan: RunPlan, found: TargetFound, to: str | None) -> Document:
    """For `smbench order`, for each machine that runs `smbench worker`, and for `smbench collect`.

    Args:
        found: The endpoint that the machines send to.
        to: `s3://bucket/prefix` of the order; None: in a folder that the machines share.
    """
    shared = [] if to is None else _shared(place, to)
    return document(merged([*run_statements(plan, found), *shared]))


def processing_policy(place: Place, to: str | None, role: str | None, endpoint: str | None) -> Document:
    """For the identity that runs `smbench run --on processing --wait`; the job's own role needs `order_policy`.

    Args:
        to: `s3://bucket/prefix` of the order; None: in SageMaker's default bucket.
        role: The job's; None: any of the account.
        endpoint: That is described first, because the scenario does not say of which kind it is; None: it says so.
    """
    jobs = (f"sagemaker:{what}ProcessingJob" for what in ("Create", "Describe", "Stop"))
    log = place.arn("logs", f"log-group:{LOG_GROUP}:*")
    statements = [
        statement("Job", *jobs, on=place.arn("sagemaker", f"processing-job/{_JOB}")),
        _passing(place, role),
        statement("Log", "logs:DescribeLogStreams", "logs:GetLogEvents", on=log),
        *_shared(place, to or f"s3://sagemaker-{place.region}-{place.account}/{_JOB}"),
    ]
    if endpoint is not None:
        described = (place.arn("sagemaker", f"endpoint/{endpoint}"), place.arn("sagemaker", "endpoint-config/*"))
        statements += [
            statement("Endpoint", "sagemaker:DescribeEndpoint", on=described[0]),
            statement("Configuration", "sagemaker:DescribeEndpointConfig", on=described[1]),
        ]
    return document(statements)


def recommend_policy(place: Place, role: str | None) -> Document:
    """For `smbench recommend`, with a job and without; `role` is the job's, None: any of the account."""
    jobs = ("Create", "Describe", "Stop")
    actions = (f"sagemaker:{what}InferenceRecommendationsJob" for what in jobs)
    return document(
        [
            statement("Model", "sagemaker:DescribeModel", on=place.arn("sagemaker", "model/*")),
            statement("Job", *actions, on=place.arn("sagemaker", f"inference-recommendations-job/{_JOB}")),
            statement("Steps", "sagemaker:ListInferenceRecommendationsJobSteps", on="*"),  # IAM knows no resource
            _passing(place, role),
        ]
    )


def sweep_policy(place: Place, name: str, plans: Sequence[tuple[Deploy, RunPlan]]) -> Document:
    """For `smbench sweep --stack NAME`: its stacks brought up, changed and removed, and the runs on their endpoints.

    Args:
        plans: Each configuration that is deployed, with a run on it.
    """
    ours = f"{name}-*"
    stacks = stack_statements(ours, [wanted for wanted, _ in plans], place)
    runs = [one for wanted, plan in plans for one in run_statements(plan, _to_be(place, ours, wanted))]
    return document(merged([*stacks, *({**one, "Sid": f"Run{one['Sid']}"} for one in runs)]))


def _to_be(place: Place, name: str, wanted: Deploy) -> TargetFound:
    """The endpoints that will be there, described before they are: their names are patterns."""
    endpoint = stack_name(name)
    is_async, scales = wanted.kind == "async", wanted.scales is not None
    topic = place.arn("sns", f"{endpoint}-*") if is_async else None
    return TargetFound(
        endpoint=endpoint,
        endpoint_arn=place.arn("sagemaker", f"endpoint/{endpoint}"),
        config="*",
        status="InService",
        variant="*",
        instance_type=wanted.instance,
        instances_current=None,
        instances_desired=None,
        concurrency=wanted.concurrency,
        output_path=f"s3://{endpoint}-*/{OUTPUTS}" if is_async else None,
        failure_path=f"s3://{endpoint}-*/{FAILURES}" if is_async else None,
        success_topic=topic,
        error_topic=topic,
        kind=wanted.kind,
        model="*" if wanted.kind == "realtime" else None,
        scalable_target={} if scales else None,
        policies=({},) if scales else (),
        alarms=({"AlarmName": "*"},) if scales else (),
    )


def _shared(place: Place, to: str) -> list[Statement]:
    """What is done below the location of an order: files are written, read, and removed where nothing comes of them."""
    objects = place.s3(f"{bucket_of(to)}/{folder_of(to)}*")
    return [
        statement("Order", "s3:DeleteObject", "s3:GetObject", "s3:PutObject", on=objects),
        statement("OrderBucket", "s3:ListBucket", on=place.s3(bucket_of(to))),
    ]


def _passing(place: Place, role: str | None) -> Statement:
    return {**statement("Role", "iam:PassRole", on=role or place.role("*")), "Condition": _PASSED_TO}
