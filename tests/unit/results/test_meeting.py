"""Goal: shards that begin together read one instant, and it is agreed on only when nothing more is to be waited for.

Method: states in a folder, written in every order; each shard looks by turns, as they do once a second.
"""

import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smbench.errors import ResultsError
from smbench.records import Ending
from smbench.results.meeting import Meeting
from smbench.results.place import FolderPlace
from smbench.results.shards import ShardFiles, ShardState

S = 1_000_000_000
NOW = datetime.datetime(2026, 11, 29, 12, tzinfo=datetime.UTC)


def say(place: FolderPlace, shard: int, *, is_ready: bool = True, ending: Ending = Ending.RUNNING) -> None:
    ShardFiles(place, shard).write(ShardState(shard=shard, started=NOW, said=NOW, is_ready=is_ready, ending=ending))


@pytest.mark.slow
@given(order=st.permutations(range(4)), failing=st.sets(st.integers(0, 3), max_size=3), looks=st.integers(1, 3))
def test_all_read_one_instant_that_is_agreed_on_with_the_last_and_lies_ahead(
    tmp_path_factory: pytest.TempPathFactory, order: list[int], failing: set[int], looks: int
) -> None:
    place = FolderPlace(tmp_path_factory.mktemp("order"))
    meetings = {shard: Meeting(place, 4) for shard in order}
    now_ns, ready = 0, list[int]()
    for n_before, shard in enumerate(order):
        say(place, shard, is_ready=shard not in failing, ending=Ending.FAILED if shard in failing else Ending.RUNNING)
        ready += [] if shard in failing else [shard]
        for _ in range(looks if n_before < 3 else 0):
            now_ns += S
            assert {meetings[one].look(now_ns) for one in ready} <= {None}, "one has not said anything yet"
    agreed = {meetings[one].look(now_ns + S) for one in ready}
    assert agreed == {now_ns + 6 * S}


def test_who_never_comes_is_waited_for_twenty_minutes(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path)
    say(place, 0)
    meeting = Meeting(place, 2)
    assert meeting.look(0) is None
    assert meeting.look(1199 * S) is None
    assert meeting.look(1200 * S) == 1205 * S
    assert meeting.left_out == (1,)
    assert Meeting(place, 2).look(1300 * S) == 1205 * S  # who comes late begins late


def test_a_shard_that_reads_what_another_agreed_left_nobody_out(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path)
    first, second = Meeting(place, 2), Meeting(place, 2)
    say(place, 1)
    assert first.look(0) is None
    say(place, 0)
    assert second.look(S) == first.look(S) == 6 * S
    assert first.left_out == second.left_out == ()


def test_a_shard_looks_at_one_other_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    place = FolderPlace(tmp_path)
    say(place, 0)
    meeting, read, original = Meeting(place, 100), list[str](), place.read

    def counted(name: str) -> bytes | None:
        read.append(name)
        return original(name)

    monkeypatch.setattr(place, "read", counted)
    for second in range(10):
        meeting.look(second * S)
    assert len(read) == 1 + 2 * 10


def test_a_go_that_is_no_number_is_damage(tmp_path: Path) -> None:
    place = FolderPlace(tmp_path)
    place.write("go", b"soon")
    with pytest.raises(ResultsError, match="go is damaged"):
        Meeting(place, 2).agreed_ns()
