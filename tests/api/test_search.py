"""Goal: a capacity search runs a probe a run, goes on after a kill, and its answer does not show that there was one.

Method: the whole search with runs that the model makes in place of processes; one small search with processes.
"""

import json
import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import smbench
from emulated_aws import ENDPOINT
from smbench.api.predicting.simulate import simulate
from smbench.api.result import Run
from smbench.api.run import reported
from smbench.api.sweeping import searching
from smbench.api.sweeping.search import ASKED_FILE
from smbench.api.sweeping.sweep import QUESTION_FILE
from smbench.cli.app import app
from smbench.errors import ExitCode, NotBegunError, ResultsError, UsageError
from smbench.findings import Finding, Verdict
from smbench.generator.plan import RunPlan
from smbench.lifecycle import cells
from smbench.lifecycle.carry_out import CarriedOut, Settings
from smbench.processes.session import SessionEnd
from smbench.results.marks import InUseError, sole_user
from smbench.sweeping import capacity
from smbench.sweeping.asked import Bill
from whole_story import any_keys, story

SCENARIO: dict[str, Any] = {
    "name": "two",
    "target": {
        "emulated": {
            "instances": {"min": 2, "max": 2, "concurrency": 1},
            "service": {"lognormal": {"median": "1s", "sigma": 0.3}},
            "time": "warp",
        }
    },
    "load": [{"poisson": {"rate": "1/s", "for": "60s"}}],
    "drain": "2h",
}
C_OVER_S = 2 / math.exp(0.3**2 / 2)
ERRORS = "error_share < 10%"  # so lax that short probes decide it


@pytest.fixture
def by_the_model(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Runs are made by the model; the folders in order."""
    made: list[Path] = []

    def carried_out(plan: RunPlan, _origin: object, settings: Settings, *_others: object) -> CarriedOut:
        run = simulate(plan.scenario, results=settings.results, base_dir=plan.base_dir)
        assert run.path is not None
        made.append(run.path)
        return CarriedOut(run.path, SessionEnd(), (), was_interrupted=False)

    monkeypatch.setattr(cells, "carry_out", carried_out)
    return made


@pytest.mark.slow  # nine runs of the model with their reports
def test_a_search_finds_c_over_s_and_one_that_was_killed_gives_the_same_answer(
    tmp_path: Path, by_the_model: list[Path]
) -> None:
    asked: dict[str, Any] = {"slo": ERRORS, "requests": 500, "results": tmp_path, "progress": "none"}
    found = smbench.search(SCENARIO, **asked)
    assert found.to_json()["exit_status"] == found.exit_status == ExitCode.OK
    assert found.found.low_hz <= C_OVER_S <= found.found.high_hz
    assert found.rate_hz == pytest.approx(C_OVER_S, rel=0.07)
    assert found.table.height == len(found.probes) == len(by_the_model)
    assert found.run(1).summary.rates.offered_hz == pytest.approx(1.0, rel=0.2)
    page = (found.path / "search.html").read_bytes()
    answer = found.to_json()
    assert answer["rate_hz"] == found.rate_hz
    assert answer["probes"][0]["run"].startswith("cells/0001/")

    finished = json.loads((found.path / cells.FINISHED_FILE).read_bytes())
    for number in list(finished)[3:]:
        del finished[number]
    (found.path / cells.FINISHED_FILE).write_text(json.dumps(finished))
    for probe in found.probes[3:]:
        shutil.rmtree(probe.run)
    n_before = len(by_the_model)
    again = smbench.resume_search(found.path, progress="none")
    assert len(by_the_model) - n_before == len(found.probes) - 3
    assert again.found == found.found
    assert (found.path / "search.html").read_bytes() == page


def test_a_search_of_an_endpoint_that_completes_nothing_ends_with_its_first_probes(
    tmp_path: Path, by_the_model: list[Path]
) -> None:
    emulated = {**SCENARIO["target"]["emulated"], "faults": {"container_errors": "100%"}}
    found = smbench.search(
        {**SCENARIO, "target": {"emulated": emulated}}, slo=ERRORS, requests=400, results=tmp_path, progress="none"
    )
    assert len(by_the_model) == 2  # that were asked for together
    assert "none of" in found.stopped
    assert "the endpoint fails at any rate; mend it, or its payloads" in found.stopped
    assert found.exit_status is ExitCode.INVALID


def spoil(monkeypatch: pytest.MonkeyPatch, *numbers: int) -> None:
    """The generator was late in these probes."""
    judged = reported

    def late(done: CarriedOut) -> Run:
        run = judged(done)
        if int(done.path.parent.name) not in numbers:
            return run
        lateness = Finding(
            name="schedule kept", verdict=Verdict.INVALID, expected="99 % of requests sent in time", seen="p99 2 s late"
        )
        return replace(run, findings=(*run.findings, lateness))

    monkeypatch.setattr(searching, "reported", late)


def test_a_probe_in_which_the_generator_was_late_is_made_again_and_counts_for_nothing(
    tmp_path: Path, by_the_model: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, 3, 6)
    found = smbench.search(SCENARIO, slo=ERRORS, requests=400, probes=8, results=tmp_path, progress="none")
    assert not found.stopped
    left_out = [probe for probe in found.probes if probe.kept.spoiled]
    assert len(left_out) == 2
    assert len(by_the_model) <= 8  # those that were spoiled are among the most that may be made
    assert found.found == capacity.found([probe.seen for probe in found.probes if probe not in left_out])
    assert str(found).count("left out") == 2
    assert "Left out: probe 3: the run is invalid: schedule kept: p99 2 s late (expected: 99 %" in " ".join(
        str(found).split()
    )
    assert found.table["spoiled"].null_count() == len(found.probes) - 2
    again = smbench.resume_search(found.path, progress="none")
    assert again.to_json() == found.to_json()
    assert found.rate_hz is not None
    for cut, status in (({"interrupted": True}, ExitCode.INTERRUPTED), ({"stopped": "time"}, ExitCode.INVALID)):
        unsure = replace(found, **cut)
        assert unsure.rate_hz is unsure.to_json()["rate_hz"] is None  # as its sentences: not over, or not known
        assert unsure.exit_status is status


def test_two_late_probes_one_after_the_other_end_a_search_and_say_nothing_of_the_endpoint(
    tmp_path: Path, by_the_model: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, 3, 4)  # of which both say that the backlog grows
    found = smbench.search(SCENARIO, slo=ERRORS, requests=400, results=tmp_path, progress="none")
    assert len(by_the_model) == 4
    assert "schedule kept: p99 2 s late" in found.stopped
    assert (found.rate_hz, found.found.high_hz, found.exit_status) == (None, math.inf, ExitCode.INVALID)
    assert "no rate is known to be kept" in str(found)


@pytest.mark.slow  # runs with workers of their own
def test_a_serverless_endpoint_is_searched_for_what_it_takes_without_throttles(tmp_path: Path) -> None:
    scenario = {
        **SCENARIO,
        "target": {
            "kind": "serverless",
            "emulated": {"serverless": {"max_concurrency": 3, "cold_start": "1s"}, "service": "1s", "time": "warp"},
        },
    }
    said = CliRunner().invoke(
        app, ["search", "--slo", "rejected < 10%", "--requests", "400", "--probes", "4", "--results", str(tmp_path),
              "--between", "0.5/s,8/s", "-o", "json", "--ui", "none", _written(scenario, tmp_path)]
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    answer = json.loads(said.stdout)
    assert answer["binds"] == "rejected < 10%"
    # Erlang B: of 3 environments 10 % of the calls are throttled at 1.27 erlang.
    assert answer["low_hz"] <= 1.27 <= answer["high_hz"]


def _written(scenario: dict[str, Any], folder: Path) -> str:
    file = folder / "scenario.yaml"
    file.write_text(json.dumps(scenario))
    return str(file)


@pytest.mark.parametrize(
    ("changes", "asked", "said"),
    [
        ({}, {"slo": "backlog < 500"}, "cannot be searched for"),
        ({}, {"slo": "p95 < 30"}, "needs a unit"),
        ({}, {"slo": "p99.9 < 30s", "requests": 5000}, "at least 20,000 are needed"),
        ({}, {"between": ("2/s", "1/s")}, "is not below"),
        ({}, {"between": ("fast", "1/s")}, "must be a rate"),
        ({}, {"probes": 2}, "too few to bracket"),
        ({"load": [{"closed": {"outstanding": 2, "requests": 10}}]}, {}, "closed loop"),
        ({"load": [{"replay": {"trace": "trace.csv"}}]}, {}, "a recorded trace"),
        ({"thresholds": ["max < 3s"]}, {}, "'max < 3s' cannot be searched for"),
    ],
)
def test_what_is_wrong_in_a_search_is_one_sentence_before_a_folder_is_made(
    tmp_path: Path, changes: dict[str, Any], asked: dict[str, Any], said: str
) -> None:
    (tmp_path / "trace.csv").write_text("t\n0\n1\n2\n")
    results = tmp_path / "results"
    with pytest.raises(UsageError) as failed:
        smbench.search({**SCENARIO, **changes}, results=results, base_dir=tmp_path, **asked)
    assert said in failed.value.message
    assert not results.exists()


def test_on_a_real_endpoint_nothing_is_sent_before_its_cost_was_agreed_to(tmp_path: Path) -> None:
    shown: list[Bill] = []

    def refuse(bill: Bill) -> bool:
        shown.append(bill)
        return False

    real = {**SCENARIO, "target": {"kind": "async", "endpoint": "mine", "instance_hour": 0.5}}  # nothing is described
    with pytest.raises(NotBegunError):
        smbench.search(real, results=tmp_path / "results", confirm=refuse, max_time="4h")
    (bill,) = shown
    assert (bill.endpoint, bill.hours, bill.usd) == ("mine", 4.0, 2.0)
    assert "at most 16 runs" in bill.sentence
    assert "2.00 USD for each instance" in bill.sentence
    assert not (tmp_path / "results").exists()


def test_the_command_shows_the_cost_and_asks(tmp_path: Path) -> None:
    real = {**SCENARIO, "target": {"kind": "async", "endpoint": "mine"}}
    said = CliRunner().invoke(
        app, ["search", _written(real, tmp_path), "--results", str(tmp_path / "results")], input="n\n"
    )
    assert isinstance(said.exception, NotBegunError)
    assert "its cost is not known" in said.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.slow  # two runs of the model with their reports
def test_where_even_the_lowest_rate_fails_or_the_highest_is_kept_one_sentence_says_so(
    tmp_path: Path, by_the_model: list[Path]
) -> None:
    asked: dict[str, Any] = {"slo": ERRORS, "requests": 400, "results": tmp_path, "progress": "none"}
    high = smbench.search(SCENARIO, between=(3.0, 6.0), **asked)
    assert high.exit_status is ExitCode.THRESHOLD
    assert "even the lowest rate, 3.00/s, fails" in str(high)
    low = smbench.search(SCENARIO, between=(0.25, 0.5), **asked)
    assert low.exit_status is ExitCode.INVALID
    assert "even the highest rate, 30.0/min, is kept" in str(low)
    assert by_the_model


@pytest.mark.parametrize("content", ["{", "[]", "{}", "null", '{"question": [], "prices": 1}'])
def test_a_folder_whose_question_is_not_whole_cannot_be_gone_on_with(tmp_path: Path, content: str) -> None:
    for name, go_on in ((ASKED_FILE, smbench.resume_search), (QUESTION_FILE, smbench.resume_sweep)):
        (tmp_path / name).write_text(content)
        with pytest.raises(ResultsError, match=f"{name} (cannot be read|is damaged)"):
            go_on(tmp_path)


def test_a_search_or_a_sweep_that_goes_on_is_gone_on_with_by_nobody_else(tmp_path: Path) -> None:
    for what, go_on in (("search", smbench.resume_search), ("sweep", smbench.resume_sweep)):
        with sole_user(tmp_path), pytest.raises(InUseError, match=f"the {what} in .* is going on in another process"):
            go_on(tmp_path, progress="none")


def test_a_search_that_may_cost_more_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    any_keys(monkeypatch)
    asked: dict[str, Any] = {"slo": "p50 < 1s", "max_time": "2h", "results": tmp_path}
    bills: list[float] = []

    def no(bill: Bill) -> bool:
        bills.append(bill.hours)
        return False

    with smbench.emulate(story("realtime", {"instances": {"min": 1, "max": 1}})) as url:
        for usd, error in ((0.1, UsageError), (float("nan"), UsageError), (1e6, NotBegunError)):
            with pytest.raises(error):
                smbench.search(
                    story("realtime"), endpoint=ENDPOINT, endpoint_url=url, max_cost=usd, confirm=no, **asked
                )
    assert bills == [2.0]
    assert list(tmp_path.iterdir()) == []
