"""Files a scenario names: found beside the scenario file, and looked for before anything starts."""

import glob
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, ValidationInfo

BASE_DIR = "base_dir"  # key of the validation context; without it, as when a manifest is read, nothing is looked for


def expand(base_dir: Path, pattern: str) -> list[Path]:
    """The files a path or glob means, sorted; a file of exactly that name is itself, brackets and all."""
    exact = base_dir / pattern
    if exact.is_file():
        return [exact]
    return [path for name in sorted(glob.glob(pattern, root_dir=base_dir)) if (path := base_dir / name).is_file()]


def _must_exist(name: str, info: ValidationInfo) -> str:
    path: Path | None = info.context and info.context[BASE_DIR] / name
    if path is not None and not path.is_file():
        raise ValueError(f"is a directory: {path}" if path.is_dir() else f"there is no file {path}")
    return name


def _must_match(pattern: str, info: ValidationInfo) -> str:
    if info.context and not expand(info.context[BASE_DIR], pattern):
        raise ValueError(f"no file matches {info.context[BASE_DIR] / pattern}")
    return pattern


ExistingFile = Annotated[str, AfterValidator(_must_exist)]
ExistingFiles = Annotated[str, AfterValidator(_must_match)]
