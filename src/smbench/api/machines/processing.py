"""A run as a SageMaker processing job: started, and with patience followed to its report."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace

from smbench.api.result import Run
from smbench.api.run import Planned, reported
from smbench.aws.access.clients import AwsSettings
from smbench.aws.access.own_loop import own_loop
from smbench.aws.jobs.processing import SERVICES
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


def run_as_job(planned: Planned, wanted: JobWanted, command: Sequence[str], *, waits: bool) -> JobStarted | Run:
    """Start the job; with `waits` say on stderr what becomes of it, and judge the run.

    SIGINT stops the job's sending, and what was sent is followed; a second one leaves the job to itself.

    Raises:
        UsageError, TargetError, ResultsError: nothing was sent.
        NotBegunError: interrupted before anything was sent.
    """

    def say(text: str) -> None:
        print(f"smbench: {text}", file=sys.stderr, flush=True)  # noqa: T201  # what a command says

    access = planned.settings.access
    settings = AwsSettings(access.region, access.profile, access.endpoint_url, services=SERVICES)
    interrupts = Interrupts()
    with own_loop(settings) as loop, interrupts.from_signals():
        job = JobRun(loop, planned.plan, planned.origin, access, wanted)
        job.start(command)
        started = JobStarted(job.name, str(job.place), price_of(wanted))
        if not waits:
            return started
        say(f"the job {job.name} is started: {started.price}")
        seen = job.follow(interrupts, say)
        if seen is None:
            return started
        done = job.collected(planned.settings.results, seen, interrupts, say)
    return replace(reported(done), is_strict=planned.is_strict)
