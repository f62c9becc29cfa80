"""A long run has few part files: a writer's small parts are gathered into larger ones, as it goes.

A gathered part says in its name which numbers it has, and is on disk before any of those is removed; wherever both are,
the gathered one counts. Those are removed only when the next are gathered, so that who reads the run meanwhile, or puts
its parts into S3, finds what was there a moment before.
"""

import io
from pathlib import Path

import polars as pl

from smbench.results.damage import Part, part_name
from smbench.results.files import write_whole

GATHERED_N = 32  # parts at once: 48 s of a run
_FEW = 8  # fewer are not worth it
_SMALL_ROWS = 1_000  # of a part; a larger one stays, for to read and write it again makes a busy worker send late
_ROWS_MAX = 100_000  # of a gathered part, so that gathering takes little memory


class Gathering:
    """Gathers the parts of one file of one writer; it is given each after it was written."""

    def __init__(self, file: str) -> None:
        self._is_requests = file == "requests"
        self._small: list[tuple[Path, int]] = []
        self._spent: list[Path] = []

    def wrote(self, path: Path, n_rows: int) -> None:
        """Gather, where this part makes enough of them. What cannot be gathered stays as it is."""
        if n_rows > _SMALL_ROWS:
            self._small = []  # what is gathered has no number missing
            return
        self._small.append((path, n_rows))
        n_all = sum(n for _, n in self._small)
        if len(self._small) < GATHERED_N and n_all < _ROWS_MAX:
            return
        small, self._small = self._small, []
        if len(small) < _FEW:
            return
        try:
            self._gather([path for path, _ in small])
        except (OSError, pl.exceptions.PolarsError):
            return

    def _gather(self, paths: list[Path]) -> None:
        frame = pl.concat([pl.read_parquet(path) for path in paths])
        if self._is_requests:  # of each row its last version
            frame = frame.unique(["seq", "worker"], keep="last", maintain_order=True)
        first, last = Part.of(paths[0]), Part.of(paths[-1])
        assert first is not None, paths[0]
        assert last is not None, paths[-1]
        buffer = io.BytesIO()
        frame.write_parquet(buffer)
        content = buffer.getbuffer()
        name = part_name(last.file, last.writer, last.number, content, first=first.first)
        write_whole(last.path.with_name(name), content)
        spent, self._spent = self._spent, paths
        for path in spent:
            path.unlink(missing_ok=True)
        if frame.height < _ROWS_MAX // 2:
            self._small = [(last.path.with_name(name), frame.height)]
