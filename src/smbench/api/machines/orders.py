"""A run that several machines share by files: its order written, and one results folder made of all shards."""

import os
from collections.abc import Sequence
from pathlib import Path

from smbench.api.result import Run
from smbench.api.resume import taken_up
from smbench.api.run import reported
from smbench.api.scenarios import Folders, ScenarioLike, given_scenario, with_endpoint
from smbench.clock import wall_ns
from smbench.generator.plan import make_plan
from smbench.lifecycle.collect import collect as collect_shards
from smbench.lifecycle.order import WHEN_READY, Order, agreed_instant, at_the_place, write_order
from smbench.lifecycle.places import opened
from smbench.results.manifest import MANIFEST, read_manifest
from smbench.targets.base import AwsAccess


def order(
    scenario: ScenarioLike | None,
    *,
    shards: int,
    to: str | os.PathLike[str],
    go: str | None = None,
    endpoint: str | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    allow_files: Folders = (),
    command: Sequence[str] = (),
) -> Order:
    """Write the plan of a run once, for machines that share it. Nothing is started.

    Args:
        scenario: As `run` takes it.
        shards: How many workers share the load, each started by itself.
        to: Folder or `s3://bucket/prefix` for the order, and for what its shards leave.
        go: When all begin, `2026-11-29T12:00:00Z` or `+5m`, or `ready`: once the last of them is; None: each when it
            is ready itself.
        endpoint: As `run` takes it.
        region: As `run` takes it.
        profile: As `run` takes it; every machine must have it.
        endpoint_url: As `run` takes it.
        allow_files: As `run` takes it.
        command: As `run` takes it.

    Raises:
        ScenarioError, UsageError, ResultsError, TargetError: nothing was written.
    """
    given = given_scenario(scenario, None, allow_files)
    plan = make_plan(with_endpoint(given.scenario, endpoint), given.origin.base_dir)
    go_utc_ns = None if go in (None, WHEN_READY) else agreed_instant(go, wall_ns())
    access = AwsAccess(region, profile, endpoint_url)
    with opened(to, access) as place:
        return write_order(
            place, plan, given.origin, access, shards, go_utc_ns, command, begins_together=go == WHEN_READY
        )


def collect(
    place: str | os.PathLike[str],
    *,
    results: str | os.PathLike[str] = "results",
    base_dir: str | os.PathLike[str] | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    strict: bool = False,
) -> Run:
    """Make one results folder of what the shards of an order left, and judge it. No shard can be started any more.

    Of a run on Ray whose parent died it brings the workers home into the run's own folder, as `resume` does.

    Args:
        place: Of the order: a folder, or `s3://bucket/prefix`. Of such a run: its folder.
        results: Folder in which the run's own is made.
        base_dir: As `resume` takes it.
        region: Of the bucket; None: as the AWS tools find it.
        profile: AWS profile; None: as the AWS tools find it.
        endpoint_url: Another address for S3.
        strict: As `run` takes it.

    Raises:
        OrderError: the order cannot be read here, or a shard is still at work.
        ResultsError: a file cannot be read or written.
        TargetError: S3 refuses.
    """
    where = None if base_dir is None else Path(base_dir)
    if (Path(place) / MANIFEST).is_file() and read_manifest(Path(place)).ray is not None:
        return taken_up(Path(place), AwsAccess(region, profile, endpoint_url), where, strict=strict)
    with opened(place, AwsAccess(region, profile, endpoint_url)) as opened_place, at_the_place():
        done = collect_shards(opened_place, Path(results), where)
    return reported(done, is_strict=strict)
