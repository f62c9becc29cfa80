"""Goal: a scenario from a stranger reads no file of this machine but its own, and none that never ends.

Method: a folder with devices, pipes, links and neighbours; every setting that names a file is tried with each.
"""

import os
import tracemalloc
from pathlib import Path

import pytest

from smbench.errors import Problem, ScenarioError
from smbench.scenario.load import load_scenario
from smbench.scenario.values.files import expand, read_regular

HEAD = "name: x\nload: [{pause: {for: 1s}}]\n"
SETTINGS = {
    "files": "payloads: {{files: ['{}']}}\n",
    "lines": "payloads: {{lines: '{}'}}\n",
    "bodies": "payloads: {{bodies: '{}'}}\n",
    "of a mix": "payloads: {{mix: [{{lines: '{}'}}]}}\n",
    "trace": "load: [{{replay: {{trace: '{}'}}}}]\n",
    "law": "target: {{emulated: {{service: {{empirical: {{file: '{}'}}}}}}}}\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A scenario's folder, with a neighbour outside of it."""
    (tmp_path / "secret.jsonl").write_text('{"Body": "a"}\n')
    inside = tmp_path / "mine"
    inside.mkdir()
    return inside


def problem_of(folder: Path, setting: str, name: str, allowed: tuple[Path, ...] = ()) -> Problem | None:
    head = HEAD if "load:" not in SETTINGS[setting] else "name: x\n"
    (folder / "x.yaml").write_text(head + SETTINGS[setting].format(name))
    try:
        load_scenario(folder / "x.yaml", allowed)
    except ScenarioError as error:
        (problem,) = error.problems
        return problem
    return None


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(
    "name", ["/etc/passwd", "/proc/self/environ", "../secret.jsonl", "../../gone", "link", "linked/secret.jsonl"]
)
def test_a_file_outside_of_the_scenario_s_folder_is_refused_whether_it_is_there_or_not(
    folder: Path, setting: str, name: str
) -> None:
    (folder / "link").symlink_to(folder.parent / "secret.jsonl")
    (folder / "linked").symlink_to(folder.parent)
    problem = problem_of(folder, setting, name)
    assert problem is not None
    assert problem.message.startswith("lies outside of the scenario's folder")
    assert "--allow-files" in problem.message


@pytest.mark.parametrize("pattern", ["../*.jsonl", "/etc/*", "*/../../secret.jsonl", "linked/*", "li?ked/*"])
def test_a_glob_reaches_nothing_outside_of_the_folder(folder: Path, pattern: str) -> None:
    (folder / "linked").symlink_to(folder.parent)
    problem = problem_of(folder, "files", pattern)
    assert problem is not None
    assert "outside of the scenario's folder" in problem.message or "after a wildcard" in problem.message


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("**/*.json", ["a.json", "p/b.json", "p/q/r/c.json"]),
        ("p/**/*.json", ["p/b.json", "p/q/r/c.json"]),
        ("**/q/**/c.json", ["p/q/r/c.json"]),
        ("?/**", ["p/b.json", "p/q/r/c.json"]),
        ("**", ["a.json", "p/b.json", "p/q/r/c.json"]),
    ],
)
def test_two_stars_are_any_folders_but_hidden_ones_and_links(tmp_path: Path, pattern: str, found: list[str]) -> None:
    for name in ("a.json", "p/b.json", "p/q/r/c.json", ".git/d.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    for name in ("p/round", "p/round2"):  # which could be followed for ever
        (tmp_path / name).symlink_to(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in expand(tmp_path, pattern)] == found
    below = expand(tmp_path / "p", f"{tmp_path}/{pattern}")
    assert [path.relative_to(tmp_path).as_posix() for path in below] == found


def test_a_folder_in_place_of_its_files_is_named_as_one(folder: Path) -> None:
    (folder / "bodies").mkdir()
    problem = problem_of(folder, "files", "bodies")
    assert problem is not None
    assert "is a folder; its files are bodies/*" in problem.message


@pytest.mark.parametrize("setting", ["files", "lines", "bodies", "of a mix"])
def test_an_allowed_folder_s_files_are_read_and_its_neighbours_are_not(folder: Path, setting: str) -> None:
    assert problem_of(folder, setting, "../secret.jsonl", (folder.parent,)) is None
    assert problem_of(folder, setting, "../secret.jsonl", (folder.parent / "other",)) is not None


def test_what_is_wrong_in_an_allowed_file_is_said_without_its_words(folder: Path) -> None:
    (folder.parent / "secret.jsonl").write_text('{"password-of-jo": "a"}\njo:x:0:0\n')
    (folder / "x.yaml").write_text(HEAD + "payloads: {lines: ../secret.jsonl}\n")
    with pytest.raises(ScenarioError) as caught:
        load_scenario(folder / "x.yaml", (folder.parent,))
    assert "line 1: is not the arguments of one invocation" in caught.value.message
    assert "line 2" in caught.value.message
    assert "jo" not in caught.value.message


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("kind", ["pipe", "folder", "gone", "too long", "nul"])
def test_only_a_regular_file_can_be_named(folder: Path, setting: str, kind: str) -> None:
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    problem = problem_of(folder, setting, {"too long": "a" * 400, "nul": "nul"}.get(kind, kind))
    assert problem is not None
    assert not problem.message.startswith("lies outside")


@pytest.mark.parametrize("name", ["/dev/zero", "/dev/stdin", "/dev/null", "link", "pipe", "linked-pipe"])
def test_a_device_or_a_pipe_is_no_scenario(folder: Path, name: str) -> None:
    (folder / "link").symlink_to("/dev/zero")
    os.mkfifo(folder / "pipe")
    (folder / "linked-pipe").symlink_to(folder / "pipe")
    with pytest.raises(ScenarioError, match="is not a regular file"):
        load_scenario(folder / name)


def test_no_more_of_a_scenario_is_read_than_one_may_have(folder: Path) -> None:
    with (folder / "x.yaml").open("wb") as file:
        file.truncate(50 * 2**30)  # sparse
    with pytest.raises(ScenarioError, match="is too long for a scenario: it has more than 800,000 bytes"):
        load_scenario(folder / "x.yaml")


def test_a_nul_in_a_name_is_no_file(folder: Path) -> None:
    (folder / "x.yaml").write_text(HEAD + 'payloads: {lines: "a\\0b"}\n')
    with pytest.raises(ScenarioError):
        load_scenario(folder / "x.yaml")


def test_a_file_is_read_to_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_regular(tmp_path / "a", 5) == b"12345"
    with pytest.raises(OSError, match="has more than 4 bytes"):
        read_regular(tmp_path / "a", 4)


def test_a_small_file_takes_little_memory_whatever_its_limit(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    tracemalloc.start()
    try:
        assert read_regular(tmp_path / "a", 2**28) == b"12345"
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux alone has files without a size")
def test_a_file_that_names_no_size_is_read_whole() -> None:
    found = read_regular(Path("/proc/self/maps"), 2**24)
    assert found.count(b"\n") > 10
    assert found.endswith(b"\n")
    with pytest.raises(OSError, match="has more than 100 bytes"):
        read_regular(Path("/proc/self/maps"), 100)
