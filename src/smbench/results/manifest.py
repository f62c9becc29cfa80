"""The manifest of a run: everything needed to repeat it and to judge it, in one JSON file. It has no credential."""

import datetime
import importlib.metadata
import os
import platform
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from smbench.errors import ResultsError
from smbench.printable import printable_json, printable_values
from smbench.records import Ending
from smbench.results.files import write_whole
from smbench.results.schema import SCHEMA_VERSION
from smbench.results.secrets import redacted
from smbench.scenario.explain import first_in_words
from smbench.scenario.values.files import read_regular
from smbench.schedule.base import PhaseSpan

MANIFEST = "manifest.json"
_STAMP_LENGTH = len("20260101T000000Z")  # of the instant with which a folder's name ends
_BYTES_MAX = 256 << 20  # a scenario as long as one may be, and its notes, are a hundredth of this
PACKAGES = ("smbench", "aioboto3", "aiobotocore", "botocore", "anyio", "numpy", "polars", "pydantic", "uvloop")


class ClockFacts(BaseModel):
    """How scenario time related to real time."""

    model_config = ConfigDict(frozen=True)

    kind: str = "real"  # real | scaled | warp
    epoch_ns: int = 0  # UTC nanoseconds since 1970 at scenario time zero
    scale: float = 1.0  # scenario seconds per real second

    @field_validator("epoch_ns")
    @classmethod
    def _whole_microseconds(cls, epoch_ns: int) -> int:
        """As instants on disk; runs of schema 1 began at any nanosecond."""
        return epoch_ns - epoch_ns % 1000


class Host(BaseModel):
    """The machine and what ran on it."""

    model_config = ConfigDict(frozen=True)

    name: str = ""
    platform: str = ""
    cpu_count: int = 0
    python: str = ""
    packages: dict[str, str] = {}

    @classmethod
    def this(cls) -> "Host":
        """The machine and the packages of this process; packages that are not installed are left out."""
        packages = {}
        for name in PACKAGES:
            try:
                packages[name] = importlib.metadata.version(name)
            except importlib.metadata.PackageNotFoundError:
                continue  # uvloop is not for every platform
        python = f"{platform.python_implementation()} {platform.python_version()}"
        return cls(
            name=platform.node(),
            platform=platform.platform(),
            cpu_count=os.cpu_count() or 0,
            python=python,
            packages=packages,
        )


class RayFacts(BaseModel):
    """The Ray cluster of a run whose workers outlive the process that started them."""

    model_config = ConfigDict(frozen=True)

    address: str  # without credentials
    folder: int  # the run's folder by its number on the disk: a copy has another


class EmulatorEffort(BaseModel):
    """What the emulated endpoint used of the machine, in a process of its own, between the go and its last answer."""

    model_config = ConfigDict(frozen=True)

    cpu_s: float
    elapsed_s: float  # real time
    loop_lag_max_s: float | None = None  # the latest that its loop ever woke; None: an older run did not measure it

    @property
    def cpu_share(self) -> float:
        """Of one core, over the whole run."""
        return self.cpu_s / self.elapsed_s if self.elapsed_s else 0.0


class ImportedFrom(BaseModel):
    """The file of another tool that a run was made from by `smbench import`."""

    model_config = ConfigDict(frozen=True)

    file: str  # its name
    digest: str  # SHA-256 of its bytes
    tool: str = ""  # the tool that wrote it; empty: none that is known
    columns: dict[str, str] = {}  # what each role was read from
    lacking: dict[str, str] = {}  # figures that cannot be had, and why
    is_due_known: bool = False  # the file says when each request was due
    n_timeouts: int = 0  # requests whose client gave up: longer than they are old
    has_failures: bool = True  # the file says of each request how it ended
    has_unanswered: bool = True  # requests that were not answered are in the file, too
    has_unnoticed: bool = True  # and so are those of whose end no notice came

    @property
    def in_words(self) -> str:
        """Who sent the requests, and what is not known of them."""
        timed_out = f"; {self.n_timeouts:,} timed out, and took longer than they waited" if self.n_timeouts else ""
        lacking = "; ".join(f"{figure} ({why})" for figure, why in self.lacking.items())
        return f"{self.tool or 'another tool'} did, {self.file}{timed_out}; not known: {lacking}"


class ShardFacts(BaseModel):
    """One shard of a run that was shared by machines, as `smbench collect` found it."""

    model_config = ConfigDict(frozen=True)

    shard: int  # from 0; the column `worker` of its rows
    host: str = ""  # empty: it never started
    ending: str  # finished, stopped, cancelled, failed, killed, or never started
    reason: str = ""  # of an ending other than finished
    zero: datetime.datetime | None = None  # UTC, its scenario time zero; null: it never got there
    late_s: float | None = None  # by how much it began after its time zero; null: it never began
    clock_offset_s: float | None = None  # AWS's clock is ahead of its machine's by this; null: no notice says
    clock_uncertainty_s: float | None = None  # of that, half an acknowledgement

    @property
    def began(self) -> datetime.datetime | None:
        """Its time zero by AWS's clock, as far as that is known; None: it never got there."""
        return None if self.zero is None else self.zero + datetime.timedelta(seconds=self.clock_offset_s or 0.0)


class Band(BaseModel):
    """One metric over the replications of a prediction, in the metric's unit; null: above every known value."""

    model_config = ConfigDict(frozen=True)

    metric: str  # of `compare`, or an objective as it is written
    n: int  # replications that have it
    median: float | None
    low: float | None  # the next replication lies below it with a chance of 5 %
    high: float | None  # and above it with one of 5 %, where there are 19 replications or more


class Prediction(BaseModel):
    """What makes a run a prediction: its requests were never sent."""

    model_config = ConfigDict(frozen=True)

    label: str  # how far the model can be trusted: its grade, or that it has none
    replications: int = 1  # the folder has the first; `bands` has all
    bands: tuple[Band, ...] = ()  # empty for a single replication


class Manifest(BaseModel):
    """Written when a run begins, with `ending` running, and again when it is over."""

    model_config = ConfigDict(frozen=True)

    schema_version: int = SCHEMA_VERSION  # of the files in the folder
    smbench: str = ""  # the version that made the run
    run_id: str  # the beginning of every InferenceId and of the names of what the run creates
    command: tuple[str, ...] = ()  # the command line
    started: datetime.datetime  # UTC, real time
    ended: datetime.datetime | None = None  # UTC, real time; null in the folder of a run that was killed
    ending: Ending = Ending.RUNNING  # one of `records.Ending`; `running` in a file at rest: the run was killed
    reason: str = ""  # of a stop, a cancellation or a failure
    scenario: dict[str, Any] = {}  # with every default written out, and what the command line changed
    scenario_file: str = ""  # the file's name; empty where the scenario was made in Python
    scenario_folder: str = ""  # of the files that the scenario names, on the machine that ran it
    scenario_digest: str = ""  # SHA-256 of the file's bytes
    seeds: dict[str, int] = {}  # of each use of chance
    schedule_digest: str = ""  # of due instants, phases and payloads: equal digests are equal loads
    spans: tuple[PhaseSpan, ...] = ()  # each phase: kind, start and planned end in ns of the run, first `seq`, requests
    payload_digests: dict[str, str] = {}  # SHA-256, by the payload's name
    file_checksums: dict[str, str] = {}  # CRC-32 of each parquet file of a closed run, by its name; empty: not closed
    clock: ClockFacts = ClockFacts()  # time zero and the kind of time
    workers: int = 1  # processes that shared the load
    niceness: dict[str, int] = {}  # of each worker's process in real time: below 0 it went before ordinary ones
    shards: tuple[ShardFacts, ...] = ()  # of a run shared by machines, every shard; empty: one parent led the workers
    transport: str = ""  # sdk, wire, or simulated
    kind: Literal["measured", "simulated"] = "measured"  # simulated: a prediction, no request was sent
    prediction: Prediction | None = None  # of a simulated run: the model's label, and the band over replications
    target: dict[str, Any] = {}  # endpoint, policies and alarms as found before the run
    held: dict[str, dict[str, Any]] = {}  # made in AWS by each worker and still needed; empty in a closed run
    prices: dict[str, float] = {}  # USD that the command line gave in the place of list prices, by their names
    endpoint_url: str | None = None  # the address of all AWS services; null: AWS's own
    claims: tuple[str, ...] = ()  # of each resume that sent more from this folder: what its claim in S3 says
    resumes: int = 0  # how many times `smbench resume` took it up
    inapplicable: tuple[str, ...] = ()  # checks and stages of a request that mean nothing for this kind of target
    host: Host = Host()  # machine, CPU count, versions of Python and of packages
    ray: RayFacts | None = None  # where its workers go on if their parent dies; null: they end with it
    emulator: EmulatorEffort | None = None  # CPU of the emulated endpoint's own process; null where there was none
    imported: ImportedFrom | None = None  # null: smbench itself sent the requests
    notes: tuple[str, ...] = ()  # what could not be read or removed, and other sentences for a person

    @property
    def n_scheduled(self) -> int:
        """Requests of all phases."""
        return sum(span.n for span in self.spans)

    def write(self, run_dir: Path) -> None:
        """Put it in the run's folder, whole or not at all.

        Raises:
            ResultsError: it could not be written.
        """
        path = run_dir / MANIFEST
        content = redacted(self.model_dump(mode="json"))
        try:
            write_whole(path, printable_json(orjson.dumps(content, option=orjson.OPT_INDENT_2)))
        except OSError as error:
            raise ResultsError(f"cannot write {path}: {error.strerror or error}") from error


def read_manifest(run_dir: Path) -> Manifest:
    """The manifest of a run's folder.

    Raises:
        ResultsError: there is no run, its manifest is damaged, or a later smbench wrote it.
    """
    path = run_dir / MANIFEST
    try:
        found = orjson.loads(read_regular(path, _BYTES_MAX))
        version = found["schema_version"]
    except (FileNotFoundError, NotADirectoryError):
        raise no_run(run_dir) from None
    except OSError as error:
        raise ResultsError(f"cannot read {path}: {error.strerror or error}") from error
    except (orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise ResultsError(f"{path} is damaged, or no manifest of smbench: {error!r}") from error
    if not isinstance(version, int) or version > SCHEMA_VERSION:
        raise ResultsError(
            f"{run_dir} has results of schema {version}, written by smbench {found.get('smbench', '?')}; "
            f"this smbench reads up to schema {SCHEMA_VERSION}",
            "upgrade smbench",
        )
    try:
        return Manifest.model_validate(printable_values(found))
    except ValidationError as error:
        raise ResultsError(f"{path} is damaged: {first_in_words(error)}") from error


def no_run(run_dir: Path) -> ResultsError:
    """What is wrong with a path that holds no run; the latest runs near it, where there are any."""
    if not run_dir.exists():
        near = _latest_runs(run_dir.parent) or _latest_runs(Path("results"))
        return ResultsError(f"there is no folder {run_dir}", near)
    return ResultsError(f"{run_dir} is not a run: it has no {MANIFEST}", _latest_runs(run_dir))


def _latest_runs(folder: Path) -> str:
    runs = sorted((path.parent for path in folder.glob(f"*/{MANIFEST}")), key=lambda path: path.name[-_STAMP_LENGTH:])
    return f"the latest runs in {folder}: {', '.join(path.name for path in runs[:-6:-1])}" if runs else ""
