"""What the benchmarks share: a run through the command line with its live view on a terminal, and who measured."""

import os
import pty
import struct
import subprocess
import sys
import tempfile
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fcntl import ioctl
from pathlib import Path

import orjson
import polars as pl

_FILE = "scenario.yaml"
_LAST_BYTES = 2000
_DONE = (0, 98, 99)  # fine, invalid, a threshold missed: in all three there is something to read


@dataclass(frozen=True, slots=True)
class Run:
    """The files of a run that has ended."""

    folder: Path
    exit_code: int

    @property
    def requests(self) -> pl.DataFrame:
        """Without the warm-up."""
        return pl.read_parquet(self.folder / "requests.parquet").filter(~pl.col("warmup"))

    @property
    def n_sent(self) -> int:
        """With the warm-up."""
        sent = pl.scan_parquet(self.folder / "requests.parquet").select(pl.col("send").count()).collect()
        return int(sent.item())

    def generator(self, name: str) -> pl.DataFrame:
        """One of the generator's own gauges: `at`, `value`."""
        readings = pl.read_parquet(self.folder / "readings.parquet")
        return readings.filter(pl.col("source") == "generator", pl.col("name") == name).sort("at").drop_nulls("value")

    @property
    def emulator_cpu_s(self) -> float:
        """CPU seconds of the emulated endpoint's process."""
        manifest = orjson.loads((self.folder / "manifest.json").read_bytes())
        return float(manifest["emulator"]["cpu_s"])

    def worker_cpu_s(self) -> float:
        """CPU seconds of all workers, from their own readings: each speaks of the time since the one before it."""
        readings = self.generator("cpu_share").sort("worker", "at")
        since = (pl.col("at").diff().over("worker").dt.total_nanoseconds() / 1e9).fill_null(1.0)
        return float(readings.select((pl.col("value") * since).sum()).item())


@contextmanager
def live_run(scenario: str, *options: str, width: int = 120, height: int = 40) -> Iterator[Run]:
    """Run a scenario with the live view drawing on a pseudo-terminal; its files are gone afterwards.

    Args:
        options: More of the command line of `run`.
    """
    with tempfile.TemporaryDirectory(prefix="smbench-bench-") as folder:
        root = Path(folder)
        (root / _FILE).write_text(scenario)
        exit_code, last_words = _on_terminal(root, options, width, height)
        if exit_code not in _DONE:
            sys.exit(f"smbench run ended with {exit_code}:\n{last_words}")
        (results,) = (root / "results").iterdir()
        yield Run(results, exit_code)


def _on_terminal(root: Path, options: tuple[str, ...], width: int, height: int) -> tuple[int, str]:
    """The exit status, and what the terminal showed last."""
    ours, theirs = pty.openpty()
    ioctl(ours, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))
    command = [sys.executable, "-m", "smbench", "run", str(root / _FILE), "--ui", "full", "--results"]
    with (root / "report.txt").open("wb") as report:
        process = subprocess.Popen(
            [*command, str(root / "results"), *options],
            stdin=theirs,
            stdout=report,
            stderr=theirs,
            env=os.environ | {"TERM": "xterm-256color"},
        )
        os.close(theirs)
        try:
            last_words = _drain(ours)
        except KeyboardInterrupt:
            process.terminate()
            raise
        finally:
            os.close(ours)
            process.wait()
    return process.returncode, last_words.decode(errors="replace")


def _drain(terminal: int) -> bytes:
    """Read as a terminal would, until the last writer has closed, which Linux shows by an error; the last of it."""
    last = b""
    try:
        while piece := os.read(terminal, 65536):
            last = (last + piece)[-_LAST_BYTES:]
    except OSError:
        pass
    return last
