"""Goal: what is kept of one measurement is found again on the same machine, and nothing else ever is.

Method: files written, damaged and belonging to others; and what a reader is told of each.
"""

import datetime
from pathlib import Path

import pytest

from smbench.errors import ResultsError
from smbench.results.ceiling import Ceiling, Found, Machine, Trial, ceilings_file, find_ceiling, store_ceiling
from smbench.results.manifest import Host

HERE = Machine(name="here", cpu_count=2, python="CPython 3.11.7", smbench="0.1.0")
TRIAL = Trial(
    planned_hz=250,
    achieved_hz=249.9,
    lag_p50_s=0.001,
    lag_p99_s=0.002,
    cpu_s=0.0002,
    n=500,
    n_not_sent=0,
    n_not_completed=0,
    is_kept=True,
)


def ceiling(transport: str = "wire", machine: Machine = HERE, rate_hz: float = 3000.5) -> Ceiling:
    measured = datetime.datetime(2026, 11, 21, 9, 30, tzinfo=datetime.UTC)
    return Ceiling(transport=transport, rate_hz=rate_hz, measured=measured, machine=machine, trials=(TRIAL,))


def test_what_was_kept_is_found_again_with_its_trials(tmp_path: Path) -> None:
    file = tmp_path / "new" / "ceilings.json"
    store_ceiling(file, ceiling())
    assert find_ceiling(file, "wire", HERE) == Found(ceiling())


def test_each_transport_has_its_own_and_a_new_one_takes_the_place_of_the_old(tmp_path: Path) -> None:
    file = tmp_path / "ceilings.json"
    store_ceiling(file, ceiling("wire"))
    store_ceiling(file, ceiling("sdk", rate_hz=500))
    store_ceiling(file, ceiling("sdk", rate_hz=600))
    assert find_ceiling(file, "wire", HERE).ceiling == ceiling("wire")
    assert find_ceiling(file, "sdk", HERE).ceiling == ceiling("sdk", rate_hz=600)


def test_nothing_was_measured_and_nothing_is_said(tmp_path: Path) -> None:
    assert find_ceiling(tmp_path / "ceilings.json", "wire", HERE) == Found()
    store_ceiling(tmp_path / "ceilings.json", ceiling("sdk"))
    assert find_ceiling(tmp_path / "ceilings.json", "wire", HERE) == Found()


@pytest.mark.parametrize("fact", [{"name": "there"}, {"cpu_count": 3}, {"python": "CPython 3.14.0"}, {"smbench": "2"}])
def test_a_ceiling_of_another_machine_or_version_does_not_count_and_is_said(
    tmp_path: Path, fact: dict[str, object]
) -> None:
    file = tmp_path / "ceilings.json"
    other = HERE.model_copy(update=fact)
    store_ceiling(file, ceiling(machine=other))
    found = find_ceiling(file, "wire", HERE)
    assert found.ceiling is None
    assert str(other) in found.why_not


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b'{"wire": 7}', b'{"wire": {"rate_hz": "fast"}}', b"\xff\xfe"]
)
def test_a_damaged_file_does_not_count_is_said_and_is_written_anew(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "ceilings.json"
    file.write_bytes(content)
    found = find_ceiling(file, "wire", HERE)
    assert found.ceiling is None
    assert "damaged" in found.why_not
    store_ceiling(file, ceiling())
    assert find_ceiling(file, "wire", HERE).ceiling == ceiling()


def test_a_file_that_cannot_be_read_does_not_count_and_is_said(tmp_path: Path) -> None:
    found = find_ceiling(tmp_path, "wire", HERE)
    assert found.ceiling is None
    assert "cannot be read" in found.why_not


def test_a_ceiling_that_cannot_be_kept_is_an_error_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ResultsError) as error:
        store_ceiling(tmp_path / "file" / "ceilings.json", ceiling())
    assert "XDG_CACHE_HOME" in error.value.advice


def test_the_user_says_where_caches_are_by_an_absolute_path() -> None:
    own = Path.home() / ".cache" / "smbench" / "ceilings.json"
    assert ceilings_file({"XDG_CACHE_HOME": "/var/elsewhere"}) == Path("/var/elsewhere/smbench/ceilings.json")
    assert ceilings_file({"XDG_CACHE_HOME": "relative"}) == own  # to be ignored, says the XDG specification
    assert ceilings_file({"XDG_CACHE_HOME": ""}) == own
    assert ceilings_file({}) == own


def test_this_machine_has_a_name_cores_a_python_and_a_version() -> None:
    machine = Machine.of(Host.this())
    assert machine.name
    assert machine.cpu_count >= 1
    assert "Python" in machine.python
    assert machine.smbench
