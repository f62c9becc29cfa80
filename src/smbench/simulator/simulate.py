"""A run without a network, a clock or a loop: the schedule against the model, in the tables of a run.

The same seeds give the same truth here and in the emulator. What happens on the way to the endpoint and back (faults
that throttle or reset, lost and late notices) belongs to the emulator alone: a simulation predicts the endpoint. What a
serverless endpoint refuses beyond its concurrency is the endpoint's own, and predicted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smbench.model.event_queue import EventQueue
from smbench.model.world import EMBEDDED, World
from smbench.scenario.model import Scenario
from smbench.schedule.base import Schedule
from smbench.simulator.called_tables import called_requests_table, called_truth_table
from smbench.simulator.caller import Caller
from smbench.simulator.client import Client
from smbench.simulator.gauges import Fleet, events_table, readings_table
from smbench.simulator.looking import client_of
from smbench.simulator.sender import Watch
from smbench.simulator.tables import requests_table, truth_table


@dataclass(frozen=True, slots=True)
class Simulated:
    """A run's tables, in the schemas of `results.schema`, and when it was over.

    `billed` has the instances paid for from each instant on, the first at 0; empty: a serverless endpoint has none.
    """

    requests: pl.DataFrame
    readings: pl.DataFrame
    events: pl.DataFrame
    truth: pl.DataFrame
    end_ns: int
    billed: tuple[tuple[int, int], ...] = ()


def simulate(
    scenario: Scenario,
    base_dir: Path | None,
    schedule: Schedule,
    payload_classes: Sequence[str],
    *,
    epoch_ns: int,
    run_id: str,
    size_bytes: Sequence[int] | None = None,
    watch: Watch | None = None,
) -> Simulated:
    """Run a scenario's load against its emulated endpoint as events on a heap.

    Args:
        base_dir: Where empirical laws' files are looked for.
        payload_classes: The class of each payload that the schedule's rows point to.
        epoch_ns: UTC nanoseconds at scenario time zero; gives the phase of CloudWatch's minutes.
        size_bytes: The size of each payload; 0 where not given.
        watch: Called every few thousand requests.

    Raises:
        UsageError: an empirical law's file cannot be used.
    """
    event_queue = EventQueue()
    world = World.of(event_queue, epoch_ns, scenario, base_dir)
    fleet = Fleet(world.endpoints[EMBEDDED]) if EMBEDDED in world.endpoints else None
    prefix = f"{run_id}-0-"
    sizes = [0] * len(payload_classes) if size_bytes is None else size_bytes
    client: Client | Caller
    if scenario.target.is_synchronous:
        called = world.serverless[EMBEDDED] if fleet is None else world.endpoints[EMBEDDED]
        client = Caller(event_queue, called, scenario, schedule, base_dir, prefix, watch)
        end_ns = client.run()
        requests = called_requests_table(client, schedule, payload_classes, sizes, epoch_ns)
        truth = called_truth_table(client, epoch_ns)
    else:
        endpoint = world.endpoints[EMBEDDED]
        client = client_of(scenario)(
            event_queue, endpoint, scenario, schedule, payload_classes, base_dir, prefix, watch
        )
        end_ns = client.run()
        requests = requests_table(client, schedule, payload_classes, sizes, epoch_ns, end_ns)
        truth = truth_table(client, epoch_ns)
    every_ns = round(scenario.gauges_every * 1e9)
    return Simulated(
        requests=requests,
        readings=readings_table(client, world, fleet, every_ns=every_ns, epoch_ns=epoch_ns, end_ns=end_ns),
        events=events_table(client, schedule, world, fleet, every_ns=every_ns, epoch_ns=epoch_ns, end_ns=end_ns),
        truth=truth,
        end_ns=end_ns,
        billed=() if fleet is None else tuple(fleet.billed),
    )
