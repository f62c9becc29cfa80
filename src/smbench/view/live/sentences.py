"""What is said of a run in words: what it is, what became of capacity, and what is wrong with the generator.

A remark says what was seen, by how much, and what to try. Its limits are those of `analysis.verdict.checks`, which
judges the run at its end: what is well here is well there.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smbench import units
from smbench.analysis.latency.lateness import lag_limit_s
from smbench.analysis.verdict.generator_checks import (
    BUSY_ADVICE,
    CPU_SHARE_MAX,
    LATE_ADVICE,
    LOOP_LAG_MAX_S,
    SATURATED_MAX_S,
)
from smbench.clock import TimeKind
from smbench.records import Event, Outcome, Stage
from smbench.snapshot import Snapshot
from smbench.view.live import figures
from smbench.view.live.state import LiveState, RunHeader

_TRACKING_ALARM = re.compile(r"TargetTracking-.*-(Alarm(?:High|Low))-")
_POLICY = re.compile(r"triggered policy (\S+)")
_IN_FLIGHT_SHARE_MAX = 0.8


@dataclass(frozen=True, slots=True)
class Remark:
    """Something wrong with the generator. `about` is the same for the same trouble, whatever its figures."""

    about: str
    seen: str
    advice: str


def remarks(state: LiveState) -> list[Remark]:
    """What is wrong now, the worst first; empty when all is well."""
    now, limit = state.now, state.header.in_flight_limit
    if now is None:
        return []
    found = []
    if now.n_dropped:
        seen = f"{units.requests_were(now.n_dropped)} not sent: {limit:,} were in flight already"
        found.append(Remark("drops", seen, "raise `limits.in_flight`, or lower the rate"))
    if state.header.time_kind is not TimeKind.WARP:  # there it is never late, and its own cost means nothing
        found += _too_slow(state, now)
    if now.receivers_saturated_s > SATURATED_MAX_S:
        seen = f"notices are received late: {now.receivers_max} receivers return full batches, more is queued"
        found.append(Remark("receivers", seen, "raise `collector.receivers`, or use `--workers N`"))
    if now.n_in_flight > _IN_FLIGHT_SHARE_MAX * limit and not now.n_dropped:
        seen = f"{now.n_in_flight:,} of {limit:,} in flight: at the limit requests are dropped"
        found.append(Remark("in flight", seen, "raise `limits.in_flight`, or lower the rate"))
    found += [Remark("not known", text, "thresholds that depend on it stay unknown") for text in state.cautions]
    return found


def awaited(now: Snapshot) -> str:
    """Why a run without a backlog still drains: a call without an answer may have been taken. Empty: it is not so."""
    n = sum(now.outcomes.get(outcome, 0) for outcome in (Outcome.TRANSPORT_ERROR, Outcome.UNKNOWN))
    if now.stage is not Stage.DRAINING or now.backlog_seen or not n:
        return ""
    return f"{n:,} without an answer may still get a notice"


def _too_slow(state: LiveState, now: Snapshot) -> list[Remark]:
    found = []
    lag_p99_s, sojourn_p50_s = now.schedule_lag.quantile(0.99), now.sojourn.quantile(0.5)
    if lag_p99_s is not None and lag_p99_s > lag_limit_s(sojourn_p50_s):
        latest = state.whose(lambda one: one.schedule_lag.quantile(0.99) or 0.0)
        most = "" if latest == "the generator" else f", most of all those of {latest}"
        seen = (
            f"requests go out late{most}, p99 {figures.seconds(lag_p99_s)} behind the schedule: "
            "not the load that was planned"
        )
        is_scaled = state.header.time_kind is TimeKind.SCALED
        found.append(Remark("lag", seen, "lower `scaled`" if is_scaled else LATE_ADVICE))
    if now.loop_lag_max_s > LOOP_LAG_MAX_S:
        who = state.whose(lambda one: one.loop_lag_max_s)
        seen = f"{who} stalled for {figures.seconds(now.loop_lag_max_s)}"
        found.append(Remark("loop", seen, BUSY_ADVICE))
    if now.cpu_share > CPU_SHARE_MAX:
        seen = f"{state.whose(lambda one: one.cpu_share)} uses {figures.percent(now.cpu_share)} of its core"
        found.append(Remark("cpu", seen, "lower the rate: it is near what it can send"))
    return found


def kept(state: LiveState) -> str:
    """What to say of the generator when nothing is wrong."""
    if state.header.time_kind is TimeKind.WARP:
        return "exact: in warp time the generator is never late"
    return "keeps the schedule"


def kind_of_time(state: LiveState) -> str:
    """`real time`, `20 x real time`, `warp time, 112 x real`."""
    header, speed = state.header, state.speed
    if header.time_kind is TimeKind.SCALED:
        return f"{header.scale:g} x real time"
    if header.time_kind is TimeKind.WARP:
        return "warp time" if speed is None else f"warp time, {speed:,.0f} x real"
    return "real time"


def opening(header: RunHeader) -> str:
    """The run in a line."""
    n_phases = len(header.phases)
    phases = units.counted(n_phases, "phase")
    span = "" if header.planned_s is None else f" over {figures.seconds(header.planned_s)}"
    length = f"; {header.length}" if header.length else ""
    requests = units.counted(header.n_scheduled, "request")
    return f"{header.scenario}: {requests} in {phases}{span} to the {header.target}{length}"


def event_words(event: Event) -> tuple[str, str, str]:
    """What kind of thing happened, what it came to, and why; each printable, each in one line."""
    kind = "scaling" if event.kind == "scaling_activity" else event.kind
    capacity = ""
    if event.after is not None:
        before = "" if event.before is None else f"{event.before:g} "
        capacity = f"{before}-> {event.after:g}" if event.after != event.before else f"{event.after:g}"
    what = ", ".join(part for part in (capacity, event.state) if part)
    why = _why_failed(event.detail) if event.state == "Failed" else ""
    if event.kind in ("alarm", "instance"):
        why = _alarm(event.name)
    return kind, plain(what), plain(why or _cause(event.cause))


def _why_failed(detail: Mapping[str, Any]) -> str:
    """What Application Auto Scaling says of it, else the name that it has for the reason."""
    reasons = detail.get("NotScaledReasons") or ()
    names = [str(one.get("Code") or one.get("code") or "") for one in reasons if isinstance(one, dict)]
    return str(detail.get("StatusMessage") or ", ".join(filter(None, names)))


def _alarm(name: str) -> str:
    """Target tracking's own alarms have names of a hundred characters, and one word of them matters."""
    tracking = _TRACKING_ALARM.match(name)
    return f"{tracking[1]} of target tracking" if tracking else name


def _cause(cause: str) -> str:
    """AWS's sentence names the alarm, which has its own line, and the policy."""
    policy = _POLICY.search(cause)
    return f"by policy {policy[1]}" if policy else cause


def plain(text: str) -> str:
    """One line of printable characters: what AWS or a file says must not move a cursor."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())
