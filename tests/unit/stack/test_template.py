"""Goal: a template that lints clean, allows the least, and is refused by us where AWS would refuse it.

Method: templates of every kind through cfn-lint; then each mistake that the linter lets pass, one at a time.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from smbench.errors import ScenarioError
from smbench.pricing.table import current_prices
from smbench.scenario.deploy import Deploy, is_stack_name
from smbench.scenario.load import scenario_of
from smbench.stack import cost
from smbench.stack.soundness import problems_of
from smbench.stack.template import Template, template

IMAGE = {"image": "123456789012.dkr.ecr.us-east-1.amazonaws.com/m:1"}
KINDS: dict[str, dict[str, Any]] = {
    "async": {"model": IMAGE},
    "async, all": {
        "model": IMAGE | {"artifact": "s3://other/model.tar.gz", "environment": {"A": "1"}},
        "concurrency": 4,
        "include_response": True,
        "scaling": {"min": 1, "max": 5, "target": 2},
    },
    "async, existing model": {"model": {"name": "mine"}},
    "serverless": {"kind": "serverless", "model": IMAGE},
    "serverless, fixed": {
        "kind": "serverless",
        "model": IMAGE,
        "serverless": {"memory": 3072, "max_concurrency": 10, "provisioned": 2},
    },
    "serverless, scaled": {
        "kind": "serverless",
        "model": IMAGE,
        "serverless": {"max_concurrency": 10, "provisioned": 2, "scaling": {"min": 1, "max": 8, "target": 0.5}},
    },
    "realtime": {"kind": "realtime", "model": IMAGE, "routing": "RANDOM", "scaling": {"min": 1, "max": 3}},
}


def deployed(kind: str) -> Template:
    return template("demo", Deploy.model_validate(KINDS[kind]), "models/0a/model.tar.gz" if kind == "async" else None)


@pytest.mark.slow  # the linter loads its rules and AWS's schemas: ten seconds
def test_every_template_lints_without_findings() -> None:
    api = pytest.importorskip("cfnlint.api", reason="cfn-lint is not installed")
    for document in map(deployed, KINDS):
        assert [str(match) for match in api.lint(json.dumps(document))] == []  # as its command does


@pytest.mark.parametrize("kind", KINDS)
def test_what_we_make_is_sound_by_our_own_checks(kind: str) -> None:
    assert problems_of(deployed(kind)) == []


def test_the_endpoint_wakes_from_zero_where_zero_is_allowed_and_only_there() -> None:
    assert {"WakePolicy", "WakeAlarm"} <= deployed("async")["Resources"].keys()
    assert {"WakePolicy", "WakeAlarm"}.isdisjoint(deployed("async, all")["Resources"])


def test_an_existing_model_needs_neither_a_role_nor_a_model_of_ours() -> None:
    resources = deployed("async, existing model")["Resources"]
    assert {"Role", "Model"}.isdisjoint(resources)
    assert resources["EndpointConfig"]["Properties"]["ProductionVariants"][0]["ModelName"] == "mine"


def test_the_role_publishes_to_both_topics_and_touches_no_other_bucket() -> None:
    statements = deployed("async")["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    by_sid = {statement["Sid"]: statement for statement in statements}
    assert by_sid["Notices"]["Resource"] == [{"Ref": "SuccessTopic"}, {"Ref": "ErrorTopic"}]
    assert {sid for sid, statement in by_sid.items() if statement["Resource"] == "*"} == {"Image", "Metrics"}
    assert "Artifact" not in by_sid


def _variant(document: Template) -> dict[str, Any]:
    variant: dict[str, Any] = document["Resources"]["EndpointConfig"]["Properties"]["ProductionVariants"][0]
    return variant


MISTAKES: dict[str, tuple[str, Callable[[Template], object]]] = {
    "ARN of Model": ("async", lambda t: _variant(t).update(ModelName={"Ref": "Model"})),
    "ARN of EndpointConfig": (
        "async",
        lambda t: t["Resources"]["Endpoint"]["Properties"].update(EndpointConfigName={"Ref": "EndpointConfig"}),
    ),
    "ARN of Endpoint": (
        "async",
        lambda t: t["Resources"]["WakeAlarm"]["Properties"]["Dimensions"].__setitem__(
            0, {"Name": "EndpointName", "Value": {"Ref": "Endpoint"}}
        ),
    ),
    "lower or an upper bound": (
        "async",
        lambda t: t["Resources"]["WakePolicy"]["Properties"]["StepScalingPolicyConfiguration"].update(
            StepAdjustments=[{"ScalingAdjustment": 1}]
        ),
    ),
    "must be one of 1024": ("serverless", lambda t: _variant(t)["ServerlessConfig"].update(MemorySizeInMB=1500)),
    "above MaxConcurrency": (
        "serverless",
        lambda t: _variant(t)["ServerlessConfig"].update(ProvisionedConcurrency=21),
    ),
    "8 is above MaxConcurrency of the endpoint": (
        "serverless, scaled",
        lambda t: _variant(t)["ServerlessConfig"].update(MaxConcurrency=7),
    ),
    "must be at least 1: AWS scales only what": (
        "serverless, scaled",
        lambda t: t["Resources"]["ScalableTarget"]["Properties"].update(MinCapacity=0),
    ),
    "no ProvisionedConcurrency to scale": (
        "serverless, scaled",
        lambda t: _variant(t)["ServerlessConfig"].pop("ProvisionedConcurrency"),
    ),
    "MessageBody or MessageAttributes": (
        "async",
        lambda t: t["Resources"].update(
            Sub={"Type": "AWS::SNS::Subscription", "Properties": {"FilterPolicyScope": "Body"}}
        ),
    ),
}


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_that_no_linter_finds_is_named_with_its_place(said: str) -> None:
    kind, spoil = MISTAKES[said]
    document = json.loads(json.dumps(deployed(kind)))
    spoil(document)
    (problem,) = problems_of(document)
    assert said in problem


def _scaled(**scaling: float) -> dict[str, Any]:
    sizes = {"max_concurrency": 10, "provisioned": 2}
    return {"kind": "serverless", "serverless": sizes | {"scaling": {"max": 8} | scaling}}


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"kind": "serverless", "scaling": {}}, "no instances to scale"),
        ({"kind": "realtime", "scaling": {"min": 0}}, "wakes from zero"),
        ({"kind": "realtime", "concurrency": 4}, "belongs to an endpoint of kind async"),
        ({"scaling": {"min": 3, "max": 2}}, "min 3 is above max 2"),
        ({"instances": 3}, "above scaling.max 2"),
        ({"scaling": {"in_cooldown": 0.5}}, "whole seconds"),
        ({"model": {"name": "m", "image": "i"}}, "used as it is"),
        ({"model": {"image": "i", "folder": "f", "artifact": "s3://b/k"}}, "one of folder and artifact"),
        ({"kind": "serverless", "serverless": {"memory": 1500}}, "memory must be one of"),
        ({"kind": "serverless", "serverless": {"provisioned": 30}}, "above max_concurrency"),
        ({"kind": "serverless", "serverless": {"scaling": {}}}, "needs provisioned of at least 1"),
        (_scaled(max=11), "scaling.max 11 is above max_concurrency 10"),
        (_scaled(min=3), "provisioned 2 is not within scaling.min 3 to scaling.max 8"),
        (_scaled(max=1), "provisioned 2 is not within scaling.min 1 to scaling.max 1"),
        (_scaled(min=0), "at least 1"),
        (_scaled(min=9), "min 9 is above max 8"),
        (_scaled(target=1.5), "at most 1"),
        (_scaled(out_cooldown=0.5), "whole seconds"),
    ],
)
def test_a_deploy_section_that_makes_no_sense_is_refused_in_words(wrong: dict[str, Any], said: str) -> None:
    scenario = {"name": "s", "deploy": wrong, "load": [{"constant": {"rate": "1/s", "for": "1s"}}]}
    with pytest.raises(ScenarioError, match=said):
        scenario_of(scenario, Path())


def test_a_serverless_stack_costs_what_is_provisioned_at_the_start_and_what_may_be_at_most(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    prices = current_prices()
    known = prices.model_copy(update={"per": {**prices.per, "serverless.provisioned_gb_second": 1 / 3600}})
    monkeypatch.setattr(cost, "current_prices", lambda: known)
    fixed, scaled = (Deploy.model_validate(KINDS[f"serverless, {which}"]) for which in ("fixed", "scaled"))
    at_start_and_most = [(one.at_start, one.at_most) for one in map(cost.hourly_cost, (fixed, scaled))]
    assert at_start_and_most == [pytest.approx((2 * 3, 2 * 3)), pytest.approx((2 * 2, 8 * 2))]


@pytest.mark.parametrize(("name", "is_good"), [("demo", True), ("a" * 40, True), ("a" * 41, False), ("1a", False)])
def test_a_stack_s_name_leaves_room_for_the_names_made_from_it(name: str, is_good: bool) -> None:
    assert is_stack_name(name) is is_good
