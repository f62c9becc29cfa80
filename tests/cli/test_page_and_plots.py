"""`report --html` and `plot`: files for whoever was not there, made from a results folder alone.

Method: the real command, in this process, on the sample run that comes with the repository.
"""

import shutil
import struct
from pathlib import Path

import pytest

from commands import in_here
from pages import fetched, parsed

pytestmark = pytest.mark.slow

SAMPLE = Path(__file__).parents[2] / "results" / "sample"


def test_the_page_stands_beside_the_table_and_changes_nothing_else(tmp_path: Path) -> None:
    plain = in_here("report", SAMPLE, cwd=tmp_path)
    ran = in_here("report", SAMPLE, "--html", "out/page.html", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (plain.returncode, plain.stdout)
    assert (ran.stderr, plain.stderr) == ("smbench: wrote out/page.html\n", "")
    document = (tmp_path / "out" / "page.html").read_text(encoding="utf-8")
    assert fetched(document) == []
    assert parsed(document).all("h1")[0].text in plain.stdout
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["page.html"]


def test_every_plot_is_written_as_both_and_its_path_printed(tmp_path: Path) -> None:
    ran = in_here("plot", SAMPLE, "--out", "plots", cwd=tmp_path)
    assert (ran.returncode, ran.stderr) == (0, "")
    paths = [tmp_path / line for line in ran.stdout.splitlines()]
    assert {path.stem for path in paths} >= {"rates", "latency", "percentiles", "stages", "system"}
    assert sorted(paths) == sorted((tmp_path / "plots").iterdir())
    for path in paths:
        content = path.read_bytes()
        if path.suffix == ".png":
            assert content.startswith(b"\x89PNG\r\n\x1a\n")
            width, height = struct.unpack(">II", content[16:24])
            assert (width > 1000, height > 200) == (True, True)
        else:
            svg = parsed(content.decode())
            assert len(svg.all("title")[0].text.split()) > 3
            assert svg.all("desc")[0].text


def test_one_format_is_one_file_a_plot(tmp_path: Path) -> None:
    ran = in_here("plot", SAMPLE, "--out", "plots", "--format", "svg", cwd=tmp_path)
    assert ran.returncode == 0
    assert {Path(line).suffix for line in ran.stdout.splitlines()} == {".svg"}


@pytest.mark.parametrize("command", [("report", "--html", "file/page.html"), ("plot", "--out", "file/plots")])
def test_a_place_that_cannot_be_written_to_is_a_sentence(tmp_path: Path, command: tuple[str, ...]) -> None:
    (tmp_path / "file").write_text("in the way")
    name, *options = command
    ran = in_here(name, SAMPLE, *options, cwd=tmp_path)
    assert ran.returncode == 2
    assert "cannot write" in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_folder_that_is_no_run_is_2(tmp_path: Path) -> None:
    ran = in_here("plot", tmp_path, cwd=tmp_path)
    assert ran.returncode == 2
    assert "is not a run" in ran.stderr


def test_a_comparison_has_a_page_too(tmp_path: Path) -> None:
    again = tmp_path / "again"
    shutil.copytree(SAMPLE, again)
    plain = in_here("compare", SAMPLE, again, "--unlike", cwd=tmp_path)
    ran = in_here("compare", SAMPLE, again, "--unlike", "--html", "page.html", cwd=tmp_path)
    assert (ran.returncode, ran.stdout) == (plain.returncode, plain.stdout)
    assert (ran.stderr, plain.stderr) == ("smbench: wrote page.html\n", "")
    document = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert fetched(document) == []
    assert parsed(document).all("h1")[0].text == "B against A"
