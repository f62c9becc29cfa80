"""Which configuration to take: the cheapest that keeps the thresholds, the runner-up and the margin between them.

Where none is known to keep them, or there are none, the knee of latency and cost: the least product of both, where a
per cent less of one costs a per cent more of the other. Or, as serverless toolkits have it, the least product with a
discount on memory: docs/sweep.md.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from smbench.analysis.numbers import student
from smbench.sweeping.benchmarks import SATURATION
from smbench.sweeping.figures import Figures

_CONFIDENCE = 0.9
_FLAT_GAIN = 0.05  # a stair that adds less throughput than this share adds none


@dataclass(frozen=True, slots=True)
class Seen:
    """One finished cell as it is compared.

    Args:
        matrix: What was chosen of the matrix, in words.
        trial: What differs between the trials of the benchmark.
    """

    matrix: str
    benchmark: str
    trial: Mapping[str, str]
    seed: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one configuration under one benchmark, a seed each."""

    matrix: str
    benchmark: str
    trial: Mapping[str, str]
    by_seed: Mapping[int, Figures]

    @property
    def configuration(self) -> str:
        """Of the matrix and of the trial, in words."""
        return " ".join(filter(None, (self.matrix, *(f"{name}={label}" for name, label in self.trial.items()))))

    @property
    def completed_hz(self) -> float | None:
        """The mean over the seeds; None where nothing completed in one."""
        return _mean([None if one.throughput is None else one.throughput.mean for one in self.by_seed.values()])

    @property
    def why_unfit(self) -> str:
        """Of the first run whose figures are none to choose by, why; empty: there is none."""
        return next((one.why_unfit for one in self.by_seed.values() if one.why_unfit), "")

    @property
    def kept(self) -> bool | None:
        """Every seed kept every threshold; None: it is not known of one."""
        all_kept = [one.kept for one in self.by_seed.values()]
        return False if False in all_kept else None if None in all_kept else True

    @property
    def usd_per_1000(self) -> float | None:
        """The mean over the seeds; None where it is not known of one."""
        return _mean([one.usd_per_1000 for one in self.by_seed.values()])

    @property
    def data_usd_per_1000(self) -> float:
        """Of it what data in and out costs, the mean over the seeds."""
        return _mean([one.data_usd_per_1000 for one in self.by_seed.values()]) or 0.0

    @property
    def mean_s(self) -> float | None:
        """Mean latency of the completed, the mean over the seeds; None where nothing completed in one."""
        return _mean([one.mean_s for one in self.by_seed.values()])

    @property
    def usd_day(self) -> float | None:
        """The mean over the seeds; None where it is not known of one."""
        return _mean([one.usd_day for one in self.by_seed.values()])

    @property
    def p95_s(self) -> tuple[float, float, float] | None:
        """Least, median and greatest over the seeds; infinite where it has no bound; None: nothing was measured."""
        values = sorted(math.inf if one.p95.high is None else one.p95.high for one in self.by_seed.values() if one.p95)
        return (values[0], values[(len(values) - 1) // 2], values[-1]) if values else None


@dataclass(frozen=True, slots=True)
class Choice:
    """What to take.

    Args:
        rule: Why, as a clause.
        runner_up: The next that is not tied.
        tied: Those that no pair of seeds tells apart from the best, which is the first of them in the sweep.
        margin: How much dearer the runner-up is, as a share; None: there is none, or a price is not known.
    """

    best: Group
    rule: str
    runner_up: Group | None
    margin: float | None
    tied: tuple[Group, ...] = ()


Score = Callable[[Group, Figures], float | None]
"""What a rule ranks by, of one run; less is better."""


def groups_of(seen: Sequence[Seen]) -> tuple[Group, ...]:
    """The cells by configuration and benchmark, in the order in which they come first."""
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], dict[int, Figures]] = {}
    for one in seen:
        found.setdefault((one.matrix, one.benchmark, tuple(one.trial.items())), {})[one.seed] = one.figures
    return tuple(Group(matrix, benchmark, dict(trial), runs) for (matrix, benchmark, trial), runs in found.items())


@dataclass(frozen=True, slots=True)
class Saturation:
    """Where more users add no throughput.

    Args:
        at: The first such number of users, as a group; None: each stair added some.
    """

    matrix: str
    at: Group | None


def saturations(groups: Sequence[Group]) -> tuple[Saturation, ...]:
    """Of each choice of the matrix that was made with stairs of users; a stair with an unfit run is left out."""
    by_matrix: dict[str, list[Group]] = {}
    for group in groups:
        if group.benchmark == SATURATION and not group.why_unfit:
            by_matrix.setdefault(group.matrix, []).append(group)
    return tuple(Saturation(matrix, _flat(stairs)) for matrix, stairs in by_matrix.items())


def _flat(stairs: Sequence[Group]) -> Group | None:
    for stair, after in itertools.pairwise(stairs):
        if (after.completed_hz or 0.0) < (1 + _FLAT_GAIN) * (stair.completed_hz or 0.0):
            return stair
    return None


class Rule(StrEnum):
    """How a configuration is chosen."""

    CHEAPEST = "cheapest"
    DISCOUNTED = "discounted"


_CHEAPEST = "the cheapest that keeps the thresholds"
_QUICKEST_OF_CHEAP = "the least p95 of those that keep the thresholds and that no pair of seeds shows to be dearer"


def choose(
    groups: Sequence[Group], rule: Rule = Rule.CHEAPEST, memory_mb: Mapping[str, int] | None = None
) -> Choice | None:
    """Among configurations under one benchmark; None where nothing can be ranked.

    Those with an invalid run, or with one that sent a part of its load, are left out.

    Args:
        memory_mb: By the choice of the matrix; of each configuration, where the rule is `discounted`.
    """
    groups = [group for group in groups if not group.why_unfit]
    if rule is Rule.DISCOUNTED:
        return _discounted(groups, memory_mb or {})
    keeping = [group for group in groups if group.kept and group.usd_per_1000 is not None]
    if keeping:
        ranked = sorted(keeping, key=lambda group: (group.usd_per_1000 or 0.0, _p95(group)))
        cheap = [group for group in ranked if _is_tied(group, ranked[0], _usd)]
        rest = [group for group in ranked if group not in cheap]
        found = _choice([*sorted(cheap, key=_p95), *rest], keeping, _CHEAPEST, _usd, _late)
        # What chance alone may have made dearer can be taken: then "the cheapest" is not what the figures show.
        is_dearer = (found.best.usd_per_1000 or 0.0) > (ranked[0].usd_per_1000 or 0.0)
        return replace(found, rule=_QUICKEST_OF_CHEAP) if is_dearer else found
    products = [group for group in groups if group.usd_per_1000 is not None and math.isfinite(_p95(group))]
    if not products:
        return None
    ranked = sorted(products, key=lambda group: _p95(group) * (group.usd_per_1000 or 0.0))

    def product(group: Group, one: Figures) -> float | None:
        usd, late_s = _usd(group, one), _late(group, one)
        return None if usd is None or late_s is None else usd * late_s

    demanded = any(one.kept is not None for group in groups for one in group.by_seed.values())
    why = "none keeps the thresholds" if demanded else "there is no threshold"
    return _choice(ranked, products, f"{why}: the least product of p95 and cost", product)


def _discounted(groups: Sequence[Group], memory_mb: Mapping[str, int]) -> Choice | None:
    """Least mean latency times cost times a discount, which falls evenly from 1 of the least size to 0.5 of the most.

    Source: the recommendation of serverless benchmarking toolkits, which favours larger sizes.
    """
    sizes = sorted({memory_mb[group.matrix] for group in groups})
    steps = max(1, len(sizes) - 1)

    def discount(group: Group) -> float:
        return 1 - 0.5 * sizes.index(memory_mb[group.matrix]) / steps

    def discounted(group: Group, one: Figures) -> float | None:
        known = one.mean_s is not None and one.usd_per_1000 is not None
        return (one.mean_s or 0.0) * (one.usd_per_1000 or 0.0) * discount(group) if known else None

    scores = {
        group.configuration: latency_s * group.usd_per_1000 * discount(group)
        for group in groups
        if group.usd_per_1000 is not None and (latency_s := group.mean_s) is not None
    }
    scored = [group for group in groups if group.configuration in scores]
    ranked = sorted(scored, key=lambda group: scores[group.configuration])
    rule = "the least product of mean latency, cost and a discount on memory"
    return _choice(ranked, scored, rule, discounted) if ranked else None


def times_the_first(first: Group, other: Group) -> tuple[float, float | None, float | None] | None:
    """How many times the first's p95 another's is, by pairs of the same seed, and its 90 % interval.

    The geometric mean of the pairs; the interval is Student's, of the logarithms, from two pairs on. None: no pair has
    numbers.
    """
    logs = []
    for seed, one in first.by_seed.items():
        pair = (one.p95, other.by_seed[seed].p95 if seed in other.by_seed else None)
        values = [bounded.value for bounded in pair if bounded is not None and bounded.value]
        if len(values) == 2 and values[0] and values[1]:
            logs.append(math.log(values[1] / values[0]))
    if not logs:
        return None
    mean = math.fsum(logs) / len(logs)
    if len(logs) < 2:
        return math.exp(mean), None, None
    variance = math.fsum((one - mean) ** 2 for one in logs) / (len(logs) - 1)
    half = student.quantile(_CONFIDENCE, len(logs) - 1) * math.sqrt(variance / len(logs))
    return math.exp(mean), math.exp(mean - half), math.exp(mean + half)


def _choice(ranked: Sequence[Group], in_order: Sequence[Group], rule: str, *scores: Score) -> Choice:
    """The best, or of those tied with it the first of the sweep: what chance alone put in front is not taken for it."""
    tied = [group for group in in_order if all(_is_tied(group, ranked[0], score) for score in scores)]
    best, *others = tied
    runner_up = next((group for group in ranked if group not in tied), None)
    price = best.usd_per_1000
    margin = runner_up.usd_per_1000 / price - 1 if runner_up and runner_up.usd_per_1000 and price else None
    return Choice(best, rule, runner_up, margin, tuple(others))


def _is_tied(one: Group, other: Group, score: Score) -> bool:
    """The 90 % interval of the paired differences holds zero; of a single pair, both are the same."""
    if one is other:
        return True
    pairs = [
        (score(one, figures), score(other, other.by_seed[seed]))
        for seed, figures in one.by_seed.items()
        if seed in other.by_seed
    ]
    known = [(a, b) for a, b in pairs if a is not None and b is not None]
    if not known or len(known) < len(pairs):
        return False
    differences = [0.0 if a == b else a - b for a, b in known]
    n = len(differences)
    if not any(differences):
        return True
    if n < 2 or not all(map(math.isfinite, differences)):
        return False
    mean = math.fsum(differences) / n
    variance = math.fsum((each - mean) ** 2 for each in differences) / (n - 1)
    return abs(mean) <= student.quantile(_CONFIDENCE, n - 1) * math.sqrt(variance / n)


def _usd(_group: Group, one: Figures) -> float | None:
    return one.usd_per_1000


def _late(_group: Group, one: Figures) -> float | None:
    return None if one.p95 is None else math.inf if one.p95.high is None else one.p95.high


def _p95(group: Group) -> float:
    return math.inf if group.p95_s is None else group.p95_s[1]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return math.fsum(known) / len(known) if known and len(known) == len(values) else None
