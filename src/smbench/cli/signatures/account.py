"""The commands about an AWS account: names, options and help."""

import typer

from smbench.cli.options import (
    AllowFilesOption,
    EndpointOption,
    Output,
    OutputOption,
    ProfileOption,
    RegionOption,
    ScenarioFile,
    UrlOption,
)


def doctor(
    scenario: ScenarioFile = None,
    endpoint: EndpointOption = None,
    region: RegionOption = None,
    profile: ProfileOption = None,
    endpoint_url: UrlOption = None,
    output: OutputOption = Output.TABLE,
    allow_files: AllowFilesOption = None,
) -> None:
    """Find out whether a run can begin; each finding says what to do. No request is sent."""
    from smbench.cli.account import doctor_command

    asked = {
        "endpoint": endpoint,
        "region": region,
        "profile": profile,
        "endpoint_url": endpoint_url,
        "allow_files": tuple(allow_files or ()),
    }
    raise typer.Exit(doctor_command(scenario, asked, output.value))
