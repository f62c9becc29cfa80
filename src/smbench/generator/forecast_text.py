"""The forecast in sentences: what a person must know before the run, and what more there is to know."""

from smbench import units
from smbench.clock import TimeKind
from smbench.generator.forecast import (
    CERTAIN_SHARE,
    TIGHT_SHARE,
    VARYING,
    WARP_PART_S,
    WARP_REQUEST_S,
    Forecast,
    PhaseForecast,
    TimeOut,
)
from smbench.scenario.values.quantities import format_duration

_PHASES_SHOWN = 20
_OF_USERS = ("users", "stairs")
_ONE = 0.5  # of a backlog that is a mean: less is rounded to none
_SHORT_S = 60.0  # a burst of less is worked off, not kept up with


def warnings(found: Forecast) -> list[str]:
    """What would surprise a reader of the results: one sentence each, none where all is well."""
    if found.never_serves:
        return [f"nothing will be served: {found.never_serves}"]
    warnings = _timeouts(found)
    for phase in found.phases:
        if _is_beyond(phase, found):
            warnings.append(f"phase {phase.name}: {_too_much(phase, found)}")
        elif _is_beyond_at_times(phase, found):
            warnings.append(
                f"phase {phase.name}: at times more comes than {_instances(found.instances_max)} can do: work for "
                f"{_about(phase.most_left_s)} waits then, even with all instances"
            )
    if found.slots_max and found.left_s > found.drain_s and any(_is_beyond(phase, found) for phase in found.phases):
        warnings.append(
            f"what is left after the last request takes {_about(found.left_s)} even with all instances; with `drain` "
            f"at {format_duration(found.drain_s)} the run ends before"
        )
    if found.left_s > found.ttl_s:
        ends = "expire" if found.kind == "async" else "time out"
        warnings.append(f"requests wait up to {_about(found.left_s)} and {ends} after {format_duration(found.ttl_s)}")
    return warnings


def _timeouts(found: Forecast) -> list[str]:
    is_named = found.n_classes > 1
    return [_timeout(one, is_named=is_named, is_synchronous=found.kind != "async") for one in found.timeouts]


def facts(found: Forecast, kind: TimeKind, instance_hour_usd: float | None) -> list[str]:
    """Each phase that the endpoint keeps up with, how long the run lasts, what it may cost; a sentence each."""
    kept = [phase for phase in found.phases if phase.n and not _is_beyond(phase, found)]
    lines = [] if found.never_serves else [f"phase {one.name}: {_enough(one, found)}" for one in kept[:_PHASES_SHOWN]]
    if len(kept) > _PHASES_SHOWN:
        lines.append(f"{len(kept) - _PHASES_SHOWN:,} more phases are kept up with")
    lines.append(length(found, kind))
    if found.instance_hours is not None:
        lines.append(_cost(*found.instance_hours, instance_hour_usd))
    return lines


def length(found: Forecast, kind: TimeKind) -> str:
    """How long the run lasts, by the scenario's clock and by a watch."""
    span = _range(found.least_s, found.most_s)
    if kind is TimeKind.WARP:
        each_s = WARP_REQUEST_S + found.parts * WARP_PART_S
        real_s = max(1.0, sum(phase.n for phase in found.phases) * each_s)
        return f"the run lasts {span} of scenario time; in warp time that takes about {_whole_seconds(real_s)}"
    if found.scale != 1.0:
        most_s = None if found.most_s is None else found.most_s / found.scale
        real = _range(found.least_s / found.scale, most_s)
        return f"the run lasts {span} of scenario time; at {found.scale:g} times its speed that takes {real}"
    return f"the run lasts {span}"


def _is_beyond(phase: PhaseForecast, found: Forecast) -> bool:
    """Whether more comes than can be done, and for so long that at least one request waits at the end."""
    is_growing = bool(phase.growth_hz) and (found.kind == "serverless" or phase.backlog_at_end >= _ONE)
    return is_growing and not _is_burst(phase) and found.slots_max > 0


def _is_beyond_at_times(phase: PhaseForecast, found: Forecast) -> bool:
    """Whether it is kept up with on average, and not where its rate is highest."""
    waits_s = phase.most_left_s - phase.before_s
    return phase.kind in VARYING and found.kind != "serverless" and found.slots_max > 0 and waits_s > _SHORT_S


def _is_burst(phase: PhaseForecast) -> bool:
    return phase.kind == "burst" and (phase.length_s or 0.0) < _SHORT_S


def _too_much(phase: PhaseForecast, found: Forecast) -> str:
    if found.kind == "serverless":
        return (
            f"the endpoint cannot keep up: {phase.busy_slots:.1f} requests are there at once on average, and "
            f"MaxConcurrency is {found.slots_max:,}: the others are throttled"
        )
    needed = _more_than(found.slots_max, phase.busy_slots or 0.0)
    growth = phase.growth_hz * 60
    by = f"{growth:,.0f} a minute" if growth >= 10 else f"{growth:.1f} a minute"
    return (
        f"the endpoint cannot keep up: it needs {needed} slots, and {_instances(found.instances_max)} "
        f"{'has' if found.instances_max == 1 else 'have'} {found.slots_max:,}; the backlog grows by {by}, to about "
        f"{_rounded(phase.backlog_at_end)} at its end; {_instances(phase.enough_instances or 0)} would do"
    )


def _enough(phase: PhaseForecast, found: Forecast) -> str:
    if found.kind == "serverless":
        busy = "" if phase.busy_slots is None else f"; {phase.busy_slots:.1f} are there at once on average"
        return f"{units.counted(phase.n, 'request')}, at most {found.slots_max:,} at once, for more are throttled{busy}"
    if phase.kind in _OF_USERS:
        return f"at most {units.counted(phase.n, 'request')}: each user waits for an answer before the next"
    if phase.busy_slots is None or _is_burst(phase):
        requests = units.counted(phase.n, "request is", "requests are")
        return f"{requests} {_about(phase.work_s)} of work for {_instances(found.instances_max)}"
    share = phase.busy_slots / found.slots_max
    varies = phase.kind in VARYING
    slots = units.counted(found.slots_max, "slot")
    needed = f"{phase.busy_slots:.1f} of {slots} busy{' on average' if varies else ''} ({share:.0%})"
    if phase.peak_slots is not None:
        needed += f", {phase.peak_slots:.1f} at its highest rate"
    if share > TIGHT_SHARE:
        return f"{needed}: the endpoint hardly keeps up, and waits are long"
    on_average = " on average" if varies and phase.peak_slots is None else ""
    return f"{needed}; {_instances(phase.enough_instances or 1)} would do{on_average}"


def _timeout(one: TimeOut, *, is_named: bool, is_synchronous: bool) -> str:
    whose = "InvocationTimeoutSeconds is 15m by default" if one.is_default else "the time-out that was asked for"
    if is_synchronous:
        whose = "InvokeEndpoint waits no longer"
    which = "each request" if one.share > CERTAIN_SHARE else f"about {one.share:.0%} of the requests"
    of = f" of class {one.payload_class}" if is_named else ""
    advice = f"; {'set' if one.is_default else 'raise'} request.timeout, at most 1h"
    if is_synchronous:
        advice = "; an asynchronous endpoint waits up to 1h"
    return (
        f"{which}{of} will fail after {format_duration(one.timeout_s)} in the container ({whose}), for service takes "
        f"{format_duration(one.mean_s)} on average{advice}"
    )


def _cost(least_h: float, most_h: float, instance_hour_usd: float | None) -> str:
    hours = f"{least_h:,.3g}" if f"{least_h:.3g}" == f"{most_h:.3g}" else f"{least_h:,.3g} to {most_h:,.3g}"
    text = f"it pays for {hours} instance hours"
    if instance_hour_usd is None:
        return text
    least, most = (f"{hour * instance_hour_usd:,.2f}" for hour in (least_h, most_h))
    return f"{text}: {least if least == most else f'{least} to {most}'} USD"


def _range(least_s: float, most_s: float | None) -> str:
    if most_s is None:
        return f"at least {_whole(least_s)}"
    least, most = _whole(least_s), _whole(most_s)
    return least if least == most else f"{least} to {most}"


def _whole(seconds: float) -> str:
    return units.duration(round(seconds) if seconds >= 10 else round(seconds, 1))


def _whole_seconds(seconds: float) -> str:
    """An estimate: no fraction of a second is known."""
    return f"{round(seconds)} s" if seconds < 119.5 else units.duration(seconds)


def _about(seconds: float) -> str:
    return f"about {units.duration(seconds)}"


def _instances(count: int) -> str:
    return units.counted(count, "instance")


def _more_than(slots: int, busy: float) -> str:
    """What is busy, with as many decimals as show that it is more than the slots there are."""
    texts = (f"{busy:.{decimals}f}" for decimals in (1, 2, 3))
    return next((text for text in texts if float(text) > slots), f"a little more than {slots:,}")


def _rounded(count: float) -> str:
    """Three figures of a large count: no more is known."""
    if count < 1000:
        return f"{count:,.0f}"
    digits = 10 ** (len(str(int(count))) - 3)
    return f"{round(count / digits) * digits:,}"
