"""Many policies under one load: screened as a fluid, then foreseen exactly with the same chances, then ranked.

Every policy meets the same arrivals, the same service time of the n-th request and the same start-up of the n-th
instance in each replication (common random numbers), so differences between two policies are differences of pairs.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from smbench.analysis.numbers.student import quantile as student
from smbench.calibration.checking.redrawn import chances, redrawn
from smbench.calibration.parameter import Parameter
from smbench.errors import UsageError
from smbench.model.law_facts import mean_s
from smbench.prediction.called import called
from smbench.prediction.engine.foresee import Foreseen, Load, load_of
from smbench.prediction.engine.foresee import foresee as foresee_one
from smbench.prediction.figures import Measured, backlog_peak, figure, instance_s, is_worse_high
from smbench.prediction.replications import quantile
from smbench.prediction.screen import AT_RANDOM, KEPT_WITHIN, Floats, fluid, is_screened, worth_a_look
from smbench.prediction.space import Point
from smbench.results.manifest import Manifest
from smbench.scenario.emulated import Emulated
from smbench.scenario.model import Scenario
from smbench.scenario.thresholds import Threshold
from smbench.schedule.base import Schedule

UPPER = 0.9  # of the replications: the bound that an objective is held against
SCREENED_FROM = 40  # fewer policies are all looked at
FIRST_LOOK_WITHIN = 1.15  # after the first replication: of the front so far, on either axis
EXTRAPOLATED_ABOVE = 2.0  # times what the target file itself has

Watch = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Question:
    """A load, what it is judged by, and how often.

    Args:
        scenarios: One a replication: the load's scenario, with the seeds of the replication.
        schedules: Of each.
        payload_classes: As `load_of` takes them.
        base_dir: Where the target's empirical laws are.
        epoch_ns: UTC nanoseconds at scenario time zero.
        objectives: The first is the axis beside cost.
        price_usd: An instance-hour; None: not known, and cost is instance-hours.
        parameters: Of a fitted model: each replication draws it anew within their errors; None: it is as written.
        load_digest: Of the first schedule, by which a fitted model is drawn as well.
        size_bytes: Of each payload.
        manifest: Of the run that a replication would be; None: of an asynchronous endpoint, which needs none.
    """

    scenarios: tuple[Scenario, ...]
    schedules: tuple[Schedule, ...]
    payload_classes: tuple[str, ...]
    base_dir: Path
    epoch_ns: int
    objectives: tuple[Threshold, ...]
    price_usd: float | None
    parameters: tuple[Parameter, ...] | None = None
    load_digest: str = "0"
    size_bytes: tuple[int, ...] = ()
    manifest: Manifest | None = None

    @property
    def is_in_usd(self) -> bool:
        """Whether cost is USD; else it is instance-hours."""
        return self.price_usd is not None or self.scenarios[0].target.kind == "serverless"

    @property
    def too_few(self) -> tuple[str, ...]:
        """Percentiles of which no run of the load can show that they are met, whatever is predicted."""
        n = min(sum(span.n for span in one.spans if not span.warmup) for one in self.schedules)
        return tuple(too_few for one in self.objectives if (too_few := one.too_few(n)))


@dataclass(frozen=True, slots=True)
class Note:
    """What one replication of one policy came to."""

    cost: float  # USD, or instance-hours
    figures: list[float]  # of each objective
    peak: int  # of the backlog
    by_reference: tuple[str, ...]


Foresee = Callable[[int, Sequence[Emulated]], Iterator[Note]]
"""From a replication's number and endpoints to a note of each, in their order."""


@dataclass(slots=True)
class Row:
    """One policy and what came of it, a value a replication."""

    point: Point
    costs: list[float] = field(default_factory=list)  # USD, or instance-hours
    figures: list[list[float]] = field(default_factory=list)  # of each objective
    peaks: list[int] = field(default_factory=list)  # of the backlog
    flags: tuple[str, ...] = ()
    cluster: int | None = None  # of policies that cannot be distinguished; None: not on the front
    is_leader: bool = False  # of its cluster

    def add(self, note: Note) -> None:
        """One more replication."""
        self.costs.append(note.cost)
        self.figures.append(note.figures)
        self.peaks.append(note.peak)

    @property
    def cost(self) -> float:
        """The mean."""
        return math.fsum(self.costs) / len(self.costs)

    def median(self, objective: int) -> float:
        """Of one objective, by the inverse ECDF."""
        return quantile(sorted(one[objective] for one in self.figures), 0.5)

    def bound(self, objective: int, threshold: Threshold) -> float:
        """The value that 90 % of the replications are at least as good as."""
        values = sorted((one[objective] for one in self.figures), reverse=not is_worse_high(threshold))
        return values[max(0, math.ceil(UPPER * len(values) - 1e-9) - 1)]

    def keeps(self, objectives: Sequence[Threshold]) -> bool:
        """Whether each objective holds in 90 % of the replications: at its bound, where it has a worse side."""
        least = math.ceil(UPPER * len(self.figures) - 1e-9)
        return all(
            sum(one.holds(figures[place]) for figures in self.figures) >= least for place, one in enumerate(objectives)
        )


@dataclass(frozen=True, slots=True)
class Sweep:
    """What came of all policies.

    Args:
        rows: Those that were foreseen; the first is the target as it is.
        screened_out: Those that the fluid, or the first replication, left behind; the latter have one value.
        n_points: All that were asked for.
        by_reference: What the fast engine does not know of some of them.
    """

    rows: tuple[Row, ...]
    screened_out: tuple[Row, ...]
    n_points: int
    by_reference: tuple[str, ...]

    @property
    def current(self) -> Row:
        """The target as its file has it."""
        return self.rows[0]

    @property
    def front(self) -> tuple[Row, ...]:
        """The leader of each cluster of the front, by cost."""
        return tuple(sorted((row for row in self.rows if row.is_leader), key=lambda row: row.cost))


def sweep(
    question: Question,
    points: Sequence[Point],
    current: Point,
    watch: Watch | None = None,
    *,
    leaves_out: bool = True,
    foresee: Foresee | None = None,
) -> Sweep:
    """Foresee the policies that are worth it.

    Args:
        foresee: How; None: one after the other, in this process.
        leaves_out: Those that are far from the front after the screen, or after one replication.
        watch: Called with how many of how many predictions are made.

    Raises:
        UsageError: an objective has no figure in some replication.
    """
    see = one_by_one(question) if foresee is None else foresee
    taken, left = screened(question, points) if leaves_out else (list(points), [])
    rows = [Row(current), *(Row(point) for point in taken)]
    n_replications = len(question.scenarios)
    n_all, n_done = len(rows) * n_replications, 0
    reasons: dict[str, None] = {}

    def look(looked_at: Sequence[Row], number: int) -> None:
        nonlocal n_done
        notes = see(number, [row.point.emulated for row in looked_at])
        for row, note in zip(looked_at, notes, strict=True):
            _require_figures(note, question.objectives, number)
            row.add(note)
            reasons.update(dict.fromkeys(note.by_reference))
            n_done += 1
            if watch is not None:
                watch(n_done, n_all)

    look(rows, 0)
    kept = _after_the_first(rows, question.objectives) if leaves_out and n_replications > 1 else rows
    stay = {id(row) for row in kept}
    out = [row for row in rows if id(row) not in stay]
    n_all = len(rows) + len(kept) * (n_replications - 1)
    for number in range(1, n_replications):
        look(kept, number)
    for row in kept:
        row.flags = _flags(row, kept[0])
    _rank(kept, question.objectives[0])
    return Sweep(tuple(kept), (*out, *(Row(point) for point in left)), len(points), tuple(reasons))


def _require_figures(note: Note, objectives: Sequence[Threshold], number: int) -> None:
    """Refuse what cannot be ranked: NaN is above and below every figure, so any policy would be the best."""
    for objective, figure_ in zip(objectives, note.figures, strict=True):
        if math.isnan(figure_):
            raise UsageError(
                f"'{objective.text}' has no figure: replication {number + 1} of the load has nothing to measure it by",
                "requests must be due over some time, within the limits, in a phase without `warmup`",
            )


def screened(question: Question, points: Sequence[Point]) -> tuple[list[Point], list[Point]]:
    """Those to foresee, and those left behind."""
    if question.manifest is not None:  # the fluid waits in a queue
        return list(points), []
    known = [place for place, point in enumerate(points) if is_screened(point.emulated)]
    if len(known) < SCREENED_FROM:
        return list(points), []
    load = load_of_replication(question, 0)
    if not len(load.sched_ns):
        return list(points), []
    emulated = points[0].emulated
    reaction_s = mean_s(emulated.metric_delay, question.base_dir) + 30.0 + emulated.action_delay
    provision_s = mean_s(emulated.provision, question.base_dir) + mean_s(emulated.provision_common, question.base_dir)
    seen = fluid(
        [points[place].emulated for place in known],
        load.sched_ns / 1e9,
        max(float(load.work_s.mean()), 1e-3),
        provision_s,
        reaction_s,
        load.end_ns / 1e9,
    )
    kept = np.zeros(len(known), dtype=bool)
    for objective in question.objectives:
        kept |= worth_a_look(seen.instance_s, _badness(objective, seen.latency_s), KEPT_WITHIN, at_random=AT_RANDOM)
    out = {place for place, is_kept in zip(known, kept, strict=True) if not is_kept}
    return (
        [point for place, point in enumerate(points) if place not in out],
        [point for place, point in enumerate(points) if place in out],
    )


def _badness(objective: Threshold, latency_s: Floats) -> Floats:
    """The objective as far as latency decides it; the 95th percentile for the others."""
    if objective.deadline_s is not None:
        late: Floats = (latency_s > objective.deadline_s).mean(axis=1)
        return late + 1e-6 * _percentile(latency_s, 0.95)
    return _percentile(latency_s, 0.95 if objective.quantile is None else float(objective.quantile))


def _percentile(latency_s: Floats, share: float) -> Floats:
    found: Floats = np.quantile(latency_s, share, axis=1, method="inverted_cdf")
    return found


def load_of_replication(question: Question, number: int) -> Load:
    """The load with all its chances, which every policy meets."""
    scenario = question.scenarios[number]
    return load_of(
        _with(scenario, _drawn(question, number, scenario.target.emulated)),
        question.base_dir,
        question.schedules[number],
        question.payload_classes,
    )


def one_by_one(question: Question) -> Foresee:
    """Policies foreseen one after the other; the load of one replication is kept."""
    if question.manifest is not None:
        return partial(_called_one_by_one, question, question.manifest)
    last: tuple[int, Load, Measured] | None = None

    def foresee_all(number: int, endpoints: Sequence[Emulated]) -> Iterator[Note]:
        nonlocal last
        if last is None or last[0] != number:
            last = number, load_of_replication(question, number), Measured.of(question.schedules[number].spans)
        _, load, measured = last
        for emulated in endpoints:
            yield _noted(question, foreseen(question, load, number, emulated), measured)

    return foresee_all


def _called_one_by_one(
    question: Question, manifest: Manifest, number: int, endpoints: Sequence[Emulated]
) -> Iterator[Note]:
    for emulated in endpoints:
        seen = called(
            _with(question.scenarios[number], _drawn(question, number, emulated)),
            question.base_dir,
            question.schedules[number],
            question.payload_classes,
            question.size_bytes,
            question.objectives,
            manifest,
        )
        yield Note(seen.cost, seen.figures, seen.peak, ())


def _noted(question: Question, seen: Foreseen, measured: Measured) -> Note:
    hours = instance_s(seen, measured.from_ns) / 3600
    usd = None if question.price_usd is None else hours * question.price_usd
    return Note(
        cost=hours if usd is None else usd,
        figures=[figure(one, seen, measured, usd) for one in question.objectives],
        peak=backlog_peak(seen),
        by_reference=seen.by_reference,
    )


def foreseen(question: Question, load: Load, number: int, emulated: Emulated) -> Foreseen:
    """One replication of one policy.

    Args:
        load: That of the replication.
    """
    scenario = question.scenarios[number]
    return foresee_one(
        _with(scenario, _drawn(question, number, emulated)),
        question.base_dir,
        question.schedules[number],
        question.payload_classes,
        epoch_ns=question.epoch_ns,
        load=load,
    )


def _drawn(question: Question, number: int, emulated: Emulated) -> Emulated:
    """A fitted model as one replication has it: the same for every policy."""
    if question.parameters is None:
        return emulated
    return redrawn(emulated, question.parameters, chances(question.scenarios[number].seed, question.load_digest))


def _with(scenario: Scenario, emulated: Emulated) -> Scenario:
    return scenario.model_copy(update={"target": scenario.target.model_copy(update={"emulated": emulated})})


def _after_the_first(rows: list[Row], objectives: Sequence[Threshold]) -> list[Row]:
    """Those that are near a front after one replication; the first, the target as it is, always.

    Each objective has a front of its own with cost: what is the best by one may be beaten by another.
    """
    costs = np.array([row.costs[0] for row in rows])
    kept = np.zeros(len(rows), dtype=bool)
    for place, objective in enumerate(objectives):
        figures = np.array([row.figures[0][place] for row in rows])
        badness = figures if is_worse_high(objective) else figures.max() - figures + 1e-9
        kept |= worth_a_look(costs, badness, FIRST_LOOK_WITHIN)
    keeps = np.array([row.keeps(objectives) for row in rows])
    kept |= keeps & (costs <= FIRST_LOOK_WITHIN * costs[keeps].min(initial=math.inf))
    return [row for place, row in enumerate(rows) if kept[place] or not place]


def _flags(row: Row, current: Row) -> tuple[str, ...]:
    """Where the model is asked for more than it was written or fitted for."""
    instances, base = row.point.emulated.instances, current.point.emulated.instances
    found = []
    if instances.max > EXTRAPOLATED_ABOVE * base.max:
        found.append(f"max {instances.max} is above twice the target's {base.max}")
    memory, served = (one.point.emulated.serverless.memory for one in (row, current))
    if memory != served and row.point.emulated.service == current.point.emulated.service:
        found.append(f"memory {memory} is given the service times of the target's {served}")
    if instances.concurrency != base.concurrency:
        found.append(f"concurrency {instances.concurrency} is not the target's {base.concurrency}")
    if max(row.peaks) > EXTRAPOLATED_ABOVE * max(current.peaks, default=0) and max(current.peaks, default=0):
        found.append(f"a backlog of {max(row.peaks):,}, above twice the target's own {max(current.peaks):,}")
    return tuple(found)


def _rank(rows: list[Row], objective: Threshold) -> None:
    """Find the front, cheapest first, and gather what cannot be distinguished from its leaders."""
    sign = 1.0 if is_worse_high(objective) else -1.0
    order = sorted(rows, key=lambda row: (row.cost, sign * row.bound(0, objective)))
    front: list[Row] = []
    best = math.inf
    for row in order:
        if sign * row.bound(0, objective) < best or not front:
            front.append(row)
            best = sign * row.bound(0, objective)
    leaders: list[Row] = []
    for row in front:
        if leaders and is_tied(row, leaders[-1]):
            row.cluster = leaders[-1].cluster
            continue
        leaders.append(row)
        row.cluster = len(leaders)
    for row in order:
        if row.cluster is None:
            row.cluster = next((leader.cluster for leader in leaders if is_tied(row, leader)), None)
    for number in range(1, len(leaders) + 1):
        min((row for row in rows if row.cluster == number), key=simplicity).is_leader = True


def simplicity(row: Row) -> tuple[float, ...]:
    """Fewer policies first, then fewer instances or environments at most and at least, then what costs less."""
    emulated = row.point.emulated
    size = emulated.serverless
    limits = (emulated.instances.max, emulated.instances.min, size.max_concurrency, size.provisioned, size.memory)
    return len(emulated.policies), *limits, row.cost


def is_tied(one: Row, other: Row) -> bool:
    """The 90 % interval of the paired difference holds zero, in cost and in what matters."""
    figures = [[row.figures[place][0] for place in range(len(row.figures))] for row in (one, other)]
    return _holds_zero(one.costs, other.costs) and _holds_zero(*figures)


def _holds_zero(one: Sequence[float], other: Sequence[float]) -> bool:
    differences = [0.0 if a == b else a - b for a, b in zip(one, other, strict=True)]
    if not any(differences):
        return True
    n = len(differences)
    if n < 2 or not all(math.isfinite(difference) for difference in differences):
        return False
    mean = math.fsum(differences) / n
    error = math.sqrt(math.fsum((one - mean) ** 2 for one in differences) / (n - 1) / n)
    return abs(mean) <= student(UPPER, n - 1) * error
