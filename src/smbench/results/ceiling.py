"""What this machine was found to be able to send: one record a transport, kept between runs in the user's cache."""

import datetime
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from smbench.errors import ResultsError
from smbench.results.files import write_whole
from smbench.results.manifest import Host
from smbench.scenario.explain import first_in_words
from smbench.units import counted


class Trial(BaseModel):
    """A few seconds at one planned rate against a target that does nothing."""

    model_config = ConfigDict(frozen=True)

    planned_hz: float
    achieved_hz: float
    lag_p50_s: float  # send - sched
    lag_p99_s: float
    cpu_s: float  # of the whole process, per request: sent, heard, deleted, written
    n: int
    n_not_sent: int
    n_not_completed: int  # sent, and no good end was heard of in time
    is_kept: bool


class Machine(BaseModel):
    """What must be the same for a ceiling to count."""

    model_config = ConfigDict(frozen=True)

    name: str
    cpu_count: int
    python: str
    smbench: str  # version

    @classmethod
    def of(cls, host: Host) -> Self:
        """What of a host decides how much it can send."""
        return cls(
            name=host.name, cpu_count=host.cpu_count, python=host.python, smbench=host.packages.get("smbench", "")
        )

    def __str__(self) -> str:
        return f"{self.name}, {counted(self.cpu_count, 'core')}, {self.python}, smbench {self.smbench}"


class Ceiling(BaseModel):
    """The highest rate that one worker kept, and how it was found."""

    model_config = ConfigDict(frozen=True)

    transport: str
    rate_hz: float
    measured: datetime.datetime  # wall time, UTC
    machine: Machine
    trials: tuple[Trial, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A stored ceiling that counts here; without one, why that which is stored does not, or nothing."""

    ceiling: Ceiling | None = None
    why_not: str = ""


def ceilings_file(environ: Mapping[str, str] = os.environ) -> Path:
    """Where ceilings are kept: below $XDG_CACHE_HOME, else below ~/.cache."""
    named = Path(environ.get("XDG_CACHE_HOME", ""))
    return (named if named.is_absolute() else _home() / ".cache") / "smbench" / "ceilings.json"


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a container's user without a home
        return Path(tempfile.gettempdir())


def find_ceiling(file: Path, transport: str, machine: Machine) -> Found:
    """The ceiling of this machine. Never an error: what cannot be read does not count, and is said."""
    try:
        stored = _read(file)
    except FileNotFoundError:
        return Found()
    except OSError as error:
        return Found(why_not=f"{file} cannot be read ({error.strerror or error})")
    except ValueError:
        return Found(why_not=f"{file} is damaged, and nothing in it counts")
    ceiling = stored.get(transport)
    if ceiling is None:
        return Found()
    if ceiling.machine != machine:
        return Found(why_not=f"the stored ceiling is that of {ceiling.machine}; this is {machine}")
    return Found(ceiling)


def store_ceiling(file: Path, ceiling: Ceiling) -> None:
    """Put it in the place of the one that was there for its transport.

    Raises:
        ResultsError: it cannot be written.
    """
    try:
        stored = _read(file)
    except (OSError, ValueError):
        stored = {}  # there is none, or nothing in it counts
    content = {name: one.model_dump(mode="json") for name, one in (stored | {ceiling.transport: ceiling}).items()}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, orjson.dumps(content, option=orjson.OPT_INDENT_2))
    except OSError as error:
        raise ResultsError(
            f"the ceiling cannot be kept in {file}: {error.strerror or error}",
            "let XDG_CACHE_HOME name a folder that can be written to",
        ) from error


def _read(file: Path) -> dict[str, Ceiling]:
    """By transport.

    Raises:
        OSError: the file is not there, or cannot be read.
        ValueError: it is damaged.
    """
    try:
        found = orjson.loads(file.read_bytes())
        return {name: Ceiling.model_validate(one) for name, one in found.items()}
    except (orjson.JSONDecodeError, ValidationError, AttributeError) as error:
        why = first_in_words(error) if isinstance(error, ValidationError) else "it is not JSON of smbench"
        raise ValueError(f"{file}: {why}") from error
