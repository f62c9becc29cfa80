"""Processing jobs of SageMaker: started, looked at, stopped, and their log read as it grows."""

import datetime
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from smbench.aws.access.causes import code_of
from smbench.aws.access.own_loop import OwnLoop
from smbench.aws.access.refusals import told_by
from smbench.aws.jobs.making import made_once

SERVICES = ("s3", "sagemaker", "sts", "logs")
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_ENDED = ("Completed", "Failed", "Stopped")
_NOT_FOUND = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class JobSeen:
    """A job as it is now.

    Args:
        why: The container's last word, or SageMaker's reason; empty where there is none.
    """

    status: str
    why: str
    started: datetime.datetime | None
    ended: datetime.datetime | None

    @property
    def is_over(self) -> bool:
        """No container of it runs any more."""
        return self.status in _ENDED

    @property
    def took_s(self) -> float:
        """What is paid for; 0 where no instance was started."""
        if self.started is None or self.ended is None:
            return 0.0
        return (self.ended - self.started).total_seconds()


class ProcessingJobs:
    """The jobs of an account."""

    def __init__(self, loop: OwnLoop) -> None:
        self._loop = loop
        self._sagemaker: Any = loop.clients.sagemaker
        self._logs: Any = loop.clients.logs

    def account(self) -> str:
        """Whose they are."""
        return str(self._loop.answer("ask who we are (sts:GetCallerIdentity)", self._loop.clients.identity)["Account"])

    def start(self, request: dict[str, Any]) -> None:
        """Raises TargetError: SageMaker refuses the job, its role or its image."""

        async def create() -> None:
            with made_once():
                await self._sagemaker.create_processing_job(**request)

        doing = f"start the job {request['ProcessingJobName']} (sagemaker:CreateProcessingJob, iam:PassRole)"
        self._loop.answer(doing, create)

    def look(self, name: str) -> JobSeen:
        """Raises TargetError: it cannot be seen."""

        async def describe() -> dict[str, Any]:
            seen: dict[str, Any] = await self._sagemaker.describe_processing_job(ProcessingJobName=name)
            return seen

        seen = self._loop.answer(f"look at the job {name} (sagemaker:DescribeProcessingJob)", describe)
        why = seen.get("ExitMessage") or seen.get("FailureReason") or ""
        times = seen.get("ProcessingStartTime"), seen.get("ProcessingEndTime")
        return JobSeen(seen["ProcessingJobStatus"], why, *times)

    def stop(self, name: str) -> None:
        """Nothing where it has ended. Raises TargetError: it cannot be stopped."""

        async def stop() -> None:
            try:
                await self._sagemaker.stop_processing_job(ProcessingJobName=name)
            except ClientError as error:
                if code_of(error) != "ValidationException" or "status" not in told_by(error).lower():
                    raise

        self._loop.answer(f"stop the job {name} (sagemaker:StopProcessingJob)", stop)

    def log_of(self, name: str) -> "JobLog":
        """From its beginning."""
        return JobLog(self._loop, name)


class JobLog:
    """What the containers of a job have written."""

    def __init__(self, loop: OwnLoop, name: str) -> None:
        self._loop, self._name = loop, name
        self._logs: Any = loop.clients.logs
        self._after: dict[str, str] = {}  # stream to the token of what comes next

    def fresh(self) -> list[str]:
        """Lines that were not returned before, each with its host's name; empty where there is no log yet.

        Raises:
            TargetError: it cannot be read.
        """
        return self._loop.answer(f"read the log of {self._name} (logs:GetLogEvents)", self._fresh)

    async def _fresh(self) -> list[str]:
        try:
            shown = await self._logs.describe_log_streams(logGroupName=LOG_GROUP, logStreamNamePrefix=f"{self._name}/")
        except ClientError as error:
            if code_of(error) == _NOT_FOUND:  # no job of the account has written anything yet
                return []
            raise
        lines = []
        for stream in sorted(one["logStreamName"] for one in shown.get("logStreams", ())):
            host = stream.partition("/")[2].rpartition("-")[0]
            lines += [f"{host}: {line}" for line in await self._read(stream)]
        return lines

    async def _read(self, stream: str) -> list[str]:
        lines: list[str] = []
        while True:
            token = {"nextToken": self._after[stream]} if stream in self._after else {}
            page = await self._logs.get_log_events(
                logGroupName=LOG_GROUP, logStreamName=stream, startFromHead=True, **token
            )
            lines += [event["message"].rstrip() for event in page["events"]]
            is_last = page["nextForwardToken"] == token.get("nextToken")
            self._after[stream] = page["nextForwardToken"]
            if is_last or not page["events"]:
                return lines
