"""Goal: a summary depends on what happened, not on the order in which it was written down or on how many files hold it.

Method: hypothesis draws a run; it is summarised as it is, shuffled, read back from parts of several writers, in phases
and classes that must add up, and slower by a factor.
"""

import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from runs import EPOCH_NS, Request, frames_of, manifest_of, reading, requests_frame, span
from smbench.analysis.rows.frames import derive, load
from smbench.analysis.summary import summarise
from smbench.generator.tracking.journal import events_frame, readings_frame
from smbench.records import Outcome
from smbench.results.store import PartWriter, compact, open_run


@st.composite
def _request(draw: st.DrawFn) -> Request:
    sched = draw(st.integers(0, 10_000)) / 1000
    outcome = draw(st.sampled_from(list(Outcome)))
    is_over = outcome in (Outcome.COMPLETED, Outcome.FAILED, Outcome.EXPIRED)
    send = sched + draw(st.integers(0, 100)) / 1000
    done = send + draw(st.integers(0, 60_000)) / 1000 if is_over else None
    return Request(
        sched,
        outcome,
        send=send,
        ack=send + draw(st.integers(0, 50)) / 1000,
        done=done,
        seen=None if done is None else done + draw(st.integers(0, 500)) / 1000,
        error=draw(st.sampled_from([None, "ThrottlingException", "in-flight limit"])),
        warmup=draw(st.booleans()),
        worker=draw(st.integers(0, 2)),
    )


FAILED = [Request(0.0, Outcome.FAILED, done=1.0, error=error) for error in ("out of memory", "not a JSON", "killed")]
READINGS = readings_frame([reading("instances_current", float(k), 10.0 * k) for k in range(3)], EPOCH_NS)
EVENTS = events_frame([], EPOCH_NS)


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(rows=st.lists(_request(), max_size=25), seed=st.integers(0, 2**32), n_parts=st.integers(1, 4))
@example(rows=FAILED, seed=2, n_parts=1)  # no word is more frequent than another
def test_shuffled_rows_and_split_files_give_the_same_summary(rows: list[Request], seed: int, n_parts: int) -> None:
    manifest = manifest_of([span(len(rows))])
    frame = requests_frame(rows)
    whole = summarise(derive(manifest, frame, READINGS, EVENTS))
    rng = np.random.default_rng(seed)
    shuffled = frame[rng.permutation(frame.height)] if frame.height else frame
    assert summarise(derive(manifest, shuffled, READINGS, EVENTS)) == whole
    with tempfile.TemporaryDirectory() as name:
        run_dir = Path(name)
        manifest.write(run_dir)
        PartWriter(run_dir, "readings", 99).write(READINGS)
        for worker in range(3):
            writer = PartWriter(run_dir, "requests", worker)
            own = shuffled.filter(pl.col("worker") == worker)
            for rows_of_part in np.array_split(np.arange(own.height), n_parts):
                writer.write(own[rows_of_part])
        assert summarise(load(open_run(run_dir))) == whole
        compact(run_dir)
        assert summarise(load(open_run(run_dir))) == whole


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(_request(), max_size=25))
def test_the_law_holds_of_whatever_happened(rows: list[Request]) -> None:
    summary = summarise(frames_of(rows))
    assert summary.violations == ()
    assert summary.measured.violations() == []
    assert summary.measured.scheduled + summary.n_warmup == summary.counts.scheduled == len(rows)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(_request(), max_size=40), names=st.lists(st.sampled_from("abc"), min_size=40, max_size=40))
def test_the_parts_of_a_run_add_up_to_the_run(rows: list[Request], names: list[str]) -> None:
    """Phases that begin together and classes of the same names: the rows decide who belongs where."""
    parted = [
        replace(row, phase=name, warmup=False, changes={"payload": name})
        for row, name in zip(rows, names, strict=False)
    ]
    of = {name: sum(row.phase == name for row in parted) for name in "abc"}
    spans = [span(n, name=name, index=at) for at, (name, n) in enumerate(of.items())]
    summary = summarise(frames_of(parted, spans=spans))
    whole = summary.sojourn
    for parts in (summary.by_phase, summary.by_class):
        if not parts:
            assert sum(n > 0 for n in of.values()) < 2
            continue
        assert sum(one.n_completed for one in parts) == summary.measured.completed
        for count in ("n", "n_censored", "n_never"):
            assert sum(getattr(one.sojourn, count) for one in parts) == getattr(whole, count)
        longest = [one.sojourn.max for one in parts if one.sojourn.max is not None]
        assert max((one.low for one in longest), default=None) == (whole.max.low if whole.max else None)
    assert sum(phase.rates.n_sent for phase in summary.phases) == summary.rates.n_sent
    assert sum(phase.rates.n_accepted for phase in summary.phases) == summary.measured.accepted
    assert sum(cause.n for cause in summary.causes) == sum(row.error is not None for row in parted)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(_request(), max_size=25), factor=st.sampled_from([2, 3, 10]))
def test_a_run_that_is_slower_by_a_factor_has_longer_latencies_by_that_factor(rows: list[Request], factor: int) -> None:
    def slower(row: Request) -> Request:
        sched, send, ack, done, seen = (
            None if at is None else at * factor for at in (row.sched, row.send, row.ack, row.done, row.seen)
        )
        return replace(row, sched=sched, send=send, ack=ack, done=done, seen=seen)

    once, later = summarise(frames_of(rows)), summarise(frames_of([slower(row) for row in rows]))
    assert later.measured == once.measured
    assert later.backlog.peak == once.backlog.peak
    for name in ("sojourn", "from_send", "service_view", "ack", "hearing"):
        before, after = getattr(once, name), getattr(later, name)
        assert (after.n, after.n_censored, after.n_never) == (before.n, before.n_censored, before.n_never)
        for share in ("p50", "p90", "p99", "max"):
            one, other = before.percentile(share), after.percentile(share)
            if one is None or other is None:
                assert one is other
                continue
            assert other.low == pytest.approx(one.low * factor)
            assert other.high == (None if one.high is None else pytest.approx(one.high * factor))
            assert other.never is one.never
