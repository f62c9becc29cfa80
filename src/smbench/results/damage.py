"""Finds damaged files of a run: the rest can then be read, and the reader knows what is missing.

A part bears the CRC-32 of its bytes in its name (`requests-0-000003-1c291ca3.parquet`), the manifest of a closed run
has that of every whole file, so a changed byte is found wherever it lies; a file of an older smbench, which has
neither, is only tried.
"""

import datetime
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smbench.errors import ResultsError
from smbench.records import Ending
from smbench.results.manifest import MANIFEST, ClockFacts, Manifest
from smbench.results.older import is_read_as
from smbench.results.schema import FILES
from smbench.scenario.phases import CLOSED_KINDS
from smbench.schedule.base import PhaseSpan

PARTS = "parts"
RESTORE = "restore it from a copy"
_BLOCK_BYTES = 1 << 20
_PART = re.compile(r"(requests|readings|events)-(.+?)-(\d{6})(?:-(\d{6}))?(?:-([0-9a-f]{8}))?\.parquet")


@dataclass(frozen=True, slots=True)
class Part:
    """A part's file, by what its name says. One that was gathered from several has the numbers of all of them."""

    path: Path
    file: str  # requests, readings or events
    writer: str
    first: int
    number: int  # the last
    checksum: str | None

    @classmethod
    def of(cls, path: Path) -> "Part | None":
        """None where it is no part: a file that was being written, or another's."""
        match = _PART.fullmatch(path.name)
        if match is None:
            return None
        return cls(path, match[1], match[2], int(match[3]), int(match[4] or match[3]), match[5])

    @property
    def numbers(self) -> range:
        """Those of the parts whose rows it has."""
        return range(self.first, self.number + 1)

    def has_all_of(self, other: "Part") -> bool:
        """Whether the other's rows are in this one, too; of two with the same numbers neither is in the other."""
        is_same = (self.file, self.writer) == (other.file, other.writer)
        is_within = self.first <= other.first and other.number <= self.number
        return is_same and is_within and self.numbers != other.numbers


def part_name(
    file: str, writer: int | str, number: int, content: bytes | memoryview, *, first: int | None = None
) -> str:
    """The name of a part's file.

    Args:
        first: The first number of several that were gathered in it; None: it is one.
    """
    numbers = f"{number:06d}" if first is None else f"{first:06d}-{number:06d}"
    return f"{file}-{writer}-{numbers}-{_checksum(content)}.parquet"


def _checksum(content: bytes | memoryview) -> str:
    return f"{zlib.crc32(content):08x}"


def checked_part(part: Part) -> Path:
    """The part's path, if its bytes are those that were written and its columns those it should have.

    Raises:
        ResultsError: they are not.
    """
    _refuse_special(part.path)
    try:
        is_changed = part.checksum is not None and _checksum(part.path.read_bytes()) != part.checksum
    except OSError as error:
        raise ResultsError(f"{part.path} cannot be read: {error.strerror or error}") from error
    if is_changed:
        raise ResultsError(f"{part.path} is damaged: its bytes are not those that were written", "restore it")
    return checked(part.path, part.file)


def is_sound(part: Part) -> bool:
    """Whether `checked_part` would not raise."""
    try:
        checked_part(part)
    except ResultsError:
        return False
    return True


def whole_checksums(run_dir: Path) -> dict[str, str]:
    """CRC-32 of every whole file of a run in hexadecimal, by the file's name.

    Raises:
        ResultsError: one cannot be read.
    """
    return {path.name: _checksum_of(path) for path in sorted(run_dir.glob("*.parquet")) if path.stem in FILES}


def checked_whole(path: Path, file: str, checksums: Mapping[str, str]) -> Path:
    """The path of a whole file, if its bytes and columns are those that were written when the run was closed.

    Args:
        checksums: As the manifest has them; a file that is not among them is only tried.

    Raises:
        ResultsError: they are not, or it is missing.
    """
    checked(path, file)
    if path.name in checksums and _checksum_of(path) != checksums[path.name]:
        raise ResultsError(
            f"{path} is damaged or was changed: its bytes are not those that were written when the run was closed",
            f"{RESTORE}; to read it as it is, remove its line from file_checksums in {MANIFEST}",
        )
    return path


def _checksum_of(path: Path) -> str:
    checksum = 0
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                checksum = zlib.crc32(block, checksum)
    except OSError as error:
        raise ResultsError(f"{path} cannot be read: {error.strerror or error}") from error
    return f"{checksum:08x}"


def _refuse_special(path: Path) -> None:
    """A pipe or a device may never end, and reading some devices has effects."""
    if path.exists() and not path.is_file():
        raise ResultsError(f"{path} is not a regular file", RESTORE)


def sound_parts(parts: Sequence[Part]) -> tuple[list[Path], list[str]]:
    """Those that can be read, in the order given, and a sentence on each that cannot."""
    sound, damage = [], []
    for part in parts:
        try:
            sound.append(checked_part(part))
        except ResultsError as error:
            damage.append(f"left out: {error.message}")
    return sound, damage


def checked(path: Path, file: str) -> Path:
    """The path, if it is a whole parquet file with the columns it should have.

    Raises:
        ResultsError: it is not, or it is missing.
    """
    _refuse_special(path)
    try:
        found = pl.read_parquet_schema(path)
    except FileNotFoundError as error:
        raise ResultsError(f"{path} is missing", RESTORE) from error
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ResultsError(
            f"{path} cannot be read: it is not a parquet file, or was cut short ({first_line(error)})",
            RESTORE,
        ) from error
    for column in FILES[file]:
        name, dtype = column.name, column.dtype
        if name not in found:
            if column.is_later:
                continue
            raise ResultsError(f"{path} has no column {name}: another program wrote or changed it")
        if not is_read_as(found[name], dtype):
            raise ResultsError(f"{path}: column {name} is {found[name]}, not {dtype}: another program changed it")
    return path


@contextmanager
def explained_reading(run_dir: Path) -> Iterator[None]:
    """A block that reads a run's rows: what the system or polars says becomes a ResultsError."""
    try:
        yield
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ResultsError(
            f"cannot read {run_dir}: {first_line(error)}", "resume it again once the folder can be read"
        ) from error


def first_line(error: BaseException) -> str:
    """Of an error's text; the name of its kind where it has none."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]


# ---- a run without its manifest -------------------------------------------------------------------------------


def manifest_of_rows(requests: pl.LazyFrame, readings: pl.LazyFrame, events: pl.LazyFrame) -> Manifest:
    """What the rows of a run say of it: its id, time zero, phases and workers; how it ended is not known."""
    phases = events.filter(pl.col("kind") == "phase").sort("at").collect()
    rows = requests.select(
        pl.col("inference_id").drop_nulls().first(),
        pl.col("sched").min(),
        (pl.col("worker").max() + 1).alias("workers"),
    ).collect()
    inference_id, first_due, workers = rows.row(0)
    began = phases["at"].min() if phases.height else first_due
    if not isinstance(began, datetime.datetime):
        raise ResultsError("no manifest, and no row says when the run began", f"restore {MANIFEST} from a copy")
    epoch_ns = (began - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(microseconds=1) * 1000
    has_loop = readings.filter(pl.col("name") == "loop_lag_max_s").limit(1).collect().height > 0
    return Manifest(
        run_id=(inference_id or "").rsplit("-", 2)[0],
        started=began,
        ending=Ending.RUNNING,
        clock=ClockFacts(kind="real" if has_loop else "warp", epoch_ns=epoch_ns),
        workers=workers or 1,
        spans=_spans(phases, requests, epoch_ns),
    )


def _spans(phases: pl.DataFrame, requests: pl.LazyFrame, epoch_ns: int) -> tuple[PhaseSpan, ...]:
    """Each worker wrote the phases; the rows say how many requests they had, and which."""
    counted = requests.group_by("phase").agg(pl.len(), pl.col("seq").min(), pl.col("warmup").any()).collect()
    of_rows = {name: (n, first, warmup) for name, n, first, warmup in counted.iter_rows()}
    spans: list[PhaseSpan] = []
    for row in phases.unique("name", keep="first", maintain_order=True).sort("at", maintain_order=True).to_dicts():
        n, first, warmup = of_rows.get(row["name"], (0, 0, False))
        start_ns, end_ns = (_since_ns(row[name], epoch_ns) for name in ("at", "end"))
        outstanding = 1 if row["state"] in CLOSED_KINDS else None  # how many is not known, that it was closed is
        spans.append(
            PhaseSpan(len(spans), row["name"], row["state"], warmup, start_ns or 0, end_ns, first, n, outstanding, "")
        )
    return tuple(spans)


def _since_ns(instant: datetime.datetime | None, epoch_ns: int) -> int | None:
    if instant is None:
        return None
    since_1970 = instant - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
    return since_1970 // datetime.timedelta(microseconds=1) * 1000 - epoch_ns
