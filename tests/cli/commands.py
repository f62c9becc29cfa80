"""How the CLI tests run the real command: a process of its own, away from the user's AWS settings."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from unittest import mock

from smbench.cli.app import main

SMALL = """\
name: small
target:
  emulated:
    instances: {min: 1, max: 1, concurrency: 20}
    service: {constant: 200ms}
    time: real
load:
  - constant: {rate: 10/s, for: 2s}
drain: 20s
gauges_every: 1s
"""
LONG = SMALL.replace("for: 2s", "for: 60s")
WARP = SMALL.replace("time: real", "time: warp")


def environment() -> dict[str, str]:
    """Ours, without what a developer's shell may have set for AWS, colours or CI."""
    dropped = ("AWS_", "NO_COLOR", "FORCE_COLOR", "CI", "GITHUB_STEP_SUMMARY", "COLUMNS")
    return {name: value for name, value in os.environ.items() if not name.startswith(dropped)}


def smbench(
    *arguments: str | Path, cwd: Path, timeout_s: float = 120, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "smbench", *map(str, arguments)],
        cwd=cwd,
        env={**environment(), **(environ or {})},
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )


def in_here(
    *arguments: str | Path, cwd: Path, environ: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """The same without a process of its own, which imports for a second: for all that is not about that process.

    A run in warp time starts no other process either; one in real time starts its children as ever.
    """
    out, errors = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    status = 0
    command = ["smbench", *map(str, arguments)]
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, {**environment(), **(environ or {})}, clear=True),
        mock.patch.object(sys, "argv", command),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(errors),
    ):
        try:
            main()
        except SystemExit as end:
            status = int(end.code or 0)
    texts = []
    for stream in (out, errors):
        stream.seek(0)  # flushes, too
        texts.append(stream.read())
    return subprocess.CompletedProcess(command, status, *texts)


def start(*arguments: str | Path, cwd: Path) -> subprocess.Popen[str]:
    """Start the command in a process group of its own, so that signals can be sent as a terminal would."""
    return subprocess.Popen(
        [sys.executable, "-m", "smbench", *map(str, arguments)],
        cwd=cwd,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(condition: Callable[[], bool], timeout_s: float = 60) -> None:
    """Wait for something another process does; there is no event to wait for."""
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("waited in vain")
        time.sleep(0.05)


def has_begun(results: Path, workers: int = 1) -> Callable[[], bool]:
    """The run in `results` has written what it sent: each worker's first part is from before the load."""
    return lambda: len(list(results.glob("*/parts/requests-*.parquet"))) >= 2 * workers


def interrupt(process: subprocess.Popen[str]) -> None:
    """Ctrl-C: the whole process group hears it."""
    os.killpg(process.pid, signal.SIGINT)


def children(process: subprocess.Popen[str], name: str) -> list[int]:
    """Process ids of the run's children that were started as `name`, the first that was started first.

    Not in the order of the ids, which begin again at a small one.
    """
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            facts = (folder / "stat").read_text().rpartition(") ")[2].split()
            command = (folder / "cmdline").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(facts[1]) == process.pid and name in command:
            found.append((int(facts[19]), int(folder.name)))  # when it was started; proc(5)
    return [pid for _, pid in sorted(found)]
