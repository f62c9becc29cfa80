"""`smbench bench` as a user lives it: what it prints and keeps, how it is ended, and what `run` then says.

Method: the command's own function with a search of a second or two; the real command where it is interrupted and where
`run` reads what was kept.
"""

import datetime
import json
import math
from pathlib import Path

import pytest

from commands import SMALL, children, in_here, interrupt, start
from smbench.ceiling.headroom import ceiling_warning
from smbench.ceiling.search import Search
from smbench.cli.bench import bench_command
from smbench.errors import ExitCode
from smbench.generator.plan import make_plan
from smbench.results.ceiling import Ceiling, Machine, ceilings_file, find_ceiling, store_ceiling
from smbench.results.manifest import Host
from smbench.scenario.load import load_scenario

pytestmark = pytest.mark.slow

HERE = Machine.of(Host.this())
SHORT = Search(first_hz=40, growth=2, n_halvings=1, highest_hz=80)
TRIAL_S = 0.5


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this test's ceilings are kept."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    return tmp_path / "cache" / "smbench" / "ceilings.json"


@pytest.mark.parametrize("transport", ["wire", "sdk"])
def test_a_ceiling_is_measured_printed_and_kept(
    transport: str, cache: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert bench_command(transport, "json", search=SHORT, trial_s=TRIAL_S) is ExitCode.OK
    told = capfdbinary.readouterr()
    printed = Ceiling.model_validate(json.loads(told.out))
    assert find_ceiling(cache, transport, HERE).ceiling == printed
    assert printed.rate_hz == max(trial.planned_hz for trial in printed.trials if trial.is_kept)
    # Forty a second are kept by every machine that these tests end on; of each trial there is a line on stderr.
    for trial in printed.trials:
        assert trial.n == math.ceil(trial.planned_hz * TRIAL_S)  # from its first instant on, the end left out
        assert f"{trial.planned_hz:,.0f}/s planned".encode() in told.err
        assert 0 < trial.cpu_s < 0.1
        if trial.is_kept:
            assert trial.lag_p50_s <= trial.lag_p99_s <= 0.1
            assert trial.achieved_hz == pytest.approx(trial.planned_hz, rel=0.25)


def test_the_table_begins_with_the_ceiling_and_has_a_line_for_each_trial(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench_command("wire", "table", search=SHORT, trial_s=TRIAL_S) is ExitCode.OK
    told = capsys.readouterr()
    kept = find_ceiling(cache, "wire", HERE).ceiling
    assert kept is not None
    assert told.out.startswith(f"{kept.rate_hz:,.0f} requests/s a worker by wire")
    assert told.out.count(" ms") + told.out.count(" us") >= 2 * len(kept.trials)
    assert str(cache) in told.err


def test_a_rate_beyond_the_machine_is_not_kept_and_nothing_is_kept_of_it(
    cache: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 10,000 within 100 ms: who sends fewer than 50,000 a second is late by more than the 100 ms that are allowed.
    search = Search(first_hz=100_000, lowest_hz=90_000)
    assert bench_command("wire", "table", search=search, trial_s=0.1) is ExitCode.INVALID
    told = capsys.readouterr()
    assert told.err.count("not kept") == 2
    assert told.out == ""
    assert not cache.exists()


def test_ctrl_c_ends_it_at_once_with_130_and_leaves_nothing(cache: Path, tmp_path: Path) -> None:
    process = start("bench", cwd=tmp_path)
    assert process.stderr is not None
    while "planned" not in process.stderr.readline():
        pass
    started = children(process, "spawn")
    interrupt(process)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert out == ""
    assert "Traceback" not in err
    assert len(started) == 2
    assert not any(Path(f"/proc/{child}").exists() for child in started)
    assert not cache.exists()
    assert not list((tmp_path / "temporary").iterdir())


def test_a_run_planned_beyond_the_ceiling_warns_in_one_line_and_runs(cache: Path, tmp_path: Path) -> None:
    measured = datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC)
    store_ceiling(ceilings_file(), Ceiling(transport="wire", rate_hz=12, measured=measured, machine=HERE, trials=()))
    file = tmp_path / "scenario.yaml"
    file.write_text(SMALL)
    beyond = in_here("run", file, cwd=tmp_path)
    assert beyond.returncode in (0, 98), beyond.stderr
    assert beyond.stderr.startswith("smbench: up to 10 requests/s are planned")
    assert "83.3 % of the 12/s" in beyond.stderr.splitlines()[0]
    assert "are planned" not in "".join(beyond.stderr.splitlines()[1:])
    cache.write_text("{")  # the sentence is all that a run takes from there
    assert not ceiling_warning(make_plan(load_scenario(file), tmp_path), 1)
