"""Goal: the Python API is small, named in one place, and costs nothing before it is used.

Method: a fresh interpreter; the simulator where a run is needed.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest

import smbench
from smbench.api.loops import outside_loops, waited_for
from smbench.errors import ResultsError, ScenarioError, UsageError
from smbench.processes.interrupts import Interrupts
from smbench.scenario.model import Scenario

SCENARIO: dict[str, Any] = {
    "name": "surface",
    "target": {"emulated": {"instances": {"min": 1, "max": 1}, "service": "100ms", "time": "warp"}},
    "load": [{"constant": {"rate": "5/s", "for": "4s"}}],
    "thresholds": ["failed == 0"],
}


def test_every_public_name_is_there_and_documented() -> None:
    assert smbench.__all__ == sorted(smbench.__all__)
    assert all(getattr(smbench, name).__doc__ for name in smbench.__all__)
    assert set(smbench.__all__) <= set(dir(smbench))
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text(encoding="utf-8")
    functions = [name for name in smbench.__all__ if name.islower()]
    assert [name for name in functions if f"`{name}(" not in page] == []


def test_a_name_that_there_is_not_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="sweep_up"):
        _ = smbench.sweep_up


def test_to_import_it_imports_nothing_else() -> None:
    code = "import sys, smbench; print([m for m in sys.modules if m.split('.')[0] in ('polars', 'pydantic', 'anyio')])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


def test_to_check_a_scenario_imports_no_reader_of_results_or_traces() -> None:
    code = """if True:
        import sys, smbench
        smbench.validate("quick-start")
        print([m for m in sys.modules if m == "polars" or m.startswith(("smbench.analysis", "smbench.results."))])
    """
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout == "[]\n"


@pytest.mark.parametrize("given", [SCENARIO, Scenario.model_validate(SCENARIO)], ids=["mapping", "Scenario"])
def test_a_scenario_may_be_plain_data_or_a_scenario(given: Any) -> None:
    assert smbench.validate(given).n_requests == 20


def test_a_scenario_may_be_a_shipped_one_by_its_name() -> None:
    assert smbench.validate("quick-start").scenario.name == "quick-start"


def test_every_mistake_in_plain_data_is_named_by_its_key_without_a_line() -> None:
    wrong = {**SCENARIO, "drian": "1m", "load": [{"constant": {"rate": "5/h/s", "for": "4s"}}]}
    with pytest.raises(ScenarioError) as failed:
        smbench.validate(wrong)
    message = failed.value.message
    assert "did you mean 'drain'?" in message
    assert "load.0.constant.rate" in message
    assert "scenario:0" not in message
    assert "scenario:1" not in message


def test_a_simulation_has_the_figures_of_a_report() -> None:
    run = smbench.simulate(SCENARIO, seed=3)
    assert run.path is None
    assert run.manifest.seeds["arrivals"] == 3
    assert run.summary.counts.completed == run.requests.collect().height == 20
    assert run.to_json()["summary"]["counts"]["completed"] == 20
    assert [one.passed for one in run.thresholds] == [True]
    assert (run.interrupted, run.failure, run.exit_status) == (False, "", 0)


def test_a_run_shows_its_report_as_text_and_in_a_notebook() -> None:
    run = smbench.simulate({**SCENARIO, "thresholds": []})
    assert str(run).splitlines()[0].startswith(run.verdict.value.upper())
    assert all(line == line.rstrip() for line in str(run).splitlines())
    assert run._repr_html_().startswith("<pre")
    assert "surface" in repr(run)


def test_an_interpreter_shows_every_result_in_one_line_of_its_own() -> None:
    results = [getattr(smbench, name) for name in smbench.__all__ if isinstance(getattr(smbench, name), type)]
    shown = [one for one in results if hasattr(one, "to_text") or one is smbench.Validation]
    assert len(shown) > 8
    for one in shown:
        assert not hasattr(one.__repr__, "__wrapped__"), one  # a dataclass's own would show all that it holds
    assert repr(smbench.validate(SCENARIO)) == "<smbench.Validation surface: 20 requests, 0 warnings>"


def test_every_result_that_a_terminal_shows_a_notebook_shows_too() -> None:
    results = [getattr(smbench, name) for name in smbench.__all__ if isinstance(getattr(smbench, name), type)]
    shown = [one for one in results if hasattr(one, "to_text")]
    assert len(shown) > 8
    assert [one.__name__ for one in shown if one.__str__ is object.__str__ or not hasattr(one, "_repr_html_")] == []


def test_a_real_endpoint_cannot_be_simulated() -> None:
    with pytest.raises(UsageError, match="no model"):
        smbench.simulate({**SCENARIO, "target": {"endpoint": "mine"}})


def test_one_run_is_nothing_to_compare() -> None:
    with pytest.raises(UsageError, match="only one run or group"):
        smbench.compare("results/one")


def test_a_simulation_cannot_be_compared() -> None:
    run = smbench.simulate(SCENARIO)
    with pytest.raises(UsageError, match="no folder"):
        smbench.compare(run, run)


async def test_a_call_from_a_running_loop_has_a_thread_of_its_own_and_its_errors_arrive() -> None:
    async def answer() -> int:
        return 42

    assert outside_loops(lambda: anyio.run(answer), Interrupts()) == 42
    with pytest.raises(UsageError, match="no such thing"):
        outside_loops(_failing, Interrupts())


async def test_what_waits_in_a_notebook_is_ended_by_its_stop_button() -> None:
    closed: list[str] = []

    async def asked_for(name: str) -> None:
        try:
            os.kill(os.getpid(), signal.SIGINT)  # a kernel's stop button
            await anyio.sleep(20)
        finally:
            closed.append(name)

    with pytest.raises(KeyboardInterrupt):
        waited_for(asked_for, "clients")
    assert closed == ["clients"]


def test_a_signal_that_comes_while_a_task_works_ends_what_waits_as_any_other() -> None:
    """Python raises KeyboardInterrupt wherever it is, and a task group wraps it."""

    async def working() -> None:
        async with anyio.create_task_group():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        waited_for(working)


async def test_what_fails_while_it_is_waited_for_is_raised_as_it_is() -> None:
    async def failing() -> None:
        raise UsageError("no")

    with pytest.raises(UsageError, match="no"):
        waited_for(failing)


def _failing() -> int:
    raise UsageError("no such thing")


PREDICTED = {"load": [{"burst": {"requests": 1}}], "name": "one"}


@pytest.mark.parametrize("seed", [-5, 2**63, 1.5, True])
def test_what_is_no_seed_is_refused_by_every_function_that_takes_one(tmp_path: Path, seed: Any) -> None:
    for ask in (
        lambda: smbench.run(PREDICTED, seed=seed, results=tmp_path),
        lambda: smbench.simulate(PREDICTED, seed=seed, results=tmp_path),
        lambda: smbench.sweep(PREDICTED, seeds=[seed] if seed != 1.5 else "1.5", results=tmp_path),
    ):
        with pytest.raises(UsageError, match="seed"):
            ask()
    assert list(tmp_path.iterdir()) == []


def test_the_largest_seed_has_replications_too() -> None:
    assert smbench.simulate(PREDICTED, seed=2**63 - 1, replications=3).summary.prediction is not None


def test_a_transport_that_there_is_not_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="transport 'smoke': must be wire or sdk"):
        smbench.run(PREDICTED, transport="smoke", results=tmp_path)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_name_is_not_utf8_is_refused_before_anything_is_made_in_it(tmp_path: Path) -> None:
    odd = tmp_path / os.fsdecode(b"caf\xe9")
    odd.mkdir()
    with pytest.raises(ResultsError, match="is not UTF-8: results cannot be kept there"):
        smbench.simulate(PREDICTED, results=odd / "results")
    with pytest.raises(UsageError, match="is not UTF-8"):
        smbench.simulate(PREDICTED, base_dir=odd)
    file = odd / "scenario.yaml"
    file.write_text("name: one\nload: [{burst: {requests: 1}}]\n")
    with pytest.raises(UsageError, match="is not UTF-8"):
        smbench.simulate(file)
    assert list(odd.iterdir()) == [file]
