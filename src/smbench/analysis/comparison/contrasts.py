"""What a comparison says, as values: runs, groups, contrasts, and of each metric the ratio and how sure it is."""

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict

from smbench.analysis.comparison.comparability import Difference
from smbench.analysis.numbers.bounds import Bounded

CONFIDENCE = 0.95
ALPHA = 0.05
Shared = Literal["all seeds", "the seed of arrivals"]
Beyond = Literal["longer", "shorter"]
Effect = Literal["negligible", "small", "medium", "large"]
# Of Cliff's |delta| below each limit (Romano et al. 2006).
EFFECTS: tuple[tuple[float, Effect], ...] = (
    (0.147, "negligible"),
    (0.33, "small"),
    (0.474, "medium"),
    (math.inf, "large"),
)


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class RunFigures(_Part):
    """One run: a value of each run_metric that could be laid on it."""

    run: str  # its folder
    run_id: str
    seed: int | None
    seeds: dict[str, int] = {}  # of each dimension of chance
    verdict: str
    reasons: tuple[str, ...] = ()  # of a verdict that is not valid
    part: str = ""  # of its load that it sent, where it ended before the end; of a load that was sent whole nothing
    n_accepted: int
    figures: dict[str, Bounded]
    thin: tuple[str, ...] = ()  # run_metrics with fewer than ten requests above them


class Group(_Part):
    """Runs of one configuration."""

    label: str
    runs: tuple[RunFigures, ...]


class Interval(_Part):
    """Of a ratio. `high` None: nothing bounds it above. `confidence` is what it has, not what was wanted."""

    low: float
    high: float | None
    confidence: float

    @property
    def is_narrow_enough(self) -> bool:
        """Whether the runs were enough for an interval of 95 %."""
        return self.confidence >= CONFIDENCE - 1e-12


class Row(_Part):
    """One run_metric in one contrast. None: not estimable, and `reason` says why."""

    metric: str
    baseline: Bounded | None  # median over the runs
    other: Bounded | None
    ratio: Bounded | None  # other / baseline
    interval: Interval | None
    cliffs_delta: float | None
    effect: Effect | None
    p: float | None
    p_holm: float | None  # as one of those looked at; the primary's is its own p
    p_same: float | None
    p_same_holm: float | None
    is_thin: bool
    reason: str = ""
    is_paired: bool = False
    beyond: Beyond | None = None  # of any ratio, with the interval's confidence: one side never comes to be, or is 0
    n_looked_at: int = 1  # metrics that were corrected together with this one
    n_needed: int | None = None  # runs a side that would settle it; None where it is settled, or no number would do

    @property
    def is_different(self) -> bool:
        """Whether a difference is shown at 5 % after Holm's correction; False too where nothing could be tested."""
        return self.p_holm is not None and self.p_holm <= ALPHA

    @property
    def is_same(self) -> bool:
        """Shown to lie within the margin; not merely: not shown to differ."""
        return self.p_same_holm is not None and self.p_same_holm <= ALPHA


class Contrast(_Part):
    """One group against the baseline."""

    label: str
    n_baseline: int
    n: int
    varies: tuple[Difference, ...]  # what is not the same in the two groups
    rows: tuple[Row, ...]
    pairs: tuple[tuple[str, str], ...] = ()  # runs of the baseline and of this group that had the same seeds
    shared: Shared | None = None
    n_alike: int = 0  # pairs in which every metric came out the same

    def row(self, metric: str) -> Row | None:
        """The row of a metric; None where no run of either group has it."""
        return next((row for row in self.rows if row.metric == metric), None)


class Comparison(_Part):
    """All that was compared, in one value that says the same as a table and as JSON."""

    baseline: str
    primary: str  # the first of `named`
    named: tuple[str, ...]  # beforehand: those that count
    margin: float  # of sameness: the ratio within 1 / (1 + margin) .. 1 + margin
    groups: tuple[Group, ...]
    contrasts: tuple[Contrast, ...]
    notes: tuple[str, ...]

    def group(self, label: str) -> Group:
        """The group with this label; StopIteration where there is none."""
        return next(group for group in self.groups if group.label == label)
