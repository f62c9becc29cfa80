"""Goal: several workers are led as one: begun together, summed together, and none is lost unheard.

Method: children in memory that say what a test tells them to, on virtual time.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doubles import span
from smbench.clock import WarpLoop
from smbench.errors import ExitCode
from smbench.generator.stopping import Seen, SeenWindow
from smbench.processes.child import Child
from smbench.processes.emulator_child import how_it_ended
from smbench.processes.messages import Acknowledged, Alive, Beat, Done, Failed, Message, Preparing, Ready, Stop
from smbench.processes.workers import HANGS_S, SILENT_S, Workers
from smbench.records import Event, NotSent, Reading, Stage
from smbench.scenario.model import Limits
from smbench.scenario.phases import Phase
from smbench.schedule.base import PhaseSpan
from smbench.snapshot import Snapshot

BROKEN = Failed("no such endpoint", "name another", ExitCode.TARGET)


@pytest.fixture
def anyio_backend() -> Any:
    return "asyncio", {"loop_factory": WarpLoop}


class ScriptedChild(Child):
    """Says what it is given, in order; None is its end without a word. Keeps what it is told."""

    def __init__(self, index: int) -> None:
        self.name = f"worker {index}"
        self.heard: list[Message] = []
        self.is_killed = False
        self._words: deque[Message | None] = deque()
        self._is_said = anyio.Event()

    async def receive(self) -> Message | None:
        while not self._words:
            self._is_said = anyio.Event()
            await self._is_said.wait()
        return self._words.popleft()

    def tell(self, message: Message) -> None:
        self.heard.append(message)

    def how_it_ended(self) -> str:
        return f"{self.name} was killed by signal SIGKILL"

    def kill(self) -> None:
        self.is_killed = True
        self.says(None)

    def says(self, *words: Message | None) -> None:
        self._words.extend(words)
        self._is_said.set()


class Screen:
    """What a view is told."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.updates: list[list[Snapshot]] = []
        self.conclusion = ""

    def preparing(self, text: str) -> None:
        self.texts.append(text)

    def refresh(self) -> None: ...

    def update(self, snapshots: Any) -> str:
        self.updates.append(list(snapshots))
        return self.conclusion

    def read(self, readings: Sequence[Reading], events: Sequence[Event]) -> None: ...


class Scene:
    """A workers with its children, what is drawn of it, and whom it lost."""

    def __init__(
        self, n_workers: int, limits: Limits | None = None, stops: Sequence[tuple[Phase, PhaseSpan]] = ()
    ) -> None:
        self.children = [ScriptedChild(index) for index in range(n_workers)]
        self.screen = Screen()
        self.losses: list[tuple[str, Failed | None]] = []
        self.workers = Workers(
            self.children,
            limits or Limits(),
            self.screen,
            lambda reason, failure: self.losses.append((reason, failure)),
            stops,
        )


def beat(worker: int, **facts: Any) -> Beat:
    return Beat(replace(Snapshot(worker, facts.pop("at_ns", 0), 0.0, Stage.SENDING), **facts))


async def test_all_are_ready_before_any_is_told_to_go() -> None:
    scene = Scene(3)
    outcomes: list[Failed | None] = []

    async def prepare() -> None:
        outcomes.append(await scene.workers.prepare())

    async with anyio.create_task_group() as group:
        group.start_soon(prepare)
        for child in scene.children:
            assert outcomes == []
            child.says(Preparing("uploading"), Ready(url=child.name))
            await anyio.wait_all_tasks_blocked()
    assert outcomes == [None]
    assert {index: ready.url for index, ready in scene.workers.ready.items()} == {k: f"worker {k}" for k in range(3)}
    assert sorted(scene.screen.texts) == [f"worker {k}: uploading" for k in range(3)]


async def test_one_that_cannot_begin_ends_the_preparing_of_all() -> None:
    scene = Scene(3)
    scene.children[0].says(Ready())
    scene.children[1].says(BROKEN)
    assert await scene.workers.prepare() == BROKEN  # worker 2 never said a word


async def test_one_that_dies_when_it_is_ready_is_missed_while_the_others_still_prepare() -> None:
    scene = Scene(2)
    scene.children[1].says(Ready())
    failures: list[Failed | None] = []

    async def prepare() -> None:
        failures.append(await scene.workers.prepare())

    async with anyio.create_task_group() as group:
        group.start_soon(prepare)
        await anyio.wait_all_tasks_blocked()
        scene.children[1].says(None)  # worker 0 has not said a word yet
    assert failures == [Failed("before the run began worker 1 was killed by signal SIGKILL", "", ExitCode.BUG)]
    assert scene.workers.lost == [1]


async def test_what_all_have_to_say_at_the_end_is_said_once() -> None:
    scene = Scene(2)
    scene.children[0].says(Done(["the endpoint has no alarm", "left behind: queue 0"]))
    scene.children[1].says(Done(["the endpoint has no alarm"]))
    await scene.workers.follow()
    assert scene.workers.notes == ["the endpoint has no alarm", "left behind: queue 0"]
    assert not scene.losses


async def test_one_that_is_lost_is_named_and_what_it_did_stays_in_the_sums() -> None:
    scene = Scene(2)
    scene.children[0].says(beat(0, n_sent=5), Done())
    scene.children[1].says(beat(1, n_sent=7, cpu_share=0.9, stage=Stage.SENDING), None)
    await scene.workers.follow()
    assert scene.losses == [("worker 1 was killed by signal SIGKILL", None)]
    assert scene.workers.lost == [1]
    mine, its = scene.screen.updates[-1]
    assert (mine.n_sent, its.n_sent) == (5, 7)
    assert (its.stage, its.cpu_share) == (Stage.DONE, 0.0)


async def test_one_that_fails_says_why_itself() -> None:
    scene = Scene(2)
    scene.children[0].says(Done())
    scene.children[1].says(BROKEN)
    await scene.workers.follow()
    assert scene.losses == [("worker 1: no such endpoint", BROKEN)]


async def test_alone_a_worker_needs_no_number() -> None:
    scene = Scene(1)
    scene.children[0].says(Preparing("uploading"), Ready())
    await scene.workers.prepare()
    scene.children[0].says(BROKEN)
    await scene.workers.follow()
    assert scene.screen.texts == ["uploading"]
    assert scene.losses == [("no such endpoint", BROKEN)]


async def follow_in_turn(scene: Scene, beats: list[Beat]) -> None:
    async with anyio.create_task_group() as group:
        group.start_soon(scene.workers.follow)
        for one in beats:
            scene.children[one.snapshot.worker].says(one)
            await anyio.wait_all_tasks_blocked()
        for child in scene.children:
            child.says(Done())


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.integers(0, 2), max_size=30))
def test_the_view_sees_rounds_and_no_slow_worker_holds_it_up(workers: list[int]) -> None:
    scene = Scene(3)
    anyio.run(
        follow_in_turn,
        scene,
        [beat(worker, at_ns=place) for place, worker in enumerate(workers)],
        backend_options={"loop_factory": WarpLoop},
    )
    before_the_ends = scene.screen.updates[:-3]  # each Done shows what there is
    # By hand: a round ends when all three have told, or with the second word of one of them.
    rounds, told = [], set[int]()
    for place, worker in enumerate(workers):
        is_again = worker in told
        told.add(worker)
        if is_again or len(told) == 3:
            rounds.append(place)
            told = set()
    assert [max(one.at_ns for one in update) for update in before_the_ends] == rounds
    last = {worker: place for place, worker in enumerate(workers)}
    assert {one.worker: one.at_ns for one in scene.screen.updates[-1]} == last


def answers(worker: int, n_good: int, n_bad: int) -> Beat:
    return beat(worker, n_sent=n_good + n_bad + 3, n_in_flight=3, n_bad_answers=n_bad)


async def test_the_error_limit_is_judged_on_the_sum_and_told_once_to_all_in_the_engines_words() -> None:
    scene = Scene(2, Limits(errors=0.1, errors_after=50))
    # Worker 0 alone would stop at 6 of 30; both together have 6 of 60, and then 7.
    await follow_in_turn(scene, [answers(0, 24, 6), answers(1, 30, 0)])
    assert [child.heard for child in scene.children] == [[], []]
    scene = Scene(2, Limits(errors=0.1, errors_after=50))
    await follow_in_turn(scene, [answers(0, 24, 6), answers(1, 29, 1), answers(0, 24, 7), answers(1, 29, 1)])
    stop = Stop(NotSent.ERROR_LIMIT, "error limit: 7 of 60 answers were errors")
    assert [child.heard for child in scene.children] == [[stop], [stop]]


async def test_what_stops_a_phase_is_judged_on_the_sum_of_a_window_and_told_once_to_all() -> None:
    phase = Phase.model_validate({"users": {"initial": 2, "for": "5m", "stop": {"invocations_per_minute": 100}}})

    def saw(worker: int, number: int, n_sent: int) -> Beat:
        window = SeenWindow(0, number, Seen(n_sent, np.empty(0), 0, np.empty(0)))
        return replace(beat(worker), seen=[window])

    scene = Scene(2, stops=[(phase, span(99, end_ns=300 * 10**9, outstanding=2))])
    await follow_in_turn(scene, [saw(0, 0, 90), saw(1, 0, 9), saw(1, 1, 60)])
    assert [child.heard for child in scene.children] == [[], []]
    scene = Scene(2, stops=[(phase, span(99, end_ns=300 * 10**9, outstanding=2))])
    await follow_in_turn(
        scene, [saw(0, 0, 90), saw(1, 0, 9), saw(1, 1, 60), saw(0, 1, 40), saw(0, 2, 90), saw(1, 2, 90)]
    )
    stop = Stop(NotSent.STOP_CONDITION, "closed-0, minute 2: 100 invocations a minute, of 100")
    assert [child.heard for child in scene.children] == [[stop], [stop]]


async def test_alone_a_worker_judges_its_errors_itself() -> None:
    scene = Scene(1, Limits(errors=0.1, errors_after=1))
    await follow_in_turn(scene, [answers(0, 0, 9)])
    assert scene.children[0].heard == []


async def test_a_verdict_that_is_certain_stops_all_once() -> None:
    scene = Scene(2)
    scene.screen.conclusion = "stopped early, certain to miss failed == 0"

    async with anyio.create_task_group() as group:
        group.start_soon(scene.workers.follow)
        for index, child in enumerate(scene.children):
            child.says(beat(index, at_ns=1), beat(index, at_ns=2), Done())
    assert [child.heard for child in scene.children] == [[Stop(NotSent.CERTAIN, scene.screen.conclusion)]] * 2


async def test_all_acknowledge_before_the_go_and_the_first_that_cannot_is_named() -> None:
    scene = Scene(2)
    scene.children[0].says(Acknowledged())
    scene.children[1].says(Preparing("writing"), Acknowledged())
    assert await scene.workers.acknowledge() is None
    scene.children[1].says(BROKEN)
    assert await scene.workers.acknowledge() == BROKEN


async def test_a_worker_that_says_nothing_is_named_once_and_so_is_its_return() -> None:
    scene = Scene(2)
    async with anyio.create_task_group() as group:
        group.start_soon(scene.workers.follow)
        for _ in range(2 * round(SILENT_S) + 2):
            scene.children[0].says(beat(0))
            await anyio.sleep(1)
            scene.workers.name_silent()
        assert [text.split(":")[0] for text in scene.screen.texts] == ["worker 1 has said nothing for 5 s"]
        scene.children[1].says(beat(1))
        await anyio.sleep(1)
        scene.workers.name_silent()
        assert scene.screen.texts[1:] == ["worker 1 answers again, after 12 s"]
        for child in scene.children:
            child.says(Done())
    assert scene.workers.notes == ["worker 1 said nothing for 12 s"]


async def test_a_worker_that_hangs_is_ended_named_and_lost_and_the_others_go_on() -> None:
    scene = Scene(2)
    async with anyio.create_task_group() as group:
        group.start_soon(scene.workers.follow)
        for second in range(round(HANGS_S) + 2):
            assert scene.children[1].is_killed == (second >= HANGS_S)
            scene.children[0].says(beat(0))
            await anyio.sleep(1)
            scene.workers.name_silent()
        scene.children[0].says(Done())
    assert scene.workers.lost == [1]
    assert scene.losses == [("worker 1 hung: it had said nothing for 60 s, and was ended", None)]
    assert not scene.children[0].is_killed


async def test_an_emulator_that_hangs_is_named_and_then_ended() -> None:
    emulator = ScriptedChild(0)
    emulator.name = "emulator"
    said: list[str] = []
    ended: list[tuple[str, Failed | None]] = []

    async def follow() -> None:
        ended.append(await how_it_ended(emulator, said.append))

    async with anyio.create_task_group() as group:
        group.start_soon(follow)
        for _ in range(2):
            emulator.says(Alive())
            await anyio.sleep(SILENT_S + 1)
        await anyio.sleep(HANGS_S - SILENT_S - 2)
        assert not emulator.is_killed
    assert emulator.is_killed
    assert ended == [("the emulator hung: it had said nothing for 60 s, and was ended", None)]
    silent = "the emulator has said nothing for 5 s: it hangs, or its machine is busy"
    assert said == [silent, "the emulator answers again", silent]


async def test_one_whose_run_is_over_may_be_silent_while_it_takes_its_target_down() -> None:
    scene = Scene(1)
    async with anyio.create_task_group() as group:
        group.start_soon(scene.workers.follow)
        scene.children[0].says(beat(0, stage=Stage.DONE))
        await anyio.sleep(3 * SILENT_S)
        scene.workers.name_silent()
        scene.children[0].says(Done())
    assert scene.screen.texts == []


async def test_only_those_that_still_work_are_killed_and_then_they_are_lost() -> None:
    scene = Scene(2)
    async with anyio.create_task_group() as group:
        group.start_soon(scene.workers.follow)
        scene.children[0].says(Done())
        await anyio.sleep(1)
        assert scene.workers.kill() == ["worker 1"]
    assert [child.is_killed for child in scene.children] == [False, True]
    assert scene.workers.lost == [1]
