"""A model of an endpoint from its runs: every parameter with its standard error and source, or the reason for none."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

from smbench.analysis.capacity.hosts import HostSpread
from smbench.calibration.alarm_seconds import AlarmSecond, alarm_seconds
from smbench.calibration.arrivals import Arrivals, arrivals
from smbench.calibration.checking.behaviour import behaviour
from smbench.calibration.concurrency import Concurrency, concurrency
from smbench.calibration.configured import Configured, configured
from smbench.calibration.delays import NOT_OBSERVED, Delay, notification, provisioning, removal
from smbench.calibration.detection import Detection, detection
from smbench.calibration.parameter import Parameter, Source, assumed
from smbench.calibration.runs import MeasuredRun, must_be_alike
from smbench.calibration.scale_in import scale_in
from smbench.calibration.service import Services, services
from smbench.records import Outcome

_NO_STEP_OUT = "no scale-out came into service during these runs"
_NORMAL_975 = 1.96
_N_QUANTILES = 500


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Everything that is written about a fitted endpoint."""

    runs: tuple[str, ...]  # the names of their folders
    fingerprints: tuple[str, ...]  # of the runs
    latency_s: tuple[float | None, ...]  # quantiles over all runs, evenly spaced; None: fewer completed
    parameters: tuple[Parameter, ...]
    slots: int  # the concurrency of the model: measured, set, or the least that is possible
    set_up: Configured
    start: int  # instances in service when the first run began
    services: Services
    spread: float  # of instances' speed; 0 where none was found
    provisioning: Delay
    removal: Delay
    notification: Delay
    detection: Detection
    alarm_seconds: tuple[AlarmSecond, ...]
    scale_in: str
    failed_share: float
    arrivals: Arrivals  # of the first run
    payloads: tuple[tuple[str, int | None, int], ...]  # class, mean bytes (None: not known), requests
    request: dict[str, Any]  # as the first run's scenario has it
    notes: tuple[str, ...] = ()  # what was done to the rows before
    lacking: tuple[str, ...] = ()  # what of the endpoint the model has no place for


def fit(runs: Sequence[MeasuredRun]) -> Fit:
    """One model of all runs.

    Raises:
        UsageError: they are of different endpoints, or no service time can be found.
    """
    must_be_alike(runs)
    last = configured(runs[-1].frames)
    found = concurrency(runs)
    n_slots = last.concurrency or found.value or found.at_least
    served = services(runs, n_slots)
    spread = served.spread.share if isinstance(served.spread, HostSpread) and served.spread.is_beyond_chance else 0.0
    came, left, noted = provisioning(runs), removal(runs), notification(runs)
    seen, coming = detection(runs), arrivals(runs[0])
    seconds = alarm_seconds(runs, last)
    removes = scale_in(runs, last.min)
    failed = _failed(runs)
    parameters: tuple[Parameter, ...] = (
        _concurrency(found, last),
        *_services(served, n_slots, is_sure=bool(last.concurrency or found.value)),
        _spread(served),
        _delay("provisioning", came, Source.SCALING, _NO_STEP_OUT),
        assumed("what instances of one change share", 0.0, "s", "not separated from provisioning"),
        _delay("removal", left, Source.SCALING, "no scale-in ended during these runs"),
        _delay("detection, breach to decision", seen.whole, Source.SCALING, "no alarm led to a scale-out", None),
        _delay("metric delay", seen.metric_delay, Source.CLOUDWATCH, "no datapoint of the backlog was read"),
        *(_second(one) for one in seconds),
        _delay("action after the alarm", seen.action, Source.SCALING, "no alarm led to a change of capacity"),
        _delay("notification lag", noted, Source.NOTICES, "no notice has the instant of its publication"),
        removes,
        failed,
        *_arrivals(coming),
    )
    is_foreign = any(run.frames.manifest.imported is not None for run in runs)
    asked = runs[0].frames.manifest.scenario.get("request") or {}
    return Fit(
        runs=tuple(run.name for run in runs),
        fingerprints=tuple(run.fingerprint for run in runs),
        latency_s=_quantiles_s(runs),
        parameters=parameters if not is_foreign else tuple(_of_a_client(each) for each in parameters),
        slots=n_slots,
        set_up=last,
        start=int(runs[0].capacity.serving[0]),
        services=served,
        spread=spread,
        provisioning=came,
        removal=left,
        notification=noted,
        detection=seen,
        alarm_seconds=seconds,
        scale_in=str(removes.value),
        failed_share=float(failed.value or 0.0),
        arrivals=coming,
        payloads=_payloads(runs),
        request={key: asked[key] for key in ("ttl", "timeout") if asked.get(key) is not None},
        notes=tuple(note for run in runs for note in run.notes),
        lacking=last.notes,
    )


def _of_a_client(parameter: Parameter) -> Parameter:
    """The same where no notice came: another tool's rows have what its client saw."""
    if parameter.source is not Source.NOTICES:
        return parameter
    return parameter.model_copy(update={"source": Source.CLIENT})


def _concurrency(found: Concurrency, set_up: Configured) -> Parameter:
    name = "concurrency of an instance"
    if set_up.concurrency:
        note = ""
        if found.value and set_up.concurrency not in (found.value, *found.as_good):
            note = f"the run looks as if it were {found.value}: the container may serve requests one after another"
        return Parameter(name=name, value=set_up.concurrency, source=Source.SET, note=note)
    if found.value is None:
        return assumed(name, None, "", f"{found.why}; at least {found.at_least}")
    also = f"{', '.join(str(each) for each in found.as_good)} fit as well" if found.as_good else ""
    return Parameter(name=name, value=found.value, n=found.n_at_once + found.n_others, source=Source.NOTICES, note=also)


def _services(served: Services, n_slots: int, *, is_sure: bool) -> list[Parameter]:
    out = f"{served.n_left_out:,} completed requests left out" if served.n_left_out else ""
    n = sum(len(one.services_s) for one in served.by_class)
    whole_s = sum(float(one.services_s.sum()) for one in served.by_class) / n
    error_s = sum((one.error_s * len(one.services_s) / n) ** 2 for one in served.by_class) ** 0.5
    parameters = [
        Parameter(
            name="service over concurrency",
            value=whole_s / n_slots,
            unit="s",
            error=error_s / n_slots,
            n=n,
            source=Source.NOTICES,
            note=out,
        )
    ]
    for one in served.by_class:
        name = f"service of {one.payload_class}" if one.payload_class else "service"
        if not is_sure:
            note = "not identifiable without the concurrency"
            parameters.append(assumed(name, None, "s", note))
            continue
        law = f"lognormal(median {one.median_s:.4g} s, sigma {one.sigma:.3g}) is {one.distance:.3f} away"
        parameters.append(
            Parameter(
                name=name,
                value=one.mean_s,
                unit="s",
                error=one.error_s,
                n=len(one.services_s),
                source=Source.NOTICES,
                note=f"{law}; blocks of {one.block}" if one.block > 1 else law,
            )
        )
    return parameters


def _spread(served: Services) -> Parameter:
    name, found = "spread of speeds", served.spread
    if not isinstance(found, HostSpread):
        return assumed(name, 0.0, "share", found.reason)
    error = (found.share_high - found.share_low) / (2 * _NORMAL_975)
    if not found.is_beyond_chance:
        return Parameter(
            name=name, value=0.0, unit="share", n=found.n_requests, source=Source.NOTICES,
            note=f"none beyond chance; below {found.share_high:.2g}",
        )  # fmt: skip
    return Parameter(name=name, value=found.share, unit="share", error=error, n=found.n_requests, source=Source.NOTICES)


def _delay(name: str, found: Delay, source: Source, why_not: str, value: float | None = None) -> Parameter:
    if found is NOT_OBSERVED:
        return assumed(name, value, "s", why_not)
    return Parameter(name=name, value=found.mean_s, unit="s", error=found.error_s, n=found.n, source=source)


def _second(found: AlarmSecond) -> Parameter:
    if found.second_s is None:
        why = "it changed its state at several" if found.n else "it did not change its state"
        return assumed(found.name, None, "s", f"{why} during these runs: drawn from 0 to 60 s")
    return Parameter(name=found.name, value=found.second_s, unit="s", n=found.n, source=Source.SCALING)


def _failed(runs: Sequence[MeasuredRun]) -> Parameter:
    """Of the ended; time-outs follow from the service and are no fault."""
    ended = pl.concat(run.frames.requests.select("outcome", "error") for run in runs).filter(
        pl.col("outcome").is_in([Outcome.COMPLETED.value, Outcome.FAILED.value])
    )
    is_failed = (ended["outcome"] == Outcome.FAILED.value) & ~ended["error"].cast(pl.String).fill_null("").str.contains(
        r"(?i)time.?out|timed out"
    )
    share, n = float(is_failed.mean() or 0.0), ended.height  # type: ignore[arg-type]
    error = (share * (1 - share) / n) ** 0.5
    return Parameter(name="failed in the container", value=share, unit="share", error=error, n=n, source=Source.NOTICES)


def _arrivals(coming: Arrivals) -> list[Parameter]:
    n = len(coming.at_s)
    rate = Parameter(name="arrivals", value=coming.rate_hz, unit="/s", n=n, source=Source.CLIENT, note=coming.in_words)
    if coming.dispersion is None:
        return [rate]
    name = "dispersion of arrivals a minute"
    return [rate, Parameter(name=name, value=coming.dispersion, n=coming.n_windows, source=Source.CLIENT)]


def _quantiles_s(runs: Sequence[MeasuredRun]) -> tuple[float | None, ...]:
    taken_s = np.sort(np.concatenate([behaviour(run.frames).latency_s for run in runs]))
    places = (np.arange(_N_QUANTILES) + 0.5) * len(taken_s) // _N_QUANTILES
    return tuple(
        round(value, 6) if math.isfinite(value) else None for value in taken_s[places.astype(np.int64)].tolist()
    )


def _payloads(runs: Sequence[MeasuredRun]) -> tuple[tuple[str, int | None, int], ...]:
    rows = (
        pl.concat(run.classes for run in runs)
        .group_by("payload")
        .agg(pl.col("size_in_bytes").mean().alias("size"), pl.len().alias("n"))
    )
    return tuple(
        (str(name), None if size is None else max(1, round(size)), n)
        for name, size, n in rows.sort("payload").iter_rows()
    )
