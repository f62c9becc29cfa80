"""Processing jobs of the emulator: containers are processes of this machine, with the folders that SageMaker lays out.

A process reads and writes what its user may, so they are served only where the caller names the images that there are.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from smbench.emulator.logs import LogStream
from smbench.emulator.protocol.codecs import Params, ServiceError
from smbench.emulator.protocol.front import Operation
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.s3.locations import bucket_and_key
from smbench.emulator.s3.service import S3
from smbench.emulator.sagemaker.control_plane import invalid
from smbench.emulator.site import Site

_LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
_ML = "/opt/ml"
_MESSAGE_MAX = 1024
_MACHINES_OWN = ("AWS_", "BOTO")


@dataclass
class _Container:
    """One host's process. What it writes to stdout and stderr is its log."""

    host: str
    root: Path  # in place of /opt/ml
    process: subprocess.Popen[bytes]
    begun_utc_ns: int

    @property
    def log(self) -> list[str]:
        return (self.root / "log").read_text(errors="replace").splitlines()

    @property
    def message(self) -> str:
        file = self.root / "output" / "message"
        return file.read_text(errors="replace")[:_MESSAGE_MAX] if file.exists() else ""


@dataclass
class _Job:
    described: dict[str, Any]
    folder: Path
    containers: list[_Container] = field(default_factory=list)
    is_stopping: bool = False
    ended: datetime | None = None
    failure: str = ""  # why no container was started


class ProcessingJobs:
    """Operations on jobs. How far a job is, is looked up when somebody asks.

    Args:
        images: Folders of programs, as PATH has them, by the image's URI; no other image can be pulled.
    """

    def __init__(self, site: Site, s3: S3, images: Mapping[str, str]) -> None:
        self._site, self._s3, self._images = site, s3, images
        self._jobs: dict[str, _Job] = {}
        self.operations: dict[str, Operation] = {
            "CreateProcessingJob": self.create,
            "DescribeProcessingJob": self.describe,
            "StopProcessingJob": self.stop,
        }

    def create(self, params: Params, _request: HttpRequest) -> dict[str, Any]:
        """Start a job. Raises ServiceError: the name is taken, or the role is of another account."""
        name = params["ProcessingJobName"]
        arn = self._site.arn("sagemaker", f"processing-job/{name}")
        if name in self._jobs:
            raise ServiceError("ResourceInUse", "Job name must be unique within an AWS account and region")
        if f":{self._site.account}:role/" not in params["RoleArn"]:
            raise invalid(f"Could not assume role {params['RoleArn']}. Please ensure that the role exists")
        now = self._site.now()
        described = {**params, "ProcessingJobArn": arn, "CreationTime": now, "LastModifiedTime": now}
        described.pop("Tags", None)
        job = self._jobs[name] = _Job(described, Path(tempfile.mkdtemp(prefix="smbench-job-")))
        path = self._images.get(params["AppSpecification"]["ImageUri"])
        if path is None:
            job.failure, job.ended = f"ClientError: Cannot pull image {params['AppSpecification']['ImageUri']}", now
            return {"ProcessingJobArn": arn}
        hosts = [f"algo-{n + 1}" for n in range(params["ProcessingResources"]["ClusterConfig"]["InstanceCount"])]
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
        job = self._job(params)
        codes = [container.process.poll() for container in job.containers]
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

    def stop(self, params: Params, _request: HttpRequest) -> None:
        """Ask every container to end. Raises ServiceError: no such job, or it has ended."""
        job = self._job(params)
        running = [one for one in job.containers if one.process.poll() is None]
        if not running:
            raise invalid("The request was rejected because the processing job is in a status that cannot be stopped.")
        job.is_stopping = True
        for container in running:
            container.process.send_signal(signal.SIGTERM)

    def logs(self, group: str) -> dict[str, LogStream] | None:
        """The streams of the group of jobs, `<job>/<host>-<number>`; None for another group."""
        if group != _LOG_GROUP:
            return None
        return {
            f"{name}/{container.host}-1": LogStream(container.begun_utc_ns, container.log)
            for name, job in self._jobs.items()
            for container in job.containers
        }

    def close(self) -> None:
        """End every process, and remove what they left."""
        for job in self._jobs.values():
            self._kill(job)
            shutil.rmtree(job.folder, ignore_errors=True)

    def _started(self, job: _Job, host: str, hosts: list[str], path: str) -> _Container:
        params, root = job.described, job.folder / host
        config = {"current_host": host, "hosts": hosts}
        (root / "config").mkdir(parents=True)
        (root / "config" / "resourceconfig.json").write_bytes(orjson.dumps(config))
        for one in params.get("ProcessingInputs", ()):
            source = one["S3Input"]
            self._download(source["S3Uri"], root / source["LocalPath"].removeprefix(f"{_ML}/"))
        wanted = params["AppSpecification"]
        command = [*wanted.get("ContainerEntrypoint", ()), *wanted.get("ContainerArguments", ())]
        command = [word.replace(f"{_ML}/", f"{root}/") for word in command]
        own = {name: value for name, value in os.environ.items() if not name.startswith(_MACHINES_OWN)}
        given = {"AWS_ACCESS_KEY_ID": "job", "AWS_SECRET_ACCESS_KEY": "emulated", "AWS_EC2_METADATA_DISABLED": "true"}
        environment = own | given | {"PATH": path} | params.get("Environment", {})
        with (root / "log").open("wb") as log:
            process = subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=subprocess.STDOUT)
        return _Container(host, root, process, self._site.utc_ns())

    def _download(self, uri: str, folder: Path) -> None:
        found = bucket_and_key(uri)
        if found is None or not self._s3.has_bucket(found[0]):
            raise invalid(f"No S3 objects found under S3 URL {uri}")
        name, prefix = found
        folder.mkdir(parents=True, exist_ok=True)
        listing = self._s3.bucket(name).page(prefix=prefix)  # the first thousand are enough here
        for stored in listing.objects:
            target = folder / stored.key.removeprefix(prefix).lstrip("/")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(stored.read())

    def _status(self, job: _Job, codes: list[int | None]) -> str:
        if job.failure:
            return "Failed"
        if None in codes:
            return "Stopping" if job.is_stopping else "InProgress"
        if job.is_stopping:
            return "Stopped"
        return "Failed" if any(codes) else "Completed"

    def _job(self, params: Params) -> _Job:
        name = params["ProcessingJobName"]
        if name not in self._jobs:
            raise invalid(f"Could not find requested job with name: {name}")
        return self._jobs[name]

    def _kill(self, job: _Job) -> None:
        for container in job.containers:
            if container.process.poll() is None:
                container.process.kill()
            container.process.wait()
