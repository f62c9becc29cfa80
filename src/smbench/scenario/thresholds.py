"""Thresholds of a scenario: what its author expects of the endpoint, one comparison a line, `sojourn_p95 < 8m`.

    metric [(deadline)] [from schedule | from acceptance] operator value [for duration]

`METRICS` is the whole vocabulary; the parser, the JSON schema and docs/thresholds.md are made from it.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from fractions import Fraction
from typing import Literal, cast

from smbench.scenario.values.quantities import parse_duration_s, parse_rate_hz, parse_share

_LEAST_QUANTILE = Fraction(1, 100)  # below it somebody wrote a fraction: p0.95
ABOVE_MIN = 10  # a percentile with fewer requests above it is drawn from too few
Unit = Literal["s", "requests", "share", "hz", "usd"]
Operator = Literal["<", "<=", "==", "!=", ">=", ">"]
Since = Literal["schedule", "acceptance"]


@dataclass(frozen=True, slots=True)
class Metric:
    """What a threshold may name. Warm-up phases are left out of all of them.

    Attributes:
        unit: Of a value without `%`.
        example: A threshold that names it.
        share_of: What `value %` is a share of; empty where the value cannot be a share.
        has_deadline: It is written with a deadline in parentheses.
        has_since: `from schedule` (the default) or `from acceptance` may follow.
        may_last: `for DURATION` may end the threshold.
    """

    unit: Unit
    meaning: str
    example: str
    share_of: str = ""
    has_deadline: bool = False
    has_since: bool = False
    may_last: bool = False


LATENCIES: dict[str, str] = {
    "sojourn": "from due to done, what a user feels: the same as `pNN` or `pNN from schedule`",
    "service_view": "from received to done, as the service sees it: the same as `pNN from acceptance`",
    "first_part": "from due to the first part of a streamed answer",
    "ack": "from send to the acknowledgement",
    "schedule_lag": "from due to send: how late we sent",
}
"""Each with a statistic: `sojourn_p95`, `ack_p99.9`, `service_view_max`."""

METRICS: dict[str, Metric] = {
    "pNN": Metric(
        "s", "any percentile of latency, `p50` to `p99.9`, and `max`", "p99.9 from acceptance < 5m", has_since=True
    ),
    **{f"{name}_pNN": Metric("s", meaning, f"{name}_p95 < 8m") for name, meaning in LATENCIES.items()},
    "completed": Metric("requests", "requests that completed", "completed >= 99%", "those accepted"),
    "failed": Metric(
        "requests", "requests the container failed, or that timed out in it", "failed < 1%", "those accepted"
    ),
    "expired": Metric("requests", "requests whose time to live ended in the queue", "expired == 0", "those accepted"),
    "lost": Metric(
        "requests", "requests without a message of their end and without a result", "lost == 0", "those accepted"
    ),
    "pending": Metric("requests", "requests still open at the end", "pending == 0", "those accepted"),
    "rejected": Metric("requests", "requests refused by the service", "rejected <= 0.1%", "those sent"),
    "transport_error": Metric(
        "requests", "requests without an answer, not proved taken", "transport_error == 0", "those sent"
    ),
    "not_sent": Metric(
        "requests", "requests held back by our own limit or the run's end", "not_sent == 0", "those scheduled"
    ),
    "error_share": Metric(
        "share", "requests that were answered and did not complete, over those answered", "error_share < 5%"
    ),
    "backlog": Metric(
        "requests",
        "requests accepted and not yet ended: the most there were; with `for`, never beyond the value for longer",
        "backlog <= 500 for 5m",
        may_last=True,
    ),
    "backlog_max": Metric("requests", "the same as `backlog` without `for`", "backlog_max < 2000"),
    "oldest_age": Metric("s", "the longest any request was in the system, since it was due", "oldest_age < 10m"),
    "drain": Metric("s", "from the last send until nothing was open", "drain < 5m"),
    "drain_s": Metric("s", "the same as `drain`", "drain_s < 5m"),
    "within": Metric(
        "share",
        "requests that completed within the deadline, over those accepted",
        "within(8m) >= 99%",
        has_deadline=True,
        has_since=True,
    ),
    "goodput": Metric(
        "hz",
        "completions within the deadline, per second of the measured phases",
        "goodput(8m) >= 1.2/s",
        has_deadline=True,
        has_since=True,
    ),
    "first_completion": Metric(
        "s", "from the first request that was due to the first completion", "first_completion < 8m"
    ),
    "scale_out": Metric(
        "s", "the longest reaction to growing load: from the alarm's breach to capacity that serves", "scale_out < 6m"
    ),
    "cost_per_1000": Metric(
        "usd", "USD of instance time per 1,000 completions; needs `target.instance_hour`", "cost_per_1000 < 0.40"
    ),
}

_STATISTIC = r"(p[0-9]{1,2}(\.[0-9]+)?|max)"
_OPERATOR = r"(<=|>=|==|!=|<|>)"
_PLAIN = [name for name, metric in METRICS.items() if not name.endswith("pNN") and not metric.has_deadline]
_WITH_DEADLINE = [name for name, metric in METRICS.items() if metric.has_deadline]
_SINCE = r"(\s*from\s+(schedule|acceptance))?"
PATTERN = (
    rf"^\s*({_STATISTIC}{_SINCE}|({'|'.join(LATENCIES)})_{_STATISTIC}|{'|'.join(_PLAIN)}"
    rf"|({'|'.join(_WITH_DEADLINE)})\s*\([^()]+\){_SINCE})\s*{_OPERATOR}\s*\S.*$"
)
_EXPRESSION = re.compile(
    r"\s*(?P<name>[A-Za-z0-9_.]+)\s*(\((?P<deadline>[^()]*)\))?\s*(\bfrom\s+(?P<since>\w+)\s*)?"
    rf"(?P<op>{_OPERATOR})\s*(?P<value>\S.*?)(\s+for\s+(?P<lasting>\S.*?))?\s*"
)
_LATENCY = re.compile(rf"((?P<of>{'|'.join(LATENCIES)})_)?(?P<statistic>{_STATISTIC})")
_NAMES = [
    *_PLAIN,
    *_WITH_DEADLINE,
    *(f"{of}{one}" for of in ("", *(f"{name}_" for name in LATENCIES)) for one in ("p50", "p90", "p95", "p99", "max")),
]


_BARE = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?inf(inity)?|nan", re.ASCII | re.IGNORECASE)
_PERCENTILE = re.compile(r"(?P<of>\w+_)?(p|pct|perc|percentile|quantile)", re.IGNORECASE)
_OF_OTHER_TOOLS = {  # what k6, Locust, vegeta and JMeter call it, or what people write first
    "ttft": "first_part_p95",
    "time_to_first_token": "first_part_p95",
    "ttfb": "first_part_p95",
    "avg": "p50",
    "average": "p50",
    "mean": "p50",
    "med": "p50",
    "median": "p50",
    "duration": "p95",
    "http_req_duration": "p95",
    "latency": "p95",
    "response_time": "p95",
    "cost": "cost_per_1000",
    "error_rate": "error_share",
    "errors": "error_share",
    "fail_ratio": "error_share",
    "http_req_failed": "error_share",
    "success": "completed",
    "http_reqs": "goodput(8m)",
    "rps": "goodput(8m)",
    "throughput": "goodput(8m)",
    "timeouts": "expired",
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """One comparison. `value` is in `unit`: seconds, requests, a share 0..1, per second, or USD."""

    metric: str  # a key of METRICS, or a latency with its statistic, "sojourn_p95"
    op: Operator
    value: float
    unit: Unit
    text: str  # as written
    of: str = ""  # a key of LATENCIES, where the metric is a latency
    quantile: Fraction | None = None  # of that latency, 0..1; 1 is the maximum
    deadline_s: float | None = None
    since: Since = "schedule"  # where the deadline counts from
    lasting_s: float | None = None  # the comparison may fail for as long as this at a time
    lasted: tuple[Operator, float] | None = None  # of `of_its_duration`: operator and value that were failed

    def holds(self, seen: float) -> bool:
        """Whether the figure meets the threshold; both in the threshold's unit."""
        match self.op:
            case "<":
                return seen < self.value
            case "<=":
                return seen <= self.value
            case "==":
                return seen == self.value
            case "!=":
                return seen != self.value
            case ">=":
                return seen >= self.value
            case ">":
                return seen > self.value

    @property
    def n_needed(self) -> int:
        """Requests that its percentile takes, so that `ABOVE_MIN` lie above it; 0 where it names none."""
        return math.ceil(ABOVE_MIN / (1 - self.quantile)) if self.quantile is not None and self.quantile < 1 else 0

    def too_few(self, n: int) -> str:
        """That so many requests of a load are too few to show that it is met; empty: they are enough."""
        return "" if n >= self.n_needed else f"`{self.text}` takes {self.n_needed:,} requests and the load has {n:,}"

    def of_its_duration(self) -> "Threshold":
        """What `for` says, as a threshold on the longest time at a stretch during which the comparison fails."""
        assert self.lasting_s is not None
        return replace(self, op="<=", value=self.lasting_s, unit="s", lasting_s=None, lasted=(self.op, self.value))


class ThresholdError(ValueError):
    """A threshold that cannot be read; `meant` is the nearest metric, or empty."""

    def __init__(self, message: str, meant: str = "") -> None:
        super().__init__(message)
        self.meant = meant


def parse_threshold(text: str) -> Threshold:
    """The comparison that `text` writes.

    Raises:
        ThresholdError: it is none; a sentence for the author of the scenario.
    """
    match = _EXPRESSION.fullmatch(text)
    if not match:
        raise ThresholdError("must read `metric operator value`, such as `sojourn_p95 < 8m` or `expired == 0`")
    name = match["name"]
    _refuse_function(name, match["deadline"])
    of, quantile = _statistic(name)
    metric = _metric(name, of, quantile)
    since = _since(name, metric, match["since"])
    number, unit = _number(name, metric, match["value"])
    if quantile is not None and not of:
        of = "sojourn" if since == "schedule" else "service_view"
    return Threshold(
        f"{of}_{name.removeprefix(f'{of}_')}" if of else name,
        cast(Operator, match["op"]),  # the expression knows no other operator
        number,
        unit,
        text,
        of=of,
        quantile=quantile,
        deadline_s=_deadline_s(name, metric, match["deadline"]),
        since=since,
        lasting_s=_lasting_s(name, metric, match["op"], match["lasting"]),
    )


def written_threshold(text: str) -> Threshold:
    """The same where somebody writes it now: what tests nothing is refused; results that have it stay readable.

    Raises:
        ThresholdError: as above, or no run can fail it, or none can meet it, or a share or a percentile may be meant as
            a fraction or in percent.
    """
    threshold = parse_threshold(text)
    if threshold.quantile is not None and threshold.quantile < _LEAST_QUANTILE:
        of, _, statistic = text[: text.index(threshold.op)].split()[0].rpartition("p")
        meant = f"{of}p{float(100 * Fraction(statistic)):g}"
        raise ThresholdError(f"the lowest percentile is p1: they are written in percent, not 'p{statistic}'", meant)
    if threshold.unit == "share" and threshold.value == 1 and "%" not in text:
        raise ThresholdError(f"the value of {threshold.metric} may mean all or a hundredth: write 100% or 1%")
    most = 1.0 if threshold.unit == "share" else math.inf
    near = (threshold.value, math.nextafter(threshold.value, -math.inf), math.nextafter(threshold.value, math.inf))
    holds = {threshold.holds(seen) for seen in (0.0, most, *near) if 0 <= seen <= most}
    if len(holds) == 1:
        raise ThresholdError(f"{'holds' if holds.pop() else 'fails'} whatever the run measures, so it tests nothing")
    return threshold


def _refuse_function(name: str, argument: str | None) -> None:
    """`p(95)` is how k6 writes it."""
    form = _PERCENTILE.fullmatch(name)
    if form and argument is not None:
        meant = f"{form['of'] or ''}p{argument.strip().rstrip('%')}"
        is_one = _LATENCY.fullmatch(meant) is not None
        raise ThresholdError(
            f"a percentile is written without parentheses, not '{name}({argument})'", meant if is_one else "p95"
        )


def _statistic(name: str) -> tuple[str, Fraction | None]:
    """Which latency, empty where only a percentile is named, and which quantile of it; ("", None): no latency."""
    match = _LATENCY.fullmatch(name)
    if not match:
        if bare := re.fullmatch(r"(.*_)?p([0-9]{2})([0-9]+)", name):
            meant = f"{bare[1] or ''}" + ("max" if bare[3] == "0" else f"p{bare[2]}.{bare[3]}")
            raise ThresholdError(f"'{name}' is not a percentile: 99.9 % is written p99.9", meant)
        return "", None
    statistic = match["statistic"]
    quantile = Fraction(1) if statistic == "max" else Fraction(statistic[1:]) / 100
    if not quantile:
        raise ThresholdError(f"'{name}' is not a percentile: they lie between 0 and 100, such as p50 and p99.9")
    return match["of"] or "", quantile


def _metric(name: str, of: str, quantile: Fraction | None) -> Metric:
    if quantile is not None:
        return METRICS[f"{of}_pNN" if of else "pNN"]
    if name not in METRICS or "NN" in name:
        meant = _meant(name.lower())
        known = "" if meant else f"; known are {', '.join(METRICS)}"
        raise ThresholdError(f"there is no metric '{name}'{known}", meant)
    return METRICS[name]


def _meant(name: str) -> str:
    """The metric that a name may stand for; empty: none. `latency_p95` is p95, and not `ack_p95`, which looks alike."""
    asked = re.fullmatch(r"(?:(.+)_)?(p[1-9][0-9]?(?:\.[0-9]+)?|max)(?:_(.+))?", name)
    if asked is None:
        return _OF_OTHER_TOOLS.get(name) or next(iter(get_close_matches(name, _NAMES, n=1)), "")
    part, statistic = asked[1] or asked[3] or "", asked[2]
    if (of := _OF_OTHER_TOOLS.get(part)) is not None:
        return re.sub(r"p[0-9]+$", statistic, of)
    near = get_close_matches(part, LATENCIES, n=1, cutoff=0.7)
    return f"{near[0]}_{statistic}" if near else statistic


def _since(name: str, metric: Metric, given: str | None) -> Since:
    if given is None:
        return "schedule"
    if not metric.has_since:
        raise ThresholdError(f"{name} takes no `from {given}`")
    if given not in ("schedule", "acceptance"):
        near = get_close_matches(given, ("schedule", "acceptance"), n=1)
        raise ThresholdError(
            f"latency counts `from schedule` or `from acceptance`, not '{given}'", near[0] if near else ""
        )
    return "schedule" if given == "schedule" else "acceptance"


def _deadline_s(name: str, metric: Metric, written: str | None) -> float | None:
    if not metric.has_deadline:
        if written is not None:
            raise ThresholdError(f"{name} takes nothing in parentheses")
        return None
    if written is None:
        raise ThresholdError(f"{name} needs a deadline, as in `{metric.example}`")
    return _read(f"the deadline '{written}' of {name}", _seconds, written)


def _lasting_s(name: str, metric: Metric, op: str, written: str | None) -> float | None:
    if written is None:
        return None
    if not metric.may_last:
        raise ThresholdError(f"{name} takes no `for {written}`")
    if op not in ("<", "<="):
        raise ThresholdError(f"`for {written}` needs < or <=, as in `{metric.example}`")
    return _read(f"the duration '{written}' of {name}", _seconds, written)


def _number(name: str, metric: Metric, written: str) -> tuple[float, Unit]:
    about = f"the value '{written}' of {name}"
    if metric.share_of and "%" in written:
        return _read(about, _share, written), "share"
    if metric.share_of and (share := _fraction(written)):
        raise ThresholdError(
            f"{about} is not a number of requests; for a share of {metric.share_of} write {share:.6g}%"
        )
    return _read(about, _VALUES[metric.unit], written), metric.unit


def _fraction(written: str) -> float:
    """A number between 0 and 1 in percent; 0 for anything else."""
    number = _plain_or(written)
    return 100 * number if isinstance(number, float) and 0 < number < 1 else 0.0


def _read(about: str, read: Callable[[str], float], written: str) -> float:
    try:
        return read(written)
    except ValueError as error:
        raise ThresholdError(f"{about} {error}") from None


def _plain_or(text: str) -> float | str:
    """A bare number; not what only Python takes for one, such as 1_000."""
    return float(text) if _BARE.fullmatch(text) else text


def _not_negative(number: float) -> float:
    if number < 0:
        raise ValueError("must not be negative")
    return number


def _seconds(text: str) -> float:
    """A duration with its unit: other tools count a bare number in milliseconds, AWS in seconds."""
    number = _plain_or(text)
    if isinstance(number, float) and math.isfinite(number):
        _not_negative(number)
        raise ValueError(f"needs a unit: write {text}ms or {text}s")
    return _not_negative(parse_duration_s(number))


def _per_second(text: str) -> float:
    return _not_negative(parse_rate_hz(_plain_or(text)))


def _requests(text: str) -> float:
    number = _plain_or(text)
    if isinstance(number, str) or not math.isfinite(number) or number < 0 or number != int(number):
        raise ValueError("must be a whole number of requests, such as 0 or 1800")
    return number


def _share(text: str) -> float:
    number = _plain_or(text)
    share = parse_share(number)
    if not 0 <= share <= 1:
        meant = f": write {text}%" if isinstance(number, float) and 1 < number <= 100 else ""
        raise ValueError(f"must lie between 0% and 100%{meant}")
    return share


def _usd(text: str) -> float:
    number = _plain_or(text)
    if isinstance(number, str) or not math.isfinite(number):
        raise ValueError("must be a number of USD, such as 0.40")
    return _not_negative(number)


_VALUES: dict[Unit, Callable[[str], float]] = {
    "s": _seconds,
    "requests": _requests,
    "share": _share,
    "hz": _per_second,
    "usd": _usd,
}
