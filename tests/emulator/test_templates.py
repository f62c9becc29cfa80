"""Goal: the templates that people have (YAML, short forms, mappings, conditions, what the CDK and troposphere write).

Method: each carried out or refused inside one emulator, on time that the test moves, and held against what AWS's guides
say of it: the answers, the account, the errors' words.
"""

import json
from typing import Any

import pytest

from region import Region
from smbench.emulator.protocol.codecs import ServiceError

TOPIC = {"Type": "AWS::SNS::Topic"}
PERSONAL = """
AWSTemplateFormatVersion: 2010-09-09
Parameters:
  Stage: {Type: String, AllowedValues: [dev, prod], Default: dev}
  Seconds: {Type: Number, Default: 60, MaxValue: 100}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
Mappings:
  Visible: {dev: {Suffix: small}, prod: {Suffix: large}}
Conditions:
  ADev: !Not [!Condition IsProd]          # before what it names
  IsProd: !Equals [!Ref Stage, prod]
Resources:
  Role:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: 2012-10-17, Statement: []}
      ManagedPolicyArns: [!Sub "arn:${AWS::Partition}:iam::aws:policy/Some"]
  Given:
    Type: AWS::IAM::Policy
    Properties: {PolicyName: given, PolicyDocument: {Statement: []}, Roles: [!Ref Role]}
  Topic:
    Type: AWS::SNS::Topic
    Properties: {DisplayName: !Select [1, !Ref Names], Tags: [{Key: stage, Value: !Ref Stage}]}
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      QueueName: !Join ["-", [work, !FindInMap [Visible, !Ref Stage, Suffix]]]
      VisibilityTimeout: !Ref Seconds
  QueuePolicy:
    Type: AWS::SQS::QueuePolicy
    Properties:
      Queues: [!Ref Queue]
      PolicyDocument:
        Statement:
          - {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: "sqs:*", Resource: !GetAtt Queue.Arn}
  Subscription:
    Type: AWS::SNS::Subscription
    DependsOn: Other
    Properties:
      TopicArn: !Ref Topic
      Protocol: sqs
      Endpoint: !GetAtt [Queue, Arn]
      RawMessageDelivery: yes
      FilterPolicy: {kind: [!If [IsProd, big, small]]}
  Other: {Type: "AWS::SNS::Topic", Condition: IsProd}
Outputs:
  Date: {Value: 2012-10-17, Description: no date}
  Url: {Value: !GetAtt Queue.QueueUrl, Export: {Name: !Sub "${AWS::StackName}-url"}}
  Encoded: {Value: !Base64 x}
  Other: {Condition: IsProd, Value: !Ref Other}
"""


def test_a_template_in_yaml_is_carried_out_with_all_its_short_forms() -> None:
    region = Region()
    assert region.bring(PERSONAL) == "CREATE_COMPLETE", region.failures()
    sqs, sns = region.emulator.sqs, region.emulator.sns
    url = f"{region.emulator.url}/123456789012/work-small"
    assert region.outputs() == {"Date": "2012-10-17", "Url": url, "Encoded": "eA=="}
    asked = region.call("sqs", "GetQueueAttributes", {"QueueUrl": url, "AttributeNames": ["All"]})["Attributes"]
    assert asked["VisibilityTimeout"] == "60"
    ((topic, tags),) = sns.tagged().items()
    assert tags == {"smbench:stack": "demo", "stage": "dev"}
    assert region.call("sns", "GetTopicAttributes", {"TopicArn": topic})["Attributes"]["DisplayName"] == "b"
    for kind in ("small", "big"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        sns.publish(topic, kind, attributes=attributes)
    (heard,) = region.call("sqs", "ReceiveMessage", {"QueueUrl": url, "MaxNumberOfMessages": 10})["Messages"]
    assert heard["Body"] == "small"
    (role,) = region.emulator.iam.roles
    assert region.call("iam", "ListRolePolicies", {"RoleName": role})["PolicyNames"] == ["given"]
    attached = region.call("iam", "ListAttachedRolePolicies", {"RoleName": role})["AttachedPolicies"]
    assert attached == [{"PolicyName": "Some", "PolicyArn": "arn:aws:iam::aws:policy/Some"}]
    summary = region.stacks("GetTemplateSummary")
    stage = next(one for one in summary["Parameters"] if one["ParameterKey"] == "Stage")
    assert stage["ParameterConstraints"] == {"AllowedValues": ["dev", "prod"]}
    region.stacks("DeleteStack")
    region.wait()
    assert (sqs.tagged(), sns.tagged(), region.emulator.iam.roles) == ({}, {}, {})


def test_what_a_call_does_not_say_of_parameters_and_tags_stays_as_it_was() -> None:
    region = Region()
    stage = [{"ParameterKey": "Stage", "ParameterValue": "prod"}]
    region.bring(PERSONAL, Parameters=stage)
    same = [{"ParameterKey": name, "UsePreviousValue": True} for name in ("Stage", "Seconds", "Names")]
    asked = {"UsePreviousTemplate": True, "Capabilities": ["CAPABILITY_IAM"]}
    with pytest.raises(ServiceError, match="No updates are to be performed"):
        region.stacks("UpdateStack", **asked, Parameters=same)
    changed = [same[0], {"ParameterKey": "Seconds", "ParameterValue": "70"}]
    region.stacks("UpdateStack", **asked, Parameters=changed)
    region.wait()
    (stack,) = region.stacks("DescribeStacks")["Stacks"]
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    values = {one["ParameterKey"]: one["ParameterValue"] for one in stack["Parameters"]}
    assert values == {"Stage": "prod", "Seconds": "70", "Names": "a, b"}
    assert stack["Tags"] == [{"Key": "smbench:stack", "Value": "demo"}]
    with pytest.raises(ServiceError, match="usePreviousValue"):
        region.stacks(
            "CreateStack",
            StackName="new",
            TemplateBody=PERSONAL,
            Capabilities=["CAPABILITY_IAM"],
            Parameters=[{"ParameterKey": "Stage", "UsePreviousValue": True}],
        )


def test_new_tags_of_a_stack_reach_its_resources_and_new_outputs_are_a_change() -> None:
    region = Region()
    text: dict[str, Any] = {"Resources": {"T": TOPIC}}
    region.bring(text)
    assert region.bring(text, "UPDATE", Tags=[{"Key": "team", "Value": "ml"}]) == "UPDATE_COMPLETE"
    assert list(region.emulator.sns.tagged().values()) == [{"team": "ml"}]
    text["Outputs"] = {"A": {"Value": "1"}}
    assert region.bring(text, "UPDATE") == "UPDATE_COMPLETE"
    assert region.outputs() == {"A": "1"}


@pytest.mark.parametrize(
    ("given", "needed", "shown"),
    [([], "CAPABILITY_IAM", None), (["CAPABILITY_NAMED_IAM"], None, ["CAPABILITY_NAMED_IAM"])],
)
def test_a_stack_shows_the_capabilities_that_were_given_and_no_other(
    given: list[str], needed: str | None, shown: list[str] | None
) -> None:
    region = Region()
    assert region.bring({"Resources": {"T": TOPIC}}, Capabilities=given) == "CREATE_COMPLETE"
    (stack,) = region.stacks("DescribeStacks")["Stacks"]
    assert stack.get("Capabilities") == shown
    if needed is None:
        named = {"RoleName": "r", "AssumeRolePolicyDocument": {"Statement": []}}
        text = {"Resources": {"R": {"Type": "AWS::IAM::Role", "Properties": named}}}
        with pytest.raises(ServiceError, match=r"\[CAPABILITY_NAMED_IAM\]"):
            region.bring(text, "UPDATE", Capabilities=["CAPABILITY_IAM"])
        assert region.bring(text, "UPDATE", Capabilities=given) == "UPDATE_COMPLETE"


def test_what_shall_be_retained_stays_when_it_is_deleted_replaced_or_left_out() -> None:
    region = Region()
    kept = TOPIC | {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    names = ["one", "two", "three"]
    topics = {name: kept | {"Properties": {"TopicName": name}} for name in names}
    region.bring({"Resources": {"A": topics["one"], "B": topics["two"]}})
    region.bring({"Resources": {"A": topics["three"]}}, "UPDATE")  # A is replaced, B is left out
    region.stacks("DeleteStack")
    region.wait()
    assert sorted(arn.rpartition(":")[2] for arn in region.emulator.sns.tagged()) == sorted(names)


def test_a_stack_that_keeps_what_failed_is_not_taken_back_and_one_that_is_protected_stays() -> None:
    region = Region()
    text = {"Resources": {"T": TOPIC, "P": {"Type": "AWS::SNS::TopicPolicy", "DependsOn": "T", "Properties": {}}}}
    region.stacks("CreateStack", TemplateBody=json.dumps(text), DisableRollback=True, EnableTerminationProtection=True)
    region.wait()
    assert (region.status(), len(region.emulator.sns.tagged())) == ("CREATE_FAILED", 1)
    with pytest.raises(ServiceError, match="TerminationProtection"):
        region.stacks("DeleteStack")
    region.stacks("UpdateTerminationProtection", EnableTerminationProtection=False)
    region.stacks("DeleteStack")
    region.wait()
    summaries = region.call("cloudformation", "ListStacks", {"StackStatusFilter": ["DELETE_COMPLETE"]})
    assert [one["StackName"] for one in summaries["StackSummaries"]] == ["smbench-demo"]
    assert region.emulator.sns.tagged() == {}


def test_numbers_and_truths_may_be_written_as_text_as_parameters_always_are() -> None:
    region = Region()
    variant = {"VariantName": "v", "ModelName": "theirs", "InstanceType": "ml.m5.large"}
    config = {"ProductionVariants": [variant | {"InitialInstanceCount": {"Ref": "N"}, "InitialVariantWeight": "1"}]}
    text = {
        "Parameters": {"N": {"Type": "Number"}},
        "Resources": {"C": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config}},
    }
    assert region.bring(text, Parameters=[{"ParameterKey": "N", "ParameterValue": "2"}]) == "CREATE_COMPLETE"
    (kept,) = region.emulator.sagemaker.configs.values()
    assert kept["ProductionVariants"][0]["InitialInstanceCount"] == 2


def test_a_template_may_lie_in_the_regions_own_bucket() -> None:
    region = Region()
    region.emulator.site.url = "http://127.0.0.1:1"
    region.emulator.s3.create_bucket("kept")
    region.emulator.s3.put("kept", "a b.json", json.dumps({"Resources": {"T": TOPIC}}).encode())
    for url in ("http://127.0.0.1:1/kept/a%20b.json", "https://kept.s3.us-east-1.amazonaws.com/a%20b.json"):
        assert region.call("cloudformation", "ValidateTemplate", {"TemplateURL": url})["Parameters"] == []
    for url, said in (("http://127.0.0.1:1/kept/no", "Access Denied"), ("https://example.com/x", "not a valid S3")):
        with pytest.raises(ServiceError, match=said):
            region.call("cloudformation", "ValidateTemplate", {"TemplateURL": url})


@pytest.mark.parametrize(
    ("declared", "value", "said"),
    [
        ({"Type": "Number", "MinValue": 2}, "1", "'P' must be a number not less than 2"),
        ({"Type": "Number"}, "x", "'P' must be a number"),
        ({"Type": "String", "AllowedValues": ["a"]}, "b", "'P' must be one of AllowedValues"),
        ({"Type": "CommaDelimitedList", "AllowedValues": ["a"]}, "a,b", "'P' must be one of AllowedValues"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "1", r"P failed to satisfy constraint: must match pattern"),
        ({"Type": "String", "MaxLength": "1", "ConstraintDescription": "one letter"}, "ab", "constraint: one letter"),
        ({"Type": "AWS::EC2::VPC::Id"}, "a", "does not know parameters of type AWS::EC2"),
    ],
)
def test_a_parameter_is_held_to_what_its_declaration_says(declared: dict[str, Any], value: str, said: str) -> None:
    text = {"Parameters": {"P": declared}, "Resources": {"T": TOPIC}}
    with pytest.raises(ServiceError, match=said):
        Region().bring(text, Parameters=[{"ParameterKey": "P", "ParameterValue": value}])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Resources: {T: {Type: &t AWS::SNS::Topic}, U: {Type: *t}}", "YAML aliases are not allowed"),
        ("Resources: [", "YAML not well-formed"),
        ("{", "YAML not well-formed"),
        ("just words", "unsupported structure"),
        ("Resources: {}", "At least one Resources member"),
        ("Resources: {T: {Type: AWS::SNS::Topic}, T: {Type: AWS::SNS::Topic}}", "Duplicate key T"),
        ("Resources: " + "[" * 5000, "100 levels"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Condition: Nope}}", "Unresolved condition dependency Nope"),
        ("Resources: {T: {Type: AWS::SNS::Topic, DependsOn: Nope}}", "Unresolved resource dependencies"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref [a]}}}", "single String value"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !If [a]}}}", "3 elements"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !FindInMap [a, b, c]}}}", "a::b::c"),
        ("Resources: {T: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAZs a}}}", "Fn::GetAZs"),
        ("Hooks: {}\nResources: {T: {Type: AWS::SNS::Topic}}", "section Hooks"),
        (
            "Conditions: {A: !Condition B, B: !Not [!Condition A]}\nResources: {T: {Type: AWS::SNS::Topic}}",
            "circularly dependent",
        ),
    ],
)
def test_what_is_no_template_is_refused_in_words_that_name_the_place(text: str, said: str) -> None:
    with pytest.raises(ServiceError, match=said):
        Region().bring(text)
