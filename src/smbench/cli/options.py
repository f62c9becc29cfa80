"""Options and arguments that several commands take, with their help."""

import shlex
from collections.abc import Mapping
from enum import StrEnum
from glob import escape, glob
from pathlib import Path
from typing import Annotated, Any

import typer

from smbench.cli.signatures.help_page import AWS, COST, MEASURED, RESULTS, VERDICT


class Output(StrEnum):
    """How results are printed on stdout."""

    TABLE = "table"
    JSON = "json"


class SweepRule(StrEnum):
    """By which a sweep chooses a configuration."""

    CHEAPEST = "cheapest"
    DISCOUNTED = "discounted"


class Ui(StrEnum):
    """What is shown on stderr while a run goes on."""

    AUTO = "auto"
    FULL = "full"
    PLAIN = "plain"
    NONE = "none"


class SchemaOf(StrEnum):
    """Files with a JSON schema."""

    SCENARIO = "scenario"
    SUMMARY = "summary"


class PlotFormat(StrEnum):
    """Files a plot is written as."""

    PNG = "png"
    SVG = "svg"


class FileUnit(StrEnum):
    """Units of numbers in a file of another tool."""

    AUTO = "auto"
    S = "s"
    MS = "ms"
    US = "us"
    NS = "ns"


class TransportName(StrEnum):
    """How the hot calls leave."""

    WIRE = "wire"
    SDK = "sdk"


def scenarios_beginning(word: str) -> list[str]:
    """How a shell may complete a scenario: shipped ones by name, then files and folders."""
    from smbench.scenario.starter import shipped_names

    near = sorted(Path(path) for path in glob(f"{escape(word)}*"))
    files = [path.as_posix() for path in near if path.suffix in (".yaml", ".yml")]
    folders = [f"{path.as_posix()}/" for path in near if path.is_dir()]
    return [name for name in shipped_names() if name.startswith(word)] + files + folders


ScenarioFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="SCENARIO",
        help="A scenario file, or the name of a shipped scenario; without it, the quick start.",
        autocompletion=scenarios_beginning,
    ),
]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="The results folder of a run.")]
OutputOption = Annotated[
    Output,
    typer.Option("--output", "-o", help="What goes to stdout: a report to read, or JSON.", rich_help_panel=RESULTS),
]
UiOption = Annotated[
    Ui,
    typer.Option(
        help="What stderr shows: one live screen (full), lines (plain), or nothing. auto: live on a terminal, else "
        "plain.",
        rich_help_panel=RESULTS,
    ),
]
ResultsOption = Annotated[
    Path,
    typer.Option(
        "--results", metavar="DIR", help="The folder in which the results folder is made.", rich_help_panel=RESULTS
    ),
]
AssertOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assert",
        metavar="THRESHOLD",
        help="One more threshold, such as 'p95 < 8m' or 'failed < 1%'. Repeatable.",
        rich_help_panel=VERDICT,
    ),
]
BaseDirOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="The folder of the scenario's files. Default: where it was when the run began.",
        rich_help_panel=MEASURED,
    ),
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict",
        help="Exit with 98 also where the verdict or a threshold is unknown.",
        rich_help_panel=VERDICT,
    ),
]
JunitOption = Annotated[
    Path | None,
    typer.Option(
        "--junit", metavar="FILE", help="Also write checks and thresholds as JUnit XML.", rich_help_panel=RESULTS
    ),
]
MarkdownOption = Annotated[
    Path | None,
    typer.Option(
        "--summary-md",
        metavar="FILE",
        help="Also append the summary as Markdown. On GitHub the job's page gets it without this option.",
        rich_help_panel=RESULTS,
    ),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option(
        "--html",
        metavar="FILE",
        help="Also write one page with plots; it loads nothing from the network.",
        rich_help_panel=RESULTS,
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Measure this real endpoint instead of the scenario's target. Uses AWS and costs money.",
        rich_help_panel=MEASURED,
    ),
]
EndpointAskedOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="The real endpoint that a run would measure, instead of the scenario's target.",
        rich_help_panel=MEASURED,
    ),
]
StackOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Take the endpoint that `smbench deploy NAME` brought up.",
        rich_help_panel=MEASURED,
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]
RegionOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="AWS region. Default: AWS_REGION, or the profile's.", rich_help_panel=AWS),
]
ProfileOption = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="AWS profile. Default: AWS_PROFILE.", rich_help_panel=AWS),
]
UrlOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint-url",
        metavar="URL",
        help="Send all AWS calls to this address, such as the one that `smbench emulate` prints.",
        rich_help_panel=AWS,
    ),
]
AllowFilesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow-files",
        metavar="DIR",
        help="A scenario may read files in its own folder only; this allows one more. Repeatable.",
        rich_help_panel=MEASURED,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUES",
        help="Run the scenario with each of these values of a key, such as target.emulated.instances.min=0,1. "
        "Repeatable: every combination is run.",
        rich_help_panel=MEASURED,
    ),
]
SeedsOption = Annotated[
    str | None,
    typer.Option(
        "--seeds",
        metavar="SEEDS",
        help="Run each configuration once with each of these seeds: 1-5 or 1,4,7.",
        rich_help_panel=MEASURED,
    ),
]
PriceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--price",
        metavar="NAME=USD",
        help="Use this price instead of the one that `smbench prices` shows, such as ml.m5.large=0.115. Repeatable.",
        rich_help_panel=COST,
    ),
]


def column(what: str) -> Any:
    """The option that names a column of another tool's file."""
    return typer.Option(metavar="COLUMN", help=what)


def given_again(asked: Mapping[str, Any]) -> str:
    """How AWS is reached, as the next command needs it, too; begins with a blank, empty where nothing was said."""
    named = {"--region": "region", "--profile": "profile", "--endpoint-url": "endpoint_url"}
    values = {option: asked.get(key) for option, key in named.items()}
    return "".join(f" {option} {shlex.quote(value)}" for option, value in values.items() if value is not None)
