"""Goal: every chart asked for comes back as its own drawing, and the process behind it is gone when nobody needs it.

Method: real drawing, in the real process.
"""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from smbench.view.page.vega import Vega

pytestmark = pytest.mark.slow


def titled(title: str, n_rows: int = 1) -> dict[str, Any]:
    rows = [{"a": row, "b": "x" * 50} for row in range(n_rows)]
    return {"title": title, "data": {"values": rows}, "mark": "point", "encoding": {"x": {"field": "a"}}}


def test_drawings_come_in_the_order_in_which_they_were_asked_for_however_large(vega: Vega) -> None:
    asked = [vega.svg(titled(f"number {place}, über", n_rows=3000)) for place in range(4)]  # more than a pipe holds
    for place, drawn in enumerate(asked):
        assert f">number {place}, über<" in drawn.result()


def test_a_chart_that_vega_does_not_take_is_an_error_and_the_next_is_drawn(vega: Vega) -> None:
    refused, drawn = vega.svg({"mark": 7, "data": {"values": []}}), vega.svg(titled("next"))
    with pytest.raises(RuntimeError, match="conversion failed"):
        refused.result()
    assert "next" in drawn.result()


def test_files_where_the_user_stands_are_not_taken_for_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("vl_convert.py", "orjson.py", "typing.py"):
        (tmp_path / name).write_text("raise SystemExit(1)")
    monkeypatch.chdir(tmp_path)
    with Vega() as vega:
        assert "drawn" in vega.svg(titled("drawn")).result()


def test_a_process_that_died_is_an_error_and_no_endless_wait() -> None:
    with Vega() as vega:
        os.kill(vega._process.pid, signal.SIGKILL)
        vega._process.wait()
        with pytest.raises((RuntimeError, BrokenPipeError)):
            vega.svg(titled("never")).result()


@pytest.mark.parametrize("failure", [None, KeyError("a bug"), KeyboardInterrupt()])
def test_its_process_is_gone_with_it(failure: BaseException | None) -> None:
    started = Vega()
    try:
        with started as vega:
            assert os.getsid(vega._process.pid) != os.getsid(0)  # a terminal's Ctrl-C does not reach it
            if failure is not None:
                raise failure
            assert "drawn" in vega.svg(titled("drawn")).result()
    except (KeyError, KeyboardInterrupt):
        pass
    assert started._process.returncode is not None
