"""A run on Ray brought home: its parent died, its workers went on."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import anyio

from smbench.errors import TargetError
from smbench.generator.shares import Share
from smbench.lifecycle.background.presence import Presence
from smbench.lifecycle.carry_out import CarriedOut
from smbench.lifecycle.folder import RunFolder
from smbench.lifecycle.screen import Screen
from smbench.processes.clusters.adopting import Orphans, follow_orphans, orphans_led
from smbench.processes.interrupts import Interrupts
from smbench.processes.session import SessionEnd
from smbench.records import Ending
from smbench.results.manifest import Manifest
from smbench.targets.base import AwsAccess
from smbench.view.live.choose import View


def brought_home(
    path: Path,
    before: Manifest,
    access: AwsAccess,
    make_view: Callable[[], View],
    interrupts: Interrupts,
    base_dir: Path | None,
    presence: Presence | None,
) -> CarriedOut | None:
    """Follow the workers to their ends and close the folder, as their own parent would have; None: it has none.

    The first interrupt has them send no more, the second stops them. Arguments: as `resume_run`, whose lock is held.

    Raises:
        SmbenchError: it cannot be done from here; the workers go on, and the folder is as it was.
    """
    if before.ray is None or before.ending is not Ending.RUNNING:
        return None
    folder = RunFolder(path, before)
    plan, access = folder.plan(base_dir), access_of(before, access)
    shares = [Share(before.run_id, worker, before.workers) for worker in range(before.workers)]
    cluster = _cluster(path, before)
    orphans = Orphans(path, shares, cluster, before.clock.epoch_ns, before.target, before.held, before.claims)
    with orphans_led(orphans) as workers:
        if presence is not None:
            presence.opened(path, plan.scenario.name)
            presence.begun()
        view = make_view()
        screen = Screen(plan, path, view, stops_when_certain=False)

        async def live() -> SessionEnd:
            async with contextlib.nullcontext() if presence is None else presence.served(screen.state, interrupts):
                return await follow_orphans(plan, access, orphans, workers, screen, interrupts)

        with view:
            screen.preparing("following the workers, whose parent was lost")
            end = anyio.run(live)
        end.notes[:0] = [note for note in before.notes if note not in end.notes]
        if end.held:
            end.notes.append(f"requests may still end: `smbench resume {path}` collects them and removes the queue")
        problems = folder.close(end.ending, end.reason, end.notes, None, end.held, lacks_rows=end.lacks_rows)
    return CarriedOut(path, end, tuple(problems), bool(interrupts.names))


def _cluster(path: Path, before: Manifest) -> str:
    """An address that came with a copy is not called: who made the copy may have written it."""
    assert before.ray is not None, "it has workers on Ray"
    if before.ray.folder == path.stat().st_ino:
        return before.ray.address
    if address := os.environ.get("RAY_ADDRESS"):
        return address
    raise TargetError(
        f"{path} is a copy of a run whose workers may go on, on Ray at {before.ray.address}",
        "collect it where the run is; if that folder was lost, name the cluster in RAY_ADDRESS",
    )


def access_of(before: Manifest, asked: AwsAccess) -> AwsAccess:
    """How AWS is reached for a run of before: what is not asked for is as the run had it."""
    arn = str(before.target.get("endpoint_arn") or "").split(":")
    region = asked.region or (arn[3] if len(arn) > 3 else None)
    return AwsAccess(region, asked.profile, asked.endpoint_url or before.endpoint_url)
