"""Goal: every example of docs/examples runs as a script and in a notebook's kernel, and shows its results there.

Method: scripts in the percent format; one runs in this process, the others, cut into cells, in one real kernel.
"""

import runpy
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples").glob("*.py"))


def cells(script: Path) -> list[str]:
    """The code cells of a script in the percent format."""
    parts = script.read_text(encoding="utf-8").split("# %%")
    assert parts[0] == "", f"{script.name} begins with a cell"
    return [part.partition("\n")[2] for part in parts[1:] if not part.startswith(" [markdown]")]


def test_there_is_an_example_for_text_images_and_tables() -> None:
    assert [script.stem for script in EXAMPLES] == ["image", "table", "text"]


@pytest.mark.slow  # a run in virtual time
def test_an_example_runs_as_a_script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES[0]))
    assert list((tmp_path / "results").iterdir())


@pytest.mark.slow  # a kernel starts, and two examples run in it
def test_examples_run_in_a_notebook_and_their_results_are_shown_there(tmp_path: Path) -> None:
    client = pytest.importorskip("nbclient", reason="the dev extra has it")
    pytest.importorskip("ipykernel", reason="the dev extra has it")
    nbformat = pytest.importorskip("nbformat", reason="nbclient brings it")
    book: Any = nbformat.v4.new_notebook()
    for script in EXAMPLES[1:]:
        book.cells += [nbformat.v4.new_code_cell(cell) for cell in cells(script)]
    # The kernel has an event loop in the thread that runs the cells.
    running = client.NotebookClient(
        book, timeout=240, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    running.execute()
    pages = [
        output.data["text/html"]
        for cell in book.cells
        for output in cell.outputs
        if output.output_type == "execute_result" and "text/html" in output.data
    ]
    assert any("names-in-text" in page and "Latency" in page for page in pages)
    assert any("recommendations" in page for page in pages)
    assert not any(output.get("name") == "stderr" for cell in book.cells for output in cell.outputs)
