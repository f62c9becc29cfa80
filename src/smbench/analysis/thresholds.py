"""A scenario's thresholds against a run's figures. What is not known is neither passed nor missed."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from smbench.analysis import words
from smbench.analysis.bounds import Bounded
from smbench.analysis.summary import Summary
from smbench.scenario.thresholds import Threshold, parse_threshold


class ThresholdResult(BaseModel):
    """One threshold as written, what was seen, and whether it was met; None: that depends on what is not known."""

    model_config = ConfigDict(frozen=True)

    text: str
    seen: str
    passed: bool | None


def evaluate(texts: Sequence[str], summary: Summary) -> list[ThresholdResult]:
    """Judge each threshold, in order.

    Raises:
        ThresholdError: one cannot be read; a scenario that was loaded has none such.
    """
    return [_judge(parse_threshold(text), summary) for text in texts]


def _judge(threshold: Threshold, summary: Summary) -> ThresholdResult:
    figure = _figure(threshold.metric, summary)
    if figure is None:
        return ThresholdResult(text=threshold.text, seen="nothing to measure", passed=None)
    write = {"s": words.duration, "share": words.share, "requests": lambda count: f"{count:,.0f}"}[threshold.unit]
    return ThresholdResult(text=threshold.text, seen=figure.text(write), passed=figure.meets(threshold))


def _figure(metric: str, summary: Summary) -> Bounded | None:
    counts = {
        name: getattr(summary.measured, name)
        for name in ("completed", "failed", "expired", "lost", "pending", "rejected", "transport_error", "not_sent")
    }
    if metric in counts:
        return Bounded.exactly(counts[metric])
    match metric:
        case "backlog_max":
            return Bounded.exactly(summary.backlog.peak)
        case "drain_s":
            return summary.backlog.drain
        case "error_share":
            return summary.error_share
        case "schedule_lag_p99":
            return summary.generator.schedule_lag.p99
    latency, _, statistic = metric.rpartition("_")
    of = {"sojourn": summary.sojourn, "service_view": summary.service_view, "ack": summary.ack}[latency]
    return of.percentile(statistic)
