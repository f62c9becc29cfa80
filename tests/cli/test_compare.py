"""Goal: `compare` says what may be concluded, and refuses in a sentence what may not be compared.

Method: runs on disk made by hand; the command as a function, with what it printed and its exit status, and the real
process where the exit status of an error is the point.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commands import in_here, smbench
from comparing import run_folder
from runs import EPOCH_NS, Request
from smbench.cli.compare import CompareOptions, compare_command
from smbench.errors import ExitCode, InvalidRunError, ResultsError, UsageError
from smbench.records import NotSent, Outcome
from smbench.results.manifest import ClockFacts, Host

pytestmark = pytest.mark.slow

Compare = Callable[..., tuple[int, str]]


@pytest.fixture
def compare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]) -> Compare:
    """The command in the folder of the runs: its status, and stdout without the blanks that fill lines."""
    monkeypatch.chdir(tmp_path)

    def run(*groups: str, **options: Any) -> tuple[int, str]:
        output, html = options.pop("output", "table"), options.pop("html", None)
        status = compare_command(CompareOptions(groups, options, output, html))
        text = capfdbinary.readouterr().out.decode()
        return status, "\n".join(line.rstrip() for line in text.splitlines())

    return run


def replications(folder: Path, name: str, factor: float, n: int = 5, **changes: Any) -> None:
    """n runs of 40 requests, each a little longer than the one before; groups of other names have other seeds."""
    for k in range(n):
        sojourns_s = [factor * (1 + 0.01 * k) * (1 + 0.02 * i) for i in range(40)]
        seed = 100 * sum(map(ord, name)) + k
        run_folder(folder / f"{name}-{k}", sojourns_s, **{"seeds": {"arrivals": seed}} | changes)


def test_runs_that_share_seeds_are_pairs_and_several_metrics_can_be_named(tmp_path: Path, compare: Compare) -> None:
    for k, factor in enumerate((1.05, 1.06, 1.04, 1.05)):
        replications(tmp_path, f"old{k}", 1 + k, n=1, seeds={"arrivals": k})
        replications(tmp_path, f"new{k}", factor * (1 + k), n=1, seeds={"arrivals": k})
    _, text = compare("old=old*", "new=new*", metric=("p95", "makespan"))
    assert "new: compared pair by pair, 4 pairs of runs that share all seeds." in text
    assert text.startswith("new against old: sojourn p95 1.05 times (1.04-1.06); worse, but within 10.0 %")
    assert "new against old: makespan" in text
    assert "makespan *" in text
    assert "new or old: " in text


def test_two_groups_are_compared_by_their_runs(tmp_path: Path, compare: Compare) -> None:
    replications(tmp_path, "old", 1.0)
    replications(tmp_path, "new", 1.5)
    status, text = compare("old=old-*", "new=new-*")
    assert status == ExitCode.OK
    assert text.startswith("new against old: sojourn p95 1.50 times (1.46-1.54); worse (large)")
    assert "old  baseline, 5 runs: old-0, old-1, old-2, old-3, old-4" in text
    assert "sojourn p95 *" in text
    assert "only sojourn p95 can be shown to differ" in text
    assert max(map(len, text.splitlines())) <= 100


def test_the_json_says_the_same_and_holds_every_value(tmp_path: Path, compare: Compare) -> None:
    replications(tmp_path, "old", 1.0)
    replications(tmp_path, "new", 1.5)
    status, text = compare("old=old-*", "new=new-*", output="json", fail_if="slower-than 5%")
    told = json.loads(text)
    assert status == told["exit_status"] == ExitCode.THRESHOLD
    assert told["schema_version"] == 1
    assert told["gate"][0]["outcome"] == "regressed"
    comparison = told["comparison"]
    row = next(row for row in comparison["contrasts"][0]["rows"] if row["metric"] == "sojourn_p95")
    assert row["ratio"]["low"] == pytest.approx(1.5)
    assert [run["figures"]["sojourn_p95"]["low"] for run in comparison["groups"][0]["runs"]] == pytest.approx(
        [(1 + 0.01 * k) * 1.74 for k in range(5)]  # rank 38 of 40: 1 + 0.02 * 37
    )


def test_a_group_is_a_folder_a_list_or_a_glob_and_all_are_the_same(tmp_path: Path, compare: Compare) -> None:
    replications(tmp_path, "old", 1.0, n=2)
    replications(tmp_path, "new", 1.5, n=2)
    _, by_glob = compare("old-?", "new-*")
    _, by_list = compare("old-0,old-1", "new-0,new-1")
    assert by_glob == by_list
    (tmp_path / "odd,name").mkdir()
    run_folder(tmp_path / "odd,name" / "run=1", [1.0, 2.0])
    assert compare("odd,name/run=1", "old-0")[0] == ExitCode.OK


def test_one_run_a_side_says_that_nothing_can_be_inferred(tmp_path: Path, compare: Compare) -> None:
    run_folder(tmp_path / "one", [1.0] * 20)
    run_folder(tmp_path / "two", [1.2] * 20)
    status, text = compare("one", "two", fail_if="slower-than 5%")
    assert status == ExitCode.THRESHOLD
    assert text.startswith("REGRESSED  B slower-than 5%: sojourn p95 is 1.200 times, one run a side: no inference")
    assert "no inference possible" in text
    assert compare("two", "one", fail_if="slower-than 5%")[0] == ExitCode.OK


def test_not_being_sure_fails_only_where_strictness_is_asked_for(tmp_path: Path, compare: Compare) -> None:
    replications(tmp_path, "old", 1.0)
    replications(tmp_path, "new", 1.05)
    assert compare("old-*", "new-*", fail_if="slower-than 5%")[0] == ExitCode.OK
    status, text = compare("old-*", "new-*", fail_if="slower-than 5%", strict=True)
    assert status == ExitCode.THRESHOLD
    assert text.startswith("INCONCLUSIVE")


def test_the_baseline_and_the_metric_can_be_named(tmp_path: Path, compare: Compare) -> None:
    for name, sojourn_s in (("a", 1.0), ("b", 2.0), ("c", 4.0)):
        run_folder(tmp_path / name, [sojourn_s] * 20)
    _, text = compare("a", "b", "c", against="B", metric="makespan_s")
    assert text.startswith("A against B: makespan 0.95 times; no inference possible\nC against B: makespan 1.10 times")


# ---- what may not be compared ---------------------------------------------------------------------------------


def test_unlike_scenarios_are_refused_with_what_differs_unless_it_is_meant(tmp_path: Path, compare: Compare) -> None:
    def emulated(tracked: float) -> dict[str, Any]:
        policies = [{"target_tracking": {"backlog_per_instance": tracked}}]
        return {"scenario": {"target": {"emulated": {"policies": policies}}}}

    run_folder(tmp_path / "five", [1.0] * 20, **emulated(5.0))
    run_folder(tmp_path / "nine", [1.2] * 20, **emulated(9.0))
    with pytest.raises(UsageError) as refused:
        compare("five", "nine")
    key = "target.emulated.policies.0.target_tracking.backlog_per_instance"
    assert refused.value.message == f"A and B are not alike:\n  {key}: 5.0 in A, 9.0 in B"
    assert refused.value.advice == "if that is what you compare: --vary target.emulated.policies; or --unlike"
    for told in ({"vary": ("target.emulated.policies",)}, {"unlike": True}):
        _, text = compare("five", "nine", **told)
        assert f"varies: {key}: 5.0 in A, 9.0 in B" in " ".join(text.split())


def test_unlike_machines_are_refused(tmp_path: Path, compare: Compare) -> None:
    for name, took_s, n in (("one", 1.0, 2), ("two", 1.2, 8)):  # in virtual time no machine matters
        run_folder(
            tmp_path / name,
            [took_s] * 20,
            host=Host(cpu_count=n, platform="Linux"),
            clock=ClockFacts(kind="real", epoch_ns=EPOCH_NS),
        )
    with pytest.raises(UsageError, match=r"host\.cpu_count: 2 in A, 8 in B"):
        compare("one", "two")
    assert compare("one", "two", vary=("host",))[0] == ExitCode.OK


def test_the_runs_of_a_group_must_be_alike_whatever_may_vary_between_groups(tmp_path: Path, compare: Compare) -> None:
    for name, drain in (("one", 1.0), ("two", 2.0), ("three", 1.0)):
        run_folder(tmp_path / name, [1.0] * 20, scenario={"drain": drain}, seeds={"arrivals": len(name)})
    with pytest.raises(UsageError, match=r"the runs of group B are not alike:\n  drain: 1.0 in three, 2.0 in two"):
        compare("one", "three,two", vary=("drain",))
    assert compare("one", "three,two", unlike=True)[0] == ExitCode.OK


def test_invalid_runs_are_named_and_refused_unless_forced(tmp_path: Path, compare: Compare) -> None:
    run_folder(tmp_path / "good", [1.0] * 20)
    # More requests promised than there are rows: the books do not add up.
    folder = run_folder(tmp_path / "bad", [1.0] * 20)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["spans"][0]["n"] = 25
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(InvalidRunError, match=r"bad of B: conservation: ") as refused:
        compare("good", "bad")
    assert refused.value.exit_code == ExitCode.INVALID
    _, text = compare("good", "bad", force=True)
    assert "invalid: bad of B: conservation" in text


@pytest.mark.parametrize("why", [NotSent.STOPPED, NotSent.CERTAIN])
def test_runs_that_ended_before_their_load_did_are_refused_unless_forced(
    tmp_path: Path, compare: Compare, why: NotSent
) -> None:
    """The first quarter of a load that grows is faster, whatever the endpoint."""
    run_folder(tmp_path / "whole", [1.0] * 20)
    run_folder(tmp_path / "part", [0.5] * 5, unsent=[Request(9.0, Outcome.NOT_SENT, why_not_sent=why)] * 15)
    with pytest.raises(InvalidRunError, match=r"part of B: 5 of 20 requests were sent"):
        compare("whole", "part")
    _, text = compare("whole", "part", force=True)
    assert "partly sent: part of B: 5 of 20 requests were sent" in text


def test_a_run_that_repeats_another_does_not_count(tmp_path: Path, compare: Compare) -> None:
    for name in ("a1", "a2", "b1", "b2"):
        run_folder(tmp_path / name, [1.0 + (name[0] == "b")] * 20, seeds={"arrivals": 7})
    _, text = compare("a1,a2", "b1,b2")
    assert "A: a2 is left out, it repeats a1" in text
    assert "no inference possible" in text


@pytest.mark.parametrize(
    ("groups", "options", "said"),
    [
        (("one",), {}, "there is only one run or group"),
        (("one", "one"), {}, "one is named twice"),
        (("one", "x=one,two"), {}, "one is named twice"),
        (("x=one", "x=two"), {}, "two groups have the name x"),
        (("one", "two"), {"against": "C"}, "there is no group C"),
        (("one", "two"), {"metric": "sojourn_p96"}, "there is no metric 'sojourn_p96'"),
        (("one", "two"), {"margin": "0"}, "--margin: '0' must lie above 0%"),
        (("one", "two"), {"margin": "wide"}, "--margin: 'wide' must be a share"),
        (("one", "two"), {"fail_if": "slower"}, "--fail-if: 'slower' is not a gate"),
        (("one", "none-*"), {}, r"no run matches none-\*"),
    ],
)
def test_a_wrong_command_line_is_told_in_a_sentence(
    tmp_path: Path, compare: Compare, groups: tuple[str, ...], options: dict[str, Any], said: str
) -> None:
    for name in ("one", "two"):
        run_folder(tmp_path / name, [1.0] * 20)
    with pytest.raises(UsageError, match=said):
        compare(*groups, **options)


def test_a_folder_that_is_no_run_is_told(tmp_path: Path, compare: Compare) -> None:
    run_folder(tmp_path / "one", [1.0] * 20)
    with pytest.raises(ResultsError, match="there is no folder nowhere"):
        compare("one", "nowhere")


def test_runs_that_completed_nothing_or_had_one_request_are_compared_as_far_as_they_go(
    tmp_path: Path, compare: Compare
) -> None:
    run_folder(tmp_path / "one", [1.0])
    run_folder(tmp_path / "none", [])
    status, text = compare("one", "none", unlike=True)
    assert status == ExitCode.OK
    assert "some runs have no such figure" in text
    assert "nan" not in text.lower()


def test_the_process_ends_with_the_documented_statuses(tmp_path: Path) -> None:
    run_folder(tmp_path / "one", [1.0] * 20)
    run_folder(tmp_path / "two", [1.2] * 20)
    run_folder(tmp_path / "other", [1.2] * 20, workers=2)
    fine = in_here("compare", "one", "two", cwd=tmp_path)
    assert (fine.returncode, fine.stderr) == (0, "")
    assert smbench("compare", "one", "two", "--fail-if", "slower-than 5%", cwd=tmp_path).returncode == 99
    unlike = in_here("compare", "one", "other", cwd=tmp_path)
    assert unlike.returncode == 2
    assert unlike.stdout == ""
    assert "run.workers: 1 in A, 2 in B" in unlike.stderr
    assert "--vary run.workers" in unlike.stderr
    assert "Traceback" not in unlike.stderr
