"""A folder with a model as model.tar.gz: the same bytes for the same files, and a key in S3 that follows from them."""

import gzip
import hashlib
import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from smbench.errors import UsageError
from smbench.stack.template import MODELS

ENTRY = "code/inference.py"
_UNPACKED_MAX_BYTES = 2_000_000_000  # held in memory while it is packed; put a larger model into S3 yourself


@dataclass(frozen=True, slots=True)
class Packed:
    """An artifact and where it goes: `models/<sha256>/model.tar.gz`."""

    body: bytes
    key: str


def pack(folder: Path) -> Packed:
    """Everything regular below a folder, links not followed, hidden files and caches left out.

    Raises:
        UsageError: no `code/inference.py` in it, too large, or a file cannot be read.
    """
    if not (folder / ENTRY).is_file():
        raise UsageError(f"{folder} has no {ENTRY}", "the container looks for the handler there")
    files = [path for path in sorted(folder.rglob("*")) if _is_packed(path, folder)]
    if sum(path.stat().st_size for path in files) > _UNPACKED_MAX_BYTES:
        raise UsageError(f"{folder} is larger than 2 GB", "put a model.tar.gz into S3 and give it with --artifact")
    plain = io.BytesIO()
    try:
        with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for path in files:
                entry = tarfile.TarInfo(path.relative_to(folder).as_posix())
                content = path.read_bytes()
                entry.size, entry.mode = len(content), 0o644
                archive.addfile(entry, io.BytesIO(content))
    except OSError as error:
        raise UsageError(f"cannot read {error.filename}: {error.strerror}") from error
    body = gzip.compress(plain.getvalue(), mtime=0)
    return Packed(body, f"{MODELS}/{hashlib.sha256(body).hexdigest()}/model.tar.gz")


def _is_packed(path: Path, folder: Path) -> bool:
    parts = path.relative_to(folder).parts
    is_hidden = any(part.startswith(".") or part == "__pycache__" for part in parts)
    return path.is_file() and not path.is_symlink() and not is_hidden
