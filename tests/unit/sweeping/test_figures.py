"""Goal: a cell's figures follow the rules of a run's. Method: a few requests by hand."""

import pytest

from runs import Request, frames_of, span
from smbench.analysis.summary import summarise
from smbench.records import Ending, NotSent, Outcome
from smbench.sweeping.benchmarks import COLD, WARM
from smbench.sweeping.figures import figures_of


def test_quartiles_and_medians_are_values_that_were_seen() -> None:
    took_s = (1.0, 2.0, 3.0, 10.0)  # between two of them, the quartiles would be 1.75 and 4.75
    rows = [Request(100.0 * n, done=100.0 * n + took, phase=COLD) for n, took in enumerate(took_s)]
    rows += [Request(100.0 * n + 50.0, done=100.0 * n + 50.5 + n, phase=WARM) for n in range(4)]
    spans = [span(4, name=COLD), span(4, name=WARM, index=1, first_seq=4)]
    frames = frames_of(rows, spans=spans)
    found = figures_of(frames, summarise(frames), "valid", ())
    assert found.cold is not None
    assert (found.cold.n, found.cold.cold_s, found.cold.warm_s) == (4, 2.0, 1.5)
    assert found.iqr_s == 3.0 - 1.0  # of all eight: 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 10
    assert [found.spread_s[share] for share in (0, 25, 50, 88, 100)] == [0.5, 1.0, 2.0, 10.0, 10.0]


@pytest.mark.parametrize(
    ("why", "ending", "part", "has_failed"),
    [
        (NotSent.ERROR_LIMIT, Ending.STOPPED, "5 of 100 requests were sent", False),
        (NotSent.RUN_ENDED, Ending.FAILED, "5 of 100 requests were sent", True),
        (NotSent.TIME_LIMIT, Ending.STOPPED, "", False),  # the scenario's own
    ],
)
def test_a_cell_says_which_part_of_its_load_it_had(why: NotSent, ending: Ending, part: str, has_failed: bool) -> None:
    rows = [Request(float(n), done=n + 1.0) for n in range(5)]
    rows += [Request(float(n), Outcome.NOT_SENT, why_not_sent=why) for n in range(5, 100)]
    frames = frames_of(rows, ending=ending)
    found = figures_of(frames, summarise(frames), "unknown", ())
    assert (found.part, found.has_failed) == (part, has_failed)
