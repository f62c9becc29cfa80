"""The installed smbench as a wheel, for a machine that has none: the same bytes for the same files."""

import base64
import hashlib
import io
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path

from smbench.errors import UsageError
from smbench.scenario.starter import shipped_folder
from smbench.version import __version__

_DATE = (2020, 1, 1, 0, 0, 0)
_PACKAGE = "smbench"
_WHEEL = "Wheel-Version: 1.0\nGenerator: smbench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@dataclass(frozen=True, slots=True)
class Wheel:
    """A wheel's file."""

    name: str
    body: bytes


def own_wheel() -> Wheel:
    """What runs now, packed; an installer fetches what it requires.

    Raises:
        UsageError: it runs from files that were never installed, so what it requires is not known.
    """
    info = f"{_PACKAGE}-{__version__}.dist-info"
    try:
        installed = distribution(_PACKAGE)
    except PackageNotFoundError:
        raise UsageError("smbench is not installed here, so it cannot be packed", "pip install it") from None
    contents = _sources(Path(str(files(_PACKAGE))))
    contents[f"{info}/METADATA"] = (installed.read_text("METADATA") or "").encode()
    contents[f"{info}/entry_points.txt"] = (installed.read_text("entry_points.txt") or "").encode()
    contents[f"{info}/WHEEL"] = _WHEEL.encode()
    record = "".join(f"{name},sha256={_digest(body)},{len(body)}\n" for name, body in contents.items())
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in contents.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, body, zipfile.ZIP_DEFLATED)
    return Wheel(f"{_PACKAGE}-{__version__}-py3-none-any.whl", packed.getvalue())


def _sources(package: Path) -> dict[str, bytes]:
    """Files of the package and of the shipped scenarios, by their names in the wheel, sorted."""
    found = {path.relative_to(package): path for path in package.rglob("*") if path.is_file()}
    found |= {Path("scenarios", path.name): path for path in shipped_folder().glob("*") if path.is_file()}
    kept = {name: path for name, path in found.items() if "__pycache__" not in name.parts}
    return {f"{_PACKAGE}/{name.as_posix()}": kept[name].read_bytes() for name in sorted(kept)}


def _digest(body: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).rstrip(b"=").decode()
