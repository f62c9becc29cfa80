"""A run as a processing job: its order, its files and smbench itself put into S3, the job started, followed, collected.

Each of the job's hosts sends one shard of the order, as `smbench worker` does anywhere.
"""

import contextlib
import datetime
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from smbench.aws.access.own_loop import OwnLoop
from smbench.aws.jobs.processing import JobLog, JobSeen, ProcessingJobs
from smbench.aws.setup.s3_place import place_on
from smbench.errors import NotBegunError, ResultsError, TargetError, UsageError
from smbench.generator.plan import RunPlan
from smbench.lifecycle.carry_out import CarriedOut
from smbench.lifecycle.collect import collect
from smbench.lifecycle.order import ORDER, at_the_place, write_order
from smbench.lifecycle.origin import Origin
from smbench.lifecycle.processing.job import CODE, FILES, JobWanted, job_name, own_entry, price_of, request_of
from smbench.printable import printable
from smbench.processes.interrupts import Interrupts
from smbench.results.shards import ShardFiles
from smbench.scenario.values.files import named_files, read_regular
from smbench.stack.wheel import own_wheel
from smbench.targets.base import AwsAccess

_LOOK_S, _LOOK_LOOPBACK_S = 5.0, 0.2
_UNSEEN_MAX = 12  # looks one after another that failed; then a person must look
_FILE_MAX_BYTES = 1 << 30

Say = Callable[[str], None]


class JobRun:
    """One run on its way through a job.

    Attributes:
        name: Of the job.
        place: Of the order.
    """

    def __init__(
        self,
        loop: OwnLoop,
        plan: RunPlan,
        origin: Origin,
        access: AwsAccess,
        wanted: JobWanted,
        prices: Mapping[str, float],
    ) -> None:
        self._loop, self._plan, self._origin, self._wanted, self._prices = loop, plan, origin, wanted, prices
        self._jobs = ProcessingJobs(loop)
        region = loop.clients.region
        self._access = AwsAccess(region, None, access.endpoint_url)  # a container has no profile
        self.name = job_name(plan, datetime.datetime.now(datetime.UTC))
        bucket = "" if wanted.place else f"sagemaker-{region}-{self._jobs.account()}"
        self.place = place_on(loop, wanted.place or f"s3://{bucket}/{self.name}")
        self._or_else = (
            f"SageMaker's default bucket takes the files; `aws s3 mb s3://{bucket}` makes it where it is missing, or "
            "name another with --to s3://BUCKET/PREFIX"
            if bucket
            else "name another place with --to"
        )

    def start(self, command: Sequence[str]) -> None:
        """Put everything into S3, and start the job.

        Raises:
            UsageError: it cannot be packed, shared or asked for; nothing was put anywhere.
            TargetError: S3 or SageMaker refuses; what was put is removed.
        """
        wheel = own_wheel()
        contents = {f"{FILES}/{name}": path for name, path in self._named().items()}
        url, region = self._access.endpoint_url, self._loop.clients.region
        request = request_of(
            self._wanted, self.name, str(self.place), self._plan, region, url, has_files=bool(contents)
        )
        put = [ORDER]
        n_hosts = self._wanted.n_hosts
        together = n_hosts > 1
        try:
            write_order(
                self.place,
                self._plan,
                self._origin,
                self._access,
                n_hosts,
                None,
                command,
                begins_together=together,
                prices=self._prices,
                option="--workers",
            )
        except TargetError as error:
            raise TargetError(error.message, self._or_else) from error
        try:
            with at_the_place(self._or_else):
                for name, body in own_entry().items():
                    put.append(f"{CODE}/{name}")
                    self.place.write(put[-1], body)
                put.append(f"{CODE}/{wheel.name}")
                self.place.write(put[-1], wheel.body)
                for name, path in contents.items():
                    put.append(name)
                    self.place.write(name, read_regular(path, _FILE_MAX_BYTES))
            self._jobs.start(request)
        except BaseException:  # it goes on up; no order without a job stays
            with contextlib.suppress(ResultsError):
                for name in put:
                    self.place.remove(name)
            raise

    def _named(self) -> dict[str, Path]:
        """The scenario's files by their names below its folder."""
        folder = self._origin.base_dir.resolve()
        found = {}
        for path in named_files(self._plan.scenario, folder):
            try:
                found[path.resolve().relative_to(folder).as_posix()] = path
            except ValueError:
                raise UsageError(
                    f"{path} lies outside of the scenario's folder, which is all that a job gets", "copy it there"
                ) from None
        return found

    def follow(self, interrupts: Interrupts, say: Say) -> JobSeen | None:
        """Say what becomes of the job until it has ended; None where a person leaves it to itself.

        Raises:
            TargetError: it cannot be seen any more; it goes on.
        """
        log: JobLog | None = self._jobs.log_of(self.name)
        status, n_unseen, n_asked = "", 0, 0
        while True:
            try:
                seen = self._jobs.look(self.name)
                n_unseen = 0
            except TargetError as error:
                n_unseen += 1
                if n_unseen >= _UNSEEN_MAX:
                    advice = f"the job goes on; when it has ended: smbench collect {self.place}"
                    raise TargetError(error.message, advice) from error
            else:
                log = _passed_on(log, say)
                if seen.status != status:
                    status = seen.status
                    say(f"{self.name}: {status}")
                if seen.is_over:
                    return seen
            if len(interrupts.names) > n_asked:
                n_asked = len(interrupts.names)
                if n_asked > 1:
                    return None
                say(f"{interrupts.names[0]}: the job sends no more, and follows what was sent")
                self._jobs.stop(self.name)
            interrupts.pause(_LOOK_LOOPBACK_S if self._loop.clients.is_loopback else _LOOK_S, n_asked)

    def collected(self, results: Path, seen: JobSeen, interrupts: Interrupts, say: Say) -> CarriedOut:
        """What the job did, as a run's folder.

        Raises:
            NotBegunError: it was interrupted before anything was sent.
            TargetError: it sent nothing, and says why.
        """
        if seen.took_s:
            say(price_of(self._wanted, seen.took_s, self._prices))
        again = f"`smbench collect {self.place}` brings the results"
        shards = (ShardFiles(self.place, number).read() for number in range(self._wanted.n_hosts))
        with at_the_place(again):
            has_sent = any(state is not None and state.may_have_sent for state in shards)
        if not has_sent:
            if interrupts.names:
                raise NotBegunError(f"interrupted before any worker of the job {self.name} began; nothing was sent")
            why = printable(seen.why) or "SageMaker gives no reason"
            raise TargetError(f"the job {self.name} has {seen.status.lower()}, and sent nothing: {why}")
        with at_the_place(again):
            done = collect(self.place, results, self._origin.base_dir, have_all_ended=True)
        return CarriedOut(done.path, done.end, done.problems, bool(interrupts.names))


def _passed_on(log: JobLog | None, say: Say) -> JobLog | None:
    if log is None:
        return None
    try:
        for line in log.fresh():
            say(printable(line))
    except TargetError as error:
        say(f"its log is not shown: {error.message}")
        return None
    return log
