"""Goal: the truth is a table of the schema, exact to the nanosecond, one row a call. Method: calls made by hand."""

from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from smbench.emulator.sagemaker.truth import Truth
from smbench.records import Outcome
from smbench.results.schema import TRUTH, polars_schema

EPOCH_NS = 1_767_225_600_000_000_000


def test_the_columns_are_the_schemas() -> None:
    assert Truth(EPOCH_NS).frame().schema == polars_schema(TRUTH)


def test_instants_are_exact_to_the_microsecond_and_in_utc() -> None:
    truth = Truth(EPOCH_NS)
    call = truth.arrive("a", 1_999)
    call.accepted, call.started_ns, call.ended_ns = True, 1_000_003_000, 86_400_000_007_000
    frame = truth.frame()
    assert frame["arrived"].dt.timestamp("ns").to_list() == [EPOCH_NS + 1_000]
    assert (frame["ended"] - frame["started"]).to_list() == [timedelta(seconds=86_399, microseconds=4)]
    assert (frame["ended"].dt.timestamp("ns") - frame["started"].dt.timestamp("ns")).to_list() == [86_399_000_004_000]


def test_an_accepted_call_without_an_end_is_pending_and_a_refused_one_has_no_outcome() -> None:
    truth = Truth(EPOCH_NS)
    truth.arrive("refused", 0).status_code = 400
    truth.arrive("waiting", 1).accepted = True
    done = truth.arrive("done", 2)
    done.accepted, done.outcome = True, Outcome.COMPLETED
    assert truth.frame().select("call", "inference_id", "outcome").rows() == [
        (0, "refused", None),
        (1, "waiting", "pending"),
        (2, "done", "completed"),
    ]


def test_columns_that_the_schema_calls_never_null_never_are() -> None:
    truth = Truth(EPOCH_NS)
    truth.arrive("a", 0)
    row = truth.frame().row(0, named=True)
    assert [column.name for column in TRUTH if not column.null and row[column.name] is None] == []


def test_a_truth_that_cannot_be_written_leaves_the_former_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = Truth(EPOCH_NS)
    truth.write(tmp_path / "truth.parquet")

    def disk_full(_frame: pl.DataFrame, path: Path) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    truth.arrive("a", 0)
    monkeypatch.setattr(pl.DataFrame, "write_parquet", disk_full)
    with pytest.raises(OSError, match="No space"):
        truth.write(tmp_path / "truth.parquet")
    assert pl.read_parquet(tmp_path / "truth.parquet").is_empty()
