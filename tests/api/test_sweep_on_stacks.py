"""Goal: a sweep brings up an endpoint for each configuration, measures it and leaves an empty account.

Method: the command in this process against the emulated region in another thread; runs in real time, of a second each.
"""

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import boto3  # boto3 has no types of its own
import polars as pl
import pytest
from typer.testing import CliRunner

import smbench
from guarded_region import allowed_by, gated, require_exact
from plain_services import isolate_aws
from smbench.account.stack_permissions import CALLED_FOR
from smbench.api.deploy import Destroyed
from smbench.api.stacks import priced
from smbench.api.sweeping import on_stacks
from smbench.api.sweeping.on_stacks import Account, Stack, bill_of
from smbench.api.sweeping.question import question_of
from smbench.cli.app import app
from smbench.errors import ExitCode, NotBegunError, ResultsError, TargetError, UsageError
from smbench.processes.interrupts import Interrupts
from smbench.scenario.deploy import Deploy
from smbench.scenario.model import Scenario
from smbench.sweeping.question import Cell, cells_of

SCENARIO: dict[str, Any] = {
    "name": "two-sizes",
    "deploy": {"kind": "serverless", "model": {"image": "any"}, "serverless": {"memory": 1024, "max_concurrency": 20}},
    "load": [{"constant": {"rate": "5/s", "for": "1s"}}],
}
MEMORY = "deploy.serverless.memory"
BY_CLOUDFORMATION = {action for actions in CALLED_FOR.values() for action in actions}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    emulated = {"name": "region", "target": {"emulated": {"service": "20ms"}}, "load": SCENARIO["load"]}
    with smbench.emulate(emulated, provision_s=0.1) as address:
        yield address


@pytest.fixture(autouse=True)
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    isolate_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.chdir(tmp_path)


def endpoints(url: str) -> list[str]:
    found = boto3.client("sagemaker", endpoint_url=url).list_endpoints()["Endpoints"]
    return [one["EndpointName"] for one in found if one["EndpointName"] != "smbench-emulated"]


@pytest.mark.slow  # two stacks and a run on each, with processes of its own
def test_each_configuration_is_measured_on_its_own_stack_and_nothing_is_left(url: str, tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(json.dumps({"scenario": SCENARIO, "matrix": {MEMORY: [1024, 2048]}}))
    command = ["sweep", "sweep.yaml", "--stack", "sizes", "--endpoint-url", url]
    refused = CliRunner().invoke(app, command, input="n\n")
    assert "smbench-sizes-1 to smbench-sizes-2 are brought up, 2 at one time" in refused.stderr
    assert isinstance(refused.exception, NotBegunError)
    assert not (tmp_path / "results").exists()
    done = CliRunner().invoke(app, [*command, "--yes", "-o", "json"])
    # A machine that is busy with other tests may spoil a verdict, which is not what is asked here.
    assert done.exit_code in (ExitCode.OK, ExitCode.INVALID), (done.output, done.exception)
    (folder,) = (tmp_path / "results").iterdir()
    assert pl.read_parquet(folder / "sweep.parquet")[MEMORY].to_list() == ["1024", "2048"]
    for number in (1, 2):
        (run,) = (folder / "cells" / f"{number:04d}").iterdir()
        measured = smbench.report(run)
        assert measured.manifest.target["endpoint"] == f"smbench-sizes-{number}"
        assert measured.requests.collect()["outcome"].to_list() == ["completed"] * 5
    assert endpoints(url) == []


@pytest.mark.slow  # two stacks and a run on each, with processes of its own
def test_a_sweep_makes_the_calls_that_its_policy_allows_and_uses_each(url: str, tmp_path: Path) -> None:
    kinds = {
        "waits": {"deploy.kind": "async", "deploy.scaling": {"min": 1, "max": 2}},
        "answers": {"deploy.kind": "realtime", "deploy.scaling": {"min": 1, "max": 2}},
    }
    asked = {"scenario": SCENARIO | {"deploy": {"model": {"image": "any"}}}, "matrix": {"kind": kinds}}
    policy = smbench.policy(asked, purpose="sweep", stack="kinds", endpoint_url=url)
    with gated() as gate:
        gate.allows = lambda call: allowed_by(policy, call)
        done = smbench.sweep(asked, stack="kinds", endpoint_url=url, results=tmp_path, progress="none")
    assert (done.dropped, done.left) == ({}, ())
    # A notice that comes needs no look at output, queue and subscription; no stack is changed here.
    unheard = {"s3:GetObject", "sqs:GetQueueAttributes", "sns:GetSubscriptionAttributes"}
    require_exact(policy, gate, BY_CLOUDFORMATION | unheard | {"sagemaker:DescribeEndpointConfig"})
    assert endpoints(url) == []


def concurrency_cells(deploy: dict[str, Any], **asked: Any) -> Sequence[Cell]:
    base = {"name": "most", "deploy": {"model": {"image": "i"}, **deploy}, "load": SCENARIO["load"]}
    question = question_of(base, None, None, {"concurrency": asked}, (), None, None, ())
    return cells_of(question, on_stacks=True)


def test_the_concurrency_benchmark_has_a_stack_for_each_maximum_and_by_default_the_stacks_own() -> None:
    cells = concurrency_cells({"kind": "serverless"}, max_concurrency=[2, 4], clients=[1, 1.5, 2])
    stacks = on_stacks.stacks_of("most", cells)
    assert [one.wanted.serverless.max_concurrency for one in stacks if one.wanted.serverless] == [2, 4]
    assert [one.cells for one in stacks] == [(1, 2, 3), (4, 5, 6)]
    assert [(cell.trial["max"], cell.trial["clients"]) for cell in cells] == [
        *(("2", "2"), ("2", "3"), ("2", "4")),
        *(("4", "4"), ("4", "6"), ("4", "8")),
    ]
    for deploy, own in (({}, "20"), ({"serverless": {"max_concurrency": 7}}, "7")):
        (cell,) = concurrency_cells({"kind": "serverless", **deploy}, clients=[1])
        assert cell.trial == {"max": own, "clients": own}
        assert len(on_stacks.stacks_of("most", [cell])) == 1


@pytest.mark.parametrize("maxima", [{}, {"max_concurrency": [2]}])
def test_the_concurrency_benchmark_of_a_stack_with_instances_is_refused(maxima: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="sets a serverless endpoint's maximum, and deploy"):
        on_stacks.stacks_of("most", concurrency_cells({"kind": "realtime"}, **maxima))


@pytest.mark.slow  # two stacks and two runs on each, with processes of its own
def test_beyond_the_maximum_of_its_stack_a_call_is_throttled(url: str, tmp_path: Path) -> None:
    asked = {"max_concurrency": [2, 4], "clients": [1, 2], "requests": 8}
    done = smbench.sweep(
        {"scenario": SCENARIO, "benchmarks": {"concurrency": asked}},
        stack="most",
        endpoint_url=url,
        results=tmp_path,
        progress="none",
    )
    assert (done.dropped, done.left) == ({}, ())
    ends = {number: done.run(number).requests.collect()["outcome"].to_list() for number in (1, 2, 3, 4)}
    rejected = {number: outcomes.count("rejected") for number, outcomes in ends.items()}
    assert (rejected[1], rejected[3]) == (0, 0)
    assert min(rejected[2], rejected[4]) > 0, "twice as many clients as the maximum"
    assert endpoints(url) == []


def test_what_an_instance_costs_is_each_cells_own_and_makes_no_stack_of_its_own() -> None:
    deploy = {"model": {"image": "i"}, "kind": "realtime", "instance_hour": 2.0}
    base = {"name": "priced", "deploy": deploy, "load": SCENARIO["load"]}
    cells = cells_of(question_of(base, {"target.instance_hour": [3.0, 5.0]}, None, None, (), None, None, ()))
    (stack,) = on_stacks.stacks_of("p", cells)
    assert (stack.cells, bill_of([stack]).hour_usd) == ((1, 2), 5.0)
    assert [priced(cell.scenario).target.instance_hour for cell in cells] == [3.0, 5.0]
    (plain,) = cells_of(question_of(base, None, None, None, (), None, None, ()))
    assert priced(plain.scenario).target.instance_hour == 2.0
    assert bill_of(on_stacks.stacks_of("p", [plain])).hour_usd == 2.0


class Region:
    """What is there of stacks, as `deploy` and `destroy` of this module find it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, fails: Sequence[str] = (), stays: Sequence[str] = ()) -> None:
        self.there: set[str] = set()
        self.most = 0
        self.said: list[str] = []
        self._fails, self._stays, self._lock = fails, stays, threading.Lock()
        for name in ("deploy", "destroy"):
            monkeypatch.setattr(on_stacks, name, getattr(self, name))
        monkeypatch.setattr(on_stacks, "_APART_S", 0.0)

    def deploy(self, name: str, _wanted: Deploy, **_where: Any) -> None:
        with self._lock:
            self.there.add(name)
            self.most = max(self.most, len(self.there))
        if name in self._fails:
            raise TargetError(f"{name}: quota reached")

    def destroy(self, name: str, **_where: Any) -> Destroyed:
        with self._lock:
            if name in self._stays:
                raise TargetError(f"{name} could not be deleted")
            was_there = name in self.there
            self.there.discard(name)
        return Destroyed(name, 0, (), "us-east-1", was_there)

    def work(self, n: int, measure: Callable[[Stack], None], interrupts: Interrupts, n_over: int = 0) -> list[str]:
        stacks = [Stack(f"s-{place}", Deploy(), (place,)) for place in range(1, n + n_over + 1)]
        drop = lambda stack, error: self.said.append(f"dropped {stack.name}: {error.message}")  # noqa: E731
        return on_stacks.on_stacks(
            stacks[n_over:], stacks[:n_over], Account(), Path(), measure, drop, lambda _text: None, interrupts
        )


def test_all_are_measured_in_their_order_few_at_one_time_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    region, measured = Region(monkeypatch), list[str]()

    def measure(stack: Stack) -> None:
        assert stack.name in region.there
        measured.append(stack.name)

    assert region.work(9, measure, Interrupts()) == []
    assert measured == [f"s-{place}" for place in range(1, 10)]
    assert region.there == set()
    assert 1 <= region.most <= on_stacks.AT_ONCE


def test_one_that_cannot_be_brought_up_is_dropped_with_its_reason_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    region, measured = Region(monkeypatch, fails=["s-2"]), list[str]()
    assert region.work(3, lambda stack: measured.append(stack.name), Interrupts()) == []
    assert measured == ["s-1", "s-3"]
    assert region.said == ["dropped s-2: s-2: quota reached"]
    assert region.there == set()


def test_after_an_interrupt_nothing_is_begun_or_measured_and_what_is_there_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    region, measured, interrupts = Region(monkeypatch), list[str](), Interrupts()

    def measure(stack: Stack) -> None:
        measured.append(stack.name)
        interrupts.give("SIGINT")

    assert region.work(9, measure, interrupts) == []
    assert measured == ["s-1"]
    assert region.there == set()


@pytest.mark.parametrize("stage", ["deploy", "destroy"])
def test_an_interrupt_while_stacks_come_up_or_go_leaves_none(monkeypatch: pytest.MonkeyPatch, stage: str) -> None:
    region, measured, interrupts = Region(monkeypatch), list[str](), Interrupts()
    work = getattr(region, stage)

    def interrupted(name: str, *given: Any, **where: Any) -> Any:
        interrupts.give("SIGINT")
        return work(name, *given, **where)

    monkeypatch.setattr(on_stacks, stage, interrupted)
    assert region.work(9, lambda stack: measured.append(stack.name), interrupts) == []
    assert len(measured) < (1 if stage == "deploy" else 9)
    assert region.there == set()


def test_what_ends_the_sweep_leaves_no_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    region = Region(monkeypatch)

    def measure(_stack: Stack) -> None:
        raise ResultsError("the disk is full")

    with pytest.raises(ResultsError):
        region.work(9, measure, Interrupts())
    assert region.there == set()


def test_a_stack_that_stays_is_named_and_one_of_a_killed_sweep_is_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    region, measured = Region(monkeypatch, stays=["s-2"]), list[str]()
    region.there = {"s-1"}
    assert region.work(1, lambda stack: measured.append(stack.name), Interrupts(), n_over=1) == [
        "s-2 could not be deleted"
    ]
    assert measured == ["s-2"]
    assert region.there == {"s-2"}


@pytest.mark.parametrize(
    ("changes", "asked", "words"),
    [
        ({"deploy": None}, {"matrix": {}}, "there is none"),
        ({}, {"matrix": {"target.emulated.service": ["1s", "2s"]}}, "vary keys of `deploy`|means nothing for a stack"),
        ({"target": {"endpoint": "mine"}}, {}, "both name what is measured"),
        ({"deploy": {"kind": "realtime"}}, {}, "no model"),
        ({}, {"stack": "Upper"}, "cannot be a stack's name"),
        ({}, {"max_cost": -1.0}, "not within --max-cost"),
        ({}, {"rule": "discounted"}, "compares memory sizes"),
    ],
    ids=["no section", "a key of the emulator", "an endpoint", "no model", "the name", "the cost", "the rule"],
)
def test_what_cannot_be_brought_up_is_refused_before_anything_is_made(
    tmp_path: Path, changes: dict[str, Any], asked: dict[str, Any], words: str
) -> None:
    scenario = {key: value for key, value in {**SCENARIO, **changes}.items() if value is not None}
    with pytest.raises(UsageError, match=words):
        smbench.sweep(scenario, **{"stack": "sizes", "results": tmp_path / "results", **asked})
    assert not (tmp_path / "results").exists()


def test_the_bill_is_of_the_dearest_that_are_there_together() -> None:
    def stack(place: int, usd: float) -> Stack:
        wanted = Deploy.model_validate({"kind": "realtime", "model": {"image": "i"}, "instance_hour": usd})
        return Stack(f"s-{place}", wanted, (place,))

    bill = bill_of([stack(place, usd) for place, usd in enumerate((1.0, 4.0, 2.0, 3.0), 1)])
    assert bill.hour_usd == pytest.approx(9.0)
    assert "at most 9.00 USD" in bill.sentence


@pytest.mark.parametrize("kind", ["async", "serverless", "realtime"])
def test_a_scenario_with_a_stack_of_any_kind_is_itself_when_every_default_is_written_out(kind: str) -> None:
    scenario = Scenario.model_validate({**SCENARIO, "deploy": {"kind": kind, "model": {"image": "i"}}})
    assert Scenario.model_validate_json(scenario.model_dump_json(by_alias=True)) == scenario
