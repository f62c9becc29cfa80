"""Goal: however rows were cut into versions, parts and writers, and wherever the run was killed, what is read is the
last version that reached the disk of every row.

Method: hypothesis draws a history of writes; a dictionary is the model.
"""

import tempfile
from pathlib import Path
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from runs import Request, manifest_of, requests_frame
from smbench.records import Ending, Outcome
from smbench.results import gathering
from smbench.results.store import PartWriter, compact, open_run

N_WORKERS = 2
VERSIONS = [Outcome.NOT_SENT, Outcome.PENDING, Outcome.COMPLETED, Outcome.FAILED]

# A write is a worker and the versions of some of its rows: seq belongs to worker seq % 2.
_write = st.tuples(
    st.integers(0, N_WORKERS - 1),
    st.dictionaries(st.integers(0, 9), st.sampled_from(VERSIONS), min_size=1, max_size=5),
)


def _row(seq: int, outcome: Outcome) -> pl.DataFrame:
    done = seq + 2.5 if outcome in (Outcome.COMPLETED, Outcome.FAILED) else None
    return requests_frame([Request(float(seq), outcome, done=done, worker=seq % N_WORKERS)], first_seq=seq)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    history=st.lists(_write, max_size=12),
    is_cut=st.booleans(),
    how=st.sampled_from(["parts", "compact"]),
    gathered_n=st.sampled_from([2, 3, 32]),
)
def test_what_is_read_is_the_last_version_of_every_row(
    history: list[tuple[int, dict[int, Outcome]]], is_cut: bool, how: str, gathered_n: int
) -> None:
    small = mock.patch.multiple(gathering, GATHERED_N=gathered_n, _FEW=2)
    with small, tempfile.TemporaryDirectory() as name:
        run_dir = Path(name)
        manifest_of(ending=Ending.RUNNING).write(run_dir)
        writers = [PartWriter(run_dir, "requests", worker) for worker in range(N_WORKERS)]
        known: dict[int, pl.DataFrame] = {}
        for worker, versions in history:
            rows = {half * N_WORKERS + worker: outcome for half, outcome in versions.items()}
            frames = [_row(seq, outcome) for seq, outcome in rows.items()]
            writers[worker].write(pl.concat(frames))
            known.update(zip(rows, frames, strict=True))
        if is_cut and history:
            (run_dir / "parts" / "requests-0-000099.parquet.tmp").write_bytes(b"PAR1")
        if how == "compact":
            compact(run_dir)
        expected = pl.concat([requests_frame([]), *(known[seq] for seq in sorted(known))])
        assert_frame_equal(open_run(run_dir).requests.collect(), expected)
