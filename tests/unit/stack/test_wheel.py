"""Goal: the wheel that goes into a job is what an installer takes, with everything that the package has."""

import base64
import hashlib
import io
import zipfile

import pytest

from smbench.stack.wheel import own_wheel
from smbench.version import __version__


@pytest.mark.slow
def test_the_wheel_has_the_package_and_its_record_is_true_of_every_file() -> None:
    wheel = own_wheel()
    archive = zipfile.ZipFile(io.BytesIO(wheel.body))
    names = set(archive.namelist())
    info = f"smbench-{__version__}.dist-info"
    assert wheel.name == f"smbench-{__version__}-py3-none-any.whl"
    has = {"__init__.py", "__main__.py", "pricing/prices.json", "scenarios/quick-start.yaml"}
    assert {f"smbench/{name}" for name in has} <= names
    assert not [name for name in names if "__pycache__" in name]
    assert f"Version: {__version__}" in archive.read(f"{info}/METADATA").decode()
    assert "Requires-Dist: polars" in archive.read(f"{info}/METADATA").decode()
    assert "smbench.__main__:main" in archive.read(f"{info}/entry_points.txt").decode()
    rows = [line.split(",") for line in archive.read(f"{info}/RECORD").decode().splitlines()]
    assert {row[0] for row in rows} == names
    for name, digest, n_bytes in rows:
        body = archive.read(name)
        true = base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
        assert (digest, n_bytes) in ((f"sha256={true}", str(len(body))), ("", "")), name


@pytest.mark.slow
def test_the_same_files_are_the_same_wheel() -> None:
    assert own_wheel() == own_wheel()
