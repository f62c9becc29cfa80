"""Goal: a generator that hung is found out, and its hole is not hidden by counting from when it sent.

Method: a real run in real time whose worker is stopped by a signal for 1.4 s, as a machine that swaps or is preempted
would stop it.
"""

import os
import signal
import subprocess
import sys
import time
from typing import Any

import orjson
import pytest

from commands import children, has_begun, start, wait_until

pytestmark = pytest.mark.slow

STALL_S = 1.4
SCENARIO = """\
name: stalled
target:
  emulated:
    instances: {min: 4, max: 4, concurrency: 8}
    service: {constant: 100ms}
    time: real
load:
  - constant: {rate: 50/s, for: 10s}
drain: 20s
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The report of the run, and its exit status."""
    folder = tmp_path_factory.mktemp("stalled")
    (folder / "stalled.yaml").write_text(SCENARIO)
    process = start("run", "stalled.yaml", "--output", "json", cwd=folder)
    wait_until(has_begun(folder / "results"))
    _, worker = children(process, "spawn_main")
    os.kill(worker, signal.SIGSTOP)
    time.sleep(STALL_S)
    os.kill(worker, signal.SIGCONT)
    out, err = process.communicate(timeout=90)
    assert out, err
    report: dict[str, Any] = orjson.loads(out)
    (run,) = (folder / "results").iterdir()
    manifest = orjson.loads((run / "manifest.json").read_bytes())
    return report | {"exit": process.returncode, "niceness": manifest["niceness"]}


def highest_priority() -> int:
    """The niceness to which this system lets a child of ours be raised."""
    asks = "import os; os.setpriority(os.PRIO_PROCESS, 0, -10)"
    is_refused = subprocess.run([sys.executable, "-c", asks], capture_output=True, check=False).returncode
    here = os.getpriority(os.PRIO_PROCESS, 0)
    return here if is_refused or here else -10


def p99_s(told: dict[str, Any], latency: str) -> float:
    seconds: float = told["summary"][latency]["p99"]["low"]
    return seconds


def test_the_run_calls_itself_invalid(told: dict[str, Any]) -> None:
    assert told["exit"] == 98
    assert told["verdict"] == "invalid"
    (finding,) = [finding for finding in told["findings"] if finding["name"] == "schedule kept"]
    assert finding["verdict"] == "invalid"
    assert "late" in finding["seen"]


def test_the_worker_goes_before_ordinary_processes_where_the_system_permits_it(told: dict[str, Any]) -> None:
    assert told["niceness"] == {"0": highest_priority()}


def test_latency_from_schedule_shows_the_stall(told: dict[str, Any]) -> None:
    assert p99_s(told, "sojourn") > 1.0
    assert told["summary"]["generator"]["schedule_lag"]["max"]["low"] == pytest.approx(STALL_S, abs=0.5)


def test_latency_from_send_does_not(told: dict[str, Any]) -> None:
    assert p99_s(told, "from_send") < 0.7
