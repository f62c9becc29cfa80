"""Goal: templates as the CDK and SAM write them, and stacks that read what others export or the Parameter Store holds.

Method: each carried out inside one emulator, on time that the test moves; words of refusal are those of public reports
of AWS's own.
"""

import json
from typing import Any

import pytest

from region import Region
from smbench.emulator.protocol.codecs import ServiceError

VERSION = "/cdk-bootstrap/hnb659fds/version"
OF_THE_CDK = {
    "Parameters": {"BootstrapVersion": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": VERSION}},
    "Rules": {
        "CheckBootstrapVersion": {
            "Assertions": [
                {
                    "Assert": {"Fn::Not": [{"Fn::Contains": [["1", "2", "3"], {"Ref": "BootstrapVersion"}]}]},
                    "AssertDescription": "CDK bootstrap stack version 6 required.",
                }
            ]
        }
    },
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
}
TOPIC = {"Type": "AWS::SNS::Topic"}
EXPORTING = {"Resources": {"T": TOPIC}, "Outputs": {"Arn": {"Value": {"Ref": "T"}, "Export": {"Name": "topic"}}}}
IMPORTING = {
    "Parameters": {"Which": {"Type": "String", "Default": "topic"}},
    "Resources": {
        "S": {
            "Type": "AWS::SNS::Subscription",
            "Properties": {
                "TopicArn": {"Fn::ImportValue": {"Fn::Sub": "${Which}"}},
                "Protocol": "email",
                "Endpoint": "a@example.com",
            },
        }
    },
}


def put(region: Region, name: str, value: str, kind: str = "String", **more: Any) -> None:
    region.call("ssm", "PutParameter", {"Name": name, "Value": value, "Type": kind} | more)


def create(region: Region, name: str, template: dict[str, Any], **more: Any) -> None:
    region.stacks("CreateStack", StackName=name, TemplateBody=json.dumps(template), **more)
    region.wait()


def test_a_template_of_the_cdk_asks_the_parameter_store_for_the_version_and_holds_it_to_its_rule() -> None:
    region = Region()
    with pytest.raises(ServiceError, match=r"Unable to fetch parameters \[/cdk-bootstrap/.*\] from parameter store"):
        region.bring(OF_THE_CDK)
    put(region, VERSION, "3")
    with pytest.raises(ServiceError, match="CDK bootstrap stack version 6 required"):
        region.bring(OF_THE_CDK)
    put(region, VERSION, "30", Overwrite=True)
    assert region.bring(OF_THE_CDK) == "CREATE_COMPLETE"
    (parameter,) = region.stacks("DescribeStacks")["Stacks"][0]["Parameters"]
    assert parameter == {"ParameterKey": "BootstrapVersion", "ParameterValue": VERSION, "ResolvedValue": "30"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        ({"Fn::EachMemberEquals": [["a", "a"], "a"]}, True),
        ({"Fn::EachMemberIn": [["a", "z"], ["a", "b"]]}, False),
        ({"Fn::Or": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": [{"Ref": "AWS::Region"}, "us-east-1"]}]}, True),
        ({"Fn::And": [{"Fn::Equals": ["a", "b"]}, {"Fn::Equals": ["a", "a"]}]}, False),
    ],
)
def test_a_rule_counts_where_its_condition_holds(rule: dict[str, Any], holds: bool) -> None:
    asserted = {"Assertions": [{"Assert": rule, "AssertDescription": "as said"}]}
    for is_met in (True, False):
        met = asserted | {"RuleCondition": {"Fn::Equals": ["x", "x" if is_met else "y"]}}
        template = {"Resources": {"T": TOPIC}, "Rules": {"R": met}}
        if holds or not is_met:
            assert Region().bring(template) == "CREATE_COMPLETE"
        else:
            with pytest.raises(ServiceError, match="as said"):
                Region().bring(template)
    with pytest.raises(ServiceError, match="Fn::RefAll"):
        Region().bring({"Resources": {"T": TOPIC}, "Rules": {"R": {"Assertions": [{"Assert": {"Fn::RefAll": "x"}}]}}})


def test_values_come_from_the_parameter_store_by_type_and_by_reference() -> None:
    region = Region()
    put(region, "/names", "a,b", "StringList")
    put(region, "/label", "hello")
    template = {
        "Parameters": {"Names": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/names"}},
        "Resources": {
            "T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": {"Fn::Select": [1, {"Ref": "Names"}]}}},
            "U": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": "{{resolve:ssm:/label:1}}!"}},
            "P": {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": {"Ref": "T"}, "Name": "/t"}},
        },
        "Outputs": {"P": {"Value": {"Fn::GetAtt": ["P", "Value"]}}},
    }
    assert region.bring(template) == "CREATE_COMPLETE", region.failures()
    arn = "arn:aws:sns:us-east-1:123456789012:b"
    assert region.outputs() == {"P": arn}
    assert region.call("ssm", "GetParameter", {"Name": "/t"})["Parameter"]["Value"] == arn
    (other,) = [one for one in region.emulator.sns.tagged() if one != arn]
    assert region.call("sns", "GetTopicAttributes", {"TopicArn": other})["Attributes"]["DisplayName"] == "hello!"
    region.stacks("DeleteStack")
    region.wait()
    with pytest.raises(ServiceError) as refused:
        region.call("ssm", "GetParameter", {"Name": "/t"})
    assert refused.value.code == "ParameterNotFound"
    for reference, said in (("ssm:/none", "/none"), ("secretsmanager:x", "secretsmanager")):
        template["Resources"] = {
            "U": {"Type": "AWS::SNS::Topic", "Properties": {"DisplayName": f"{{{{resolve:{reference}}}}}"}}
        }
        template["Outputs"] = {}
        create(region, f"not-{reference[:3]}", template)
        events = region.stacks("DescribeStackEvents", StackName=f"not-{reference[:3]}")["StackEvents"]
        assert any(said in one.get("ResourceStatusReason", "") for one in events)


def test_the_parameter_store_keeps_pages_and_refuses_as_it_should() -> None:
    region = Region()
    for number in range(3):
        put(region, f"/a/{number}", str(number))
    put(region, "/a/b/c", "deep")
    asked = {"Path": "/a", "MaxResults": 2}
    first = region.call("ssm", "GetParametersByPath", asked)
    rest = region.call("ssm", "GetParametersByPath", asked | {"NextToken": first["NextToken"]})
    assert [one["Value"] for one in (*first["Parameters"], *rest["Parameters"])] == ["0", "1", "2"]
    assert "NextToken" not in rest
    deep = region.call("ssm", "GetParametersByPath", {"Path": "/a", "Recursive": True})["Parameters"]
    assert len(deep) == 4
    found = region.call("ssm", "GetParameters", {"Names": ["/a/0", "/z"]})
    assert ([one["Name"] for one in found["Parameters"]], found["InvalidParameters"]) == (["/a/0"], ["/z"])
    for params, code in (
        ({"Name": "/a/0", "Value": "x", "Type": "String"}, "ParameterAlreadyExists"),
        ({"Name": "/aws/x", "Value": "x", "Type": "String"}, "ValidationException"),
        ({"Name": "/n", "Value": "x"}, "ValidationException"),
        ({"Name": "/n", "Value": "x", "Type": "SecureString"}, "NotImplemented"),
        ({"Name": "/n", "Value": "x" * 4097, "Type": "String"}, "ValidationException"),
    ):
        with pytest.raises(ServiceError) as refused:
            region.call("ssm", "PutParameter", params)
        assert refused.value.code == code
    arn = region.call("ssm", "GetParameter", {"Name": "/a/0"})["Parameter"]["ARN"]
    assert region.call("ssm", "GetParameter", {"Name": f"{arn}:1"})["Parameter"]["Value"] == "0"
    with pytest.raises(ServiceError, match="could not find version 2"):
        region.call("ssm", "GetParameter", {"Name": "/a/0:2"})


def test_what_another_stack_imports_can_neither_be_deleted_nor_changed() -> None:
    region = Region()
    create(region, "early", IMPORTING)
    assert region.status("early") == "ROLLBACK_COMPLETE"  # no export of that name
    create(region, "giver", EXPORTING)
    create(region, "taker", IMPORTING)
    assert region.status("taker") == "CREATE_COMPLETE"
    assert region.stacks("ListImports", ExportName="topic") == {"Imports": ["taker"]}
    said = "Delete canceled. Cannot delete export topic as it is in use by taker."
    region.stacks("DeleteStack", StackName="giver")
    region.wait()
    last = region.stacks("DescribeStackEvents", StackName="giver")["StackEvents"][0]
    assert (region.status("giver"), last["ResourceStatusReason"]) == ("CREATE_COMPLETE", said)
    region.stacks("UpdateStack", StackName="giver", TemplateBody=json.dumps({"Resources": EXPORTING["Resources"]}))
    region.wait()
    events = region.stacks("DescribeStackEvents", StackName="giver")["StackEvents"]
    assert region.status("giver") == "UPDATE_ROLLBACK_COMPLETE"
    assert said in [one.get("ResourceStatusReason") for one in events[:3]]
    region.stacks("DeleteStack", StackName="taker")
    region.wait()
    with pytest.raises(ServiceError, match="Export 'topic' is not imported by any stack"):
        region.stacks("ListImports", ExportName="topic")
    region.stacks("DeleteStack", StackName="giver")
    region.wait()
    assert region.stacks("ListExports")["Exports"] == []


def test_a_stack_that_cannot_be_made_vanishes_where_that_is_asked_for() -> None:
    region = Region()
    broken = {"Type": "AWS::SNS::Subscription", "DependsOn": "T", "Properties": {"TopicArn": "x", "Protocol": "sqs"}}
    create(region, "gone", {"Resources": {"T": TOPIC, "S": broken}}, OnFailure="DELETE")
    (stack,) = region.stacks("ListStacks")["StackSummaries"]
    assert (stack["StackStatus"], region.emulator.sns.tagged()) == ("DELETE_COMPLETE", {})


def test_a_transform_that_changes_nothing_is_taken_and_must_be_acknowledged() -> None:
    template = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"T": TOPIC}}
    region = Region()
    with pytest.raises(ServiceError, match="CAPABILITY_AUTO_EXPAND"):
        create(region, "sam", template)
    create(region, "sam", template, Capabilities=["CAPABILITY_AUTO_EXPAND"])
    assert region.status("sam") == "CREATE_COMPLETE"
    for kind, transform, said in (
        ("AWS::Serverless::Function", "AWS::Serverless-2016-10-31", "AWS::Serverless::Function"),
        ("AWS::SNS::Topic", "AWS::LanguageExtensions", "AWS::LanguageExtensions"),
    ):
        with pytest.raises(ServiceError, match=said) as refused:
            region.bring({"Transform": [transform], "Resources": {"T": {"Type": kind}}})
        assert refused.value.status == 501


def test_a_scalable_target_brings_its_scheduled_actions_and_takes_them_along() -> None:
    region = Region()
    config = {
        "ProductionVariants": [
            {"VariantName": "A", "ModelName": "theirs", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        ]
    }

    def template(*names: str) -> dict[str, Any]:
        actions = [
            {"ScheduledActionName": name, "Schedule": "rate(1 day)", "ScalableTargetAction": {"MinCapacity": "1"}}
            for name in names
        ]
        target = {
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": {"Fn::Sub": "endpoint/${E.EndpointName}/variant/A"},
            "MinCapacity": 0,
            "MaxCapacity": 2,
            "RoleARN": "arn:aws:iam::123456789012:role/any",
            "ScheduledActions": actions,
        }
        return {
            "Resources": {
                "C": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config},
                "E": {
                    "Type": "AWS::SageMaker::Endpoint",
                    "Properties": {"EndpointConfigName": {"Fn::GetAtt": ["C", "EndpointConfigName"]}},
                },
                "T": {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "Properties": target},
            }
        }

    def names() -> list[str]:
        asked = {"ServiceNamespace": "sagemaker"}
        found = region.call("application-autoscaling", "DescribeScheduledActions", asked)["ScheduledActions"]
        return [one["ScheduledActionName"] for one in found]

    assert region.bring(template("morning", "noon")) == "CREATE_COMPLETE", region.failures()
    assert names() == ["morning", "noon"]
    assert region.bring(template("noon", "night"), "UPDATE") == "UPDATE_COMPLETE"
    assert names() == ["noon", "night"]
    region.stacks("DeleteStack")
    region.wait()
    assert names() == []
