"""How long a request may take: what the scenario's author demands, or the time after which its result is of no use."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from smbench.scenario.thresholds import Threshold, parse_threshold

TTL = "request.ttl"


@dataclass(frozen=True, slots=True)
class Deadline:
    """`source` is the threshold as written, or `request.ttl`."""

    seconds: float
    source: str


def deadline(scenario: dict[str, Any], asked: Sequence[str] = ()) -> Deadline | None:
    """The tightest that a threshold sets, counted from schedule; else the time to live; None where neither is given.

    Args:
        asked: Thresholds beside those of the scenario.
    """
    thresholds = map(parse_threshold, (*(scenario.get("thresholds") or ()), *asked))
    limits = [_limit_s(threshold) for threshold in thresholds]
    if demanded := [limit for limit in limits if limit is not None]:
        return min(demanded, key=lambda one: (one.seconds, one.source))
    ttl_s = (scenario.get("request") or {}).get("ttl")
    return None if ttl_s is None else Deadline(float(ttl_s), TTL)


def _limit_s(threshold: Threshold) -> Deadline | None:
    if threshold.deadline_s is not None:
        return Deadline(threshold.deadline_s, threshold.text) if threshold.since == "schedule" else None
    is_limit = threshold.of == "sojourn" and threshold.op in ("<", "<=")
    return Deadline(threshold.value, threshold.text) if is_limit else None
