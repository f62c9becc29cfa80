"""Goal: however long a run lasts its folder has few part files, and no row is lost or counted twice by that.

Method: a writer of many small parts; a kill leaves gathered parts beside those that they were made from.
"""

from pathlib import Path
from unittest import mock

import polars as pl
import pytest

from runs import manifest_of, reading
from smbench.errors import ResultsError
from smbench.generator.tracking.journal import readings_frame
from smbench.records import Ending
from smbench.results import gathering
from smbench.results.damage import Part
from smbench.results.store import PartWriter, compact, open_run

N = 400


def write(run_dir: Path, n: int) -> PartWriter:
    run_dir.mkdir(exist_ok=True)
    manifest_of(ending=Ending.RUNNING).write(run_dir)
    writer = PartWriter(run_dir, "readings", 0)
    for beat in range(n):
        writer.write(a_reading(beat))
    return writer


def a_reading(beat: int) -> pl.DataFrame:
    return readings_frame([reading("backlog_seen", float(beat), float(beat))], 0, 0)


def values(run_dir: Path) -> list[float]:
    found: list[float] = open_run(run_dir).readings.collect()["value"].to_list()
    return found


@pytest.fixture
def by_eight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gathering, "GATHERED_N", 8)


@pytest.mark.slow
@pytest.mark.usefixtures("by_eight")
def test_the_count_of_parts_stays_flat_and_every_row_is_read_once(tmp_path: Path) -> None:
    counts = []
    for n in (100, N):
        write(tmp_path / str(n), n)
        counts.append(len(list((tmp_path / str(n) / "parts").iterdir())))
        assert values(tmp_path / str(n)) == [float(beat) for beat in range(n)]
    assert max(counts) < 20
    compact(tmp_path / str(N))
    assert values(tmp_path / str(N)) == [float(beat) for beat in range(N)]


@pytest.mark.slow
@pytest.mark.usefixtures("by_eight")
def test_a_large_part_stays_as_it_is_and_what_is_gathered_leaves_out_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gathering, "_SMALL_ROWS", 1)
    writer = write(tmp_path, 5)
    writer.write(pl.concat([a_reading(5), a_reading(6)]))
    for beat in range(7, 30):
        writer.write(a_reading(beat))
    assert values(tmp_path) == [float(beat) for beat in range(30)]
    parts = [part for path in (tmp_path / "parts").iterdir() if (part := Part.of(path))]
    assert [(part.first, part.number) for part in parts if part.first <= 5 <= part.number] == [(5, 5)]
    assert any(part.number > part.first for part in parts), "the small ones behind it are gathered"


@pytest.mark.slow
@pytest.mark.usefixtures("by_eight")
def test_parts_that_a_kill_left_beside_the_gathered_one_count_no_second_time(tmp_path: Path) -> None:
    with mock.patch.object(Path, "unlink"):
        write(tmp_path, 30)
    assert len(list((tmp_path / "parts").iterdir())) > 30
    assert values(tmp_path) == [float(beat) for beat in range(30)]
    PartWriter(tmp_path, "readings", 0).write(a_reading(30))
    compact(tmp_path)
    assert values(tmp_path) == [float(beat) for beat in range(31)]


@pytest.mark.slow
@pytest.mark.usefixtures("by_eight")
def test_where_a_gathered_part_is_damaged_those_it_was_made_from_count(tmp_path: Path) -> None:
    write(tmp_path, 30)
    gathered = [part for path in (tmp_path / "parts").iterdir() if (part := Part.of(path)) and part.first < part.number]
    newest = max(gathered, key=lambda part: part.number)
    made_from = [path for path in (tmp_path / "parts").iterdir() if (one := Part.of(path)) and newest.has_all_of(one)]
    content = newest.path.read_bytes()
    newest.path.write_bytes(content[:-9] + b"x" + content[-8:])
    assert values(tmp_path) == [float(beat) for beat in range(30)], "nothing is lost"
    assert open_run(tmp_path).damage == ()
    PartWriter(tmp_path, "readings", 0).write(a_reading(30))
    made_from[-1].unlink()  # from now on something is
    assert len(values(tmp_path)) < 31
    assert [newest.path.name in sentence for sentence in open_run(tmp_path).damage] == [True]
    with pytest.raises(ResultsError, match="damaged"):
        compact(tmp_path)


@pytest.mark.usefixtures("by_eight")
def test_what_a_reader_listed_is_there_until_the_next_gathering(tmp_path: Path) -> None:
    writer = write(tmp_path, 7)
    listed = sorted((tmp_path / "parts").iterdir())
    writer.write(a_reading(7))
    assert all(path.exists() for path in listed)
    for beat in range(8, 16):
        writer.write(a_reading(beat))
    assert not any(path.exists() for path in listed)


@pytest.mark.slow
@pytest.mark.usefixtures("by_eight")
def test_a_disk_that_refuses_the_gathered_part_costs_nothing(tmp_path: Path) -> None:
    with mock.patch.object(gathering, "write_whole", side_effect=OSError(28, "No space left on device")):
        write(tmp_path, 30)
    assert values(tmp_path) == [float(beat) for beat in range(30)]


@pytest.mark.usefixtures("by_eight")
def test_large_parts_are_left_as_they_are(tmp_path: Path) -> None:
    with mock.patch.object(gathering, "_ROWS_MAX", 5):
        write(tmp_path, 30)
    assert len(list((tmp_path / "parts").iterdir())) == 30
