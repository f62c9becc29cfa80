"""The emulated Application Auto Scaling: of instances, copies of components, and provisioned concurrency."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from smbench.emulator.monitoring.alarm_operations import alarm_arn
from smbench.emulator.monitoring.scaling_policies import described, invalid, policy_spec, watches_the_same
from smbench.emulator.monitoring.scheduled_actions import ScheduledAction, ScheduledActions, shown
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.paging import TokenError, page
from smbench.emulator.site import Site, utc_datetime
from smbench.model.endpoints.provisioned import ProvisionedConcurrency
from smbench.model.scaling.activities import COPIES, INSTANCES, PROVISIONED, Activity, NotScaledReason
from smbench.model.scaling.decisions import ScalableTarget, ScalingPolicy
from smbench.model.scaling.scaler import SERVICE, AutoScaler, what_is_set
from smbench.model.world import COMPONENT, World

_DIMENSIONS = {
    INSTANCES: "sagemaker:variant:DesiredInstanceCount",
    PROVISIONED: "sagemaker:variant:DesiredProvisionedConcurrency",
    COPIES: "sagemaker:inference-component:DesiredCopyCount",
}
_ROLE = (
    "aws-service-role/sagemaker.application-autoscaling.amazonaws.com/"
    "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint"
)
_SUSPENDED = {
    "DynamicScalingInSuspended": "in",
    "DynamicScalingOutSuspended": "out",
    "ScheduledScalingSuspended": "scheduled",
}
_TAGS_MAX = 50
_Item = TypeVar("_Item")


class _OfResource(Protocol):
    """What belongs to a scalable resource."""

    @property
    def resource_id(self) -> str: ...


_Named = TypeVar("_Named", bound=_OfResource)


class AutoScaling:
    """Operations on the model's auto scaler."""

    service = "application-autoscaling"

    def __init__(self, site: Site, world: World) -> None:
        self.site, self.world = site, world
        self._target_ids: dict[str, str] = {}
        self._tags: dict[str, dict[str, str]] = {}  # by resource id
        self._scheduled = ScheduledActions(site, lambda: self.scaler)
        self._as_put: dict[str, Params] = {}  # policy ARN -> its configuration as the caller wrote it
        self.operations: dict[str, Operation] = {
            "RegisterScalableTarget": self.register_scalable_target,
            "DeregisterScalableTarget": self.deregister_scalable_target,
            "DescribeScalableTargets": self.describe_scalable_targets,
            "PutScalingPolicy": self.put_scaling_policy,
            "DeleteScalingPolicy": self.delete_scaling_policy,
            "DescribeScalingPolicies": self.describe_scaling_policies,
            "DescribeScalingActivities": self.describe_scaling_activities,
            "PutScheduledAction": self.put_scheduled_action,
            "DeleteScheduledAction": self.delete_scheduled_action,
            "DescribeScheduledActions": self.describe_scheduled_actions,
            "TagResource": self.tag_resource,
            "UntagResource": self.untag_resource,
            "ListTagsForResource": self.list_tags_for_resource,
        }

    @property
    def scaler(self) -> AutoScaler:
        """The model that decides."""
        return self.world.scaler

    # targets

    def register_scalable_target(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Create or change.

        Raises:
            ServiceError: limits missing, reversed or beyond what the variant can have, no such variant, too many tags,
                tags for one that is there (501).
        """
        resource_id = _resource_id(params)
        is_new = not self.scaler.describe_targets([resource_id])
        if is_new and not {"MinCapacity", "MaxCapacity"} <= params.keys():
            raise invalid("MinCapacity and MaxCapacity are required to register a new scalable target.")
        if "Tags" in params and not is_new:
            raise beyond("register a scalable target that is there with Tags: TagResource is for that")
        self._check_capacity(params, resource_id)
        try:
            self.scaler.register_target(resource_id, params.get("MinCapacity"), params.get("MaxCapacity"))
        except ValueError:
            raise invalid("Maximum capacity cannot be less than minimum capacity") from None
        if "SuspendedState" in params:
            suspended = {name for key, name in _SUSPENDED.items() if params["SuspendedState"].get(key)}
            self.scaler.suspend(resource_id, suspended)
        if params.get("Tags"):
            self._tag(resource_id, params["Tags"])
        return {"ScalableTargetARN": self._target_arn(resource_id)}

    def _check_capacity(self, params: Params, resource_id: str) -> None:
        """Raises ServiceError: there is no such capacity. AWS's words for provisioned concurrency are not public."""
        scaled, dimension = self.world.resolve(resource_id), params["ScalableDimension"]
        if scaled is None:
            what = "inference component" if dimension == _DIMENSIONS[COPIES] else "endpoint variant"
            raise invalid(f"SageMaker {what} doesn't exist, or is not in service: {resource_id}")
        if dimension != self._dimension(resource_id):
            raise invalid(f"{resource_id} has no scalable dimension {dimension}.")
        if not isinstance(scaled, ProvisionedConcurrency):
            return
        if not scaled.desired:
            raise invalid(f"{resource_id} has no provisioned concurrency to scale.")
        if params.get("MinCapacity", 1) < 1:
            raise invalid("Minimum capacity cannot be less than 1")
        if params.get("MaxCapacity", 0) > scaled.most:
            raise invalid(f"Maximum capacity cannot be greater than MaxConcurrency {scaled.most}")

    def deregister_scalable_target(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """With its policies and their alarms, and its scheduled actions. Raises ServiceError: not registered."""
        resource_id = _resource_id(params)
        if not self._is_registered(params):
            raise _not_found("No scalable target found", params)
        self.scaler.deregister(resource_id)
        self._target_ids.pop(resource_id, None)
        self._tags.pop(resource_id, None)
        self._scheduled.forget(resource_id)
        return {}

    def describe_scalable_targets(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Pages of at most 50; none for another service than SageMaker."""
        found = self.scaler.describe_targets(params.get("ResourceIds"))
        return _paged(params, self._ours(params, found), "ScalableTargets", 50, self._target)

    def _target(self, target: ScalableTarget) -> dict[str, Any]:
        return _scaled(target.resource_id, target.what) | {
            "MinCapacity": target.min_capacity,
            "MaxCapacity": target.max_capacity,
            "RoleARN": f"arn:aws:iam::{self.site.account}:role/{_ROLE}",
            "CreationTime": utc_datetime(self.site.utc_ns(target.created_ns)),
            "SuspendedState": {key: name in target.suspended for key, name in _SUSPENDED.items()},
            "ScalableTargetARN": self._target_arn(target.resource_id),
        }

    def _target_arn(self, resource_id: str) -> str:
        if resource_id not in self._target_ids:
            self._target_ids[resource_id] = self.site.new_id().replace("-", "")
        return self.site.arn("application-autoscaling", f"scalable-target/{self._target_ids[resource_id]}")

    # tags of targets

    def tag_resource(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Add tags, or replace their values. Raises ServiceError: no such target, too many tags."""
        self._tag(self._tagged(params), params["Tags"])
        return {}

    def untag_resource(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Those that are not there are no error. Raises ServiceError: no such target."""
        tags = self._tags.get(self._tagged(params), {})
        for key in params["TagKeys"]:
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: no such target."""
        return {"Tags": dict(self._tags.get(self._tagged(params), {}))}

    def tagged(self) -> dict[str, dict[str, str]]:
        """Every target's tags, by its ARN."""
        return {self._target_arn(resource_id): dict(tags) for resource_id, tags in self._tags.items()}

    def _tag(self, resource_id: str, tags: dict[str, str]) -> None:
        merged = self._tags.get(resource_id, {}) | tags
        if len(merged) > _TAGS_MAX:
            raise ServiceError("TooManyTagsException", f"A resource can have at most {_TAGS_MAX} tags.")
        self._tags[resource_id] = merged

    def _tagged(self, params: Params) -> str:
        """The resource id of the target that an ARN names."""
        arn = params["ResourceARN"]
        for target in self.scaler.describe_targets(None):
            if self._target_arn(target.resource_id) == arn:
                return target.resource_id
        raise ServiceError("ResourceNotFoundException", f"No scalable target found for ARN: {arn}")

    # policies

    def put_scaling_policy(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Create or replace; target tracking makes its two alarms.

        Raises:
            ServiceError: target not registered, policy not valid, or another one tracks the same metric.
        """
        resource_id = _resource_id(params)
        if not self._is_registered(params):
            raise _not_found("No scalable target registered", params)
        spec = policy_spec(params)
        if spec.tracking is not None:
            others = (one.spec for one in self.scaler.describe_policies(resource_id) if one.spec.name != spec.name)
            if any(other.tracking is not None and watches_the_same(other.tracking, spec.tracking) for other in others):
                text = "Only one TargetTrackingScaling policy for a given metric specification is allowed."
                raise invalid(text)
        policy = self.scaler.put_policy(spec)
        kept = ("StepScalingPolicyConfiguration", "TargetTrackingScalingPolicyConfiguration")
        self._as_put[policy.arn] = {key: params[key] for key in kept if key in params}
        return {"PolicyARN": policy.arn, "Alarms": self._alarms(policy) if spec.tracking is not None else []}

    def delete_scaling_policy(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """With the alarms it made. Raises ServiceError: no such policy."""
        resource_id, name = _resource_id(params), params["PolicyName"]
        if not self._is_registered(params) or not self.scaler.describe_policies(resource_id, [name]):
            raise _not_found("No scaling policy found", params, f", policy name: {name}")
        self.scaler.delete_policy(resource_id, name)
        return {}

    def describe_scaling_policies(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Pages of at most 10, each policy as it was put, with its alarms."""
        found = self.scaler.describe_policies(params.get("ResourceId"), params.get("PolicyNames"))
        return _paged(params, self._ours(params, found), "ScalingPolicies", 10, self._policy)

    def _policy(self, policy: ScalingPolicy) -> dict[str, Any]:
        is_tracking = policy.spec.tracking is not None
        return (
            self._scaled(policy.spec.resource_id)
            | {
                "PolicyARN": policy.arn,
                "PolicyName": policy.spec.name,
                "PolicyType": "TargetTrackingScaling" if is_tracking else "StepScaling",
                "Alarms": self._alarms(policy),
                "CreationTime": utc_datetime(self.site.utc_ns(policy.created_ns)),
            }
            | (self._as_put.get(policy.arn) or described(policy.spec))
        )

    def _alarms(self, policy: ScalingPolicy) -> list[dict[str, str]]:
        return [
            {"AlarmName": alarm.name, "AlarmARN": alarm_arn(self.site, alarm.name)}
            for alarm in self.scaler.alarms_of(policy)
        ]

    # scheduled actions

    def put_scheduled_action(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Create or change.

        Raises:
            ServiceError: target not registered, action not valid, or a schedule that is not understood (501).
        """
        resource_id = _resource_id(params)
        if not self._is_registered(params):
            raise _not_found("No scalable target registered", params)
        self._scheduled.put(resource_id, params)
        return {}

    def delete_scheduled_action(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: no such action."""
        resource_id, name = _resource_id(params), params["ScheduledActionName"]
        if not self._is_registered(params) or not self._scheduled.delete(resource_id, name):
            raise _not_found("No scheduled action found", params, f", scheduled action name: {name}")
        return {}

    def describe_scheduled_actions(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Pages of at most 50, each action as it was put; those of a scenario's own endpoint are none of them."""
        found = self._scheduled.all(params.get("ResourceId"), params.get("ScheduledActionNames"))
        return _paged(params, self._ours(params, found), "ScheduledActions", 50, self._scheduled_action)

    def _scheduled_action(self, action: ScheduledAction) -> dict[str, Any]:
        return self._scaled(action.resource_id) | shown(action)

    # activities

    def describe_scaling_activities(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Newest first, pages of at most 50; those that changed nothing only when asked for."""
        found = self.scaler.activities(
            params.get("ResourceId"), include_not_scaled=params.get("IncludeNotScaledActivities", False)
        )
        ours = [one for one in found if _is_asked_for(params, _DIMENSIONS[one.what])]
        return _paged(params, ours, "ScalingActivities", 50, self._activity)

    def _activity(self, activity: Activity) -> dict[str, Any]:
        answer = _scaled(activity.resource_id, activity.what) | {
            "ActivityId": activity.id,
            "Description": activity.description,
            "Cause": activity.cause,
            "StartTime": utc_datetime(self.site.utc_ns(activity.start_ns)),
            "StatusCode": activity.status,
        }
        if activity.end_ns is not None:
            answer["EndTime"] = utc_datetime(self.site.utc_ns(activity.end_ns))
        if activity.status_message is not None:
            answer["StatusMessage"] = activity.status_message
        if activity.not_scaled_reasons:
            answer["NotScaledReasons"] = [_reason(reason) for reason in activity.not_scaled_reasons]
        return answer

    # dimensions

    def _dimension(self, resource_id: str) -> str:
        """Of a registered target; of any other resource, the one that it could be registered with."""
        for target in self.scaler.describe_targets([resource_id]):
            return _DIMENSIONS[target.what]
        return _DIMENSIONS[what_is_set(resource_id, self.world.resolve(resource_id))]

    def _is_registered(self, params: Params) -> bool:
        resource_id = _resource_id(params)
        is_there = bool(self.scaler.describe_targets([resource_id]))
        return is_there and self._dimension(resource_id) == params["ScalableDimension"]

    def _scaled(self, resource_id: str) -> dict[str, Any]:
        """Of a registered target."""
        return _scaled(resource_id, self.scaler.describe_targets([resource_id])[0].what)

    def _ours(self, params: Params, found: Sequence[_Named]) -> list[_Named]:
        return [one for one in found if _is_asked_for(params, self._dimension(one.resource_id))]


def _is_asked_for(params: Params, dimension: str) -> bool:
    """Whether it is of the service and the dimension asked for: other services have nothing registered here."""
    return params["ServiceNamespace"] == SERVICE and params.get("ScalableDimension") in (None, dimension)


def _reason(reason: NotScaledReason) -> dict[str, Any]:
    told = {
        "Code": reason.code,
        "MaxCapacity": reason.max_capacity,
        "MinCapacity": reason.min_capacity,
        "CurrentCapacity": reason.current_capacity,
    }
    return {key: value for key, value in told.items() if value is not None}


def _scaled(resource_id: str, what: str) -> dict[str, Any]:
    return {"ServiceNamespace": SERVICE, "ResourceId": resource_id, "ScalableDimension": _DIMENSIONS[what]}


def _resource_id(params: Params) -> str:
    if not params["ScalableDimension"].startswith(f"{params['ServiceNamespace']}:"):
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    dimension, resource_id = params["ScalableDimension"], str(params["ResourceId"])
    if params["ServiceNamespace"] != SERVICE or dimension not in _DIMENSIONS.values():
        raise beyond(f"scale {dimension} of {params['ServiceNamespace']}")
    if (dimension == _DIMENSIONS[COPIES]) != resource_id.startswith(f"{COMPONENT}/"):
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    return resource_id


def _not_found(what: str, params: Params, more: str = "") -> ServiceError:
    resource_id, dimension = params["ResourceId"], params["ScalableDimension"]
    where = f"service namespace: {SERVICE}, resource ID: {resource_id}, scalable dimension: {dimension}{more}"
    return ServiceError("ObjectNotFoundException", f"{what} for {where}")


def _paged(
    params: Params, found: Sequence[_Item], key: str, most: int, show: Callable[[_Item], dict[str, Any]]
) -> dict[str, Any]:
    try:
        items, token = page(found, params.get("NextToken"), min(params.get("MaxResults", most), most))
    except TokenError:
        raise ServiceError("InvalidNextTokenException", "The next token supplied is invalid.") from None
    return {key: [show(item) for item in items]} | ({} if token is None else {"NextToken": token})
