"""`smbench emulate` in a process of its own, as a user starts it, and the environment that points an SDK to it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_STOP_S = 20


@contextmanager
def emulate(folder: Path, scenario: str | None = None) -> Iterator[str]:
    """The URL of an emulator that runs until the end of the block.

    Args:
        folder: Where the scenario file is put.
        scenario: YAML; None serves an empty account.
    """
    arguments = [sys.executable, "-m", "smbench", "emulate"]
    if scenario is not None:
        file = folder / "scenario.yaml"
        file.write_text(scenario, encoding="utf-8")
        arguments.append(str(file))
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None, "it is a pipe"
        try:
            url = process.stdout.readline().strip()
            assert url.startswith("http://127.0.0.1:"), f"no URL but {url!r}"
            yield url
        finally:
            process.terminate()
            try:
                process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def environment_with(folder: Path, *packages: str) -> Path:
    """The Python of a new virtual environment with the newest of these packages; skips without a registry."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True, capture_output=True)
    python = folder / "bin" / "python"
    pip: list[str | Path] = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    install = ("install", "--quiet", "--no-compile", *packages)  # most of it is never imported
    installed = subprocess.run([*pip, *install], capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"no package registry: {installed.stderr.strip()[-200:]}")
    return python


def sdk_environment(url: str) -> dict[str, str]:
    """Nothing of the machine's AWS settings; the emulator's URL, and credentials that anybody could guess."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(("AWS_", "BOTO"))}
    for proxy in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        kept.pop(proxy, None)
        kept.pop(proxy.lower(), None)
    return kept | {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
