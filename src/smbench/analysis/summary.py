"""All figures of a run in one value: the same as a table and as JSON; finite, or unknown for a reason.

Warm-up phases are left out of every figure but `counts`, which is the whole ledger. Durations are seconds of scenario
time, rates are per second of it.
"""

from collections.abc import Sequence
from typing import Any

import polars as pl
from pydantic import BaseModel, ConfigDict, computed_field, model_validator

from smbench.analysis.capacity.cost import NOTHING_MEASURED, Cost, cost
from smbench.analysis.capacity.elasticity import Elasticity, elasticity
from smbench.analysis.capacity.hosts import HostSpread, host_spread
from smbench.analysis.capacity.instances import Capacity
from smbench.analysis.capacity.price import Price, price
from smbench.analysis.capacity.scaling import Scaling, ScalingStep, scaling
from smbench.analysis.capacity.sizing import Sizing, sizing
from smbench.analysis.capacity.system import System, system
from smbench.analysis.detectors import detect
from smbench.analysis.latency.breakdown import Part, by_class, by_phase, by_variant, latency
from smbench.analysis.latency.intervals import Intervals, intervals
from smbench.analysis.latency.retries import Retries, retries
from smbench.analysis.latency.slowest import Slow, slowest
from smbench.analysis.latency.stages import Stage, StageName, stages
from smbench.analysis.latency.steps import StepsOfPhase, steps_of_phases
from smbench.analysis.latency.streams import Streams, streams
from smbench.analysis.numbers.bounds import Bounded, Distribution, distribution
from smbench.analysis.numbers.known import Missing, reasons, then, with_reasons
from smbench.analysis.numbers.prediction_check import PredictionCheck
from smbench.analysis.observations import Observation, Seen
from smbench.analysis.rows.backlog import backlog
from smbench.analysis.rows.clocks import Clocks
from smbench.analysis.rows.columns import only, seconds, without_nulls
from smbench.analysis.rows.frames import Frames, is_streamed
from smbench.analysis.rows.rates import PhaseRates, Rates, overall_rates, phase_rates
from smbench.analysis.rows.sizes import Bodies, bodies
from smbench.analysis.rows.stamps import contradict, look_every_s
from smbench.records import NotSent, Outcome, Unknown
from smbench.results.law import Counts, row_violations, stream_violations
from smbench.results.manifest import Manifest, Prediction
from smbench.schedule.base import not_measured_ns


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="null")


class Cause(_Part):
    """One error and how often it was met. `outcome` is where its requests ended."""

    outcome: str
    error: str
    status_code: int | None
    n: int


class BacklogFigures(_Part):
    """Requests accepted and not yet ended, from our rows."""

    peak: int
    peak_at_s: float | None
    peak_at_least: int = 0  # without the requests of which it is not known whether they had left
    oldest_age_s: float | None  # the longest any request certainly was in the system, since it was due
    drain: Bounded | Missing  # from the last send until nothing was open

    @property
    def peak_within(self) -> Bounded:
        """The peak between its bounds."""
        return Bounded(low=self.peak_at_least, high=self.peak)


class Notices(_Part):
    """What came through the queue."""

    n: int
    n_duplicates: int
    n_foreign: int
    n_malformed: int
    n_from_outputs: int  # ends nobody told, found in S3: known to the second
    looked_every_s: float | None = None  # between two looks for them; null where notices were waited for
    is_stamp_wrong: bool = False  # S3's clock contradicts ours: an end lies between its send and when it was seen


class Generator(_Part):
    """What we did ourselves. Loop lag and CPU are real time; None where time was virtual or nothing was measured."""

    schedule_lag: Distribution
    n_dropped: int  # at our own in-flight limit
    loop_lag_max_s: float | None
    cpu_share_max: float | None
    cpu_share_median: float | None
    rss_max_bytes: int | None
    receivers_peak: int | None  # overlapping receives of one worker, the most that were needed; None: nothing was read
    receivers_max: int | None  # and the most there might have been
    receivers_saturated_s: float | None  # the longest that all of them came back full: the queue held more
    n_received: int  # messages of every kind
    n_receive_errors: int
    n_undeleted: int
    n_waits_for_deletion: int  # a receiver did not receive because deletes were behind


class Summary(_Part):
    """What a run showed."""

    run_id: str
    name: str
    description: str
    target: str
    clock: str  # real | scaled | warp
    scale: float
    workers: int
    started: str  # wall time, ISO 8601
    wall_s: float | None  # real time, preparations and closing included; None: killed, or nothing was run
    ending: str
    reason: str
    seed: int | None
    length_s: float  # from the schedule's start to the last thing known
    counts: Counts
    violations: tuple[str, ...]
    measured: Counts  # without warm-up phases
    n_warmup: int
    n_cut_short: int = 0  # measured requests that were never sent, because the run ended too early
    rates: Rates
    phases: tuple[PhaseRates, ...]
    steps: tuple[StepsOfPhase, ...] = ()  # of the phases that have some
    sojourn: Distribution  # done - sched
    from_send: Distribution  # done - send: beside sojourn it shows what counting from the send would hide
    service_view: Distribution  # done - recv
    ack: Distribution  # ack - send
    hearing: Distribution  # seen - done, the next two together
    notification: Distribution  # pub - done: SageMaker's and SNS's part
    observer_lag: Distribution  # seen - pub: the queue's part and ours
    causes: tuple[Cause, ...]
    bodies: Bodies | None = None  # null where no synchronous answer came
    streams: Streams | None = None  # null where no answer came in a stream
    retries: Retries | None = None  # null where no request was tried again
    backlog: BacklogFigures
    notices: Notices
    clocks: Clocks
    generator: Generator
    scaling: Scaling
    stages: tuple[Stage, ...] = ()
    intervals: Intervals = {}  # of the sojourn's percentiles
    elasticity: Elasticity | Missing
    cost: Cost | Missing
    price: Price
    host_spread: HostSpread | Missing
    observations: tuple[Observation, ...] = ()
    slowest: tuple[Slow, ...] = ()
    by_phase: tuple[Part, ...] = ()  # warm-ups apart; none where there is but one
    by_class: tuple[Part, ...] = ()  # the same by payload class; the most frequent, with `n_classes` of them in all
    n_classes: int = 0
    by_variant: tuple[Part, ...] = ()  # of a synchronous endpoint of which several variants answered
    sizing: Sizing
    kind: str = "measured"  # or simulated: a prediction
    prediction: Prediction | None = None  # of a simulated run
    prediction_check: PredictionCheck | None = None  # the prediction that this run is held against: `report --against`

    @computed_field  # type: ignore[prop-decorator]  # mypy has no decorated properties
    @property
    def absent(self) -> dict[str, str]:
        """For JSON: the figures that are null because they are unknown, by their path, and why."""
        return reasons(self)

    @model_validator(mode="before")
    @classmethod
    def _of_json(cls, written: Any) -> Any:
        return with_reasons(written)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON values; they have no NaN and no infinity."""
        return self.model_dump(mode="json")

    @property
    def is_synchronous(self) -> bool:
        """Whether the call itself brought the answer: then submitting is no stage of its own."""
        return bool(self.stages) and all(stage.name != StageName.SUBMIT for stage in self.stages)

    @property
    def error_share(self) -> Bounded | Unknown:
        """Of the requests that were answered, those that did not complete."""
        counts = self.measured
        answered = counts.accepted + counts.rejected
        if not answered:
            return Unknown("no request was answered")
        bad = answered - counts.completed
        return Bounded(low=(bad - counts.may_have_completed) / answered, high=bad / answered)


class _Gauges:
    """What the gauges of the generator read, in one look at the readings: every worker has its own."""

    def __init__(self, readings: pl.DataFrame) -> None:
        known = only(
            readings, (pl.col("source") == "generator") & pl.col("value").is_not_null(), "name", "worker", "value"
        )
        by_worker = known.group_by("name", "worker").agg(pl.max("value"), pl.median("value").alias("median"))
        self._highest, self._medians = dict[str, list[float]](), dict[str, list[float]]()
        for name, _, highest, median in by_worker.iter_rows():
            self._highest.setdefault(name, []).append(highest)
            self._medians.setdefault(name, []).append(median)

    def highest(self, name: str) -> float | None:
        """Of any worker at any time; None when there is none."""
        return max(self._highest.get(name, ()), default=None)

    def highest_median(self, name: str) -> float | None:
        """Of the worker where it is highest: one that is at its limit makes the load late. None when there is none."""
        return max(self._medians.get(name, ()), default=None)

    def total(self, name: str) -> int:
        """The highest reading of each worker, added up: what a count that only grows came to; 0 when there is none."""
        return int(sum(self._highest.get(name, ())))


def summarise(frames: Frames) -> Summary:
    """Every figure of a run, from its frames alone."""
    manifest, measured = frames.manifest, frames.measured
    counts = _counts(frames.requests)
    n_scheduled = manifest.n_scheduled if manifest.spans else None
    scenario = manifest.scenario
    seen, phases = system(frames), phase_rates(frames)
    of_stages = stages(frames, seen.slots)
    by_stage = {stage.name: stage.spread for stage in of_stages}
    gauges = _Gauges(frames.readings)
    scaled, notices = scaling(frames), _notices(frames, gauges)
    of_measured = counts if measured is frames.requests else _counts(measured)
    spread, from_then_on = host_spread(seen.slots, seen.capacity), _measured_capacity(frames, seen)
    followed = then(from_then_on, lambda capacity: _elasticity(frames, capacity, seen, scaled.steps))
    paid = then(from_then_on, lambda capacity: cost(frames, capacity, seen))
    observations = detect(
        Seen(
            frames=frames,
            system=seen,
            counts=of_measured,
            steps=scaled.steps,
            service=by_stage[StageName.SERVICE],
            elasticity=followed,
            host_spread=spread,
        )
    )
    return Summary(
        run_id=manifest.run_id,
        name=str(scenario.get("name", "")),
        description=str(scenario.get("description", "")),
        target=_target(manifest),
        clock=manifest.clock.kind,
        scale=manifest.clock.scale,
        workers=manifest.workers,
        started=manifest.started.isoformat(timespec="seconds"),
        wall_s=_wall_s(manifest),
        ending=manifest.ending.value,
        reason=manifest.reason,
        seed=scenario.get("seed"),
        length_s=frames.end_ns / 1e9,
        counts=counts,
        violations=(*counts.violations(), *row_violations(_as_law(frames.requests), n_scheduled), *_of_streams(frames)),
        measured=of_measured,
        n_warmup=frames.requests.height - measured.height,
        n_cut_short=frames.n_cut_short,
        rates=overall_rates(frames),
        phases=phases,
        steps=steps_of_phases(frames),
        sojourn=latency(measured, "sojourn_ns", "age_ns"),
        from_send=latency(measured, "from_send_ns", "from_send_age_ns"),
        service_view=latency(measured, "service_view_ns", "service_age_ns"),
        ack=by_stage[StageName.SUBMIT],
        hearing=distribution(seconds(measured, "hearing_ns")),
        notification=by_stage[StageName.NOTIFICATION],
        observer_lag=by_stage[StageName.OBSERVER_LAG],
        causes=_causes(measured),
        bodies=bodies(measured),
        streams=streams(frames, seen.capacity, seen.concurrency),
        retries=retries(frames),
        backlog=_backlog(frames),
        notices=notices,
        clocks=frames.clocks,
        generator=_generator(frames, gauges, by_stage[StageName.SCHEDULE_LAG]),
        scaling=scaled,
        stages=tuple(stage for stage in of_stages if stage.name not in manifest.inapplicable),
        intervals=intervals(frames, seen.capacity, seen.concurrency),
        elasticity=followed,
        cost=paid,
        price=price(frames, paid),
        host_spread=spread,
        observations=observations,
        slowest=slowest(frames, seen.capacity, scaled.steps),
        by_phase=by_phase(frames, seen),
        by_class=by_class(frames, seen),
        by_variant=by_variant(frames),
        n_classes=measured["payload"].n_unique(),
        sizing=sizing(frames, seen, phases),
        kind=manifest.kind,
        prediction=manifest.prediction,
    )


def _measured_capacity(frames: Frames, seen: System) -> Capacity | Unknown:
    """Instances as they are judged and paid for: from the first measured phase on, so not where there is none."""
    return seen.capacity if frames.measured.height else Unknown(NOTHING_MEASURED)


def _elasticity(frames: Frames, capacity: Capacity, seen: System, steps: Sequence[ScalingStep]) -> Elasticity | Unknown:
    return then(seen.course, lambda course: elasticity(frames, capacity, course, seen, steps))


def _as_law(requests: pl.DataFrame) -> pl.DataFrame:
    columns = {"seq": "seq", "send_ns": "send", "ack_ns": "ack", "accepted": "accepted", "outcome": "outcome"}
    return requests[list(columns)].rename(columns)


def _of_streams(frames: Frames) -> list[str]:
    if not is_streamed(frames.manifest):
        return []
    instants = (pl.col(f"{stem}_ns").alias(stem) for stem in ("send", "done", "first_part"))
    return stream_violations(frames.requests.select("accepted", "parts", "gap_mean_ns", "gap_max_ns", *instants))


def _counts(requests: pl.DataFrame) -> Counts:
    return Counts.of(_as_law(requests))


def _wall_s(manifest: Manifest) -> float | None:
    if manifest.ended is None or manifest.prediction is not None or manifest.imported is not None:
        return None
    return max(0.0, (manifest.ended - manifest.started).total_seconds())


def _target(manifest: Manifest) -> str:
    if manifest.imported is not None:
        return f"imported from {manifest.imported.file}"
    endpoint = (manifest.scenario.get("target") or {}).get("endpoint")
    return f"endpoint {manifest.target.get('endpoint', endpoint)}" if endpoint else _emulated(manifest)


def _emulated(manifest: Manifest) -> str:
    kind = (manifest.scenario.get("target") or {}).get("kind", "async")
    return "emulated endpoint" if kind == "async" else f"emulated {kind} endpoint"


def _causes(requests: pl.DataFrame) -> tuple[Cause, ...]:
    by = ("outcome", "error", "status_code")
    if requests["error"].null_count() == requests.height:
        return ()
    met = only(requests, requests["error"].is_not_null(), *by).group_by(by).agg(pl.len())
    rows = met.with_columns(pl.col("outcome").cast(pl.String)).sort(
        ["len", "outcome", "error", "status_code"], descending=[True, False, False, False]
    )
    return tuple(
        Cause(outcome=outcome, error=error, status_code=status_code, n=n)
        for outcome, error, status_code, n in rows.iter_rows()
    )


def _backlog(frames: Frames) -> BacklogFigures:
    curve = frames.backlog
    not_measured = not_measured_ns(frames.spans)
    peak, peak_at_ns = curve.peak(not_measured)
    least = peak
    if frames.earliest_ends is not None:
        least, _ = backlog(frames.earliest_ends, frames.end_ns).peak(not_measured)
    measured = frames.measured
    was_there = measured["accepted"] & ~measured["may_have_left"]
    ages_s = without_nulls((measured["age_ns"] - measured["doubt_ns"]).filter(was_there)).to_numpy().clip(0) / 1e9
    return BacklogFigures(
        peak=peak,
        peak_at_s=None if peak_at_ns is None else peak_at_ns / 1e9,
        peak_at_least=least,
        oldest_age_s=float(ages_s.max()) if len(ages_s) else None,
        drain=_drain(frames),
    )


def _drain(frames: Frames) -> Bounded | Unknown:
    last_send_ns = frames.requests["send_ns"].max()
    if not isinstance(last_send_ns, int):
        return Unknown("nothing was sent")
    accepted = only(frames.requests, frames.requests["accepted"], "done_ns", "doubt_ns", "may_have_left", "outcome")
    over_ns = max(last_send_ns, frames.end_ns)
    ended_ns = without_nulls(accepted["done_ns"]).to_numpy()
    last_end_ns = max(last_send_ns, int(ended_ns.max())) if len(ended_ns) else last_send_ns
    least_ns = without_nulls(accepted["done_ns"] - accepted["doubt_ns"]).to_numpy()
    least_end_ns = max(last_send_ns, int(least_ns.max())) if len(least_ns) else last_send_ns
    without_end = accepted.filter(pl.col("done_ns").is_null())
    latest_ns = least_end_ns if without_end["may_have_left"].all() else over_ns
    is_over = (without_end["outcome"] == Outcome.LOST.value).all()  # each of them ended, some time or other
    longest_ns = over_ns if len(without_end) else last_end_ns
    return Bounded(low=(latest_ns - last_send_ns) / 1e9, high=(longest_ns - last_send_ns) / 1e9 if is_over else None)


def _notices(frames: Frames, gauges: _Gauges) -> Notices:
    measured, every_s = frames.measured, look_every_s(frames.manifest)
    events = frames.events
    kept_aside = events["name"].filter(events["kind"] == "malformed_message")
    return Notices(
        n=int(measured["notices"].sum()),
        n_duplicates=int((measured["notices"] - 1).clip(0).sum()),
        # The gauges count all, the events are each worker's first thousand: the larger is nearer.
        n_foreign=max(gauges.total("foreign_messages"), int((kept_aside == "foreign").sum())),
        n_malformed=max(gauges.total("malformed_messages"), int((kept_aside == "malformed").sum())),
        n_from_outputs=int((measured["end_from"] == "output").sum()),
        looked_every_s=every_s,
        is_stamp_wrong=every_s is not None and contradict(frames.requests, every_s),
    )


def _generator(frames: Frames, gauges: _Gauges, schedule_lag: Distribution) -> Generator:
    measured = frames.measured
    is_virtual = frames.manifest.clock.kind == "warp"  # as fast as it can: lag and CPU say nothing
    return Generator(
        schedule_lag=schedule_lag,
        n_dropped=int((measured["why_not_sent"] == NotSent.IN_FLIGHT_LIMIT.value).sum()),
        loop_lag_max_s=None if is_virtual else gauges.highest("loop_lag_max_s"),
        cpu_share_max=None if is_virtual else gauges.highest("cpu_share"),
        cpu_share_median=None if is_virtual else gauges.highest_median("cpu_share"),
        rss_max_bytes=gauges.total("rss_bytes") or None,
        receivers_peak=int(gauges.highest("receivers") or 0) or None,
        receivers_max=int(gauges.highest("receivers_max") or 0) or None,
        receivers_saturated_s=gauges.highest("receivers_saturated_s"),
        n_received=gauges.total("received_messages"),
        n_receive_errors=gauges.total("receive_errors"),
        n_undeleted=gauges.total("undeleted_messages"),
        n_waits_for_deletion=gauges.total("waits_for_deletion"),
    )
