"""Goal: what several workers say of themselves is put together as each figure wants. Method: readings by hand."""

import polars as pl

from runs import EPOCH_NS, Request, manifest_of, reading, requests_frame, span
from smbench.analysis.rows.frames import derive
from smbench.analysis.summary import Summary, summarise
from smbench.generator.tracking.journal import events_frame, readings_frame

COUNTS = ("receive_errors", "undeleted_messages", "foreign_messages", "malformed_messages", "rss_bytes")


def summary_of(*workers: dict[str, tuple[float, ...]]) -> Summary:
    frames = [
        readings_frame(
            [
                reading(name, value, at, source="generator")
                for name, values in told.items()
                for at, value in enumerate(values)
            ],
            EPOCH_NS,
            worker,
        )
        for worker, told in enumerate(workers)
    ]
    manifest = manifest_of([span(1)], clock="real").model_copy(update={"workers": len(workers)})
    return summarise(
        derive(manifest, requests_frame([Request(0.0, done=1.0)]), pl.concat(frames), events_frame([], EPOCH_NS))
    )


def test_counts_of_workers_add_up_each_as_it_stood_last() -> None:
    summary = summary_of(dict.fromkeys(COUNTS, (1.0, 3.0)), dict.fromkeys(COUNTS, (4.0, 4.0)))
    generator, notices = summary.generator, summary.notices
    assert (generator.n_receive_errors, generator.n_undeleted, generator.rss_max_bytes) == (7, 7, 7)
    assert (notices.n_foreign, notices.n_malformed) == (7, 7)


def test_of_the_workers_shares_and_lags_the_worst_worker_counts() -> None:
    busy, idle = (
        {"cpu_share": (0.9, 1.0, 0.8), "loop_lag_max_s": (0.1,)},
        {"cpu_share": (0.1,) * 9, "loop_lag_max_s": (0.2,)},
    )
    generator = summary_of(idle, busy).generator
    # All readings in one bag would have a median of 0.1, and hide a worker at its limit.
    assert (generator.cpu_share_median, generator.cpu_share_max, generator.loop_lag_max_s) == (0.9, 1.0, 0.2)


def test_a_summary_says_how_many_workers_there_were() -> None:
    assert [summary_of({}).workers, summary_of({}, {}).workers] == [1, 2]
