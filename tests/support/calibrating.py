"""Runs of a known truth to fit a model from: simulated, then blurred as a real run's files are."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from modelling import scenario
from simulated import EPOCH_NS, simulated_run
from smbench.analysis.rows.frames import derive
from smbench.calibration.runs import MeasuredRun, measured
from smbench.results.schema import REQUESTS, polars_schema
from smbench.scenario.model import Scenario
from smbench.schedule.plan import plan
from smbench.simulator.simulate import simulate

TRACKING = {"target_tracking": {"backlog_per_instance": 5, "out_cooldown": "60s", "in_cooldown": "60s"}}


def truth(load: list[dict[str, Any]], concurrency: int = 2, **changes: Any) -> Scenario:
    """An endpoint that scales from 1 to 4, with service, provisioning and delays drawn by chance."""
    plain: dict[str, Any] = {
        "instances": {"min": 1, "max": 4, "concurrency": concurrency},
        "service": {"lognormal": {"mean": "2s", "sigma": 0.3}},
        "provision": {"lognormal": {"mean": "150s", "sigma": 0.05}},
        "remove": {"uniform": {"low": "60s", "high": "130s"}},
        "metric_delay": {"uniform": {"low": "0s", "high": "5s"}},
        "notify_lag": {"lognormal": {"median": "80ms", "sigma": 0.3}},
        "policies": [TRACKING],
    }
    return scenario(load, **(plain | changes))


def calibration_load(concurrency: int, service_s: float = 2.0) -> list[dict[str, Any]]:
    """Probes one by one, a burst, Poisson arrivals above what one instance can do, idleness."""
    rate_hz = 1.2 * concurrency / service_s
    return [
        {"closed": {"outstanding": 1, "requests": 40, "for": "5m"}},
        {"pause": {"for": "60s"}},
        {"burst": {"requests": 300 * concurrency, "within": "30s"}},
        {"pause": {"for": "15m"}},
        {"poisson": {"rate": rate_hz, "for": "15m"}},
        {"pause": {"for": "20m"}},
        {"burst": {"requests": 1}},
    ]


def run_of(
    of: Scenario, *, noise_s: float = 0.0, skew_s: float = 0.0, is_told: bool = False, classes: tuple[str, ...] = ("a",)
) -> MeasuredRun:
    """The run that a scenario leaves.

    Args:
        noise_s: Standard deviation of the instants in notices.
        skew_s: How far AWS's clock is ahead of ours.
        is_told: The concurrency is set at the endpoint; else SageMaker chooses it and does not say.
    """
    manifest, requests, readings, events = simulated_run(of, classes)
    rng = np.random.default_rng(of.seed)
    shift_us = pl.lit(pl.Series(rng.normal(skew_s, noise_s, requests.height) * 1e6).cast(pl.Int64))
    requests = requests.with_columns(
        (pl.col("done") + pl.duration(microseconds=shift_us)).alias("done"),
        *((pl.col(name) + pl.duration(microseconds=round(skew_s * 1e6))) for name in ("recv", "pub")),
    ).cast(polars_schema(REQUESTS))
    if not is_told:  # as of an endpoint of AWS: SageMaker chooses the concurrency and does not report it
        limits = of.target.emulated.instances
        found = {
            "endpoint": "e",
            "instances_desired": limits.at_start,
            "scalable_target": {"MinCapacity": limits.min, "MaxCapacity": limits.max},
        }
        manifest = manifest.model_copy(update={"target": found, "scenario": {"target": {"endpoint": "e"}}})
    frames = derive(manifest, requests, readings, events)
    return measured(frames, requests.select("seq", "payload", "size_in_bytes"), "run")


def drawn_mean_s(of: Scenario) -> float:
    """The mean of the services that the simulation drew, which differs from the law's by chance."""
    schedule = plan(of, Path(), [1.0])
    truth = simulate(of, None, schedule, ["a"], epoch_ns=EPOCH_NS, run_id="run").truth
    took = truth.select((pl.col("ended") - pl.col("started")).dt.total_microseconds().mean()).item()
    return float(took) / 1e6
