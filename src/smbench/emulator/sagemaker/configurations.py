"""Endpoint configurations as they are read: kind, capacity, where results and messages go, what cannot be hosted."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.s3 import encryption
from smbench.emulator.s3.locations import Place, place
from smbench.emulator.s3.objects import NO_HEADERS
from smbench.emulator.site import Site
from smbench.scenario.emulated import Emulated
from smbench.scenario.serverless import MEMORIES_MB, Serverless


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where an endpoint's results and messages go: its AsyncInferenceConfig, read once.

    Args:
        output: None: results are only in the messages that include them.
        object_headers: Stored with what is written, of its encryption; empty for S3's default.
    """

    output: Place | None
    failure: Place | None
    success_topic: str | None
    error_topic: str | None
    includes_response: bool
    includes_error: bool
    object_headers: Mapping[str, str]

    @property
    def topics(self) -> list[str]:
        """The topics that there are, success first."""
        return [topic for topic in (self.success_topic, self.error_topic) if topic is not None]


_NOTHING_IS_DELIVERED = Delivery(None, None, None, None, False, False, NO_HEADERS)


def by_variant(config: dict[str, Any]) -> list[dict[str, Any]]:
    """The configuration for its first variant, which is the whole, and for each of the others as if it were alone."""
    others = config["ProductionVariants"][1:]
    return [config, *(config | {"ProductionVariants": [variant]} for variant in others)]


def initial_count(config: dict[str, Any]) -> int:
    """Instances that the configuration begins with; 1 where it does not say."""
    return int(config["ProductionVariants"][0].get("InitialInstanceCount", 1))


def concurrency(config: dict[str, Any], emulated: Emulated) -> int:
    """MaxConcurrentInvocationsPerInstance; where SageMaker would choose, the scenario's."""
    client = config.get("AsyncInferenceConfig", {}).get("ClientConfig", {})
    return int(client.get("MaxConcurrentInvocationsPerInstance", emulated.instances.concurrency))


def kind_of(config: dict[str, Any]) -> str:
    """`async`, `serverless` or `realtime`: what the endpoint of a configuration is."""
    if "AsyncInferenceConfig" in config:
        return "async"
    return "serverless" if "ServerlessConfig" in config["ProductionVariants"][0] else "realtime"


def serverless_of(variant: dict[str, Any], emulated: Emulated) -> Serverless:
    """A variant's ServerlessConfig, with the scenario's cold starts; raises ServiceError for what AWS has not."""
    config = variant["ServerlessConfig"]
    memory, most = config["MemorySizeInMB"], config["MaxConcurrency"]
    provisioned = config.get("ProvisionedConcurrency", 0)
    # The service model knows the ends of the ranges alone. AWS's words for these two are not known in public.
    if memory not in MEMORIES_MB:
        sizes = ", ".join(map(str, MEMORIES_MB))
        raise ServiceError("ValidationException", f"MemorySizeInMB {memory} is not valid: it must be one of {sizes}.")
    if provisioned > most:
        text = f"ProvisionedConcurrency {provisioned} must not be greater than MaxConcurrency {most}."
        raise ServiceError("ValidationException", text)
    wanted = {"memory": memory, "max_concurrency": most, "provisioned": provisioned}
    return emulated.serverless.model_copy(update=wanted)


def delivery_of(config: dict[str, Any], site: Site) -> Delivery:
    """Raises ServiceError for what cannot be hosted here, or nowhere."""
    is_asynchronous, variants = "AsyncInferenceConfig" in config, config["ProductionVariants"]
    check_features(config)
    if len(variants) != 1 and any("ServerlessConfig" in variant for variant in variants):
        raise unsupported("an endpoint of several variants, one of them serverless")
    if not is_asynchronous:
        return _NOTHING_IS_DELIVERED
    output = config["AsyncInferenceConfig"]["OutputConfig"]
    notification = output.get("NotificationConfig", {})
    includes = notification.get("IncludeInferenceResponseIn", [])
    return Delivery(
        output=_place(output["S3OutputPath"], "S3OutputPath") if "S3OutputPath" in output else None,
        failure=_place(output["S3FailurePath"], "S3FailurePath") if "S3FailurePath" in output else None,
        success_topic=notification.get("SuccessTopic"),
        error_topic=notification.get("ErrorTopic"),
        includes_response="SUCCESS_NOTIFICATION_TOPIC" in includes,
        includes_error="ERROR_NOTIFICATION_TOPIC" in includes,
        object_headers=encryption.of_key(output["KmsKeyId"], site) if "KmsKeyId" in output else NO_HEADERS,
    )


def check_features(config: dict[str, Any]) -> None:
    """Raises ServiceError: features that no endpoint has together, or (501) one that is not emulated."""
    variants = config["ProductionVariants"]
    if "AsyncInferenceConfig" in config and (len(variants) != 1 or "ServerlessConfig" in variants[0]):
        text = "One or more endpoint features are not supported using this configuration"
        raise ServiceError("ValidationException", text)
    if config.get("DataCaptureConfig", {}).get("EnableCapture"):
        raise unsupported("an endpoint that captures data")
    for variant in variants:
        if variant.get("ManagedInstanceScaling", {}).get("Status") == "ENABLED":
            raise unsupported("a variant with ManagedInstanceScaling")


def _place(location: str, member: str) -> Place:
    found = place(location)
    if found is None or not location.isprintable():  # it goes into a header of every answer
        raise ServiceError("ValidationException", f"{member} must be an S3 location: '{location}'")
    return found


def unsupported(what: str) -> ServiceError:
    """The answer to what AWS could do and this emulator cannot."""
    return ServiceError("NotImplemented", f"the emulator does not host {what}", 501, fault="Receiver")
