"""Where a run's scenario came from: its file, its digest, and the folder of what it names."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a run's scenario came from.

    Args:
        base_dir: Folder of the files that the scenario names.
        file: Name of the scenario's file; empty where the scenario was made in Python.
        digest: SHA-256 of the file's bytes, or of the scenario as JSON.
    """

    base_dir: Path
    file: str = ""
    digest: str = ""

    @property
    def path(self) -> Path | None:
        """Of the scenario's file; None where there is none."""
        return self.base_dir / self.file if self.file else None
