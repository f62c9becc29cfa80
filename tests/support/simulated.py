"""A run that was never made: what a load against a modelled endpoint would have left, in tables."""

import datetime
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from smbench.records import Ending
from smbench.results.manifest import ClockFacts, Manifest
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan
from smbench.simulator.simulate import simulate

EPOCH_NS = 1_767_225_600_000_000_000  # 2026-01-01: a whole minute


Tables = tuple[Manifest, pl.DataFrame, pl.DataFrame, pl.DataFrame]


def simulated_run(of: Scenario, classes: Sequence[str] = ("a",)) -> Tables:
    """Its manifest, requests, readings and events, as `analysis.frames.derive` takes them; each class is as likely."""
    return simulated_with_truth(of, classes)[0]


def simulated_with_truth(of: Scenario, classes: Sequence[str] = ("a",)) -> tuple[Tables, pl.DataFrame]:
    """The same, and what the endpoint knows of each request."""
    schedule = plan(of, Path(), [1.0] * len(classes))
    made = simulate(of, None, schedule, classes, epoch_ns=EPOCH_NS, run_id="run")
    manifest = Manifest(
        run_id="run",
        started=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
        ending=Ending.FINISHED,
        scenario=of.model_dump(mode="json"),
        spans=schedule.spans,
        clock=ClockFacts(kind="warp", epoch_ns=EPOCH_NS),
        transport="simulated",
    )
    return (manifest, made.requests, made.readings, made.events), made.truth
