"""Goal: the truth is a table of the schema, exact to the nanosecond, one row a call. Method: calls made by hand."""

import os
from datetime import timedelta
from pathlib import Path

import polars as pl
import pytest

from smbench.emulator.sagemaker import truth as truth_module
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


def done(truth: Truth, inference_id: str, location: str | None, **known: object) -> None:
    call = truth.arrive(inference_id, 1_000)
    call.accepted, call.outcome, call.output_location = True, Outcome.COMPLETED, location
    for name, value in known.items():
        setattr(call, name, value)
    truth.close(call)


def test_a_closed_call_is_the_row_that_the_open_one_was() -> None:
    kept, closed = Truth(EPOCH_NS), Truth(EPOCH_NS)
    facts: list[tuple[str, str | None, dict[str, object]]] = [
        ("a", "s3://bucket/out/1.out", {"started_ns": 0, "ended_ns": 5_000, "published_ns": 6_000, "instance": 0}),
        ("é \U0001f600", None, {"fault": "lost_reply", "attempts": 2, "copies": 3, "notice": "late"}),
        ("", "no-folder", {"status_code": 202}),
        ("b", "s3://bucket/out/", {}),
    ]
    for truth in (kept, closed):
        for inference_id, location, known in facts:
            done(truth, inference_id, location, **known)
        truth.arrive("open", 9_000).accepted = True
    rows = closed.frame().rows(named=True)
    assert rows == kept.frame().rows(named=True)
    assert [row["inference_id"] for row in rows] == ["a", "é \U0001f600", "", "b", "open"]
    assert [row["output_location"] for row in rows] == [
        "s3://bucket/out/1.out", None, "no-folder", "s3://bucket/out/", None,
    ]  # fmt: skip
    assert rows[0]["instance"] == 0
    assert rows[1]["started"] is None
    assert (rows[1]["fault"], rows[1]["attempts"], rows[1]["copies"], rows[1]["notice"]) == ("lost_reply", 2, 3, "late")
    assert (rows[2]["status_code"], rows[3]["status_code"]) == (202, None)
    assert closed.frame().schema == polars_schema(TRUTH)


def test_calls_are_in_the_order_of_their_arrival_whichever_ends_first() -> None:
    truth = Truth(EPOCH_NS)
    first, second = truth.arrive("first", 0), truth.arrive("second", 1)
    truth.close(second)
    truth.close(first)
    assert truth.frame()["inference_id"].to_list() == ["first", "second"]


def test_a_truth_nobody_asks_for_keeps_what_is_under_way_alone() -> None:
    truth = Truth(EPOCH_NS, is_kept=False)
    done(truth, "a", None)
    truth.arrive("b", 0)
    assert truth.frame()["inference_id"].to_list() == ["b"]
    assert truth.frame()["call"].to_list() == [1]


@pytest.mark.parametrize("at_once", [1, 3, 7, 100])
def test_the_file_is_the_same_however_many_calls_are_made_into_a_frame_together_and_nothing_is_left_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    truth = Truth(EPOCH_NS)
    calls = [truth.arrive(f"call {number}", number) for number in range(7)]
    for call in (calls[5], calls[0], calls[3], calls[2]):  # the order of their ends is another than that of arrival
        call.accepted, call.output_location = call.number != 3, f"s3://b/out/{call.number}" if call.number else None
        truth.close(call)
    expected = truth.frame()
    assert expected["inference_id"].to_list() == [f"call {number}" for number in range(7)]
    assert expected["output_location"].to_list() == [
        f"s3://b/out/{number}" if number in (5, 3, 2) else None for number in range(7)
    ]
    monkeypatch.setattr(truth_module, "_ROWS_AT_ONCE", at_once)
    assert truth.frame().equals(expected)
    truth.write(tmp_path / "truth.parquet")
    assert pl.read_parquet(tmp_path / "truth.parquet").equals(expected)
    assert [path.name for path in tmp_path.iterdir()] == ["truth.parquet"]


@pytest.mark.parametrize("together", [1, 2, 7])
def test_calls_that_were_spilled_are_the_rows_that_they_were_in_memory(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(truth_module, "_ROWS_AT_ONCE", 3)

    def frame() -> pl.DataFrame:
        truth = Truth(EPOCH_NS)
        calls = [truth.arrive(f"call {number}", number) for number in range(12)]
        for number in (11, 0, 5, 4, 3, 10, 1, 2, 9):
            calls[number].accepted = number % 2 == 0
            truth.close(calls[number])
        return truth.frame()

    in_memory = frame()
    monkeypatch.setattr(truth_module, "_SPILLED_TOGETHER", together)
    assert frame().equals(in_memory)
    assert in_memory["call"].to_list() == list(range(12))


def test_the_truth_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    sync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        done.append(f"sync {Path(f'/proc/self/fd/{descriptor}').readlink().name}")
        sync(descriptor)

    def named(path: Path, target: Path) -> Path:
        done.append("name")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", named)
    Truth(EPOCH_NS).write(tmp_path / "truth.parquet")
    assert done == ["sync truth.parquet.tmp", "name", f"sync {tmp_path.name}"]
