"""Probes of a capacity search without a process: the model's runs, and synthetic ones from a known capacity."""

import datetime
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from smbench.analysis.rows.frames import Frames, derive
from smbench.clock import TimeKind
from smbench.generator.plan import make_plan
from smbench.records import Ending
from smbench.results.manifest import ClockFacts, Manifest
from smbench.scenario.load import scenario_of
from smbench.scenario.model import Scenario
from smbench.simulator.simulate import simulate
from smbench.sweeping.capacity import Found, Seen, Terms, found, next_asks
from smbench.sweeping.demands import Demand
from smbench.sweeping.offered import offered
from smbench.sweeping.probe import Evidence, evidence_of


def queue(slots: int, service: Any, seed: int = 1, arrivals: str = "poisson") -> Scenario:
    """An asynchronous endpoint on so many instances that do not scale, each with one slot."""
    written: Mapping[str, Any] = {
        "name": "queue",
        "seed": seed,
        "target": {
            "emulated": {
                "instances": {"min": slots, "max": slots, "concurrency": 1},
                "service": service,
                "time": "warp",
                "start_of_minute": "0s",
            }
        },
        "load": [{arrivals: {"rate": "1/s", "for": "60s"}}],
        "drain": "6h",
    }
    return scenario_of(written, Path())


def simulated_frames(scenario: Scenario) -> Frames:
    """A run by the model alone, as its files would have it."""
    plan = make_plan(scenario, Path())
    classes = [payload.payload_class for payload in plan.payloads]
    made = simulate(scenario, Path(), plan.schedule, classes, epoch_ns=1_800_000_000 * 10**9, run_id="simulated")
    now = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    manifest = Manifest(
        run_id="simulated",
        started=now,
        ended=now,
        ending=Ending.FINISHED,
        scenario=scenario.model_dump(mode="json", by_alias=True),
        spans=plan.schedule.spans,
        clock=ClockFacts(kind=TimeKind.WARP.value, epoch_ns=1_800_000_000 * 10**9),
        transport="simulated",
        kind="simulated",
    )
    return derive(manifest, made.requests, made.readings, made.events)


def probed(scenario: Scenario, rate_hz: float, n: int, number: int, demands: Sequence[Demand]) -> Evidence:
    """One probe of the model."""
    run = offered(scenario, rate_hz, n, 0.0, number, ())
    return evidence_of(simulated_frames(run), rate_hz, demands, "async")


def searched(scenario: Scenario, demands: Sequence[Demand], n: int, terms: Terms) -> tuple[Found, list[Seen]]:
    """A whole search of the model."""
    seen: list[Seen] = []
    while asks := next_asks(seen, terms):
        evidence = [
            probed(scenario, ask.rate_hz, round(n * ask.length), len(seen) + place, demands)
            for place, ask in enumerate(asks, 1)
        ]
        seen += [Seen(ask.purpose, ask.length, one) for ask, one in zip(asks, evidence, strict=True)]
    return found(seen), seen
