"""Options and arguments that several commands take, with their help."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


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


ScenarioFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="SCENARIO", help="Scenario file, or the name of a shipped scenario; the quick start when absent."
    ),
]
RoleOption = Annotated[str | None, typer.Option(metavar="COLUMN", help="Its column; guessed where it is not named.")]
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="Results folder of a run.")]
OutputOption = Annotated[Output, typer.Option("--output", "-o", help="What stdout gets.")]
UiOption = Annotated[
    Ui,
    typer.Option(
        help="What stderr shows: one live screen, plain lines, or nothing. auto: live on a terminal, else plain."
    ),
]
ResultsOption = Annotated[Path, typer.Option("--results", metavar="DIR", help="Where results folders are made.")]
AssertOption = Annotated[
    list[str] | None,
    typer.Option(
        "--assert",
        metavar="THRESHOLD",
        help="A threshold beside the scenario's, such as 'p95 < 8m'; may be given again.",
    ),
]
BaseDirOption = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Folder of the scenario's files; default: where it was when the run began."),
]
StrictOption = Annotated[
    bool, typer.Option("--strict", help="A verdict or a threshold that is not known fails, too: exit status 98.")
]
JunitOption = Annotated[
    Path | None, typer.Option("--junit", metavar="FILE", help="Write checks and thresholds as JUnit XML here.")
]
MarkdownOption = Annotated[
    Path | None,
    typer.Option("--summary-md", metavar="FILE", help="Append Markdown here; on GitHub the job's summary gets it too."),
]
HtmlOption = Annotated[
    Path | None,
    typer.Option("--html", metavar="FILE", help="Write one page with plots here, too; it needs no network to be read."),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="A real endpoint instead of the scenario's target. This uses AWS and costs money."
    ),
]
StackOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="The endpoint that `smbench deploy NAME` brought up, instead.")
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
RegionOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="AWS region; default: as the AWS tools find it.")
]
ProfileOption = Annotated[
    str | None, typer.Option(metavar="NAME", help="AWS profile; default: as the AWS tools find it.")
]
UrlOption = Annotated[
    str | None, typer.Option("--endpoint-url", metavar="URL", help="Another address for all AWS services.")
]
AllowFilesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow-files",
        metavar="DIR",
        help="A folder beside the scenario's own that its files may be in; may be given again.",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUES",
        help="Other values of a scenario key, such as target.emulated.instances.min=0,1; may be given again. "
        "Every combination is run.",
    ),
]
SeedsOption = Annotated[
    str | None,
    typer.Option("--seeds", metavar="SEEDS", help="Run each configuration with each of these seeds: 1-5 or 1,4,7."),
]
PriceOption = Annotated[
    list[str] | None,
    typer.Option("--price", metavar="NAME=USD", help="Another price than the table's, such as ml.m5.large=0.115."),
]
