"""One scenario foreseen: every request's start and end, and what the fleet did, by the fast engine or the reference.

The fast engine gives what the model gives, to the nanosecond. What it does not know it names (`unknown_to_fast`), and
then the model itself runs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from smbench.model.endpoints.endpoint import CapacityChange
from smbench.model.event_queue import EventQueue
from smbench.model.service import Sampler, ServiceSampler
from smbench.model.world import EMBEDDED, World
from smbench.prediction.engine import compiled
from smbench.prediction.engine.data_plane import DataPlane, Requests
from smbench.prediction.engine.fast_world import KNOWN_METRICS, FastWorld
from smbench.prediction.engine.quiet import MINUTES_MAX, QuietWorld, is_quiet
from smbench.records import Outcome
from smbench.scenario.emulated import Emulated, OpenQuestions
from smbench.scenario.model import Scenario
from smbench.scenario.values.request import DEFAULT_TIMEOUT_S, DEFAULT_TTL_S
from smbench.scenario.values.seeds import stream
from smbench.schedule.base import Schedule
from smbench.simulator.looking import LookingClient, client_of
from smbench.simulator.looks import end_of_stamp_ns, is_found

OUTCOMES = (Outcome.PENDING, Outcome.COMPLETED, Outcome.FAILED, Outcome.EXPIRED)
PENDING, COMPLETED, FAILED, EXPIRED = range(4)

Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Load:
    """The requests that a scenario sends, with all their chances; the same for every policy of the same seeds.

    Args:
        sched_ns: When each sent request is due; one an accepted request, in order.
        rows: Its row in the schedule.
        work_s: How long it works on an instance of average speed.
        has_error: Its container fails.
        lag_ns: From its end to its notice.
        end_ns: When the last is sent and the load is over.
        sent_ns: When the last is sent.
    """

    sched_ns: Integers
    rows: Integers
    work_s: NDArray[np.float64]
    has_error: NDArray[np.bool_]
    lag_ns: Integers
    end_ns: int
    sent_ns: int
    requests: Requests


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What became of a load. Arrays have one value a sent request, in order of acceptance.

    Args:
        sched_ns: When it was due.
        rows: Its row in the schedule.
        start_ns: The last time an instance began with it; -1: never, or it has not ended.
        done_ns: Its end; -1: it has none.
        seen_ns: When the client sees its end, by a notice or by looking into S3 when the run is over; -1: never.
        told_ns: Its end as the client knows it; of one found in S3, which stamps whole seconds, the latest it may be.
        outcome: Index into `OUTCOMES`.
        changes: What happened to the fleet, in order.
        billed: Instances paid for, from each instant on, the first at 0.
        end_ns: When the run is over.
        longest_life_ns: After so long an accepted request can no longer end.
        by_reference: Why the model itself ran; empty: the fast engine did.
    """

    sched_ns: Integers
    rows: Integers
    start_ns: Integers
    done_ns: Integers
    seen_ns: Integers
    told_ns: Integers
    outcome: NDArray[np.int8]
    changes: tuple[CapacityChange, ...]
    billed: tuple[tuple[int, int], ...]
    end_ns: int
    longest_life_ns: int
    by_reference: tuple[str, ...] = ()


def unknown_to_fast(scenario: Scenario, schedule: Schedule) -> tuple[str, ...]:
    """What of a scenario the fast engine does not know, in words; empty: it knows all."""
    found, emulated = [], scenario.target.emulated
    if scenario.collector.tracking == "s3":
        found.append("collector.tracking: s3")
    if any(span.outstanding is not None for span in schedule.spans):
        found.append("a closed phase")
    if emulated.faults.instance_life is not None:
        found.append("faults.instance_life")
    if emulated.faults.instance_quota is not None:
        found.append("faults.instance_quota")
    if not emulated.open_questions.backlog_counts_running:
        found.append("open_questions.backlog_counts_running: false")
    for step in (policy.step for policy in emulated.policies if policy.step is not None):
        if step.metric not in KNOWN_METRICS:
            found.append(f"a step policy on {step.metric}")
        elif step.statistic not in ("Average", "Sum"):
            found.append(f"a step policy on the {step.statistic} of a metric")
    return tuple(dict.fromkeys(found))


def load_of(scenario: Scenario, base_dir: Path | None, schedule: Schedule, payload_classes: Sequence[str]) -> Load:
    """Draw everything about a load that no policy changes.

    Raises:
        UsageError: an empirical law's file cannot be used.
    """
    n_sent = _n_sent(scenario, schedule)
    sched_ns = schedule.sched_ns[:n_sent]
    emulated = scenario.target.emulated
    timeout_s = scenario.request.timeout or DEFAULT_TIMEOUT_S
    work_s = _work_s(scenario, base_dir, schedule.payload[:n_sent], payload_classes)
    share = emulated.faults.container_errors
    errors = stream(scenario.seed_of("faults"), "faults.container_errors")
    lag = Sampler(emulated.notify_lag, stream(scenario.seed_of("faults"), "notify_lag"), base_dir)
    sent_ns = int(sched_ns[-1]) if n_sent else 0
    return Load(
        sched_ns=sched_ns,
        rows=np.arange(n_sent),
        work_s=work_s,
        has_error=errors.random(n_sent) < share if share else np.zeros(n_sent, dtype=bool),
        lag_ns=_nanoseconds(lag.first_s(n_sent)),
        end_ns=_end_of_load_ns(scenario, schedule, n_sent, sent_ns),
        sent_ns=sent_ns,
        requests=Requests(
            sched_ns,
            work_s,
            _nanoseconds(np.minimum(work_s, timeout_s)),
            round((scenario.request.ttl or DEFAULT_TTL_S) * 1e9),
            timeout_s,
        ),
    )


def foresee(
    scenario: Scenario,
    base_dir: Path | None,
    schedule: Schedule,
    payload_classes: Sequence[str],
    *,
    epoch_ns: int,
    load: Load | None = None,
) -> Foreseen:
    """Foresee a scenario by the fast engine, or by the model where that engine does not know something of it.

    Args:
        base_dir: Where empirical laws' files are looked for.
        payload_classes: The class of each payload that the schedule's rows point to.
        epoch_ns: UTC nanoseconds at scenario time zero; gives the phase of CloudWatch's minutes.
        load: From `load_of`, where it was drawn before.

    Raises:
        UsageError: an empirical law's file cannot be used.
    """
    if unknown := unknown_to_fast(scenario, schedule):
        return by_reference(scenario, base_dir, schedule, payload_classes, epoch_ns=epoch_ns, why=unknown)
    drawn = load or load_of(scenario, base_dir, schedule, payload_classes)
    return _fast(scenario, base_dir, drawn, epoch_ns)


def _fast(scenario: Scenario, base_dir: Path | None, load: Load, epoch_ns: int) -> Foreseen:
    emulated = scenario.target.emulated
    plane = _plane(load, emulated)
    world = _world(plane, load, epoch_ns, scenario, base_dir)
    endpoint, queue = world.endpoint, world.event_queue
    changes: list[CapacityChange] = []
    billed = [(0, endpoint.billed)]
    endpoint.on_capacity.append(changes.append)
    endpoint.on_capacity.append(lambda change: billed.append((change.at_ns, endpoint.billed)))
    queue.advance(load.end_ns)
    limit_ns = max(load.end_ns, load.sent_ns) + round(scenario.drain * 1e9)
    while True:
        next_ns = queue.next_due_ns()
        due_ns = limit_ns + 1 if next_ns is None else min(next_ns, limit_ns + 1)
        queue.advance(max(queue.now_ns, due_ns - 1))
        end_ns = _end_ns(load, plane, emulated.open_questions, limit_ns)
        if end_ns < due_ns:
            break
        queue.advance(due_ns)
    return _foreseen(load, plane, emulated, epoch_ns, changes, billed, end_ns)


def _world(plane: DataPlane, load: Load, epoch_ns: int, scenario: Scenario, base_dir: Path | None) -> FastWorld:
    """With compiled minutes where the plane is compiled, and the minutes are such that those loops know them."""
    n_minutes = round((max(load.end_ns, load.sent_ns) / 1e9 + scenario.drain) / 60) + 3
    if isinstance(plane, compiled.CompiledPlane) and is_quiet(scenario.target.emulated) and n_minutes <= MINUTES_MAX:
        return QuietWorld.around_quietly(plane, n_minutes, epoch_ns, scenario, base_dir)
    return FastWorld.around(plane, epoch_ns, scenario, base_dir)


def _plane(load: Load, emulated: Emulated) -> DataPlane:
    """The compiled one for a large load, where numba is installed and no instance leaves its requests behind."""
    is_worth_it = load.requests.n >= compiled.WORTH_IT_FROM and emulated.open_questions.drain_on_remove
    made = compiled.CompiledPlane if is_worth_it and compiled.is_available() else DataPlane
    return made(load.requests, emulated.instances.concurrency)


def _end_ns(load: Load, plane: DataPlane, questions: OpenQuestions, limit_ns: int) -> int:
    """When the client has seen every end; when it gives up, where some are never published or not over."""
    if not plane.is_over:
        return limit_ns
    _, done_ns, _ = plane.results()
    if _is_silent(load, plane, questions).any():
        return limit_ns
    return min(limit_ns, int((done_ns + load.lag_ns).max(initial=load.end_ns)))


def _foreseen(
    load: Load,
    plane: DataPlane,
    emulated: Emulated,
    epoch_ns: int,
    changes: list[CapacityChange],
    billed: list[tuple[int, int]],
    end_ns: int,
) -> Foreseen:
    start_ns, done_ns, _ = plane.results()
    is_over = done_ns <= end_ns
    outcome = np.where(load.has_error, FAILED, COMPLETED).astype(np.int8)
    outcome[_timed_out(load, plane)] = FAILED
    outcome[list(plane.lost)] = FAILED
    outcome[list(plane.expired)] = EXPIRED
    outcome[~is_over] = PENDING
    seen_ns = done_ns + np.where(is_over, load.lag_ns, 0)
    is_told = is_over & (seen_ns <= end_ns) & ~_is_silent(load, plane, emulated.open_questions)
    done_ns, seen_ns = np.where(is_over, done_ns, -1), np.where(is_told, seen_ns, -1)
    seen_ns, told_ns = _with_looks(done_ns, seen_ns, outcome, emulated, epoch_ns, end_ns)
    return Foreseen(
        sched_ns=load.sched_ns,
        rows=load.rows,
        start_ns=np.where(is_over, start_ns, -1),
        done_ns=done_ns,
        seen_ns=seen_ns,
        told_ns=told_ns,
        outcome=outcome,
        changes=tuple(change for change in changes if change.at_ns <= end_ns),
        billed=tuple(billed),
        end_ns=end_ns,
        longest_life_ns=load.requests.ttl_ns + round(load.requests.timeout_s * 1e9),
    )


def _with_looks(
    done_ns: Integers, told_at_ns: Integers, outcome: NDArray[np.int8], emulated: Emulated, epoch_ns: int, end_ns: int
) -> tuple[Integers, Integers]:
    """When each end is seen, and when the client takes it to have been, once S3 has been asked for what is open."""
    told_ns = np.where(told_at_ns >= 0, done_ns, -1)
    is_open = (done_ns >= 0) & (told_at_ns < 0) & (outcome != EXPIRED)
    if not is_open.any():
        return told_at_ns, told_ns
    found = is_open & is_found(done_ns, end_ns, emulated.results_kept)
    return np.where(found, end_ns, told_at_ns), np.where(found, end_of_stamp_ns(done_ns, epoch_ns, end_ns), told_ns)


def _timed_out(load: Load, plane: DataPlane) -> NDArray[np.bool_]:
    """Those whose last start led to a time-out; of those that never started nothing is said."""
    _, _, instance = plane.results()
    slowness = np.array([*plane.slowness, 1.0])[instance]  # the last place is of those that never started
    found: NDArray[np.bool_] = (load.work_s * slowness > load.requests.timeout_s) & (instance >= 0)
    found[list(plane.lost)] = False
    found[list(plane.expired)] = False
    return found


def _is_silent(load: Load, plane: DataPlane, questions: OpenQuestions) -> NDArray[np.bool_]:
    found = np.zeros(len(load.sched_ns), dtype=bool)
    if not questions.expiry_notifies:
        found[list(plane.expired)] = True
    if not questions.timeout_notifies:
        found |= _timed_out(load, plane)
    return found


def by_reference(
    scenario: Scenario,
    base_dir: Path | None,
    schedule: Schedule,
    payload_classes: Sequence[str],
    *,
    epoch_ns: int,
    why: tuple[str, ...] = (),
) -> Foreseen:
    """Foresee a scenario by the model itself; arguments and errors as `foresee`.

    Args:
        why: Why the fast engine does not.
    """
    queue = EventQueue()
    world = World.of(queue, epoch_ns, scenario, base_dir)
    endpoint = world.endpoints[EMBEDDED]
    changes: list[CapacityChange] = []
    billed = [(0, endpoint.billed)]
    endpoint.on_capacity.append(changes.append)
    endpoint.on_capacity.append(lambda change: billed.append((change.at_ns, endpoint.billed)))
    client = client_of(scenario)(queue, endpoint, scenario, schedule, payload_classes, base_dir, "")
    end_ns = client.run()
    ends = [client.ended[row] for row in client.order]
    place = {outcome: index for index, outcome in enumerate(OUTCOMES)}
    outcome = np.array([PENDING if end is None else place[end.outcome] for end in ends], dtype=np.int8)
    done_ns = np.array([-1 if end is None else end.done_ns for end in ends], dtype=np.int64)
    seen_ns = np.array([-1 if (at := client.seen_ns[row]) is None else at for row in client.order], dtype=np.int64)
    if isinstance(client, LookingClient):
        told_ns = np.where(seen_ns >= 0, end_of_stamp_ns(done_ns, epoch_ns, seen_ns), -1)
    else:
        seen_ns, told_ns = _with_looks(done_ns, seen_ns, outcome, scenario.target.emulated, epoch_ns, end_ns)
    return Foreseen(
        sched_ns=np.array([client.sched_ns[row] for row in client.order], dtype=np.int64),
        rows=np.array(client.order, dtype=np.int64),
        start_ns=np.array(
            [-1 if end is None or end.start_ns is None else end.start_ns for end in ends], dtype=np.int64
        ),
        done_ns=done_ns,
        seen_ns=seen_ns,
        told_ns=told_ns,
        outcome=outcome,
        changes=tuple(changes),
        billed=tuple(billed),
        end_ns=end_ns,
        longest_life_ns=client.longest_life_ns,
        by_reference=why,
    )


def _n_sent(scenario: Scenario, schedule: Schedule) -> int:
    """Rows that the limits let through."""
    n = len(schedule)
    if scenario.limits.requests is not None:
        n = min(n, scenario.limits.requests)
    if scenario.limits.time is not None:
        n = min(n, int(np.searchsorted(schedule.sched_ns, scenario.limits.time * 1e9, side="left")))
    return n


def _end_of_load_ns(scenario: Scenario, schedule: Schedule, n_sent: int, sent_ns: int) -> int:
    """When nothing more is sent: at a limit of time; with the last request there may be, at the end of its phase."""
    end_ns, limits = schedule.span_ns, scenario.limits
    if n_sent and n_sent == limits.requests:
        end_ns = schedule.spans[int(schedule.phase[n_sent - 1])].end_ns or sent_ns
    if limits.time is not None:
        end_ns = min(end_ns, round(limits.time * 1e9))
    return max(sent_ns, end_ns)


def _work_s(
    scenario: Scenario, base_dir: Path | None, payload: NDArray[np.int32], payload_classes: Sequence[str]
) -> NDArray[np.float64]:
    """Each class's requests in order of acceptance from its own stream, as `ServiceSampler` draws them."""
    service = ServiceSampler(scenario.target.emulated.service, scenario.seed_of("service"), base_dir)
    samplers = [service.sampler(name) for name in payload_classes]
    if len(set(samplers)) == 1:
        return samplers[0].first_s(len(payload))
    work_s = np.empty(len(payload))
    for sampler in dict.fromkeys(samplers):
        places = [place for place, one in enumerate(samplers) if one is sampler]
        is_its = np.isin(payload, places)
        n = int(is_its.sum())
        work_s[is_its] = sampler.first_s(n)
    return work_s


def _nanoseconds(seconds: NDArray[np.float64]) -> Integers:
    """Rounded half to even, as Python rounds."""
    return np.rint(seconds * 1e9).astype(np.int64)
