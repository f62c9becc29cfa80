"""Goal: a fit from another tool's latencies takes off the poll period, and refuses what it cannot do without.

Method: latencies on a grid and off one; CSV files imported as a user does it, from a queue simulated by hand.
"""

import heapq
from pathlib import Path

import numpy as np
import pytest

import smbench
from smbench.calibration.foreign import grid_of
from smbench.calibration.parameter import Source
from smbench.errors import SmbenchError, UsageError
from smbench.importing.folder import Wanted, import_file
from smbench.importing.roles import Asked
from smbench.scenario.load import load_scenario


@pytest.mark.slow
@pytest.mark.parametrize("period_s", [0.5, 2.0, 15.0])
def test_a_poll_period_is_found(period_s: float) -> None:
    rng = np.random.default_rng(1)
    took_s = rng.lognormal(np.log(30), 0.6, 200)
    seen_s = np.ceil(took_s / period_s) * period_s + rng.normal(0.1, 0.02, 200)
    found = grid_of(seen_s)
    assert found is not None
    assert found.period_s == pytest.approx(period_s, rel=0.01)
    assert grid_of(took_s) is None


def test_no_period_is_found_by_chance() -> None:
    rng = np.random.default_rng(2)
    assert [grid_of(rng.exponential(10, 30)) for _ in range(20)] == [None] * 20
    assert grid_of(np.ones(50)) is None


def csv(tmp_path: Path, period_s: float, slots: int = 2) -> Path:
    """Sixty probes and then 200 requests faster than two slots can serve them, 4 s each, seen at a poll."""
    rng = np.random.default_rng(3)
    sent_s = np.concatenate([np.arange(60) * 20.0, 1200 + np.sort(rng.uniform(0, 300, 200))])
    free_s, rows = [0.0] * slots, ["start_s,latency_s,status"]
    for at_s, takes_s in zip(sent_s.tolist(), rng.lognormal(np.log(4), 0.3, 260).tolist(), strict=True):
        done_s = max(at_s, heapq.heappop(free_s)) + takes_s
        heapq.heappush(free_s, done_s)
        polls = np.ceil((done_s - at_s) / period_s) if period_s else 0
        latency_s = polls * period_s + rng.uniform(0, 0.05) if period_s else done_s - at_s
        rows.append(f"{at_s:.3f},{latency_s:.3f},ok")
    file = tmp_path / "mine.csv"
    file.write_text("\n".join(rows) + "\n")
    return file


@pytest.mark.slow
def test_evenly_spaced_requests_that_take_equally_long_were_not_polled_for(tmp_path: Path) -> None:
    file = tmp_path / "even.csv"
    file.write_text("start_s,latency_s\n" + "".join(f"{k},0.5\n" for k in range(40)))
    folder = import_file(file, tmp_path / "results", Wanted(Asked(unit="s"))).path
    found = smbench.calibrate(folder, out=tmp_path / "fitted.yaml", instances=1)
    served = next(each for each in found.parameters if each.name == "service over concurrency")
    assert served.value == pytest.approx(0.5)
    assert not found.notes


@pytest.mark.slow
@pytest.mark.parametrize("period_s", [0.0, 1.0])
def test_the_service_of_a_polled_client_is_that_of_the_endpoint(tmp_path: Path, period_s: float) -> None:
    folder = import_file(csv(tmp_path, period_s), tmp_path / "results", Wanted(Asked(unit="s"))).path
    found = smbench.calibrate(folder, out=tmp_path / "fitted.yaml", instances=1)
    named = {each.name: each for each in found.parameters}
    assert named["concurrency of an instance"].value == 2
    assert named["concurrency of an instance"].source is Source.CLIENT
    assert named["service"].value == pytest.approx(4 * np.exp(0.3**2 / 2), rel=0.06)
    assert [note for note in found.notes if "grid of 1 s" in note] == list(found.notes)
    assert len(found.notes) == bool(period_s)
    assert smbench.simulate(tmp_path / "fitted.yaml").requests.collect()["accepted"].all()


@pytest.mark.slow
def test_payloads_of_an_imported_run_have_a_size_only_where_its_file_says_one(tmp_path: Path) -> None:
    file = tmp_path / "classes.csv"
    head, sizes = "start_s,latency_s,label,size", {"a": "", "b": "300"}
    rows = [f"{k},0.{4 + k % 2},{'ab'[k % 2]},{sizes['ab'[k % 2]]}" for k in range(80)]
    file.write_text("\n".join([head, *rows, ""]))
    folder = import_file(file, tmp_path / "results", Wanted(Asked(unit="s"))).path
    smbench.calibrate(folder, out=tmp_path / "fitted.yaml", instances=1)
    written = load_scenario(tmp_path / "fitted.yaml").payloads
    assert [one.synthetic for one in written.mix] == [1024, 300]


@pytest.mark.slow
def test_without_the_instances_an_imported_run_is_refused(tmp_path: Path) -> None:
    folder = import_file(csv(tmp_path, 0.0), tmp_path / "results", Wanted(Asked(unit="s"))).path
    with pytest.raises(UsageError, match="was imported and does not say how many instances served"):
        smbench.calibrate(folder, out=tmp_path / "fitted.yaml")
    assert not (tmp_path / "fitted.yaml").exists()


@pytest.mark.slow
def test_latencies_of_one_instant_give_a_bound_and_no_concurrency(tmp_path: Path) -> None:
    file = tmp_path / "burst.csv"
    file.write_text("latency_s\n" + "".join(f"{2 * (k // 2) + 2 + 0.013 * k}\n" for k in range(100)))
    folder = import_file(file, tmp_path / "results", Wanted(Asked(all_at_once=True))).path
    named = {each.name: each for each in smbench.calibrate(folder, instances=1).parameters}
    assert named["concurrency of an instance"].value is None
    assert named["service over concurrency"].value == pytest.approx(1.0, rel=0.1)


@pytest.mark.parametrize(
    ("header", "said"), [("start_s,latency_s", "were not all sent at once"), ("status", "no column holds the latency")]
)
def test_all_at_once_is_refused_where_it_makes_no_sense(tmp_path: Path, header: str, said: str) -> None:
    file = tmp_path / "odd.csv"
    file.write_text(header + "\n" + ",".join(["1"] * len(header.split(","))) + "\n")
    asked = Asked({"start": "start_s"} if "start_s" in header else {}, "s", all_at_once=True)
    with pytest.raises(SmbenchError, match=said):
        import_file(file, tmp_path / "results", Wanted(asked))
    assert not (tmp_path / "results").exists()


@pytest.mark.slow
def test_a_run_of_our_own_needs_no_instances(tmp_path: Path) -> None:
    story = {
        "name": "own",
        "target": {"emulated": {"instances": {"min": 1, "max": 1}, "service": "1s", "time": "warp"}},
        "load": [{"burst": {"requests": 5}}],
    }
    made = smbench.simulate(story, results=tmp_path).path
    assert made is not None
    with pytest.raises(UsageError, match="already says how many instances served"):
        smbench.calibrate(made, instances=2)
