"""Processing jobs rehearsed on an emulated region: our own container entry, with the Python that serves the region.

A job's order comes over the network and would start a program, so whatever differs from what `run --on processing`
asks for is refused: another image, another command, more environment, another smbench, calls that leave this machine.
"""

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from smbench.emulator.sagemaker.processing import Images, Objects
from smbench.lifecycle.order import ORDER
from smbench.lifecycle.processing.job import CODE, inputs_of, own_entry, own_images, what_runs
from smbench.version import __version__

_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_MEMBERS = frozenset(
    (
        *("ProcessingJobName", "RoleArn", "AppSpecification", "ProcessingResources", "ProcessingInputs"),
        *("Environment", "StoppingCondition"),
    )
)
_ENVIRONMENT = frozenset(("AWS_DEFAULT_REGION", "AWS_REGION"))


def rehearsed_images(folder: Path) -> Images:
    """SageMaker's own Python images, each with this process's Python in its place.

    Args:
        folder: Empty; a program is put into it.
    """
    python = folder / "python3"
    path = os.pathsep.join(filter(None, sys.path))  # so the smbench there is this one, and pip has nothing to install
    lines = "#!/bin/sh", f"export PYTHONPATH={shlex.quote(path)}", f'exec {shlex.quote(sys.executable)} "$@"'
    python.write_text("\n".join(lines) + "\n")
    python.chmod(0o755)
    return Images(dict.fromkeys(own_images(), f"{folder}{os.pathsep}{os.defpath}"), why_not)


def why_not(request: Mapping[str, Any], url: str, objects: Objects) -> str:
    """What of a job is not rehearsed here, after `the emulator does not`; empty: it is ours in every part.

    Args:
        request: Of CreateProcessingJob.
        url: Of the emulator.
        objects: What is in its S3.
    """
    wanted = request["AppSpecification"]
    if wanted["ImageUri"] not in own_images():
        return (
            f"run the image {wanted['ImageUri']}: smbench runs in a job here with the Python that serves the region; "
            "leave out --image"
        )
    given: list[str] = wanted.get("ContainerArguments", [])
    place, version, *others = [*given, "", ""]
    if version not in ("", __version__):
        return f"run a job of smbench {version}, only of its own version, {__version__}"
    asked_url = others[1] if others[:1] == ["--endpoint-url"] else None
    if wanted != what_runs(wanted["ImageUri"], place, asked_url) or not _is_as_we_ask(request, place, objects):
        return f"run anything in a job but smbench {__version__} as its own `run --on processing` asks for it"
    for called in (asked_url, _url_of_order(place, objects)):
        if not _is_served_here(called, url):
            return f"run a job whose calls go elsewhere ({called or 'to AWS'}): give --endpoint-url {url}"
    return ""


def _is_as_we_ask(request: Mapping[str, Any], place: str, objects: Objects) -> bool:
    """Nothing in it could start another program, and what the entry is has the bytes of ours."""
    if not set(request) <= _MEMBERS or not set(request.get("Environment", {})) <= _ENVIRONMENT:
        return False
    inputs = [inputs_of(place, has_files=has_files) for has_files in (False, True)]
    if not place.startswith("s3://") or request.get("ProcessingInputs") not in inputs:
        return False
    code = objects(f"{place}/{CODE}/")
    wheels = {name for name in code if name.endswith(".whl")}  # not opened: this smbench is installed
    return {name: body for name, body in code.items() if name not in wheels} == own_entry() and len(wheels) == 1


def _url_of_order(place: str, objects: Objects) -> str | None:
    """Where the job's load goes; None: to AWS, or there is no order."""
    try:
        (content,) = objects(f"{place}/{ORDER}").values()
        url = orjson.loads(content)["order"]["manifest"]["endpoint_url"]
    except (ValueError, KeyError, TypeError):
        return None
    return url if isinstance(url, str) else None


def _is_served_here(asked: str | None, url: str) -> bool:
    own = urlsplit(url)
    try:
        parts = urlsplit(asked or "")
        port = parts.port
    except ValueError:  # no address, or no port
        return False
    return parts.scheme == "http" and parts.hostname in _LOOPBACK and port == own.port
