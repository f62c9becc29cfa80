"""The command `compare`: groups of runs against a baseline, and the exit status that the gate asks for."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smbench.api.compare import compare
from smbench.cli.given_out import on_stdout, print_json, write_page
from smbench.errors import ExitCode


@dataclass(frozen=True, slots=True)
class CompareOptions:
    """The command line of `compare`; `groups` as written."""

    groups: tuple[str, ...]
    asked: dict[str, Any]  # what `api.compare.compare` takes by name
    output: str = "table"
    html: Path | None = None  # all of it as a page, pictures and all


def compare_command(options: CompareOptions) -> ExitCode:
    """Print to stdout how the groups compare; returns the exit status that the gate asks for.

    Raises: as `api.compare.compare`.
    """
    result = compare(*options.groups, **options.asked)
    if options.output == "json":
        print_json(result.to_json())
    else:
        on_stdout().print(result.to_text())
    if options.html is not None:
        write_page(options.html, result.to_html())
    return result.exit_status
