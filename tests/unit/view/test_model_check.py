"""Goal: a check of a model says how much its bands hold, which few predictions make less.

Method: a check made by hand, rendered.
"""

import io

import pytest

from smbench.calibration.checking.check import ModelCheck
from smbench.view.console import PlainTextConsole
from smbench.view.report.model_check import model_check_text


@pytest.mark.parametrize(("replications", "share"), [(2, "33 %"), (5, "67 %"), (20, "90 %")])
def test_a_band_says_how_many_predictions_it_holds(replications: int, share: str) -> None:
    found = ModelCheck(
        grade="A", figures={"ks": 0.01}, bands={"ks": (0.0, 0.02)}, floor={}, persistence={}, covered=1.0,
        places={}, replications=replications,
    )  # fmt: skip
    console = PlainTextConsole(file=io.StringIO(), width=100, color_system=None)
    console.print(model_check_text("run", found, "grade A", is_in_sample=False))
    shown = console.file.getvalue()  # type: ignore[attr-defined]  # the StringIO above
    assert f"{share} band " in shown
    assert f"percentiles within their {share} bands: 100 %" in shown
