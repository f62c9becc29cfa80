"""Processing jobs of the emulator: containers are processes of this machine, with the folders that SageMaker lays out.

A process reads and writes what its user may, so jobs are served only where the caller names the images that there are,
and says which jobs may run in them.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from smbench.emulator.logs import LogStream
from smbench.emulator.protocol.codecs import Params, ServiceError, beyond
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.signatures import CREDENTIALS
from smbench.emulator.s3.locations import bucket_and_key
from smbench.emulator.s3.service import S3
from smbench.emulator.sagemaker.containers import Container
from smbench.emulator.sagemaker.control_plane import invalid, listed
from smbench.emulator.site import Site
from smbench.held_folder import HeldFolder

_LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_ML = "/opt/ml"
_MACHINES_OWN = ("AWS_", "BOTO")
_GRACE_S = 120.0  # after SIGTERM; source: API reference, StopProcessingJob
_LONGEST_S = 86_400  # of a job that says nothing; source: API reference, ProcessingStoppingCondition
_HOSTS_MAX = 8  # that run at once
_LISTED = (
    *("ProcessingJobName", "ProcessingJobArn", "CreationTime", "ProcessingEndTime", "LastModifiedTime"),
    *("ProcessingJobStatus", "FailureReason", "ExitMessage"),
)

Objects = Callable[[str], Mapping[str, bytes]]
"""The objects below an S3 location, by their names below it. Raises ServiceError: there is no such bucket."""


def _any(_request: Params, _url: str, _objects: Objects) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Images:
    """What runs in jobs.

    Args:
        paths: Folders of programs, as PATH has them, by the image's URI; no other image can be pulled.
        why_not: What the emulator does not do, so that a job is refused, from its request, the emulator's URL and
            what is in S3; empty: it may run. By default each may.
    """

    paths: Mapping[str, str]
    why_not: Callable[[Params, str, Objects], str] = _any


@dataclass
class _Job:
    described: dict[str, Any]
    folder: HeldFolder
    containers: list[Container] = field(default_factory=list)
    is_stopping: bool = False
    ended: datetime | None = None
    failure: str = ""  # why no container was started


class ProcessingJobs:
    """Operations on jobs. How far a job is, is looked up when somebody asks."""

    def __init__(self, site: Site, s3: S3, images: Images) -> None:
        self._site, self._s3, self._images = site, s3, images
        self._jobs: dict[str, _Job] = {}
        self.operations: dict[str, Operation] = {
            "CreateProcessingJob": self.create,
            "DescribeProcessingJob": self.describe,
            "StopProcessingJob": self.stop,
            "ListProcessingJobs": self.list_jobs,
        }

    def create(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Start a job.

        Raises:
            ServiceError: the name is taken, the role is of another account, too many hosts run, or it may not run.
        """
        name = params["ProcessingJobName"]
        arn = self._site.arn("sagemaker", f"processing-job/{name}")
        if name in self._jobs:
            raise ServiceError("ResourceInUse", "Job name must be unique within an AWS account and region")
        if f":{self._site.account}:role/" not in params["RoleArn"]:
            raise invalid(f"Could not assume role {params['RoleArn']}. Please ensure that the role exists")
        if reason := self._images.why_not(params, self._site.url, self._objects):
            raise beyond(reason)
        n_hosts = params["ProcessingResources"]["ClusterConfig"]["InstanceCount"]
        self._check_quota(n_hosts, params["ProcessingResources"]["ClusterConfig"]["InstanceType"])
        now = self._site.now()
        described = {**params, "ProcessingJobArn": arn, "CreationTime": now, "LastModifiedTime": now}
        described.pop("Tags", None)
        job = self._jobs[name] = _Job(described, HeldFolder.make("job"))
        path = self._images.paths.get(params["AppSpecification"]["ImageUri"])
        if path is None:
            job.failure, job.ended = f"ClientError: Cannot pull image {params['AppSpecification']['ImageUri']}", now
            return {"ProcessingJobArn": arn}
        hosts = [f"algo-{n + 1}" for n in range(n_hosts)]
        described["ProcessingStartTime"] = now
        try:
            for host in hosts:
                job.containers.append(self._started(job, host, hosts, path))
        except (OSError, ServiceError) as error:
            self._kill(job)
            job.failure, job.ended = f"InternalServerError: {error}", now
        return {"ProcessingJobArn": arn}

    def describe(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Raises ServiceError: no such job."""
        return self._shown(self._job(params))

    def list_jobs(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Filtered, sorted and paged as ListProcessingJobs asks."""
        rows = [{key: shown[key] for key in _LISTED if key in shown} for shown in map(self._shown, self._jobs.values())]
        wanted = params.get("StatusEquals")
        kept = [row for row in rows if wanted in (None, row["ProcessingJobStatus"])]
        return listed(params, kept, "ProcessingJobSummaries", "ProcessingJobName", "ProcessingJobStatus")

    def stop(self, params: Params, _request: HttpRequest) -> None:
        """Ask every container to end. Raises ServiceError: no such job, or it has ended."""
        job = self._job(params)
        running = [one for one in job.containers if one.code is None]
        if not running:
            raise invalid("The request was rejected because the processing job is in a status that cannot be stopped.")
        job.is_stopping = True
        for container in running:
            container.ask_to_end(_GRACE_S)

    def logs(self, group: str) -> dict[str, LogStream] | None:
        """The streams of the group of jobs, `<job>/<host>-<number>`; None for another group."""
        if group != _LOG_GROUP:
            return None
        return {
            f"{name}/{container.host}-1": LogStream(container.begun_utc_ns, container.log)
            for name, job in self._jobs.items()
            for container in job.containers
        }

    def log_groups(self) -> list[str]:
        """The one group that all jobs share."""
        return [_LOG_GROUP]

    def close(self) -> None:
        """End every process, and remove what they left."""
        for job in self._jobs.values():
            self._kill(job)
            job.folder.remove()

    def _check_quota(self, n_more: int, instance_type: str) -> None:
        n_used = sum(one.code is None for job in self._jobs.values() for one in job.containers)
        if n_used + n_more > _HOSTS_MAX:
            raise ServiceError(
                "ResourceLimitExceeded",
                f"The account-level service limit '{instance_type} for processing job usage' is {_HOSTS_MAX} "
                f"Instances, with current utilization of {n_used} Instances and a request delta of {n_more} "
                "Instances. Please use AWS Service Quotas to request an increase for this quota.",
            )

    def _shown(self, job: _Job) -> dict[str, Any]:
        """As DescribeProcessingJob has it."""
        codes = [container.code for container in job.containers]
        if job.ended is None and None not in codes:
            job.ended = self._site.now()
        shown = {**job.described, "ProcessingJobStatus": self._status(job, codes)}
        bad = next((code for code in codes if code), None)
        if job.failure or (shown["ProcessingJobStatus"] == "Failed" and bad is not None):
            shown["FailureReason"] = (
                job.failure or f"AlgorithmError: See job logs for more information, exit code: {bad}"
            )
        if job.ended is not None:
            shown |= {"ProcessingEndTime": job.ended, "LastModifiedTime": job.ended}
            if message := next(filter(None, (container.message for container in job.containers)), ""):
                shown["ExitMessage"] = message
        return shown

    def _started(self, job: _Job, host: str, hosts: list[str], path: str) -> Container:
        params, root = job.described, job.folder.path / host
        config = {"current_host": host, "hosts": hosts}
        (root / "config").mkdir(parents=True)
        (root / "config" / "resourceconfig.json").write_bytes(orjson.dumps(config))
        for one in params.get("ProcessingInputs", ()):
            source = one["S3Input"]
            folder = _within(root, Path(_ML), source["LocalPath"])
            folder.mkdir(parents=True, exist_ok=True)
            for name, body in self._objects(source["S3Uri"]).items():
                target = _within(folder, folder, name)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(body)
        wanted = params["AppSpecification"]
        command = [*wanted.get("ContainerEntrypoint", ()), *wanted.get("ContainerArguments", ())]
        command = [word.replace(f"{_ML}/", f"{root}/") for word in command]
        longest_s = params.get("StoppingCondition", {}).get("MaxRuntimeInSeconds", _LONGEST_S)
        environment = _environment() | {"PATH": path} | params.get("Environment", {})
        return Container(host, root, command, environment, self._site.utc_ns(), longest_s)

    def _objects(self, uri: str) -> dict[str, bytes]:
        found = bucket_and_key(uri)
        if found is None or not self._s3.has_bucket(found[0]):
            raise invalid(f"No S3 objects found under S3 URL {uri}")
        name, prefix = found
        listing = self._s3.bucket(name).page(prefix=prefix)  # the first thousand are enough here
        return {stored.key.removeprefix(prefix).lstrip("/"): stored.read() for stored in listing.objects}

    def _status(self, job: _Job, codes: list[int | None]) -> str:
        if job.failure:
            return "Failed"
        if None in codes:
            return "Stopping" if job.is_stopping else "InProgress"
        if job.is_stopping or any(container.was_overdue for container in job.containers):
            return "Stopped"
        return "Failed" if any(codes) else "Completed"

    def _job(self, params: Params) -> _Job:
        name = params["ProcessingJobName"]
        if name not in self._jobs:
            raise invalid(f"Could not find requested job with name: {name}")
        return self._jobs[name]

    def _kill(self, job: _Job) -> None:
        for container in job.containers:
            container.kill()


def _within(root: Path, above: Path, named: str) -> Path:
    """Where below `root` lies what a job calls by this name below `above`. Raises ServiceError: not below it."""
    path = Path(os.path.normpath(above / named))
    if not path.is_relative_to(above):
        raise invalid(f"{named} does not lie below {above}")
    return root / path.relative_to(above)


def _environment() -> dict[str, str]:
    """What each container has: nothing of how this machine reaches AWS."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(_MACHINES_OWN)}
    return own | {
        "AWS_ACCESS_KEY_ID": CREDENTIALS.access_key,
        "AWS_SECRET_ACCESS_KEY": CREDENTIALS.secret_key,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
