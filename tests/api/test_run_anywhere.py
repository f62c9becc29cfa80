"""Goal: `smbench.run` works from a plain script, inside a running event loop and when interrupted; nothing runs twice.

Method: scripts without a `__main__` guard in a process of their own.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from commands import environment, has_begun, wait_until

pytestmark = pytest.mark.slow

SCENARIO = """\
scenario = {
    "name": "anywhere",
    "target": {"emulated": {"instances": {"min": 1, "max": 1, "concurrency": 20}, "service": "200ms", "time": TIME}},
    "load": [{"constant": {"rate": "10/s", "for": FOR}}],
    "drain": "20s",
}
"""
HEAD = "import asyncio, json, sys, smbench\nprint('top level', file=sys.stderr)\n"
TELL = """
print(json.dumps({
    "completed": result.summary.counts.completed,
    "interrupted": result.interrupted,
    "exit_status": int(result.exit_status),
    "ending": result.manifest.ending.value,
}))
"""
IN_A_LOOP = """
async def main():
    ticks = 0
    waiting = asyncio.ensure_future(asyncio.to_thread(smbench.run, scenario, progress="none"))
    while not waiting.done():
        await asyncio.sleep(0.01)
        ticks += 1
    assert ticks > 10, "the loop stood still"
    return smbench.run(scenario, progress="none")  # blocks this loop, as it says
result = asyncio.run(main())
"""


def script(folder: Path, call: str, time: str = "warp", length: str = "2s") -> subprocess.Popen[str]:
    file = folder / "plain_script.py"
    of_the_test = SCENARIO.replace("TIME", repr(time)).replace("FOR", repr(length))
    file.write_text(HEAD + of_the_test + call + TELL)
    return subprocess.Popen(
        [sys.executable, str(file)],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert err.count("top level") == 1, err
    said: dict[str, Any] = json.loads(out)
    return said


def test_a_plain_script_needs_no_guard(tmp_path: Path) -> None:
    call = "result = smbench.run(scenario, progress='plain')\n"
    assert told(script(tmp_path, call)) == {
        "completed": 20,
        "interrupted": False,
        "exit_status": 0,
        "ending": "finished",
    }


def test_a_running_loop_is_no_obstacle_and_in_a_thread_it_goes_on(tmp_path: Path) -> None:
    assert told(script(tmp_path, IN_A_LOOP))["completed"] == 20
    assert len(list((tmp_path / "results").iterdir())) == 2


@pytest.mark.parametrize("is_in_a_loop", [False, True], ids=["script", "notebook"])
def test_an_interrupt_ends_the_run_and_its_result_is_returned(tmp_path: Path, *, is_in_a_loop: bool) -> None:
    call = "result = smbench.run(scenario, progress='none')\n"
    if is_in_a_loop:
        call = "async def cell():\n    return smbench.run(scenario, progress='none')\nresult = asyncio.run(cell())\n"
    process = script(tmp_path, call, "real", "60s")
    wait_until(has_begun(tmp_path / "results"))
    process.send_signal(signal.SIGINT)
    said = told(process)
    assert said["interrupted"]
    assert (said["exit_status"], said["ending"]) == (130, "stopped")
    assert 0 < said["completed"] < 600
