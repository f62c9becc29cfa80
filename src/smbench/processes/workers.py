"""The workers of a run, led as one: made ready, started, followed until each is done or lost.

What one of them cannot judge alone is judged on the sum: here the share of answers that were errors and the conditions
at which a phase stops, and, by the view, whether the thresholds' verdict is certain.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

import anyio

from smbench.errors import ExitCode
from smbench.generator.stopping import Jury, SeenWindow
from smbench.processes.child import Child
from smbench.processes.messages import Acknowledged, Beat, Done, Failed, Message, Preparing, Ready, Stop
from smbench.records import Event, NotSent, Reading, Stage
from smbench.scenario.model import Limits
from smbench.scenario.phases import Phase
from smbench.schedule.base import PhaseSpan
from smbench.snapshot import Snapshot
from smbench.targets.base import Facts

_Word = TypeVar("_Word", Ready, Acknowledged)

SILENT_S = 5.0  # a worker speaks four times a second
HANGS_S = 60.0  # no pause of a worker that works takes as long: it is ended, and its share is accounted for


class Watcher(Protocol):
    """The view of a run. Calls are cheap and never raise for what is drawn."""

    def preparing(self, text: str) -> None:
        """What is being prepared, in words for a person."""

    def refresh(self) -> None:
        """Draw again; nothing is new but the time."""

    def update(self, snapshots: Sequence[Snapshot]) -> str:
        """Why no more need be sent; empty while there is need."""

    def read(self, readings: Sequence[Reading], events: Sequence[Event]) -> None:
        """What the gauges gave since the last call."""


class Workers:
    """All workers of a run, the one of a small run too.

    Args:
        workers: By their number.
        stops: The phases that stop by themselves, with where they lie.
        on_lost: Called after the go with why, and what it said itself if it said something, when a worker is lost.

    Attributes:
        ready: What each said when it was ready, by its number.
        lost: Those that did not come to their own end.
        notes: Sentences for the manifest of those that did.
        held: What those left in its place, because requests may still end; by the worker's number.
    """

    def __init__(
        self,
        workers: Sequence[Child],
        limits: Limits,
        watcher: Watcher,
        on_lost: Callable[[str, Failed | None], None],
        stops: Sequence[tuple[Phase, PhaseSpan]] = (),
    ) -> None:
        self.workers, self.limits, self.watcher, self.on_lost = workers, limits, watcher, on_lost
        self.ready: dict[int, Ready] = {}
        self.lost: list[int] = []
        self.notes: list[str] = []
        self.held: dict[str, Facts] = {}
        self._at_work = set(range(len(workers)))
        self._latest: dict[int, Snapshot] = {}
        self._told: set[int] = set()  # since the view was told
        self._is_stopped = False
        self._jury = Jury(stops, len(workers))
        self._last_word_s: dict[int, float] = {}  # by the worker's number, on the loop's clock, since the go
        self._silent: set[int] = set()  # those that were named
        self._hung: set[int] = set()  # those that were ended for it

    def tell(self, message: Message) -> None:
        """Send it to all; those that have ended receive nothing."""
        for worker in self.workers:
            worker.tell(message)

    async def prepare(self) -> Failed | None:
        """Return when all are ready, or why the first that will not be ready is not."""

        def ready(index: int, message: Ready) -> None:
            self.ready[index] = message

        return await self._all_say(Ready, ready)

    async def acknowledge(self) -> Failed | None:
        """Return when all have acknowledged an announcement, or why the first that will not has not."""
        return await self._all_say(Acknowledged, lambda _index, _message: None)

    async def _all_say(self, word: type[_Word], take: Callable[[int, _Word], None]) -> Failed | None:
        failures: list[Failed] = []
        said: set[int] = set()
        async with anyio.create_task_group() as listening:

            async def listen(index: int) -> None:
                # One that has said it is listened to as well: it may die while the others still prepare.
                while isinstance(message := await self.workers[index].receive(), Preparing | word):
                    if isinstance(message, Preparing):
                        self.watcher.preparing(self._said_by(index, message.text))
                        continue
                    take(index, message)
                    said.add(index)
                    if len(said) == len(self.workers):
                        listening.cancel_scope.cancel()
                failures.append(message if isinstance(message, Failed) else self._died_early(index))
                listening.cancel_scope.cancel()

            for index in range(len(self.workers)):
                listening.start_soon(listen, index)
        return failures[0] if failures else None

    def _died_early(self, index: int) -> Failed:
        self.lost.append(index)
        return Failed(f"before the run began {self.workers[index].how_it_ended()}", "", ExitCode.BUG)

    async def follow(self) -> None:
        """Take their messages until every one is done, or lost."""
        self._last_word_s = dict.fromkeys(range(len(self.workers)), anyio.current_time())
        async with anyio.create_task_group() as following:
            for index in range(len(self.workers)):
                following.start_soon(self._follow_one, index)

    async def _follow_one(self, index: int) -> None:
        worker = self.workers[index]
        while isinstance(message := await worker.receive(), Beat):
            self._hear(index)
            self._take(message.snapshot)
            self._judge(index, message.seen)
            if message.readings or message.events:
                self.watcher.read(message.readings, message.events)
        self._at_work.discard(index)
        if isinstance(message, Done):
            self.notes.extend(note for note in message.notes if note not in self.notes)  # all find the same target
            if message.held is not None:
                self.held[str(index)] = message.held
        else:
            self.lost.append(index)
            self._lay_to_rest(index)
            failure = message if isinstance(message, Failed) else None
            self.on_lost(self._how_lost(index) if failure is None else self._said_by(index, failure.message), failure)
        self._show()

    # ---- silence ----------------------------------------------------------------------------------------------

    def name_silent(self) -> None:
        """Say of each worker at work that has not spoken for `SILENT_S`, and end one that has not for `HANGS_S`.

        One that has reported the end of its run takes its target down, and need not speak. Call it every now and then.
        """
        for index in sorted(self._at_work - self._hung):
            silent_s = anyio.current_time() - self._last_word_s.get(index, anyio.current_time())
            is_over = index in self._latest and self._latest[index].stage is Stage.DONE
            if is_over:
                continue
            if silent_s >= HANGS_S:
                self._hung.add(index)
                self.workers[index].kill()
            elif silent_s >= SILENT_S and index not in self._silent:
                self._silent.add(index)
                why = "it hangs, or its machine is busy"
                self.watcher.preparing(f"{self.workers[index].name} has said nothing for {SILENT_S:.0f} s: {why}")

    def _hear(self, index: int) -> None:
        silent_s = anyio.current_time() - self._last_word_s[index]
        self._last_word_s[index] = anyio.current_time()
        if index in self._silent:
            self._silent.discard(index)
            self.notes.append(f"{self.workers[index].name} said nothing for {silent_s:.0f} s")
            self.watcher.preparing(f"{self.workers[index].name} answers again, after {silent_s:.0f} s")

    def _how_lost(self, index: int) -> str:
        worker = self.workers[index]
        hung = f"{worker.name} hung: it had said nothing for {HANGS_S:.0f} s, and was ended"
        return hung if index in self._hung else worker.how_it_ended()

    def kill(self) -> list[str]:
        """End every worker that is still at work; returns their names."""
        stubborn = [self.workers[index] for index in sorted(self._at_work)]
        for worker in stubborn:
            worker.kill()
        return [worker.name for worker in stubborn]

    def give_up(self) -> None:
        """All have ended: one whose own end was not followed, because the parent failed before it, counts as lost."""
        self.lost += sorted(self._at_work)
        self._at_work.clear()

    def _lay_to_rest(self, index: int) -> None:
        """What a lost worker did stays in the sums; it holds no stage up, and burdens the machine no more."""
        if index in self._latest:
            self._latest[index] = replace(
                self._latest[index], stage=Stage.DONE, loop_lag_max_s=0.0, cpu_share=0.0, rss_bytes=0
            )

    def _said_by(self, index: int, text: str) -> str:
        return text if len(self.workers) == 1 else f"{self.workers[index].name}: {text}"

    # ---- sums -------------------------------------------------------------------------------------------------

    def _take(self, snapshot: Snapshot) -> None:
        """A round is over when all that work have reported, or one reports again: a slow worker holds up no view."""
        is_again = snapshot.worker in self._told
        self._latest[snapshot.worker] = snapshot
        self._told.add(snapshot.worker)
        if is_again or self._told >= self._at_work:
            self._show()

    def _show(self) -> None:
        self._told.clear()
        latest = [self._latest[index] for index in sorted(self._latest)]
        stop = Stop(NotSent.CERTAIN, self.watcher.update(latest))
        if not stop.reason:
            stop = Stop(NotSent.ERROR_LIMIT, self._beyond_limit(latest))
        if stop.reason and not self._is_stopped:
            self._is_stopped = True
            self.tell(stop)

    def _judge(self, index: int, seen: Sequence[SeenWindow]) -> None:
        for found in seen:
            reason = self._jury.reason(index, found)
            if reason and not self._is_stopped:
                self._is_stopped = True
                self.tell(Stop(NotSent.STOP_CONDITION, reason))

    def _beyond_limit(self, latest: Sequence[Snapshot]) -> str:
        if len(self.workers) == 1:  # one alone judges itself, with every answer
            return ""
        n_bad = sum(one.n_bad_answers for one in latest)
        return self.limits.broken_by(n_bad, sum(one.n_sent - one.n_in_flight for one in latest))
