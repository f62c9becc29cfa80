"""Goal: an order may be in a folder or in S3, and nothing else about it differs.

Method: one suite for both; S3 is the emulated region's, over real HTTP. Shards are sent in virtual time.
"""

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import orjson
import polars as pl
import pytest

from buckets import BUCKET, Region, region_with_bucket
from guarded_region import gated
from sharing import SCENARIO, MemoryTarget, memory_target, ordered, send
from smbench.api.machines import orders
from smbench.aws.access.clients import AwsSettings
from smbench.aws.setup.s3_place import S3Place, s3_place
from smbench.clock import wall_ns
from smbench.errors import DiskError, ExitCode, OrderError, ResultsError, SmbenchError, TargetError, UsageError
from smbench.lifecycle.collect import collect
from smbench.lifecycle.order import ORDER, read_order
from smbench.lifecycle.places import opened
from smbench.results.law import Counts, row_violations
from smbench.results.marks import locked
from smbench.results.place import FolderPlace, Place
from smbench.results.shards import ShardFiles
from smbench.results.store import RunFiles, open_run
from smbench.targets.base import AwsAccess

__all__ = ["memory_target"]  # a fixture
KINDS = ["folder", "s3"]
SETTINGS = AwsSettings(services=("s3",))


@pytest.fixture(scope="module")
def region() -> Iterator[Region]:
    with region_with_bucket() as region:
        yield region


@contextmanager
def empty_place(kind: str, folder: Path, region: Region) -> Iterator[Place]:
    if kind == "folder":
        yield FolderPlace(folder / "order")
        return
    with s3_place(f"s3://{BUCKET}/{folder.name}/run", SETTINGS) as place:
        yield place


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, region: Region) -> Iterator[Place]:
    with empty_place(request.param, tmp_path, region) as place:
        yield place


def collected(place: Place, tmp_path: Path) -> RunFiles:
    """A minute later, when what a shard of before said is long ago."""
    with (
        mock.patch("smbench.lifecycle.collect.wall_ns", return_value=wall_ns() + 60_000_000_000),
        mock.patch("smbench.lifecycle.collect.HANGS_S", 0.0),
    ):
        done = collect(place, tmp_path / "results", None)
    assert done.problems == ()
    run = open_run(done.path)
    rows = run.requests.collect()
    assert Counts.of(rows).violations() == []
    assert row_violations(rows, run.manifest.n_scheduled) == []
    return run


# ---- files ------------------------------------------------------------------------------------------------------


def test_a_file_is_what_was_written_last_and_what_was_removed_is_not_there(place: Place) -> None:
    assert place.read("shards/3.json") is None
    for content in (b"first", b"", b"x" * 2_000_000):
        place.write("shards/3.json", content)
        assert place.read("shards/3.json") == content
    for _ in range(2):
        place.remove("shards/3.json")
        assert place.read("shards/3.json") is None


def test_a_file_that_only_one_can_make_is_made_once(place: Place) -> None:
    assert [place.make("shards/3.taken", who) for who in (b"me", b"you")] == [True, False]
    assert place.read("shards/3.taken") == b"me"
    place.let_go("shards/3.taken")
    assert not place.make("shards/3.taken", b"you"), "it stays"
    place.remove("shards/3.taken")
    assert place.make("shards/3.taken", b"you")
    place.let_go("shards/3.taken")


@pytest.mark.parametrize("has_links", [True, False])
def test_a_file_that_only_one_can_make_is_there_with_all_its_words(tmp_path: Path, has_links: bool) -> None:
    place, other, seen = FolderPlace(tmp_path), FolderPlace(tmp_path), list[bytes | None]()
    link = os.link

    def looked_at(descriptor: int) -> bool:
        seen.append(other.read("go"))
        return locked(descriptor)

    def linked(file: Path, name: Path) -> None:
        if not has_links:
            raise PermissionError(errno.EPERM, "no links")
        link(file, name)

    with mock.patch("smbench.results.place.locked", looked_at), mock.patch("os.link", linked):
        assert [place.make("go", b"17"), other.make("go", b"18")] == [True, False]
    assert seen == [None, b"17"]
    assert (other.read("go"), other.is_held("go")) == (b"17", True)
    place.let_go("go")
    assert (other.is_held("go"), [path.name for path in tmp_path.iterdir()]) == (False, ["go"])


def test_a_link_whose_answer_was_lost_is_our_own(tmp_path: Path) -> None:
    link = os.link

    def made_and_denied(file: Path, name: Path) -> None:
        link(file, name)
        raise FileExistsError

    place = FolderPlace(tmp_path)
    with mock.patch("os.link", made_and_denied):
        assert place.make("go", b"17")
    place.let_go("go")
    assert not place.make("go", b"18")


@pytest.mark.parametrize("fails", ["folder is not synced", "file is not renamed"])
def test_a_file_that_was_said_not_to_be_made_is_not_there_and_can_be_made_again(tmp_path: Path, fails: str) -> None:
    place = FolderPlace(tmp_path)
    full = OSError(errno.EIO, "Input/output error")
    failing = (
        [mock.patch("smbench.results.place.sync_folder", side_effect=full)]
        if fails == "folder is not synced"
        else [
            mock.patch("os.link", side_effect=OSError(errno.EPERM, "no links")),
            mock.patch.object(Path, "replace", side_effect=full),
        ]
    )
    with ExitStack() as stack:
        for one in failing:
            stack.enter_context(one)
        with pytest.raises(DiskError, match="Input/output error"):
            place.make("go", b"17")
    assert list(tmp_path.iterdir()) == []
    assert FolderPlace(tmp_path).make("go", b"18")


def test_a_try_whose_answer_was_lost_finds_what_it_made_itself(region: Region, tmp_path: Path) -> None:
    with s3_place(f"s3://{BUCKET}/{tmp_path.name}", SETTINGS) as place:
        client = place._s3
        put = client.put_object

        async def twice(**asked: object) -> object:
            body = asked["Body"].read()  # type: ignore[attr-defined]
            await put(**{**asked, "Body": body})
            return await put(**{**asked, "Body": body})

        with mock.patch.object(client, "put_object", twice):
            assert place.make("order.json", b"{}")
        assert not place.make("order.json", b"{}")


def test_parts_are_in_the_place_before_the_word_that_follows_them(place: Place, tmp_path: Path) -> None:
    name = "requests-3-000001-00000000.parquet"
    with place.workplace() as folder:
        (folder / "parts").mkdir(parents=True)
        (folder / "parts" / "reached-3").write_bytes(b"mark")
        (folder / "parts" / name).write_bytes(b"rows")
        place.write("shards/3.json", b"{}")
        with place.copied(tmp_path) as copy:
            assert (copy / "parts" / name).read_bytes() == b"rows"
            assert (copy / "shards/3.json").read_bytes() == b"{}"
        (folder / "parts" / name.replace("01", "02")).write_bytes(b"more")
    with place.copied(tmp_path) as copy:
        assert sorted(one.name for one in copy.glob("parts/*.parquet")) == [name, name.replace("01", "02")]
    assert isinstance(place, FolderPlace) or not folder.exists()
    assert list(tmp_path.glob(".smbench-held-*")) == []


def test_rows_that_cannot_be_put_stay_and_are_named(
    region: Region, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with s3_place("s3://nowhere/run", SETTINGS) as place:
        working = place.workplace()
        folder = working.__enter__()
        (folder / "parts").mkdir()
        (folder / "parts" / "requests-3-000001-00000000.parquet").write_bytes(b"rows")
        with pytest.raises(DiskError, match="the missing parts are in") as refused:
            working.__exit__(None, None, None)
        assert str(folder / "parts") in refused.value.advice
        assert list(folder.glob("parts/*"))
        with pytest.raises(ResultsError, match="nowhere"):
            place.read("order.json")


@pytest.mark.parametrize("text", ["s3://", "s3://bucket", "s3://bucket/", "s3:///run"])
def test_a_place_in_s3_has_a_bucket_and_a_prefix(text: str) -> None:
    with pytest.raises(UsageError, match="not a location for an order"), opened(text, AwsAccess()):
        pass


def test_without_credentials_nothing_is_begun(monkeypatch: pytest.MonkeyPatch, region: Region) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with pytest.raises(TargetError), opened("s3://bucket/run", AwsAccess()):
        pass


# ---- orders -----------------------------------------------------------------------------------------------------


def test_an_order_is_read_as_it_was_written_and_a_place_takes_one(place: Place) -> None:
    written = ordered(place, 4)
    assert read_order(place) == written
    with pytest.raises(UsageError, match="has an order"):
        ordered(place, 3)
    with opened(f"{place}/{ORDER}", AwsAccess()) as same:
        assert read_order(same) == written


@pytest.mark.parametrize("what", ["changed", "of another version", "damaged", "missing"])
def test_a_bad_order_is_refused_in_a_sentence_and_nothing_starts(place: Place, what: str) -> None:
    ordered(place, 4)
    document = orjson.loads(place.read(ORDER) or b"")
    place.remove(ORDER)
    if what == "changed":
        place.write(ORDER, orjson.dumps({**document, "order": {**document["order"], "go_utc_ns": 7}}))
    elif what == "of another version":
        place.write(ORDER, orjson.dumps({**document, "smbench": "0.0.1"}))
    elif what == "damaged":
        place.write(ORDER, b"{")
    with pytest.raises(OrderError) as refused:
        send(place, 0, 4)
    words = {"of another version": "is of smbench 0.0.1", "missing": "there is no", "changed": "was changed after"}
    assert words.get(what, what) in refused.value.message
    assert str(place) in refused.value.message
    assert place.read("shards/0.taken") is None


def test_shards_make_one_ledger_and_one_that_nobody_started_cannot_begin_once_it_was_counted(
    place: Place, memory_target: MemoryTarget, tmp_path: Path
) -> None:
    ordered(place, 3)
    for shard in (2, 0):
        send(place, shard, 3)
    for _ in range(2):
        run = collected(place, tmp_path)
        assert [one.ending for one in run.manifest.shards] == ["finished", "never started", "finished"]
        assert run.requests.collect()["outcome"].value_counts().height == 2
        assert run.manifest.reason == "2 of 3 shards came to their end: shard 1 never started"
    with pytest.raises(OrderError, match="which counted it as not started"):
        send(place, 1, 3)
    with pytest.raises(OrderError, match="shard 0 is not started twice: process"):
        send(place, 0, 3)


def test_a_shard_that_sent_nothing_may_be_started_again(
    place: Place, memory_target: MemoryTarget, tmp_path: Path
) -> None:
    ordered(place, 1)
    memory_target.is_there = False
    with pytest.raises(SmbenchError, match="there is no endpoint"):
        send(place, 0, 1)
    memory_target.is_there = True
    assert send(place, 0, 1).ending == "finished"
    assert collected(place, tmp_path).manifest.ending == "finished"


def test_of_a_shard_that_was_killed_what_is_not_in_s3_is_unknown(
    region: Region, memory_target: MemoryTarget, tmp_path: Path
) -> None:
    under = f"{tmp_path.name}/run/"
    with empty_place("s3", tmp_path, region) as place:
        ordered(place, 2)
        kept = {}

        def keep(shard: int, n: int) -> None:
            if (shard, n) == (1, 9):
                kept.update(region.objects(under))

        memory_target.on_submit = keep
        send(place, 1, 2)
        region.put_back(under, kept)
        send(place, 0, 2)
        state = ShardFiles(place, 1).read()
        assert state is not None
        assert state.may_have_sent, "the word that it begins was in S3 before it began"
        with pytest.raises(OrderError, match=r"shard 1 spoke \d+ s ago"):
            collect(place, tmp_path / "results", None)
        run = collected(place, tmp_path)
    assert [one.ending for one in run.manifest.shards] == ["finished", "lost"]
    lost = run.requests.collect().filter(pl.col("worker") == 1)
    assert set(lost["outcome"].to_list()) == {"unknown"}, "all of it was due by then, and no mark says what left"


@pytest.mark.slow  # collected once for each object that the shard puts
def test_a_shard_killed_between_any_two_puts_leaves_what_is_true_or_unknown(
    region: Region, memory_target: MemoryTarget, tmp_path: Path
) -> None:
    under = f"{tmp_path.name}/run/"
    with empty_place("s3", tmp_path, region) as place:
        ordered(place, 1)
        assert isinstance(place, S3Place)
        put, states = place._put, list[Any]()

        def kept(name: str, content: bytes) -> None:
            put(name, content)
            states.append(region.objects(under))

        with mock.patch.object(place, "_put", kept):
            send(place, 0, 1)
        truth = collected(place, tmp_path / "whole").requests.collect()
        n_unknown = []
        for number, state in enumerate(states[:-1]):
            region.put_back(under, state)
            said = ShardFiles(place, 0).read()
            if said is None or not said.may_have_sent:
                continue
            rows = collected(place, tmp_path / str(number)).requests.collect()
            is_known = ~rows["outcome"].is_in(["unknown", "pending", "transport_error"])
            assert rows.filter(is_known)["outcome"].equals(truth.filter(is_known)["outcome"]), number
            n_unknown.append(rows["outcome"].is_in(["unknown"]).sum())
    assert n_unknown[0] == truth.height
    assert n_unknown == sorted(n_unknown, reverse=True), "what was known stays known"
    assert n_unknown[-1] == 0


def test_a_shard_goes_on_where_its_place_takes_no_word_for_a_while(
    place: Place, memory_target: MemoryTarget, tmp_path: Path
) -> None:
    ordered(place, 1)
    write, n_refused = place.write, 0

    def refusing(name: str, content: bytes) -> None:
        nonlocal n_refused
        is_begun = orjson.loads(content).get("zero_ns") is not None and orjson.loads(content)["snapshot"]
        if is_begun and n_refused < 2:
            n_refused += 1
            raise DiskError("it is full")
        write(name, content)

    with mock.patch.object(place, "write", refusing):
        assert send(place, 0, 1).ending == "finished"
    assert n_refused == 2
    assert collected(place, tmp_path).manifest.ending == "finished"


def test_a_word_that_takes_long_moves_a_time_zero_that_is_the_shards_own(
    tmp_path: Path, memory_target: MemoryTarget
) -> None:
    place = FolderPlace(tmp_path / "order")
    ordered(place, 1)
    write = place.write
    zeros: list[int] = []

    def slow(name: str, content: bytes) -> None:
        write(name, content)
        zero_ns = orjson.loads(content)["zero_ns"]
        if zero_ns is not None and zero_ns not in zeros:
            zeros.append(zero_ns)
            if len(zeros) == 1:
                clock.side_effect = lambda: wall_ns() + 60_000_000_000

    with (
        mock.patch("smbench.processes.alone.wall_ns", side_effect=wall_ns) as clock,
        mock.patch.object(place, "write", slow),
    ):
        state = send(place, 0, 1)
    first_ns, moved_ns = zeros
    assert moved_ns > first_ns
    assert (state.zero_ns, state.late_s) == (moved_ns, 0.0)


def test_what_s3_refuses_before_and_after_the_sending_is_the_targets_fault_and_says_what_to_do(region: Region) -> None:
    nowhere = "s3://no-such-bucket/run"
    with pytest.raises(TargetError, match="NoSuchBucket") as refused:
        orders.order(SCENARIO, shards=2, to=nowhere, endpoint_url=region.url)
    assert refused.value.advice.endswith("name another place with --to")
    with s3_place(f"s3://{BUCKET}/refused/run", SETTINGS) as place:
        ordered(place, 2)
        with gated() as gate:
            gate.allows = lambda call: call.action != "s3:ListBucket"
            with pytest.raises(TargetError, match="s3:ListBucket"):
                orders.collect(str(place), endpoint_url=region.url)


def test_a_folder_that_takes_no_order_is_the_command_lines_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ResultsError) as refused:
        orders.order(SCENARIO, shards=2, to=tmp_path / "file" / "below")
    assert refused.value.exit_code == ExitCode.USAGE
