"""One host of a processing job: makes sure of smbench, sends the shard of this host, and leaves why it could not.

It runs in the job's container, by itself, before there is an smbench: it needs nothing but Python.
"""

import json
import signal
import subprocess
import sys
from pathlib import Path

_REFUSED = 3
_MESSAGE_MAX = 1024  # of DescribeProcessingJob's ExitMessage
_PREFIX = "smbench: "


def main(ml: Path, place: str, version: str, *options: str) -> int:
    """Send the shard; returns the exit status.

    Args:
        ml: `/opt/ml`, as SageMaker lays it out.
        place: Of the order.
        version: Of the smbench that wrote it.
        options: Of `smbench worker`, beside those that follow from the folders.
    """
    inputs = ml / "processing" / "input"
    config = json.loads((ml / "config" / "resourceconfig.json").read_text())
    hosts = sorted(config["hosts"])
    if _installed() != version:
        wheel = next((inputs / "code").glob("smbench-*.whl"))
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(wheel)]
        done = subprocess.run(pip, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["pip says nothing"])[-1]
            return _refuse(ml, f"smbench {version} could not be installed in the container: {reason}")
    shard = f"{hosts.index(config['current_host'])}/{len(hosts)}"
    command = [sys.executable, "-m", "smbench", "worker", "--order", place, "--shard", shard]
    folder = ["--base-dir", str(inputs / "files")]
    return _worked(ml, [*command, *folder, *options])


def _installed() -> str:
    """The version that this Python has; empty: none that starts."""
    code = "from smbench.version import __version__; print(__version__)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def _worked(ml: Path, command: list[str]) -> int:
    """Pass on what the job is told and what the worker says; its last sentence is the job's message."""
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as worker:
        signal.signal(signal.SIGTERM, lambda number, _frame: worker.send_signal(number))
        said: list[str] = []
        for line in worker.stderr or ():
            print(line, end="", file=sys.stderr, flush=True)  # noqa: T201  # the job's log
            said.append(line.strip())
    if worker.returncode:
        own = [number for number, line in enumerate(said) if line.startswith(_PREFIX)]
        last = " ".join(said[own[-1] :] if own else said[-1:])
        _leave(ml, last.removeprefix(_PREFIX))
    return worker.returncode


def _refuse(ml: Path, message: str) -> int:
    print(f"{_PREFIX}{message}", file=sys.stderr, flush=True)  # noqa: T201  # the job's log
    _leave(ml, message)
    return _REFUSED


def _leave(ml: Path, message: str) -> None:
    output = ml / "output"
    output.mkdir(parents=True, exist_ok=True)
    (output / "message").write_text(message[:_MESSAGE_MAX])


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), *sys.argv[2:]))
