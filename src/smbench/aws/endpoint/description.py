"""The endpoint as found before a run: what it is, where it writes, which topics it notifies, how it scales."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self

from botocore.exceptions import ClientError

from smbench.aws.access.causes import NO_ANSWER, reason_of
from smbench.aws.access.clients import AwsClients
from smbench.aws.access.json_values import plain
from smbench.aws.access.refusals import told_by
from smbench.errors import TargetError

_SERVING = {"InService", "Updating", "SystemUpdating", "RollingBack", "UpdateRollbackFailed"}
_CALLED = {"async": "asynchronous", "serverless": "serverless", "realtime": "real-time"}
SCALED_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


@dataclass(frozen=True, slots=True)
class TargetFound:
    """An endpoint that takes requests; where it writes and which topics it notifies is None for a synchronous one.

    Args:
        kind: `async`, `serverless` or `realtime`, as its configuration has it.
        serverless: ServerlessConfig; None: it has instances.
        has_components: Its models are inference components, and every call names one.
        components: Those that the calls name, in order; empty where it has none.
        model: Of its only variant; None: several variants, components, or not real-time.
        explains: It has an ExplainerConfig, so a call may ask for explanations.
        weights: CurrentWeight by variant: how calls that name none are split between them.
        concurrency: MaxConcurrentInvocationsPerInstance; None: SageMaker's own choice, which it does not report.
        scalable_target: As Application Auto Scaling describes it; None: the endpoint does not scale by itself.
        alarms: Of the scaling policies, as CloudWatch describes them.
        notes: What could not be found out, or limits what a run can know; sentences for a person.
        unread: Those of the notes that say which part of the scaling could not be read.
        unobservable: Why an outcome is known late or never, by the outcome; empty where every end is published.
        in_stream: Answers are taken in a stream, of which CloudWatch has metrics of its own.
        tracking: How ends become known: `sns`, through a queue; `s3`, by looking for each output.
    """

    endpoint: str
    endpoint_arn: str
    config: str
    status: str
    variant: str
    instance_type: str | None
    instances_current: int | None
    instances_desired: int | None
    concurrency: int | None
    output_path: str | None = None
    failure_path: str | None = None
    success_topic: str | None = None
    error_topic: str | None = None
    responses_in: tuple[str, ...] = ()  # IncludeInferenceResponseIn
    scalable_target: dict[str, Any] | None = None
    policies: tuple[dict[str, Any], ...] = ()
    alarms: tuple[dict[str, Any], ...] = ()
    notes: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unobservable: dict[str, str] = field(default_factory=dict)
    tracking: str = "sns"
    kind: str = "async"
    serverless: dict[str, Any] | None = None
    has_components: bool = False
    components: tuple[str, ...] = ()
    model: str | None = None
    explains: bool = False
    weights: dict[str, float] = field(default_factory=dict)
    in_stream: bool = False

    @property
    def resource_id(self) -> str:
        """Application Auto Scaling's name for what scales."""
        return f"endpoint/{self.endpoint}/variant/{self.variant}"

    @property
    def has_instances(self) -> bool:
        """Whether instances of its own answer, each with a log: not serverless, and no inference components."""
        return self.kind != "serverless" and not self.has_components

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics to which ends are published, each once."""
        return tuple(dict.fromkeys(topic for topic in (self.success_topic, self.error_topic) if topic))

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """The names of the policies' alarms, in the order of `alarms`."""
        return tuple(alarm["AlarmName"] for alarm in self.alarms)

    def as_json(self) -> dict[str, object]:
        """Everything found, as plain JSON values: for the manifest."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """The same again from `as_json`, in another process; what another version found besides is left out.

        Raises:
            TargetError: it lacks what is needed.
        """
        known = {field.name for field in fields(cls)}
        members: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in found.items() if name in known
        }
        try:
            return cls(**members)
        except TypeError as error:
            raise TargetError(f"what the run found of its endpoint cannot be read: {error}") from error


async def discover(
    clients: AwsClients,
    endpoint: str,
    variant: str | None = None,
    *,
    kind: str = "async",
    queue_given: bool = False,
    tracking: str | None = None,
) -> TargetFound:
    """Describe the endpoint and everything that scales it.

    Args:
        kind: What it must be: `async`, `serverless` or `realtime`.
        variant: Whose instances are watched; None: the only one, or of a synchronous endpoint the one with most calls.
        queue_given: Ends are received through a queue of the user's, so the endpoint may have no topic we know of.
        tracking: How ends shall become known, `sns` or `s3`; None: `s3` only where nothing publishes them.

    Raises:
        TargetError: there is no such endpoint, it takes no requests, is of another kind, or publishes no ends.
    """
    described, config = await _described(clients, endpoint)
    found_kind = _kind_of(described, config)
    if found_kind != kind:
        raise TargetError(
            f"the endpoint {endpoint} is {_CALLED[found_kind]}, and target.kind asks for {_CALLED[kind]}",
            f"set target.kind to {found_kind}, or name another endpoint",
        )
    fleet = _variant(endpoint, described.get("ProductionVariants", []), variant, splits_calls=kind != "async")
    made = _configured(config).get(fleet["VariantName"], {})
    serverless = fleet.get("CurrentServerlessConfig") or made.get("ServerlessConfig")
    asynchronous = described.get("AsyncInferenceConfig") or config.get("AsyncInferenceConfig")
    output = (asynchronous or {}).get("OutputConfig", {})
    told = output.get("NotificationConfig", {})
    found = TargetFound(
        endpoint=endpoint,
        endpoint_arn=described["EndpointArn"],
        config=described["EndpointConfigName"],
        status=described["EndpointStatus"],
        variant=fleet["VariantName"],
        instance_type=made.get("InstanceType"),
        instances_current=fleet.get("CurrentInstanceCount"),
        instances_desired=fleet.get("DesiredInstanceCount"),
        concurrency=(asynchronous or {}).get("ClientConfig", {}).get("MaxConcurrentInvocationsPerInstance"),
        output_path=output.get("S3OutputPath"),
        failure_path=output.get("S3FailurePath"),
        success_topic=told.get("SuccessTopic"),
        error_topic=told.get("ErrorTopic"),
        responses_in=tuple(told.get("IncludeInferenceResponseIn", ())),
        kind=kind,
        serverless=plain(serverless) if serverless else None,
        has_components=kind == "realtime" and bool(made) and "ModelName" not in made,
        model=made.get("ModelName") if kind == "realtime" and len(described["ProductionVariants"]) == 1 else None,
        explains="ExplainerConfig" in config,
        weights={one["VariantName"]: one.get("CurrentWeight", 1.0) for one in described.get("ProductionVariants", [])},
    )
    if kind == "serverless":
        return found
    unobservable: dict[str, str] = {}
    if kind == "async":
        found = replace(found, tracking=_tracking(found, queue_given, tracking))
        unobservable = _unobservable(found)
        if found.tracking == "s3":
            unobservable = unseen_in_s3(writes_failures=found.failure_path is not None)
    notes = list(dict.fromkeys(unobservable.values()))
    if found.tracking == "s3":
        silent = "" if found.topics else f"the endpoint {endpoint} has no topics: "
        notes.insert(0, f"{silent}every output is looked for in S3, and its end is known to the whole second")
    return await _with_scaling(clients, replace(found, unobservable=unobservable), notes)


@dataclass(frozen=True, slots=True)
class Containers:
    """What a call must name of a model's containers.

    Args:
        take_model: They load models by name, so every call names one.
        called: Host names, of which every call names one; empty: they are called as one.
    """

    take_model: bool
    called: tuple[str, ...]


async def containers_of(clients: AwsClients, model: str) -> Containers | None:
    """Of a real-time endpoint's model; None where it may not be described, or is there no more: it may be anything."""
    try:
        described = await clients.sagemaker.describe_model(ModelName=model)
    except (ClientError, *NO_ANSWER):
        return None
    all_of_it = [described["PrimaryContainer"]] if "PrimaryContainer" in described else described.get("Containers", [])
    is_direct = described.get("InferenceExecutionConfig", {}).get("Mode") == "Direct"
    return Containers(
        any(one.get("Mode") == "MultiModel" for one in all_of_it),
        tuple(one["ContainerHostname"] for one in all_of_it if "ContainerHostname" in one) if is_direct else (),
    )


@dataclass(frozen=True, slots=True)
class Component:
    """An inference component as it is now.

    Args:
        endpoint: That it is on.
        status: InService, Creating, Updating, Failed or Deleting.
        copies: That serve; None: not said.
        why: It has failed, if it has; else empty.
    """

    endpoint: str
    status: str
    copies: int | None
    why: str


async def component_of(clients: AwsClients, name: str) -> Component | None:
    """None where it may not be described.

    Raises:
        TargetError: there is none of that name.
    """
    try:
        described = await clients.sagemaker.describe_inference_component(InferenceComponentName=name)
    except (ClientError, *NO_ANSWER) as error:
        if isinstance(error, ClientError) and "Could not find" in told_by(error):
            raise TargetError(f"there is no inference component {name}") from error
        return None
    return Component(
        described["EndpointName"],
        described["InferenceComponentStatus"],
        described.get("RuntimeConfig", {}).get("CurrentCopyCount"),
        described.get("FailureReason", ""),
    )


async def kind_of(clients: AwsClients, endpoint: str) -> str:
    """What kind of endpoint it is: `async`, `serverless` or `realtime`.

    Raises:
        TargetError: there is no such endpoint, or it takes no requests.
    """
    return _kind_of(*await _described(clients, endpoint))


def _kind_of(described: dict[str, Any], config: dict[str, Any]) -> str:
    if described.get("AsyncInferenceConfig") or config.get("AsyncInferenceConfig"):
        return "async"
    configured = _configured(config)
    for fleet in described.get("ProductionVariants", []):
        if fleet.get("CurrentServerlessConfig") or configured.get(fleet["VariantName"], {}).get("ServerlessConfig"):
            return "serverless"
    return "realtime"


def _configured(config: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {made["VariantName"]: made for made in config.get("ProductionVariants", [])}


def _asked_at(clients: AwsClients) -> str:
    url = clients.settings.endpoint_url
    return "" if url is None else f" --endpoint-url {url}"


async def _described(clients: AwsClients, endpoint: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An endpoint that takes requests, and its configuration, as SageMaker describes them."""
    described = await _describe(clients, endpoint)
    with clients.explained(f"describe the endpoint configuration {described['EndpointConfigName']}"):
        config = await clients.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    return described, config


async def _describe(clients: AwsClients, endpoint: str) -> dict[str, Any]:
    with clients.explained(f"describe the endpoint {endpoint}"):
        try:
            described: dict[str, Any] = await clients.sagemaker.describe_endpoint(EndpointName=endpoint)
        except ClientError as error:
            if "Could not find endpoint" in told_by(error):
                raise TargetError(
                    f"there is no endpoint {endpoint} in {clients.region}",
                    f"`aws sagemaker list-endpoints --region {clients.region}{_asked_at(clients)}` lists the existing "
                    "ones; check the name, the region and the profile",
                ) from error
            raise
    status = described["EndpointStatus"]
    if status not in _SERVING:
        reason = described.get("FailureReason")
        raise TargetError(
            f"the endpoint {endpoint} is {status}{': ' + reason if reason else ''}",
            f"wait for it with `aws sagemaker wait endpoint-in-service --endpoint-name {endpoint}`"
            if status == "Creating"
            else "name another: this one is being deleted"
            if status == "Deleting"
            else "it takes no requests; bring it into service first",
        )
    return described


def _variant(
    endpoint: str, variants: list[dict[str, Any]], wanted: str | None, *, splits_calls: bool
) -> dict[str, Any]:
    names = [variant["VariantName"] for variant in variants]
    if wanted is None and variants and (splits_calls or len(variants) == 1):
        return max(variants, key=lambda variant: float(variant.get("CurrentWeight", 1.0)))  # the first of equals
    for variant in variants:
        if variant["VariantName"] == wanted:
            return variant
    if wanted is None:
        raise TargetError(
            f"the endpoint {endpoint} has {len(names)} variants", f"name one in target.variant: {', '.join(names)}"
        )
    raise TargetError(f"the endpoint {endpoint} has no variant {wanted}", f"it has: {', '.join(names)}")


def _tracking(found: TargetFound, queue_given: bool, asked: str | None) -> str:
    is_published = bool(found.topics) or queue_given
    if asked == "sns" and not is_published:
        raise TargetError(
            f"the endpoint {found.endpoint} publishes no end of an inference",
            "add SuccessTopic and ErrorTopic to AsyncInferenceConfig.OutputConfig.NotificationConfig of its "
            "configuration, name a queue that receives the ends in collector.queue, or set collector.tracking to s3",
        )
    return asked or ("sns" if is_published else "s3")


def unseen_in_s3(*, writes_failures: bool) -> dict[str, str]:
    """Why an outcome is never known where each output is looked for, by the outcome.

    Args:
        writes_failures: The endpoint has an S3FailurePath.
    """
    if writes_failures:
        return {"expired": "without notices an expired request looks like a lost one"}
    why = "without notices and without S3FailurePath, failures and expiries cannot be known"
    return {"failed": why, "expired": why}


def _unobservable(found: TargetFound) -> dict[str, str]:
    """Why an outcome is known late or never. Where no topic is known, the user's queue receives what it receives."""
    reasons = {}
    if found.topics and not found.success_topic:
        reasons["completed"] = (
            "the endpoint has no SuccessTopic: completions are only found in S3 after the drain, to the whole second"
        )
    if found.topics and not found.error_topic and found.failure_path:
        reasons["failed"] = "the endpoint has no ErrorTopic: failures are only found in S3 after the drain"
        reasons["expired"] = "the endpoint has no ErrorTopic: an expired request looks like a lost one"
    elif found.topics and not found.error_topic:
        reasons["failed"] = reasons["expired"] = (
            "the endpoint has neither ErrorTopic nor S3FailurePath: failures and expiries cannot be known"
        )
    return reasons


async def _with_scaling(clients: AwsClients, found: TargetFound, notes: list[str]) -> TargetFound:
    """Adds what scales the endpoint; what we may not see becomes a note, a run can do without."""
    about = {"ServiceNamespace": "sagemaker", "ScalableDimension": SCALED_DIMENSION}
    unread: list[str] = []
    targets = await _all(
        clients.autoscaling, "describe_scalable_targets", unread, ResourceIds=[found.resource_id], **about
    )
    policies = await _all(
        clients.autoscaling, "describe_scaling_policies", unread, ResourceId=found.resource_id, **about
    )
    alarms: dict[str, dict[str, Any]] = {}
    for policy in policies:
        # An alarm of the user's own names the policy among its actions; only CloudWatch is sure to know it.
        for alarm in await _all(clients.cloudwatch, "describe_alarms", unread, ActionPrefix=policy["PolicyARN"]):
            alarms[alarm["AlarmName"]] = alarm
    return replace(
        found,
        scalable_target=plain(targets[0]) if targets else None,
        policies=tuple(plain(policies)),
        alarms=tuple(plain(list(alarms.values()))),
        notes=tuple(dict.fromkeys((*notes, *unread))),
        unread=tuple(dict.fromkeys(unread)),
    )


_RESULT = {
    "describe_scalable_targets": "ScalableTargets",
    "describe_scaling_policies": "ScalingPolicies",
    "describe_alarms": "MetricAlarms",
}


async def _all(client: Any, operation: str, unread: list[str], **about: Any) -> list[dict[str, Any]]:
    """Every item of a paged listing; empty, with a note, when it may not be read."""
    items: list[dict[str, Any]] = []
    try:
        async for page in client.get_paginator(operation).paginate(**about):
            items.extend(page.get(_RESULT[operation], ()))
    except (ClientError, *NO_ANSWER) as error:
        unread.append(f"{operation.replace('_', ' ')}: {reason_of(error)}; the run knows less of the scaling")
    return items
