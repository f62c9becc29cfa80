"""The SageMaker control plane: models, endpoint configurations, endpoints and tags, as JSON 1.1 callers see them."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.sagemaker.configurations import check_features, serverless_of
from smbench.emulator.sagemaker.hosted import Hosted, variant_status
from smbench.emulator.sagemaker.hosting import Hosting
from smbench.emulator.sagemaker.updates import Updates, check_wish
from smbench.emulator.site import Site, utc_datetime
from smbench.emulator.tags import pairs_of, tags_of
from smbench.model.endpoints.endpoint import QuotaReached, UpdateInProgress

_PAGE = 10  # SageMaker's default MaxResults for lists
_TAGS_MAX = 50


def invalid(message: str) -> ServiceError:
    """SageMaker's only error code for a request it understood and will not carry out."""
    return ServiceError("ValidationException", message)


class SageMaker:
    """Operations on what `Hosting` runs.

    Errors carry AWS's own sentences; scripts in the field match on their beginnings ("Could not find endpoint").

    Attributes:
        multi_models: Names of models whose container loads models by name; also of those that were deleted, which
            endpoints go on with.
    """

    service = "sagemaker"

    def __init__(self, site: Site, hosting: Hosting) -> None:
        self.site, self.hosting, self.updates = site, hosting, Updates(hosting)
        self.models: dict[str, dict[str, Any]] = {}
        self.multi_models: set[str] = set()
        self.configs: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.operations: dict[str, Operation] = {
            "CreateModel": self.create_model,
            "DescribeModel": self.describe_model,
            "DeleteModel": self.delete_model,
            "ListModels": self.list_models,
            "CreateEndpointConfig": self.create_endpoint_config,
            "DescribeEndpointConfig": self.describe_endpoint_config,
            "DeleteEndpointConfig": self.delete_endpoint_config,
            "ListEndpointConfigs": self.list_endpoint_configs,
            "CreateEndpoint": self.create_endpoint,
            "DescribeEndpoint": self.describe_endpoint,
            "UpdateEndpoint": self.update_endpoint,
            "UpdateEndpointWeightsAndCapacities": self.update_endpoint_weights_and_capacities,
            "DeleteEndpoint": self.delete_endpoint,
            "ListEndpoints": self.list_endpoints,
            "AddTags": self.add_tags,
            "ListTags": self.list_tags,
            "DeleteTags": self.delete_tags,
        }

    # for the emulator itself

    def keep_model(self, params: Params) -> dict[str, Any]:
        """A model as Describe gives it back."""
        name = params["ModelName"]
        self.models[name] = self._kept(params, ModelArn=self._arn("model", name))
        return self.models[name]

    def keep_config(self, params: Params) -> dict[str, Any]:
        """An endpoint configuration as Describe gives it back."""
        name = params["EndpointConfigName"]
        self.configs[name] = self._kept(params, EndpointConfigArn=self._arn("endpoint-config", name))
        return self.configs[name]

    # models

    def create_model(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """The container is kept and never started.

        Raises:
            ServiceError: the name is taken, both container forms are given, or neither is.
        """
        name = params["ModelName"]
        arn = self._arn("model", name)
        if name in self.models:
            raise invalid(f'Cannot create already existing model "{arn}".')
        if "PrimaryContainer" in params and "Containers" in params:
            raise invalid("Cannot specify both PrimaryContainer and Containers in CreateModel request.")
        containers = [params["PrimaryContainer"]] if "PrimaryContainer" in params else params.get("Containers", [])
        if not containers:
            raise invalid("You must provide either PrimaryContainer or Containers in CreateModel request.")
        for container in containers:
            if not container.keys() & {"Image", "ModelPackageName", "InferenceSpecificationName"}:
                raise invalid("Containers must specify either an Image or a ModelPackageName.")
        self.keep_model(params)
        self.multi_models.discard(name)
        if any(container.get("Mode") == "MultiModel" for container in containers):
            self.multi_models.add(name)
        self._tag(arn, params)
        return {"ModelArn": arn}

    def describe_model(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """As it was created. Raises ServiceError: no such model."""
        return {"EnableNetworkIsolation": False} | self._model(params["ModelName"])

    def delete_model(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Endpoints that use it go on, as on AWS. Raises ServiceError: no such model."""
        model = self._model(params["ModelName"])
        del self.models[params["ModelName"]]
        self.tags.pop(model["ModelArn"], None)
        return {}

    def list_models(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Filtered, sorted and paged as ListModels asks."""
        rows = [
            {key: model[key] for key in ("ModelName", "ModelArn", "CreationTime")} for model in self.models.values()
        ]
        return listed(params, rows, "Models", "ModelName")

    # endpoint configurations

    def create_endpoint_config(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: the name is taken, or a variant names no model that exists."""
        name = params["EndpointConfigName"]
        arn = self._arn("endpoint-config", name)
        if name in self.configs:
            raise invalid(f'Cannot create already existing endpoint configuration "{arn}".')
        for variant in params["ProductionVariants"]:
            if "ModelName" in variant:
                self._model(variant["ModelName"])
        self._check_variants(params)
        check_features(params)
        self.keep_config(params)
        self._tag(arn, params)
        return {"EndpointConfigArn": arn}

    def _check_variants(self, params: Params) -> None:
        """Refuse what cannot be hosted. AWS's words for the first two are not known in public."""
        shadows = params.get("ShadowProductionVariants", [])
        names = [variant["VariantName"] for variant in (*params["ProductionVariants"], *shadows)]
        for name in names:
            if names.count(name) > 1:
                raise invalid(f"Production variant names must be unique within an endpoint configuration: {name}.")
        for variant in params["ProductionVariants"]:
            is_placed = variant.keys() & {"InstanceType", "ServerlessConfig", "InstancePools"}
            if not is_placed:
                raise invalid(f"InstanceType is required for the production variant {variant['VariantName']}.")
            if "ServerlessConfig" in variant and variant.keys() & {"InstanceType", "InitialInstanceCount"}:
                raise invalid("Cannot specify both an instance and ServerlessConfig for a production variant.")
            if "ServerlessConfig" in variant:
                serverless_of(variant, self.hosting.emulated)
        output = params.get("AsyncInferenceConfig", {}).get("OutputConfig", {"S3OutputPath": ""})
        if "S3OutputPath" not in output and self.hosting.emulated.open_questions.output_path_required:
            raise invalid("S3OutputPath is required in AsyncInferenceConfig.OutputConfig.")

    def describe_endpoint_config(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """As it was created. Raises ServiceError: no such configuration."""
        return self._config(params["EndpointConfigName"])

    def delete_endpoint_config(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Endpoints made from it go on, as on AWS. Raises ServiceError: no such configuration."""
        config = self._config(params["EndpointConfigName"])
        del self.configs[params["EndpointConfigName"]]
        self.tags.pop(config["EndpointConfigArn"], None)
        return {}

    def list_endpoint_configs(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Filtered, sorted and paged as ListEndpointConfigs asks."""
        keys = ("EndpointConfigName", "EndpointConfigArn", "CreationTime")
        rows = [{key: config[key] for key in keys} for config in self.configs.values()]
        return listed(params, rows, "EndpointConfigs", "EndpointConfigName")

    # endpoints

    def create_endpoint(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Creating until its instances are provisioned.

        Raises:
            ServiceError: the name is taken, no such configuration.
        """
        name = params["EndpointName"]
        arn = self._arn("endpoint", name)
        if name in self.hosting.endpoints:
            raise invalid(f'Cannot create already existing endpoint "{arn}".')
        config = self._config(params["EndpointConfigName"])
        self.hosting.create(name, config)
        self._tag(arn, params)
        return {"EndpointArn": arn}

    def describe_endpoint(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Status and instance counts of this instant. Raises ServiceError: no such endpoint."""
        hosted = self._endpoint(params["EndpointName"])
        described = {
            "EndpointName": hosted.name,
            "EndpointArn": self._arn("endpoint", hosted.name),
            "EndpointConfigName": hosted.config_name,
            "EndpointStatus": hosted.status,
            "CreationTime": utc_datetime(hosted.created_utc_ns),
            "LastModifiedTime": utc_datetime(hosted.modified_utc_ns),
            "ProductionVariants": [self._variant(one, hosted.status) for one in hosted.variants],
        }
        if "AsyncInferenceConfig" in hosted.config:
            described["AsyncInferenceConfig"] = hosted.config["AsyncInferenceConfig"]
        if hosted.failure:
            described["FailureReason"] = hosted.failure
        if hosted.pending is not None:
            described["PendingDeploymentSummary"] = {
                "EndpointConfigName": hosted.pending.config_name,
                "StartTime": utc_datetime(hosted.pending.start_utc_ns),
            }
        return described

    def _variant(self, hosted: Hosted, status: str) -> dict[str, Any]:
        variant = {
            "VariantName": hosted.variant_name,
            "DeployedImages": self._images(hosted),
            "CurrentWeight": hosted.weight,
            "DesiredWeight": hosted.weight,
        }
        if "ServerlessConfig" in hosted.variant:
            now = hosted.variant["ServerlessConfig"]
            coming = now if hosted.pending is None else hosted.pending.config["ProductionVariants"][0]
            variant |= {"CurrentServerlessConfig": now, "DesiredServerlessConfig": coming.get("ServerlessConfig", now)}
        else:
            variant |= {"CurrentInstanceCount": hosted.current, "DesiredInstanceCount": hosted.desired}
        if status == "Creating" or hosted.status == "Updating":
            variant["VariantStatus"] = [variant_status(hosted)]
        return variant

    def _images(self, hosted: Hosted) -> list[dict[str, Any]]:
        model = self.models.get(hosted.variant.get("ModelName", ""), {})
        containers = [model["PrimaryContainer"]] if "PrimaryContainer" in model else model.get("Containers", [])
        resolved_at = utc_datetime(hosted.created_utc_ns)
        images = [container["Image"] for container in containers if "Image" in container]
        return [{"SpecifiedImage": image, "ResolvedImage": image, "ResolutionTime": resolved_at} for image in images]

    def update_endpoint(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """To another configuration, with instances of its own.

        Raises:
            ServiceError: an update is under way, or no such configuration.
        """
        hosted = self._settled_endpoint(params["EndpointName"])
        config = self._config(params["EndpointConfigName"])
        excluded = {one["VariantPropertyType"] for one in params.get("ExcludeRetainedVariantProperties", [])}
        kept = (
            {"DesiredInstanceCount", "DesiredWeight"} - excluded if params.get("RetainAllVariantProperties") else set()
        )
        with self._refusals(hosted):
            self.updates.update(
                hosted,
                config,
                keep_capacity="DesiredInstanceCount" in kept,
                keep_weights="DesiredWeight" in kept,
            )
        return {"EndpointArn": self._arn("endpoint", hosted.name)}

    def update_endpoint_weights_and_capacities(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Set desired counts, weights and serverless concurrency: all that is asked, or nothing.

        Raises:
            ServiceError: under way, no such variant, or what a variant of its kind has not.
        """
        hosted = self._endpoint(params["EndpointName"])
        if hosted.pending is not None or hosted.fleet is None:
            raise self._in_progress(hosted.name)
        wishes = params["DesiredWeightsAndCapacities"]
        wanted = [(wish, hosted.of_variant(wish["VariantName"])) for wish in wishes]
        if unknown := [wish["VariantName"] for wish, one in wanted if one is None]:
            arn = self._arn("endpoint", hosted.name)
            raise invalid(f'The variant name(s) "{", ".join(unknown)}" is/are not present within endpoint "{arn}".')
        chosen = [(wish, one) for wish, one in wanted if one is not None]
        for wish, one in chosen:
            check_wish(wish, is_serverless="ServerlessConfig" in one.variant)
        counts = [(one, wish["DesiredInstanceCount"]) for wish, one in chosen if "DesiredInstanceCount" in wish]
        with self._refusals(hosted):
            self.hosting.resize(hosted, counts)
        for wish, one in chosen:
            if "ServerlessUpdateConfig" in wish:
                self.updates.reconfigure(one, wish["ServerlessUpdateConfig"])
            one.weight = wish.get("DesiredWeight", one.weight)
        return {"EndpointArn": self._arn("endpoint", hosted.name)}

    @contextmanager
    def _refusals(self, hosted: Hosted) -> Iterator[None]:
        """The model's refusals as SageMaker words them."""
        try:
            yield
        except UpdateInProgress:
            raise self._in_progress(hosted.name) from None
        except QuotaReached as refused:
            raise ServiceError("ResourceLimitExceeded", str(refused)) from None

    def delete_endpoint(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Gone at once, with its scalable target and its queue.

        Raises:
            ServiceError: no such endpoint, an update is under way.
        """
        hosted = self._settled_endpoint(params["EndpointName"])
        self.hosting.delete(hosted)
        self.tags.pop(self._arn("endpoint", hosted.name), None)
        return {}

    def list_endpoints(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Filtered, sorted and paged as ListEndpoints asks."""
        rows = [
            {
                "EndpointName": hosted.name,
                "EndpointArn": self._arn("endpoint", hosted.name),
                "CreationTime": utc_datetime(hosted.created_utc_ns),
                "LastModifiedTime": utc_datetime(hosted.modified_utc_ns),
                "EndpointStatus": hosted.status,
            }
            for hosted in self.hosting.endpoints.values()
        ]
        wanted = params.get("StatusEquals")
        kept = [row for row in rows if wanted is None or row["EndpointStatus"] == wanted]
        return listed(params, kept, "Endpoints", "EndpointName")

    # tags

    def add_tags(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Add or replace; returns all of the resource's tags. Raises ServiceError: no such resource."""
        arn = params["ResourceArn"]
        self._check_resource(arn)
        self._tag(arn, params)
        return {"Tags": self._tags_of(arn)}

    def list_tags(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Paged. Raises ServiceError: no such resource."""
        arn = params["ResourceArn"]
        self._check_resource(arn)
        return _paged(params, self._tags_of(arn), "Tags", _TAGS_MAX)

    def delete_tags(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Keys that it does not have are ignored. Raises ServiceError: no such resource."""
        arn = params["ResourceArn"]
        self._check_resource(arn)
        for key in params["TagKeys"]:
            self.tags.get(arn, {}).pop(key, None)
        return {}

    def _tag(self, arn: str, params: Params) -> None:
        tags = self.tags.get(arn, {}) | tags_of(params.get("Tags", []))
        if len(tags) > _TAGS_MAX:
            raise ServiceError("ResourceLimitExceeded", f"The number of tags on a resource is limited to {_TAGS_MAX}.")
        if tags:
            self.tags[arn] = tags

    def _tags_of(self, arn: str) -> list[dict[str, str]]:
        return pairs_of(self.tags.get(arn, {}))

    def _check_resource(self, arn: str) -> None:
        kind, _, name = arn.rpartition(":")[2].partition("/")
        known: dict[str, Any] = {
            "model": self.models,
            "endpoint-config": self.configs,
            "endpoint": self.hosting.endpoints,
        }
        if name not in known.get(kind, {}):
            raise invalid(f'Could not find resource "{arn}".')

    # look-ups

    def _model(self, name: str) -> dict[str, Any]:
        if name not in self.models:
            raise invalid(f'Could not find model "{self._arn("model", name)}".')
        return self.models[name]

    def _config(self, name: str) -> dict[str, Any]:
        if name not in self.configs:
            raise invalid(f'Could not find endpoint configuration "{self._arn("endpoint-config", name)}".')
        return self.configs[name]

    def _endpoint(self, name: str) -> Hosted:
        hosted = self.hosting.endpoints.get(name)
        if hosted is None:
            raise invalid(f'Could not find endpoint "{self._arn("endpoint", name)}".')
        return hosted

    def _settled_endpoint(self, name: str) -> Hosted:
        hosted = self._endpoint(name)
        if hosted.status in ("Creating", "Updating"):
            raise self._in_progress(name)
        return hosted

    def _in_progress(self, name: str) -> ServiceError:
        return invalid(f'Cannot update in-progress endpoint "{self._arn("endpoint", name)}".')

    def _arn(self, kind: str, name: str) -> str:
        return self.site.arn("sagemaker", f"{kind}/{name}")

    def _kept(self, params: Params, **more: Any) -> dict[str, Any]:
        """What Describe gives back: the request without its tags, and when it came."""
        return {key: value for key, value in params.items() if key != "Tags"} | more | {"CreationTime": self.site.now()}


def listed(
    params: Params, rows: list[dict[str, Any]], key: str, name_key: str, status_key: str = "EndpointStatus"
) -> dict[str, Any]:
    """Rows filtered, sorted and cut as SageMaker's List operations do; by creation time, newest first, by default."""
    kept = [row for row in rows if _is_wanted(params, row, name_key)]
    sort_key = {"Name": name_key, "Status": status_key}.get(params.get("SortBy", ""), "CreationTime")
    descends = params.get("SortOrder", "Descending") == "Descending"
    return _paged(params, sorted(kept, key=lambda row: row[sort_key], reverse=descends), key, _PAGE)


def _is_wanted(params: Params, row: dict[str, Any], name_key: str) -> bool:
    def within(low: str, high: str, at: datetime) -> bool:
        earliest: datetime = params.get(low, at)
        latest: datetime = params.get(high, at)
        return earliest <= at <= latest

    return (
        params.get("NameContains", "") in row[name_key]
        and within("CreationTimeAfter", "CreationTimeBefore", row["CreationTime"])
        and within("LastModifiedTimeAfter", "LastModifiedTimeBefore", row.get("LastModifiedTime", row["CreationTime"]))
    )


def _paged(params: Params, rows: list[dict[str, Any]], key: str, default: int) -> dict[str, Any]:
    try:
        items, token = page(rows, params.get("NextToken"), params.get("MaxResults", default))
    except TokenError:
        raise invalid("Invalid pagination token.") from None
    return {key: items} | ({} if token is None else {"NextToken": token})
