"""A run on disk: part files while it lasts, one file of each kind when it is over, and the way back to frames.

Two rules. A file is whole or it is not there: every one is written beside its place, synced, then renamed. And a
request's row may be in several parts, as versions; the one in its worker's latest part is the row.
"""

import contextlib
import datetime
import io
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smbench.errors import DiskError, ResultsError
from smbench.printable import is_utf8
from smbench.results.damage import (
    PARTS,
    Part,
    checked_part,
    checked_whole,
    first_line,
    is_sound,
    manifest_of_rows,
    part_name,
    sound_parts,
)
from smbench.results.files import sync_file, sync_folder, write_whole
from smbench.results.gathering import Gathering
from smbench.results.manifest import MANIFEST, Manifest, read_manifest
from smbench.results.marks import MARK, copy_mark
from smbench.results.older import scan
from smbench.results.schema import FILES, polars_schema

_SPENT = "parts.compacted"  # what `parts` is called once its contents stand in the compacted files
_OPENING = "parts.opening"  # what `parts` is called until all whole files are in it
_WHOLE = "+"  # the writer of a part that was a whole file before: its name comes before those of all others
_JOURNALLED = ("requests", "readings", "events")
_ORDER = {"readings": ["seen", "at", "source", "name", "stat"], "events": ["at", "seen", "kind", "name", "state"]}
_RANGE = 10_000  # requests held in memory at once: a million in two versions take 214 MB, by 25,000 at once 351 MB


def new_run_dir(root: Path, name: str, started: datetime.datetime) -> Path:
    """Make `root/name-20261121T031200Z`, or `...Z-2` and so on; never a folder that was there before.

    Raises:
        ResultsError: it cannot be made.
    """
    if not is_utf8(str(root.absolute())):  # the manifest and parquet's readers name it
        raise ResultsError(f"{root.absolute()} is not UTF-8: results cannot be kept there", "name another folder")
    count, stamp = 1, f"{started:%Y%m%dT%H%M%SZ}"
    while True:
        run_dir = root / (f"{name}-{stamp}" if count == 1 else f"{name}-{stamp}-{count}")
        try:
            run_dir.mkdir(parents=True)
        except FileExistsError:
            if not run_dir.is_dir():  # `root` itself is a file, or a file has the run's name
                raise ResultsError(f"cannot make {run_dir}: a file of that name is in the way") from None
            count += 1
        except OSError as error:
            raise ResultsError(f"cannot make {run_dir}: {error.strerror}", "name another folder for results") from error
        else:
            return run_dir


class PartWriter:
    """Writes the parts of one file (`requests`, `readings` or `events`) for one writer, in order.

    Nothing here knows a loop: where one must not be held up, call `write` in a thread, one call at a time.
    """

    def __init__(self, folder: Path, file: str, writer: int | str) -> None:
        self.folder, self.file, self.writer = folder / PARTS, file, writer
        self._schema = polars_schema(FILES[file])
        self._number = self._rows = self._parts = 0
        self._gathering = Gathering(file)

    def write(self, frame: pl.DataFrame) -> None:
        """Write one part; it is on disk when this returns.

        Raises:
            DiskError: it could not be written. The parts before it are whole and stay.
        """
        if frame.schema != self._schema:
            raise AssertionError(f"not the columns of {self.file}: {frame.schema}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if not self._parts:
                self._number = _next_number(self.folder, self.file, self.writer)
            buffer = io.BytesIO()
            frame.write_parquet(buffer)
            content = buffer.getbuffer()
            path = self.folder / part_name(self.file, self.writer, self._number, content)
            write_whole(path, content)
        except OSError as error:
            raise DiskError(
                f"cannot write to {self.folder}: {error.strerror or error}. Kept of {self.file}: "
                f"{self._rows:,} rows in {self._parts:,} parts",
                "make room; `smbench report` reads what was kept",
            ) from error
        self._number += 1
        self._parts += 1
        self._rows += frame.height
        self._gathering.wrote(path, frame.height)


def compact(run_dir: Path) -> None:
    """Turn the parts into one file of each kind; do nothing when there are none.

    The parts leave in one rename after all files are in place and their rows counted, so a compaction that was cut
    short is simply done again. Memory is bounded by `_RANGE`, not by the run.

    Raises:
        ResultsError: a part cannot be read, or a file cannot be written; the parts stay.
    """
    folder = run_dir / PARTS
    shutil.rmtree(run_dir / _SPENT, ignore_errors=True)
    if not folder.is_dir():
        return
    try:
        for file in _JOURNALLED:
            _compact_file(run_dir, file, [checked_part(part) for part in _parts(folder, file)])
        sync_folder(run_dir)  # the files are there, whatever happens, before the parts leave
        folder.rename(run_dir / _SPENT)
        sync_folder(run_dir)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise ResultsError(
            f"cannot compact {folder}: {first_line(error)}", "the parts are kept; `smbench report` reads them"
        ) from error
    finally:
        for file in _JOURNALLED:
            (run_dir / f"{file}.parquet.tmp").unlink(missing_ok=True)
    shutil.rmtree(run_dir / _SPENT, ignore_errors=True)


def uncompact(run_dir: Path) -> None:
    """The way back: the whole files become the first parts, so that more can be written.

    Where there are parts they hold everything already: whole files beside them are of a compaction that was cut short,
    and count no second time.

    Raises:
        ResultsError: the folder cannot be written to.
    """
    folder, opening = run_dir / PARTS, run_dir / _OPENING
    try:
        for rest in (opening, run_dir / _SPENT):
            shutil.rmtree(rest, ignore_errors=True)
        wholes = {file: run_dir / f"{file}.parquet" for file in _JOURNALLED}
        if not folder.is_dir():
            opening.mkdir()
            for file, whole in wholes.items():
                if whole.exists():
                    _second_name(whole, opening / f"{file}-{_WHOLE}-000000.parquet")
            sync_folder(opening)
            opening.rename(folder)
            sync_folder(run_dir)
        for whole in wholes.values():
            whole.unlink(missing_ok=True)
        sync_folder(run_dir)
    except OSError as error:
        raise ResultsError(f"cannot write to {run_dir}: {error.strerror or error}") from error


def keep_last_versions(run_dir: Path) -> None:
    """Of each worker's rows only the last versions stay, in one part; the workers of before must have ended.

    Else a run that is taken up often would hold its rows as many times. What is damaged, and what cannot be written,
    stays as it is.
    """
    folder = run_dir / PARTS
    by_writer: dict[str, list[Part]] = {}
    for part in _parts(folder, "requests"):
        by_writer.setdefault(part.writer, []).append(part)
    for parts in by_writer.values():
        if len(parts) > 1:
            with contextlib.suppress(OSError, ResultsError, pl.exceptions.PolarsError):
                _keep_last_versions(folder, parts)


def _keep_last_versions(folder: Path, parts: Sequence[Part]) -> None:
    paths, beside = [checked_part(part) for part in parts], folder / "requests.tmp"
    try:
        n_requests = _sink_requests(paths, beside)
        if _rows([beside]) != n_requests:
            return
        content, last = beside.read_bytes(), parts[-1]
        write_whole(folder / part_name(last.file, last.writer, last.number, content, first=parts[0].first), content)
        for path in paths:
            path.unlink(missing_ok=True)
    finally:
        beside.unlink(missing_ok=True)


def link_parts(source: Path, run_dir: Path) -> None:
    """Give the parts of one folder a second name in the folder of a run, and copy its workers' marks.

    Raises:
        ResultsError: a file cannot be read, or the folder cannot be written to.
    """
    try:
        (run_dir / PARTS).mkdir(parents=True, exist_ok=True)
        for path in sorted((source / PARTS).glob("*")):
            if Part.of(path) is not None:
                _second_name(path, run_dir / PARTS / path.name)
            elif path.name.startswith(MARK):
                copy_mark(path, run_dir / PARTS / path.name)
    except OSError as error:
        raise ResultsError(f"cannot copy the parts in {source} to {run_dir}: {error.strerror or error}") from error


def _second_name(file: Path, name: Path) -> None:
    try:
        os.link(file, name)
    except OSError:  # a file system without links
        shutil.copyfile(file, name)
        sync_file(name)


@dataclass(frozen=True, slots=True)
class RunFiles:
    """A run, read lazily. Frames have the columns of `results.schema`, requests one row each, sorted by seq."""

    path: Path
    manifest: Manifest
    requests: pl.LazyFrame
    readings: pl.LazyFrame
    events: pl.LazyFrame
    truth: pl.LazyFrame | None  # of an emulated endpoint only
    is_compacted: bool
    damage: tuple[str, ...] = ()  # what could not be read, a sentence each


def open_run(path: Path) -> RunFiles:
    """A run's folder, compacted or not. Parts that are damaged are left out, and so is a manifest that is missing.

    Raises:
        ResultsError: it is no run, a later smbench wrote it, or a whole file of it is damaged or missing.
    """
    folder, truth = path / PARTS, path / "truth.parquet"
    there = [file for file in _JOURNALLED if (path / f"{file}.parquet").exists()]
    has_rows = folder.is_dir() or bool(there)
    is_headless = has_rows and not (path / MANIFEST).exists()
    manifest = None if is_headless else read_manifest(path)
    checksums = {} if manifest is None else manifest.file_checksums
    damage: list[str] = []
    if folder.is_dir():
        frames = {file: _of_parts(folder, file, damage) for file in _JOURNALLED}
    else:
        whole = _JOURNALLED if "requests" in there or len(there) > 1 or checksums else there  # made together
        frames = {file: _nothing(file) for file in _JOURNALLED}
        frames |= {file: _whole(path, file, checksums) for file in whole}
    if manifest is None:
        manifest = manifest_of_rows(**frames)
        damage.append(f"{path / MANIFEST} is missing: the scenario, the target and how the run ended are not known")
    return RunFiles(
        path=path,
        manifest=manifest,
        **frames,
        truth=_whole(path, "truth", checksums) if truth.exists() else None,
        is_compacted=not folder.is_dir(),
        damage=tuple(damage),
    )


def _whole(run_dir: Path, file: str, checksums: Mapping[str, str]) -> pl.LazyFrame:
    return _scan(file, [checked_whole(run_dir / f"{file}.parquet", file, checksums)])


def _of_parts(folder: Path, file: str, damage: list[str]) -> pl.LazyFrame:
    sound, left_out = sound_parts(_parts(folder, file))
    damage += left_out
    return _merged(file, sound)


# ---- parts ----------------------------------------------------------------------------------------------------


def _parts(folder: Path, file: str) -> list[Part]:
    """The parts of a file by writer, each writer's in the order written, none of them with a row of another's.

    A gathered part counts in the place of those that it was made from; where it is damaged they count, as far as they
    are still there, and it goes without a word only if they all are. Files under way (`.tmp`) are no parts.
    """
    found = (Part.of(path) for path in sorted(folder.iterdir()))
    parts = [part for part in found if part is not None and part.file == file]
    of_several = [part for part in parts if part.number > part.first]
    for gathered in sorted(of_several, key=lambda part: part.number - part.first):
        inside = [part for part in parts if gathered.has_all_of(part)]
        if inside and is_sound(gathered):
            parts = [part for part in parts if part not in inside]
        elif set().union(*(part.numbers for part in inside)) == set(gathered.numbers):
            parts.remove(gathered)
    return parts


def _next_number(folder: Path, file: str, writer: int | str) -> int:
    """Beyond what this writer wrote before: a resumed run goes on where it was."""
    own = [part.number for part in _parts(folder, file) if part.writer == str(writer)]
    return max(own, default=-1) + 1


def _merged(file: str, parts: Sequence[Path]) -> pl.LazyFrame:
    if not parts:
        return _nothing(file)
    if file != "requests":
        return _scan(file, parts).sort(_ORDER[file], maintain_order=True)
    return _latest(_versions(parts))


def _scan(file: str, paths: Sequence[Path]) -> pl.LazyFrame:
    return scan(file, [str(path) for path in paths])


def _versions(parts: Sequence[Path]) -> pl.LazyFrame:
    """All versions of all requests, with the part each is from: parts are in order of their names."""
    names = [str(part) for part in parts]
    # To sort by names themselves took four times the memory, for each row carries its own.
    return scan("requests", names, path_column="_part").with_columns(pl.col("_part").cast(pl.Enum(sorted(names))))


def _latest(versions: pl.LazyFrame) -> pl.LazyFrame:
    """The last version of each row. Two workers never have the same row; if they did, both must be seen.

    Parts of one worker sort by name as they were written: six digits last for 17 days of a part every 1.5 seconds.
    """
    latest = versions.sort("seq", "worker", "_part").unique(["seq", "worker"], keep="last", maintain_order=True)
    return latest.drop("_part")


def _nothing(file: str) -> pl.LazyFrame:
    return pl.LazyFrame(schema=polars_schema(FILES[file]))


# ---- compaction -----------------------------------------------------------------------------------------------


def _compact_file(run_dir: Path, file: str, parts: Sequence[Path]) -> None:
    whole = run_dir / f"{file}.parquet"
    beside = whole.with_name(whole.name + ".tmp")
    if file == "requests" and parts:
        expected = _sink_requests(parts, beside)
    else:
        _merged(file, parts).sink_parquet(beside)
        expected = _rows(parts)
    if (written := _rows([beside])) != expected:
        raise ResultsError(f"{whole} would hold {written:,} rows instead of {expected:,}; the parts are kept")
    sync_file(beside)
    beside.replace(whole)


def _sink_requests(parts: Sequence[Path], target: Path) -> int:
    """By ranges of seq, each sorted by itself, then joined as a stream: sorting all at once took 2 GB a million.

    A range reads those parts alone that have rows of it, and the ranges stay apart in the file, so that each is read
    without the others.

    Returns:
        How many requests the parts have, counted apart from what was written.

    Raises:
        ResultsError: a row of the parts is in no range, or in two.
    """
    extent = [pl.min("seq").alias("first"), pl.max("seq").alias("last")]
    spans = [pl.scan_parquet(part).select(extent).collect().row(0) for part in parts]
    known = [(part, first, last) for part, (first, last) in zip(parts, spans, strict=True) if first is not None]
    runs = []
    n_versions = n_requests = 0
    try:
        lowest, highest = min((one[1] for one in known), default=0), max((one[2] for one in known), default=0)
        for start in range(lowest, highest + 1, _RANGE):
            end = start + _RANGE
            inside = [part for part, first, last in known if first < end and last >= start] or list(parts)
            is_inside = pl.col("seq").is_between(start, end - 1)
            keys = pl.scan_parquet(inside).filter(is_inside).select("seq", "worker").collect()
            n_versions += keys.height
            n_requests += keys.n_unique()
            runs.append(target.with_name(f"{target.name}-{start}.tmp"))
            _latest(_versions(inside).filter(is_inside)).collect(engine="streaming").write_parquet(runs[-1])
        pl.scan_parquet(runs).sink_parquet(target, row_group_size=_RANGE)
    finally:
        for run in runs:
            run.unlink(missing_ok=True)
    if n_versions != (n_read := _rows(parts)):
        raise ResultsError(f"{target} would be made of {n_versions:,} rows instead of {n_read:,}; the parts are kept")
    return n_requests


def _rows(files: Sequence[Path]) -> int:
    return sum(int(pl.scan_parquet(file).select(pl.len()).collect().item()) for file in files)
