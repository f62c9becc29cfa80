"""A run as a SageMaker processing job: started, and with patience followed to its report."""

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from smbench.api.result import Run
from smbench.api.run import Planned, planned, reported
from smbench.api.scenarios import Folders, ScenarioLike
from smbench.aws.access.clients import AwsSettings
from smbench.aws.access.own_loop import own_loop
from smbench.aws.jobs.processing import SERVICES
from smbench.errors import NotBegunError
from smbench.lifecycle.processing.carry_out import JobRun
from smbench.lifecycle.processing.job import JobWanted, price_of
from smbench.processes.interrupts import Interrupts


@dataclass(frozen=True, slots=True)
class JobStarted:
    """A job that goes on by itself.

    Args:
        place: Of its order, for `collect`.
        price: What an hour of it costs, in words.
    """

    name: str
    place: str
    price: str


def run_job(
    scenario: ScenarioLike | None = None,
    *,
    role: str,
    endpoint: str | None = None,
    stack: str | None = None,
    image: str | None = None,
    instance_type: str = "ml.m5.xlarge",
    to: str | None = None,
    workers: int = 1,
    seed: int | None = None,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    transport: Literal["wire", "sdk"] | None = None,
    results: str | os.PathLike[str] = "results",
    thresholds: Sequence[str] = (),
    strict: bool = False,
    max_cost: float | None = None,
    prices: Mapping[str, float] | None = None,
    base_dir: str | os.PathLike[str] | None = None,
    allow_files: Folders = (),
    command: Sequence[str] = ("smbench.run_job",),
) -> Run:
    """Run a scenario inside AWS, as a SageMaker processing job, wait for its end and judge it. This costs money.

    SIGINT stops the job's sending, and what was sent is followed; a second one leaves the job to itself.

    Args:
        scenario: As `run` takes it, and as all arguments that are not named here.
        role: ARN of the role that the job takes.
        image: With Python 3.11 or later; None: SageMaker's own, where its registry is known.
        instance_type: Of each of its machines.
        to: `s3://bucket/prefix` for the order and what comes of it; None: in SageMaker's default bucket.
        workers: Machines that share the load, one shard each; they begin together.
        max_cost: USD that the run may cost at most, with its machines for as long as a job that hangs may last; what
            is not known is refused, too.

    Raises:
        UsageError, TargetError, ResultsError: nothing was sent.
        NotBegunError: interrupted before anything was sent; or the job still runs, and `collect` brings it.
    """
    wanted = JobWanted(role, image, instance_type, to, workers)
    plan = planned(
        scenario,
        prices=prices,
        endpoint=endpoint,
        stack=stack,
        seed=seed,
        workers=workers,
        region=region,
        profile=profile,
        endpoint_url=endpoint_url,
        transport=transport,
        results=results,
        thresholds=thresholds,
        stop_when_certain=False,
        strict=strict,
        max_cost=max_cost,
        job_machines=(instance_type, workers),
        on="processing",
        progress="plain",
        base_dir=base_dir,
        allow_files=allow_files,
        command=command,
    )
    done = run_as_job(plan, wanted, command, waits=True)
    if isinstance(done, JobStarted):
        raise NotBegunError(f"the job {done.name} still runs", f"when it has ended: `smbench collect {done.place}`")
    return done


def run_as_job(plan: Planned, wanted: JobWanted, command: Sequence[str], *, waits: bool) -> JobStarted | Run:
    """Start the job; with `waits` say on stderr what becomes of it, and judge the run.

    SIGINT stops the job's sending, and what was sent is followed; a second one leaves the job to itself.

    Raises:
        UsageError, TargetError, ResultsError: nothing was sent.
        NotBegunError: interrupted before anything was sent.
    """

    def say(text: str) -> None:
        print(f"smbench: {text}", file=sys.stderr, flush=True)  # noqa: T201  # what a command says

    access = plan.settings.access
    settings = AwsSettings(access.region, access.profile, access.endpoint_url, services=SERVICES)
    interrupts = Interrupts()
    with own_loop(settings) as loop, interrupts.from_signals():
        job = JobRun(loop, plan.plan, plan.origin, access, wanted, plan.settings.prices)
        job.start(command)
        started = JobStarted(job.name, str(job.place), price_of(wanted, prices=plan.settings.prices))
        if not waits:
            return started
        say(f"the job {job.name} is started: {started.price}")
        seen = job.follow(interrupts, say)
        if seen is None:
            return started
        done = job.collected(plan.settings.results, seen, interrupts, say)
    return reported(done, is_strict=plan.is_strict)
