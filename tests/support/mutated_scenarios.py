"""Scenarios broken in the ways of people, editors and strangers, each read by `validate`: no traceback, no hang, no
memory without end.

    python tests/support/mutated_scenarios.py [N]

Mutants of the shipped scenarios and of the starter, N of them (10,000), the same for the same seed. Ends with 1 when
one of them took more than 2 s of CPU, raised anything but an error for the user, or made the process larger than
300 MB.
"""

import contextlib
import io
import resource
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from smbench.cli.scenarios import validate_command
from smbench.errors import SmbenchError
from smbench.scenario.starter import shipped_folder, starter_scenario

SECONDS_MAX, BYTES_MAX = 2.0, 300_000_000
SEED = 10
VALUES = (
    "0", "-1", "1", "1e9", "1e308", "1e-308", ".nan", ".inf", "9" * 400, "0x7fffffffffffffff", "1_000", "010", "yes",
    "true", "null", "~", "''", "[]", "{}", "[[]]", "{a: b}", "&a [*a]", "*a", "!!python/object:os.system x", "<<",
    "30s", "1000000/s", "1GiB", "999%", "-5s", "1h30m", "366d", "1ns", "/etc/passwd", "/dev/zero", "../../x", "*",
    "**/*", "a[/b]", '"\\e]0;x\\a"', '"\\0"', "\x1b[2J", "é", "\u202e", "p95 < 500", "closed", "replay", "warp",
    "x" * 5000,
)  # fmt: skip

Mutation = Callable[[str, np.random.Generator], str]


def _at(text: str, rng: np.random.Generator) -> int:
    return int(rng.integers(len(text) + 1))


def cut(text: str, rng: np.random.Generator) -> str:
    """Without a piece."""
    at = _at(text, rng)
    return text[:at] + text[at + int(rng.integers(1, 60)) :]


def ended(text: str, rng: np.random.Generator) -> str:
    """Only the beginning."""
    return text[: _at(text, rng)]


def put(text: str, rng: np.random.Generator) -> str:
    """With something in its midst."""
    at = _at(text, rng)
    return text[:at] + str(rng.choice(np.array(VALUES, dtype=object))) + text[at:]


def repeated(text: str, rng: np.random.Generator) -> str:
    """With a piece many times."""
    at = _at(text, rng)
    return text[:at] + text[at : at + int(rng.integers(1, 40))] * int(rng.integers(2, 2000)) + text[at:]


def swapped(text: str, rng: np.random.Generator) -> str:
    """With two lines in each other's place."""
    lines = text.splitlines()
    one, other = (int(rng.integers(len(lines))) for _ in range(2))
    lines[one], lines[other] = lines[other], lines[one]
    return "\n".join(lines)


def indented(text: str, rng: np.random.Generator) -> str:
    """With a line at another depth."""
    lines = text.splitlines()
    at = int(rng.integers(len(lines)))
    lines[at] = " " * int(rng.integers(0, 12)) + lines[at].lstrip()
    return "\n".join(lines)


def exchanged(text: str, rng: np.random.Generator) -> str:
    """With another value of some key."""
    places = [at for at in range(len(text) - 1) if text[at : at + 2] == ": "]
    at = places[int(rng.integers(len(places)))] + 2 if places else 0
    end = min((found for sign in ",}]\n" if (found := text.find(sign, at)) >= 0), default=len(text))
    return text[:at] + str(rng.choice(np.array(VALUES, dtype=object))) + text[end:]


def scaled(text: str, rng: np.random.Generator) -> str:
    """With some number larger by powers of ten."""
    places = [at for at in range(len(text)) if text[at].isdigit()]
    at = places[int(rng.integers(len(places)))] if places else 0
    return text[: at + 1] + "0" * int(rng.integers(1, 12)) + text[at + 1 :]


def bits(text: str, rng: np.random.Generator) -> str:
    """With some bytes changed."""
    raw = bytearray(text.encode("utf-8", "surrogateescape"))
    for _ in range(int(rng.integers(1, 20))):
        raw[int(rng.integers(len(raw)))] = int(rng.integers(256))
    return raw.decode("utf-8", "surrogateescape")


MUTATIONS: tuple[Mutation, ...] = (cut, ended, put, repeated, swapped, indented, exchanged, exchanged, scaled, bits)


def mutants(n: int, seed: int = SEED) -> Iterator[str]:
    """Texts, each of a sound scenario and one to three mutations."""
    sources = [starter_scenario("sound"), *(path.read_text() for path in sorted(shipped_folder().glob("*.yaml")))]
    rng = np.random.default_rng(seed)
    for _ in range(n):
        text = sources[int(rng.integers(len(sources)))]
        for _ in range(int(rng.integers(1, 4))):
            text = MUTATIONS[int(rng.integers(len(MUTATIONS)))](text or "x", rng)
        yield text


@dataclass
class Outcome:
    """What became of all mutants."""

    n_sound: int = 0
    n_refused: int = 0
    longest_s: float = 0.0
    longest: str = ""
    crashes: list[str] = field(default_factory=list)
    slow: list[str] = field(default_factory=list)
    peak_bytes: int = 0
    largest: str = ""


def examine(texts: Iterator[str], folder: Path) -> Outcome:
    """Validate each text as a file of `folder`."""
    outcome = Outcome(peak_bytes=_peak_bytes())
    path = folder / "mutant.yaml"
    for text in texts:
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        began_s = time.process_time()
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                validate_command(path)
            outcome.n_sound += 1
        except SmbenchError:
            outcome.n_refused += 1
        except Exception:  # noqa: BLE001  # any other is what is looked for
            outcome.crashes.append(f"{text}\n{traceback.format_exc()}")
        took_s = time.process_time() - began_s
        if took_s > outcome.longest_s:
            outcome.longest_s, outcome.longest = took_s, text
        if took_s > SECONDS_MAX:
            outcome.slow.append(text)
        if (peak_bytes := _peak_bytes()) > outcome.peak_bytes:
            outcome.peak_bytes, outcome.largest = peak_bytes, text
    return outcome


def _peak_bytes() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def main() -> int:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    with tempfile.TemporaryDirectory() as where:
        folder = Path(where) / "scenarios"
        shutil.copytree(shipped_folder(), folder)
        outcome = examine(mutants(n), folder)
    said = [
        f"{n:,} mutants: {outcome.n_sound:,} sound, {outcome.n_refused:,} refused, {len(outcome.crashes)} crashes; "
        f"the longest took {outcome.longest_s:.2f} s of CPU, {outcome.peak_bytes / 1e6:.0f} MB at most"
    ]
    said += [f"----\n{text[:4000]}" for text in (*outcome.crashes[:5], *outcome.slow[:5])]
    if outcome.peak_bytes > BYTES_MAX:
        said.append(f"---- the largest\n{outcome.largest[:2000]}")
    sys.stdout.write("\n".join(said) + "\n")
    return int(bool(outcome.crashes or outcome.slow or outcome.peak_bytes > BYTES_MAX))


if __name__ == "__main__":
    sys.exit(main())
