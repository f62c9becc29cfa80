"""Goal: a cell's figures follow the rules of a run's. Method: a few requests by hand."""

from runs import Request, frames_of, span
from smbench.analysis.summary import summarise
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
