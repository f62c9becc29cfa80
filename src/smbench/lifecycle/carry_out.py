"""A run from its plan to its closed folder: opened, begun, followed, closed, whatever ends it."""

from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from smbench.analysis.capacity.alarm_facts import alarms_on_before_the_load, alarms_without_data
from smbench.analysis.capacity.policy_facts import held_at_zero, policies_at_odds
from smbench.errors import SmbenchError
from smbench.generator.plan import RunPlan
from smbench.lifecycle.background.presence import Presence
from smbench.lifecycle.folder import RunFolder
from smbench.lifecycle.origin import Origin
from smbench.lifecycle.screen import Screen
from smbench.processes.child import StartChild
from smbench.processes.interrupts import Interrupts
from smbench.processes.session import SessionEnd, run_session
from smbench.results.manifest import ClockFacts
from smbench.results.marks import sole_user
from smbench.targets.base import AwsAccess, Facts
from smbench.targets.kinds import inapplicable_to
from smbench.view.live.choose import View


@dataclass(frozen=True, slots=True)
class Settings:
    """How a plan is carried out.

    Args:
        results: Folder in which the run's own is made.
        command: What asked for the run, for the manifest.
        prices: USD in the place of list prices, for the manifest.
        start: How its processes are started; None: as a run alone does, see `run_session`.
        cluster: Address of the Ray cluster on which its workers outlive this process; empty: they do not.
    """

    access: AwsAccess = field(default_factory=AwsAccess)
    n_workers: int = 1
    results: Path = Path("results")
    stops_when_certain: bool = False
    command: Sequence[str] = ()
    prices: Mapping[str, float] = field(default_factory=dict)
    start: StartChild | None = None
    cluster: str = ""


@dataclass(frozen=True, slots=True)
class CarriedOut:
    """A run that began, its folder closed.

    Args:
        problems: What could not be written when it was closed; the rest was.
        was_interrupted: A person or the system asked for an early end, after the last request had ended too.
    """

    path: Path
    end: SessionEnd
    problems: tuple[SmbenchError, ...]
    was_interrupted: bool


def _cautions(found: Facts) -> list[str]:
    """What the endpoint's scaling will do that a reader of the results must know."""
    held = held_at_zero(found)
    return [
        *alarms_without_data(found),
        *alarms_on_before_the_load(found),
        *policies_at_odds(found),
        *([held.why] if held else []),
    ]


def carry_out(
    plan: RunPlan,
    origin: Origin,
    settings: Settings,
    view: View,
    interrupts: Interrupts,
    presence: Presence | None = None,
) -> CarriedOut:
    """Carry out a plan; returns when the folder is closed.

    The first interrupt stops sending and follows what was sent, the second stops at once; one that comes while the
    folder is being closed only shows in the result.

    Args:
        presence: How other processes find it; None: they do not.

    Raises:
        SmbenchError: the run could not begin; nothing was sent, and no folder stays.
    """
    with interrupts.from_signals():
        folder = RunFolder.open(settings.results, plan, origin, settings.command, settings.n_workers)

        screen = Screen(plan, folder.path, view, stops_when_certain=settings.stops_when_certain)

        def on_ready(end: SessionEnd) -> None:
            clock = ClockFacts(kind=plan.time_kind.value, epoch_ns=end.epoch_ns, scale=plan.scale)
            url = None if plan.is_emulated else settings.access.endpoint_url
            inapplicable, cluster = inapplicable_to(plan), settings.cluster
            folder.begin(dict(end.found), clock, inapplicable, end.held, url, settings.prices, end.niceness, cluster)
            unobservable = dict.fromkeys(end.found.get("unobservable", {}).values())
            for note in end.found.get("notes", ()):
                if note not in unobservable:
                    screen.preparing(f"note: {note}")
            for reason in unobservable:
                screen.caution(reason)
            for caution in _cautions(end.found):
                end.notes.append(caution)
                screen.preparing(f"note: {caution}")
            if presence is not None:
                presence.begun()

        run_id, n_workers = folder.manifest.run_id, settings.n_workers

        async def live() -> SessionEnd:
            async with nullcontext() if presence is None else presence.served(screen.state, interrupts):
                return await run_session(
                    plan,
                    settings.access,
                    n_workers,
                    folder.path,
                    run_id,
                    screen,
                    interrupts,
                    on_ready,
                    start=settings.start,
                )

        with sole_user(folder.path):
            try:
                if presence is not None:
                    presence.opened(folder.path, plan.scenario.name)
                with view:
                    screen.preparing("starting the processes")
                    end = anyio.run(live)
            except BaseException:  # Ctrl-C included: a run that never began leaves no folder; the error goes on up
                if presence is not None:
                    presence.withdrawn()
                folder.discard_if_unused()
                raise
            if end.held:
                end.notes.append(
                    f"requests may still end: `smbench resume {folder.path}` collects them and removes the queue"
                )
            reason = end.reason or screen.stopped
            problems = folder.close(end.ending, reason, end.notes, end.emulator, end.held, lacks_rows=end.lacks_rows)
        return CarriedOut(folder.path, end, tuple(problems), bool(interrupts.names))
