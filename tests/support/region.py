"""An emulated region without a network, for tests of stacks."""

import copy
import json
from typing import Any

from emulation import EPOCH_NS
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.server import Emulator

REQUEST = HttpRequest("POST", "/", "/", "/", {}, {}, b"")


class Region:
    """An emulator without a network, whose time goes on when the test says so."""

    def __init__(self) -> None:
        self.emulator = Emulator(None, None, EPOCH_NS)
        self.call("tagging", "GetResources", {})
        self.call(
            "sagemaker",
            "CreateModel",
            {"ModelName": "theirs", "ExecutionRoleArn": "r", "PrimaryContainer": {"Image": "i"}},
        )

    def call(self, service: str, operation: str, params: dict[str, Any]) -> dict[str, Any]:
        (found,) = [one for one in self.emulator.services if one.service == service]
        result: dict[str, Any] = found.operations[operation](params, REQUEST)  # type: ignore[assignment, union-attr]
        return result

    def stacks(self, operation: str, **params: Any) -> dict[str, Any]:
        return self.call("cloudformation", operation, {"StackName": "smbench-demo"} | params)

    def wait(self, seconds: float = 400.0) -> None:
        queue = self.emulator.site.event_queue
        queue.advance(queue.now_ns + round(seconds * 1e9))

    def bring(self, text: dict[str, Any] | str, kind: str = "CREATE", **more: Any) -> str:
        """Carry a template out to its end; the stack's status."""
        self.stacks(
            "CreateChangeSet",
            ChangeSetName="c",
            ChangeSetType=kind,
            TemplateBody=text if isinstance(text, str) else json.dumps(text),
            **{"Capabilities": ["CAPABILITY_IAM"], "Tags": [{"Key": "smbench:stack", "Value": "demo"}]} | more,
        )
        self.stacks("ExecuteChangeSet", ChangeSetName="c")
        self.wait()
        return self.status()

    def status(self, name: str = "smbench-demo") -> str:
        return str(self.stacks("DescribeStacks", StackName=name)["Stacks"][0]["StackStatus"])

    def outputs(self) -> dict[str, str]:
        shown = self.stacks("DescribeStacks")["Stacks"][0].get("Outputs", [])
        return {one["OutputKey"]: one["OutputValue"] for one in shown}

    def failures(self) -> list[str]:
        events = self.stacks("DescribeStackEvents")["StackEvents"]
        return [
            f"{one['LogicalResourceId']}: {one['ResourceStatusReason']}"
            for one in events
            if one["ResourceStatus"].endswith("_FAILED") and one["LogicalResourceId"] != "smbench-demo"
        ]

    def account(self) -> dict[str, Any]:
        """All that can be seen of the account."""
        emulator = self.emulator
        return copy.deepcopy(
            {
                "buckets": {
                    name: (bucket.settings, bucket.versioning, tags)
                    for name, tags in emulator.s3.tagged().items()
                    for bucket in (emulator.s3.bucket(name.rpartition(":")[2]),)
                },
                "topics": emulator.sns.tagged(),
                "roles": (emulator.iam.roles, emulator.iam.policies),
                "models": emulator.sagemaker.models,
                "configs": emulator.sagemaker.configs,
                "tags": emulator.sagemaker.tags,
                "endpoints": {
                    name: self.call("sagemaker", "DescribeEndpoint", {"EndpointName": name})
                    for name in emulator.hosting.endpoints
                },
                "targets": self._scaling("DescribeScalableTargets"),
                "policies": self._scaling("DescribeScalingPolicies"),
                "alarms": self.call("monitoring", "DescribeAlarms", {})["MetricAlarms"],
            }
        )

    def _scaling(self, operation: str) -> Any:
        return self.call("application-autoscaling", operation, {"ServiceNamespace": "sagemaker"})
