"""Parameters that AWS heeds and this emulator would ignore: a call that gives one is refused by its name.

A success that left a parameter out would be a wrong one. What changes nothing that a caller can see here (who pays, a
client's token, a role that nothing checks) is taken and is not in this list. A test compares the list with botocore's
models: each member of each operation is read, harmless, or here.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from smbench.emulator.protocol.codecs import ServiceError, not_implemented

_BY_SERVICE: dict[str, dict[str, tuple[str, ...]]] = {
    "sns": {"CreateTopic": ("DataProtectionPolicy",), "Publish": ("MessageGroupId",)},
    "monitoring": {
        "DescribeAlarmHistory": ("AlarmContributorId",),
        "DescribeAlarms": ("ChildrenOfAlarmName", "ParentsOfAlarmName"),
        "GetMetricData": ("LabelOptions",),
        "ListMetrics": ("RecentlyActive", "IncludeLinkedAccounts", "OwningAccount"),
        "PutMetricData": ("EntityMetricData",),
    },
    "application-autoscaling": {
        "PutScalingPolicy": ("PredictiveScalingPolicyConfiguration",),
    },
    "sagemaker": {
        "CreateEndpoint": ("DeploymentConfig",),
        "CreateEndpointConfig": ("ExplainerConfig", "ShadowProductionVariants"),
        "CreateModel": ("InferenceExecutionConfig",),
        "UpdateEndpoint": ("DeploymentConfig", "RetainDeploymentConfig"),
    },
    "logs": {"DescribeLogGroups": ("accountIdentifiers", "includeLinkedAccounts")},
    "iam": {"CreateRole": ("PermissionsBoundary",)},
    "cloudformation": {
        "CreateStack": (
            *("RollbackConfiguration", "TimeoutInMinutes", "NotificationARNs", "StackPolicyBody", "StackPolicyURL"),
            "RetainExceptOnCreate",
        ),
        "UpdateStack": (
            *("StackPolicyDuringUpdateBody", "StackPolicyDuringUpdateURL", "RollbackConfiguration", "StackPolicyBody"),
            *("StackPolicyURL", "NotificationARNs", "DisableRollback", "RetainExceptOnCreate"),
        ),
        "CreateChangeSet": (
            *("RollbackConfiguration", "ResourcesToImport", "ImportExistingResources", "OnStackFailure"),
            "NotificationARNs",
        ),
        "DeleteStack": ("RetainResources", "DeletionMode"),
        "ExecuteChangeSet": ("RetainExceptOnCreate",),
        "GetTemplateSummary": ("StackSetName", "CallAs", "TemplateSummaryConfig"),
    },
}
UNHEEDED: Mapping[tuple[str, str], tuple[str, ...]] = MappingProxyType(
    {
        (service, operation): names
        for service, operations in _BY_SERVICE.items()
        for operation, names in operations.items()
    }
)
"""Names by a service, as in credentials, and an operation."""


def refuse_unheeded(service: str, operation: str, params: Mapping[str, Any]) -> None:
    """Raises ServiceError: 501, for a parameter that would be ignored; one that says no or nothing is fine."""
    for name in UNHEEDED.get((service, operation), ()):
        if params.get(name):
            raise beyond_parameter(service, operation, name)


def beyond_parameter(service: str, operation: str, name: str) -> ServiceError:
    """The answer to a call with a parameter that is not emulated."""
    return not_implemented(service, f"{operation} with {name}")
