"""Goal: a stack of the emulated region is the template and nothing else, comes whole or not at all, and goes whole.

Method: the product's own templates carried out inside one emulator, on time that the test moves; then one thing wrong
at a time. A property counts as honoured if the account differs without it.
"""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest

from region import Region
from smbench.emulator.protocol.codecs import ServiceError
from smbench.scenario.deploy import Deploy
from smbench.stack.template import template

IMAGE = {"image": "demo:1"}
DEPLOYS: dict[str, dict[str, Any]] = {
    "async": {"model": IMAGE | {"environment": {"A": "1"}}, "concurrency": 4, "include_response": True},
    "serverless": {
        "kind": "serverless",
        "model": IMAGE,
        "serverless": {"memory": 3072, "max_concurrency": 10, "provisioned": 2},
    },
    "serverless, scaled": {
        "kind": "serverless",
        "model": IMAGE,
        "serverless": {"max_concurrency": 10, "provisioned": 2, "scaling": {"max": 8, "target": 0.5}},
    },
    "realtime": {"kind": "realtime", "model": IMAGE, "routing": "RANDOM", "scaling": {"min": 1, "max": 3}},
    "async, artifact elsewhere": {
        "model": IMAGE | {"artifact": "s3://other/model.tar.gz"},
        "scaling": {"min": 1, "max": 5, "target": 2},
    },
    "async, existing model": {"model": {"name": "theirs"}},
    "serverless, plain": {"kind": "serverless", "model": IMAGE},
    "realtime, fixed": {"kind": "realtime", "model": IMAGE, "instances": 2},
}


def document(kind: str = "async", **more: Any) -> dict[str, Any]:
    wanted = Deploy.model_validate(DEPLOYS[kind] | more)
    packed = None if wanted.model.artifact or wanted.model.name else "k"
    made: dict[str, Any] = json.loads(json.dumps(template("demo", wanted, packed)))
    return made


@pytest.mark.parametrize("kind", DEPLOYS)
def test_a_stack_comes_whole_serves_and_goes_whole(kind: str) -> None:
    region = Region()
    empty = region.account()
    assert region.bring(document(kind)) == "CREATE_COMPLETE", region.failures()
    hosted = region.emulator.hosting.endpoints["smbench-demo"]
    assert (hosted.status, hosted.kind) == ("InService", kind.partition(",")[0])
    resources = region.stacks("DescribeStackResources")["StackResources"]
    assert {one["ResourceStatus"] for one in resources} == {"CREATE_COMPLETE"}
    stack_id = region.stacks("DescribeStacks")["Stacks"][0]["StackId"]
    region.stacks("DeleteStack")
    region.wait()
    assert region.status(stack_id) == "DELETE_COMPLETE"
    assert region.account() == empty
    with pytest.raises(ServiceError, match="does not exist"):
        region.status()


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every property that is no intrinsic function's argument."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in members:
        if isinstance(key, str) and (key == "Ref" or key.startswith("Fn::")):
            return
        yield (*path, key)
        yield from leaves(item, (*path, key))


def without(text: dict[str, Any], name: str, path: tuple[Any, ...]) -> dict[str, Any]:
    changed = copy.deepcopy(text)
    place = changed["Resources"][name]["Properties"]
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return changed


WRITE_ONLY = {("Endpoint", ("RetainAllVariantProperties",))}  # of an update; it has a test of its own


def new_properties() -> dict[str, list[tuple[str, tuple[Any, ...]]]]:
    """By kind, each property whose value no kind before sets in a resource of its type."""
    seen: set[tuple[str, str, str]] = set()
    found: dict[str, list[tuple[str, tuple[Any, ...]]]] = {}
    for kind in DEPLOYS:
        for name, resource in document(kind)["Resources"].items():
            for path in leaves(resource.get("Properties", {})):
                value = resource["Properties"]
                for key in path:
                    value = value[key]
                it = (resource["Type"], str(path), json.dumps(value))
                if it not in seen and (name, path) not in WRITE_ONLY:
                    found.setdefault(kind, []).append((name, path))
                seen.add(it)
    return found


NEW = new_properties()


@pytest.mark.slow  # a stack for each property that any template sets
@pytest.mark.parametrize("kind", NEW)
def test_every_property_that_a_template_sets_changes_the_account_or_its_absence_is_refused(kind: str) -> None:
    text, region = document(kind), Region()
    region.bring(text)
    whole = region.account()
    ignored = []
    for name, path in NEW[kind]:
        other = Region()
        try:
            is_same = other.bring(without(text, name, path)) == "CREATE_COMPLETE" and other.account() == whole
        except ServiceError:
            continue
        if is_same:
            ignored.append((name, path))
    # A default that is spelled out is no difference: what is left must be exactly these.
    assert set(ignored) <= {
        ("EndpointConfig", ("ProductionVariants", 0, "InitialVariantWeight")),
        ("TrackingPolicy", ("PolicyType",)),
        ("WakeAlarm", ("TreatMissingData",)),
        ("WakePolicy", ("PolicyType",)),
        ("WakePolicy", ("StepScalingPolicyConfiguration", "Cooldown")),
    }


def test_a_resource_that_cannot_be_made_takes_all_others_back_and_says_why() -> None:
    region = Region()
    region.call(
        "sagemaker", "CreateModel", {"ModelName": "m", "ExecutionRoleArn": "r", "PrimaryContainer": {"Image": "i"}}
    )
    variant = {"VariantName": "AllTraffic", "ModelName": "m", "InstanceType": "ml.m5.xlarge", "InitialInstanceCount": 1}
    region.call("sagemaker", "CreateEndpointConfig", {"EndpointConfigName": "other", "ProductionVariants": [variant]})
    region.call("sagemaker", "CreateEndpoint", {"EndpointName": "smbench-demo", "EndpointConfigName": "other"})
    region.wait()
    before = region.account()
    assert region.bring(document()) == "ROLLBACK_COMPLETE"
    assert region.account() == before
    (failure,) = region.failures()
    assert failure.startswith("Endpoint: Cannot create already existing endpoint")


def test_a_bucket_that_is_not_empty_stays_and_the_rest_goes() -> None:
    region = Region()
    region.bring(document())
    (arn,) = region.emulator.s3.tagged()
    bucket = arn.rpartition(":")[2]
    region.emulator.s3.put(bucket, "k", b"1")
    region.stacks("DeleteStack")
    region.wait()
    assert region.status() == "DELETE_FAILED"
    assert region.failures() == [
        "Bucket: The bucket you tried to delete is not empty. You must delete all versions in the bucket. "
        "(Status Code: 409; Error Code: BucketNotEmpty)"
    ]
    assert not region.emulator.hosting.endpoints
    kept = region.emulator.s3.bucket(bucket)
    versions = [kept.mark_deleted("k", 0), *kept.versions_of("k")[1:]]
    assert len(versions) == 2
    region.stacks("DeleteStack")
    region.wait()
    assert region.status() == "DELETE_FAILED"
    for version in versions:
        kept.delete_version("k", version.version)
    region.stacks("DeleteStack")
    region.wait()
    assert not region.emulator.s3.tagged()


def test_a_bucket_that_shall_keep_versions_no_more_keeps_those_there_are() -> None:
    region = Region()
    region.bring(document())
    (arn,) = region.emulator.s3.tagged()
    bucket = region.emulator.s3.bucket(arn.rpartition(":")[2])
    assert bucket.versioning == "Enabled"
    text = document()
    del text["Resources"]["Bucket"]["Properties"]["VersioningConfiguration"]
    assert region.bring(text, "UPDATE") == "UPDATE_COMPLETE"
    assert bucket.versioning == "Suspended"


def test_an_update_replaces_the_configuration_keeps_the_endpoint_and_its_count() -> None:
    region = Region()
    region.bring(document(scaling={"min": 0, "max": 4}))
    hosted = region.emulator.hosting.endpoints["smbench-demo"]
    region.emulator.hosting.resize(hosted, [(hosted, 3)])
    region.wait(400)
    before = hosted.config_name
    assert region.bring(document(scaling={"min": 0, "max": 4}, include_response=False), "UPDATE") == "UPDATE_COMPLETE"
    assert hosted.config_name != before
    assert list(region.emulator.sagemaker.configs) == [hosted.config_name]
    assert hosted.desired > 1, "the configuration's own count is 1"


def test_an_update_of_the_concurrency_brings_instances_with_so_many_slots_and_keeps_their_count() -> None:
    region = Region()
    two: dict[str, Any] = {"scaling": {"min": 2}, "instances": 2}
    region.bring(document(**two))
    assert region.bring(document(**two, concurrency=7), "UPDATE") == "UPDATE_COMPLETE", region.failures()
    hosted = region.emulator.hosting.endpoints["smbench-demo"]
    fleet = region.emulator.world.endpoints["smbench-demo"]
    assert (hosted.status, fleet.settings.concurrency, fleet.in_service) == ("InService", 7, 2)
    assert region.bring(document(**two), "UPDATE") == "UPDATE_COMPLETE"
    assert (fleet.settings.concurrency, fleet.in_service) == (4, 2)


def test_an_update_that_fails_gives_back_what_was() -> None:
    region = Region()
    region.bring(document())
    before, resources = region.account(), region.stacks("DescribeStackResources")["StackResources"]
    assert region.bring(document(instance="ml.m5.2xlarge"), "UPDATE") == "UPDATE_ROLLBACK_COMPLETE"
    after = region.account()
    assert before["configs"].keys() == after["configs"].keys()
    assert before["policies"] == after["policies"]
    assert [one["LogicalResourceId"] for one in resources] == [
        one["LogicalResourceId"] for one in region.stacks("DescribeStackResources")["StackResources"]
    ]


def test_a_change_set_names_what_it_replaces_and_one_without_changes_fails() -> None:
    region = Region()
    region.bring(document())
    for text, changed in ((document(), set()), (document(instance="ml.c5.xlarge"), {"EndpointConfig", "Endpoint"})):
        region.stacks(
            "CreateChangeSet", ChangeSetName="u", TemplateBody=json.dumps(text), Capabilities=["CAPABILITY_IAM"]
        )
        shown = region.stacks("DescribeChangeSet", ChangeSetName="u")
        names = {one["ResourceChange"]["LogicalResourceId"] for one in shown["Changes"]}
        assert (names, shown["Status"]) == (changed, "CREATE_COMPLETE" if changed else "FAILED")
        region.stacks("DeleteChangeSet", ChangeSetName="u")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"Type": "AWS::EC2::Instance"}, "make resources of type AWS::EC2::Instance"),
        ({"Type": "AWS::SNS::Topic", "Properties": {"FifoTopic": True}}, "property FifoTopic of AWS::SNS::Topic"),
        ({"Type": "AWS::SNS::Topic", "DeletionPolicy": "Snapshot"}, "policy Snapshot"),
        ({"Type": "AWS::SNS::Topic", "CreationPolicy": {}}, "CreationPolicy"),
        ({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Ref": "Nothing"}}}, "Nothing"),
        ({"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::GetAZs": "x"}}}, "Fn::GetAZs"),
    ],
)
def test_what_the_emulator_does_not_understand_is_refused_by_name(change: dict[str, Any], said: str) -> None:
    text, region = document(), Region()
    text["Resources"]["SuccessTopic"] = change
    with pytest.raises(ServiceError, match=said):
        region.bring(text)


def test_conditions_and_functions_give_what_cloudformation_documents() -> None:
    region = Region()
    name = {"Fn::Join": ["-", [{"Fn::Select": [1, {"Fn::Split": [",", "a,b"]}]}, {"Ref": "P"}, {"Ref": "AWS::Region"}]]}
    text = {
        "Parameters": {"P": {"Type": "String", "Default": "p"}},
        "Conditions": {
            "Is": {"Fn::Equals": [{"Ref": "P"}, "p"]},
            "Not": {"Fn::Not": [{"Condition": "Is"}]},
            "Both": {"Fn::And": [{"Condition": "Is"}, {"Fn::Or": [{"Condition": "Not"}, {"Condition": "Is"}]}]},
        },
        "Resources": {
            "T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}},
            "N": {"Type": "AWS::SNS::Topic", "Condition": "Not"},
        },
        "Outputs": {
            "A": {"Value": {"Fn::If": ["Both", {"Fn::Sub": ["${x}/${T.TopicName}/${!y}", {"x": "X"}]}, "no"]}},
            "B": {"Value": {"Fn::If": ["Not", {"Ref": "N"}, "none"]}},
        },
    }
    assert region.bring(text) == "CREATE_COMPLETE", region.failures()
    outputs = {one["OutputKey"]: one["OutputValue"] for one in region.stacks("DescribeStacks")["Stacks"][0]["Outputs"]}
    assert outputs == {"A": "X/b-p-us-east-1/${y}", "B": "none"}
    assert len(region.emulator.sns.tagged()) == 1


TOPIC = {"Type": "AWS::SNS::Topic"}


@pytest.mark.parametrize(
    "value",
    [
        *({"Fn::Join": wrong} for wrong in ("x", ["-"], [1, ["a"]], ["-", "abc"], ["-", {"Ref": "P"}])),
        *({"Fn::Select": wrong} for wrong in ("x", [0], [7, ["a"]], ["one", ["a"]], [-1, ["a"]], [0, "abc"])),
        *({"Fn::Split": wrong} for wrong in ("x", ["-"], [1, "a-b"], ["", "a-b"])),
        *({"Fn::If": wrong} for wrong in ("x", ["No"], [["No"], 1, 2])),
        *({"Fn::Sub": wrong} for wrong in (7, ["x"], ["x", "y"], ["x", {}, 1])),
        *({"Fn::GetAtt": wrong} for wrong in (7, ["T"], ["T", "A", "B"], "T", ["Bucket", "No"])),
        *({"Ref": wrong} for wrong in (7, ["T"], {"a": "b"})),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_output", [False, True], ids=["of a resource", "of an output"])
def test_a_function_with_wrong_arguments_fails_the_stack_and_leaves_nothing(value: Any, is_output: bool) -> None:
    region = Region()
    properties = {} if is_output else {"TopicName": value}
    text = {
        "Parameters": {"P": {"Type": "String", "Default": "p"}},
        "Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}, "T": TOPIC | {"Properties": properties}},
        "Outputs": {"A": {"Value": value}} if is_output else {},
    }
    try:
        came_to = region.bring(text)
    except ServiceError as error:
        came_to = error.code
    assert came_to in ("ROLLBACK_COMPLETE", "ValidationError")
    assert region.emulator.sns.tagged() == {}


def test_a_template_is_validated_without_values_and_a_stack_tells_its_own() -> None:
    region = Region()
    declared = {"Name": {"Type": "String", "Default": "a"}, "Key": {"Type": "String", "NoEcho": True}}
    text = json.dumps({"Parameters": declared, "Resources": {"T": {"Type": "AWS::SNS::Topic"}}})
    shown = region.call("cloudformation", "ValidateTemplate", {"TemplateBody": text})["Parameters"]
    assert shown == [
        {"ParameterKey": "Name", "NoEcho": False, "DefaultValue": "a"},
        {"ParameterKey": "Key", "NoEcho": True},
    ]
    with pytest.raises(ServiceError, match="Either Template URL or Template Body must be specified"):
        region.call("cloudformation", "ValidateTemplate", {})
    given = [{"ParameterKey": "Key", "ParameterValue": "hush"}]
    made = {"ChangeSetName": "c", "ChangeSetType": "CREATE", "TemplateBody": text, "Parameters": given}
    region.stacks("CreateChangeSet", **made)
    region.stacks("ExecuteChangeSet", ChangeSetName="c")
    (stack,) = region.stacks("DescribeStacks")["Stacks"]
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert values == {"Name": "a", "Key": "****"}


def test_resources_that_need_each_other_are_refused() -> None:
    circle = {name: {"Type": "AWS::SNS::Topic", "DependsOn": other} for name, other in (("A", "B"), ("B", "A"))}
    with pytest.raises(ServiceError, match=r"Circular dependency between resources: \[A, B\]"):
        Region().bring({"Resources": circle})


def test_a_role_needs_the_capability_that_says_so() -> None:
    with pytest.raises(ServiceError, match="CAPABILITY_IAM"):
        Region().stacks(
            "CreateChangeSet", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=json.dumps(document())
        )
