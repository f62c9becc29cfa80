"""Files a scenario names: regular ones, in its own folder or in one that the command line allows.

A scenario may come from a stranger (a pull request, a mail), so it decides neither what of this machine is read nor
for how long. Names are checked once, when the scenario is loaded; contents are read through `read_regular` alone.
"""

import errno
import glob
import os
import stat
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import AfterValidator, BaseModel, ValidationInfo

# Keys of the validation context; without it, as when a manifest is read, nothing is looked for.
BASE_DIR, ALLOWED = "base_dir", "allowed"

_ANY_FOLDERS = "**"
_BLOCK_BYTES = 1 << 16


def read_regular(path: Path, limit_bytes: int) -> bytes:
    """The whole of a regular file.

    Raises:
        OSError: it cannot be read, is a device, a pipe or a folder, or has more than `limit_bytes`.
    """
    _refuse_special(os.stat(path).st_mode, path)  # before it is opened: opening some devices has effects
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    with open(os.open(path, flags), "rb") as file:
        found = os.fstat(file.fileno())
        _refuse_special(found.st_mode, path)  # it may have been replaced in between
        content = file.read(min(found.st_size, limit_bytes) + 1)  # what is asked for is reserved, whatever there is
        while len(content) <= limit_bytes and (
            more := file.read(_BLOCK_BYTES)
        ):  # it grows, or has no size, as in /proc
            content += more
    if len(content) > limit_bytes:
        raise OSError(errno.EFBIG, f"has more than {limit_bytes:,} bytes", str(path))
    return content


def _refuse_special(mode: int, path: Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "is a folder", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "is not a regular file", str(path))


def expand(base_dir: Path, pattern: str) -> list[Path]:
    """The files a path or glob means, sorted; a file of exactly that name is itself, brackets and all.

    `**` is any folders, as in a shell; links to folders are not followed there, for they may lead in circles.
    """
    exact = base_dir / pattern
    if os.path.isfile(exact):
        return [exact]
    names = sorted(set(_matching(str(base_dir), pattern)))
    return [path for name in names if os.path.isfile(path := base_dir / name)]


def _matching(folder: str, pattern: str) -> Iterator[str]:
    """What a glob means below a folder, by its path from there."""
    parts = Path(pattern).parts
    if _ANY_FOLDERS not in parts:
        yield from glob.glob(pattern, root_dir=folder)
        return
    at = parts.index(_ANY_FOLDERS)
    rest = os.path.join(*(parts[at + 1 :] or ("*",)))
    for above in glob.glob(os.path.join(*parts[:at]), root_dir=folder) if at else ["."]:
        for inner, folders, _ in os.walk(os.path.join(folder, above)):
            folders[:] = (name for name in folders if not name.startswith("."))
            below = inner if os.path.isabs(above) else os.path.relpath(inner, folder)
            yield from (os.path.normpath(os.path.join(below, name)) for name in _matching(inner, rest))


def is_inside(path: Path, folders: Sequence[Path]) -> bool:
    """Whether a file lies in one of the folders, links followed."""
    try:
        real = Path(os.path.realpath(path))
    except ValueError:  # a NUL in the name: there is no such file anywhere
        return False
    return any(real.is_relative_to(os.path.realpath(folder)) for folder in folders)


def named_files(part: BaseModel, base_dir: Path) -> list[Path]:
    """Every file that a part of a scenario names, in its own parts too: sorted, each once."""
    found: set[Path] = set()
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        is_glob = _checks(field, _must_match)
        items = value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else (value,)
        for item in items:
            if isinstance(item, BaseModel):
                found.update(named_files(item, base_dir))
            elif isinstance(item, str) and (is_glob or _checks(field, _must_exist)):
                found.update(expand(base_dir, item) if is_glob else [base_dir / item])
    return sorted(found)


def _checks(described: Any, check: Callable[..., str]) -> bool:
    """Whether a field's annotation has this check anywhere in it."""
    inner = (*getattr(described, "metadata", ()), getattr(described, "annotation", None), *get_args(described))
    is_it = isinstance(described, AfterValidator) and described.func is check
    return is_it or any(_checks(one, check) for one in inner if one is not None)


def _must_exist(name: str, info: ValidationInfo) -> str:
    if info.context:
        path: Path = info.context[BASE_DIR] / name
        _check_place(path, info)
        try:
            _refuse_special(os.stat(path).st_mode, path)
        except (FileNotFoundError, NotADirectoryError):
            raise ValueError(f"there is no file {path}") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise ValueError(f"cannot be used: {path} {getattr(error, 'strerror', None) or error}") from None
    return name


def _must_match(pattern: str, info: ValidationInfo) -> str:
    if not info.context:
        return pattern
    base_dir: Path = info.context[BASE_DIR]
    _check_place(base_dir / _fixed_part(pattern), info)
    try:
        found = expand(base_dir, pattern)
    except (OSError, ValueError):
        found = []
    if not found:
        if os.path.isdir(base_dir / pattern):
            raise ValueError(f"{base_dir / pattern} is a folder; its files are {os.path.join(pattern, '*')}")
        raise ValueError(f"no file matches {base_dir / pattern}")
    for path in found:
        _check_place(path, info)
    return pattern


def _fixed_part(pattern: str) -> str:
    """The folder above the first wildcard: what lies outside is not even listed."""
    fixed: list[str] = []
    for part in Path(pattern).parts:
        if glob.has_magic(part):
            if ".." in Path(pattern).parts[len(fixed) :]:
                raise ValueError("'..' may not come after a wildcard")
            break
        fixed.append(part)
    return os.path.join(*fixed) if fixed else ""


def _check_place(path: Path, info: ValidationInfo) -> None:
    context = info.context or {}
    if not is_inside(path, (context[BASE_DIR], *context.get(ALLOWED, ()))):
        folder = path if os.path.isdir(path) else path.parent
        raise ValueError(f"lies outside of the scenario's folder: copy it there, or allow it by --allow-files {folder}")


ExistingFile = Annotated[str, AfterValidator(_must_exist)]
ExistingFiles = Annotated[str, AfterValidator(_must_match)]
