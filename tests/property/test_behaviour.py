"""Goal: the figures of an endpoint's behaviour rest on what happened alone: not on the order of rows, not on ids.

Method: hypothesis draws a run with instances that come and go; it is summarised as it is, with every file shuffled,
and with its requests called by other numbers. Laws that hold of any run are checked beside.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runs import EPOCH_NS, Request, manifest_of, reading, requests_frame, span
from smbench.analysis.numbers.known import then
from smbench.analysis.rows.frames import derive
from smbench.analysis.summary import Summary, summarise
from smbench.generator.tracking.journal import events_frame, readings_frame
from smbench.records import Event, Outcome, Unknown
from smbench.results.manifest import Manifest

S = 1_000_000_000


@dataclass(frozen=True)
class Files:
    """A run's tables."""

    manifest: Manifest
    requests: pl.DataFrame
    readings: pl.DataFrame
    events: pl.DataFrame

    def summary(self) -> Summary:
        return summarise(derive(self.manifest, self.requests, self.readings, self.events))

    def shuffled(self, seed: int) -> "Files":
        rng = np.random.default_rng(seed)
        tables = (self.requests, self.readings, self.events)
        return Files(self.manifest, *(table[rng.permutation(table.height)] for table in tables))

    def renamed(self, seed: int) -> "Files":
        """The same requests under other numbers and ids."""
        seq = np.random.default_rng(seed).permutation(self.requests.height)
        ids = pl.format("other-{}", pl.col("seq")).alias("inference_id")
        requests = self.requests.with_columns(pl.Series("seq", seq, dtype=pl.Int64)).with_columns(ids)
        return Files(self.manifest, requests, self.readings, self.events)


@st.composite
def _requests(draw: st.DrawFn) -> Request:
    sched = draw(st.integers(0, 60_000)) / 1000
    outcome = draw(st.sampled_from([*Outcome, *[Outcome.COMPLETED] * 8]))
    is_over = outcome in (Outcome.COMPLETED, Outcome.FAILED, Outcome.EXPIRED)
    done = sched + draw(st.integers(1, 60_000)) / 1000 if is_over else None
    end_from = draw(st.sampled_from([None, None, None, "output"])) if outcome is Outcome.COMPLETED else None
    return Request(sched, outcome, done=done, end_from=end_from, warmup=draw(st.booleans()))


@st.composite
def _files(draw: st.DrawFn) -> Files:
    rows = draw(st.lists(_requests(), max_size=30))
    counts = draw(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), max_size=8))
    readings = [
        reading(name, float(count), 10.0 * k)
        for k, pair in enumerate(counts)
        for name, count in zip(("instances_current", "instances_desired"), pair, strict=True)
    ]
    events = [
        Event("scaling_activity", f"a{k}", 10 * k * S, 10 * k * S + 5, "Successful", (10 * k + 7) * S, None, after)
        for k, after in enumerate(draw(st.lists(st.integers(0, 3), max_size=4)))
    ]
    of: dict[str, Any] = {
        "target": {"emulated": {"instances": {"concurrency": draw(st.integers(1, 3))}}, "instance_hour": 1.0},
        "thresholds": ["sojourn_p95 < 20s"],
    }
    manifest = manifest_of([span(len(rows), end_s=60.0)], scenario=of)
    return Files(manifest, requests_frame(rows), readings_frame(readings, EPOCH_NS), events_frame(events, EPOCH_NS))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(files=_files(), seed=st.integers(0, 2**32))
def test_shuffled_files_give_the_same_figures(files: Files, seed: int) -> None:
    assert files.shuffled(seed).summary() == files.summary()


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(files=_files(), seed=st.integers(0, 2**32))
def test_other_ids_give_the_same_figures(files: Files, seed: int) -> None:
    # But for the numbers themselves, by which the slowest are called, and the order of those alike in all else.
    told, again = (one.summary().model_copy(update={"slowest": ()}) for one in (files, files.renamed(seed)))
    assert again == told


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(files=_files())
def test_shares_are_shares_and_paid_time_is_the_sum_of_its_parts(files: Files) -> None:
    summary = files.summary()
    found = then(summary.elasticity, lambda one: one.provisioning)
    if not isinstance(found, Unknown):
        for share in (found.under_time_share, found.over_time_share, found.idle_share, found.instability):
            assert isinstance(share, Unknown) or 0 <= share <= 1
        assert found.under_share <= found.under_instances + 1e-9
    if not isinstance(cost := summary.cost, Unknown):
        assert 0 <= cost.cold_s <= cost.instance_s + 1e-9
        if not isinstance(cost.useful_s, Unknown) and not isinstance(cost.idle_s, Unknown) and cost.idle_s:
            assert math.isclose(cost.useful_s + cost.cold_s + cost.idle_s, cost.instance_s)
    for stage in summary.stages:
        assert stage.spread.mean_s is None or stage.spread.mean_s >= 0
    assert _all_finite(summary.as_json())


def _all_finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_all_finite, value.values()))
    if isinstance(value, list):
        return all(map(_all_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
