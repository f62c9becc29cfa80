"""Goal: whatever another tool's rows say, none is dropped, the ledger's law holds, and instants come back exactly.
Method: hypothesis over rows with and without ends, statuses and errors, in nanoseconds."""

import tempfile
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smbench.analysis.rows.frames import load
from smbench.analysis.summary import summarise
from smbench.importing.folder import Wanted, import_file
from smbench.results.store import open_run

STATUSES = [None, "200", "404", "503", "0", "ok", "failed", "timeout", "expired", "odd", "pending"]
TYPES = {"start_us": pl.Int64, "latency_us": pl.Int64, "status": pl.String, "error": pl.String, "phase": pl.String}
row = st.fixed_dictionaries(
    {
        "start_us": st.integers(10**15, 10**15 + 10**9),
        "latency_us": st.one_of(st.none(), st.integers(0, 10**8)),
        "status": st.sampled_from(STATUSES),
        "error": st.sampled_from([None, None, "read timed out", "reset"]),
        "phase": st.sampled_from(["a", "b"]),
    }
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(st.lists(row, min_size=1, max_size=20), st.booleans())
def test_no_row_is_dropped_and_the_law_holds(rows: list[dict[str, object]], is_lines: bool) -> None:
    frame = pl.DataFrame(rows, schema=TYPES)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("a.jsonl" if is_lines else "a.csv")
        frame.write_ndjson(path) if is_lines else frame.write_csv(path)
        run = open_run(import_file(path, Path(folder) / "results", Wanted()).path)
        frames = load(run)
        summary = summarise(frames)
        assert not summary.violations
        assert summary.counts.scheduled == len(rows)
        found = sorted((frames.requests["send_ns"] + frames.epoch_ns).to_list())
        assert found == sorted(int(str(one["start_us"])) * 1_000 for one in rows)
        known = frames.requests.filter(pl.col("outcome") == "completed")["age_ns"].to_list()
        assert set(known) <= {int(str(one["latency_us"])) * 1_000 for one in rows if one["latency_us"] is not None}
