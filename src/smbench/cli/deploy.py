"""The commands `deploy` and `destroy`: show what will happen, ask, then follow it step by step."""

from pathlib import Path
from typing import Any

import typer
from pydantic import ValidationError

from smbench import units
from smbench.api.deploy import DeployPlan, deploy, destroy
from smbench.api.scenarios import given_scenario
from smbench.aws.stacks.stack import StackEvent
from smbench.cli.asking import agreed, typed
from smbench.cli.options import given_again
from smbench.errors import ExitCode, UsageError
from smbench.printable import printable
from smbench.scenario.deploy import Deploy
from smbench.scenario.explain import in_words
from smbench.stack.template import stack_name

_OF_THE_MODEL = ("image", "folder", "artifact", "name")
Where = dict[str, str | None]


def deploy_command(
    name: str, scenario: Path | None, asked: dict[str, Any], *, max_cost: float | None, yes: bool, where: Where
) -> None:
    """Deploy, and say what to do next.

    Args:
        asked: What the command line says, None where it says nothing.

    Raises:
        UsageError, ScenarioError, TargetError, NotBegunError: as `api.deploy.deploy`.
    """
    wanted, base_dir = _wanted(scenario, asked)

    def asked_for(plan: DeployPlan) -> bool:
        typer.echo(f"{stack_name(plan.name)}:")
        for change in plan.changes:
            typer.echo(f"  {change.action.lower():<8} {change.name:<15} {change.kind}")
        typer.echo(plan.cost.sentence)
        return yes or agreed("go on?")

    done = deploy(name, wanted, base_dir=base_dir, max_cost=max_cost, confirm=asked_for, progress=_shown, **where)
    said = "is there" if done.has_changed else "is there, and was so already"
    typer.echo(f"{stack_name(name)} {said}: endpoint {done.endpoint} ({done.kind}), bucket {done.bucket}")
    again = given_again(where)
    typer.echo(f"next: smbench run SCENARIO --stack {name}{again}; then smbench destroy {name}{again}")


def _wanted(scenario: Path | None, asked: dict[str, Any]) -> tuple[Deploy, Path]:
    written, base_dir = Deploy(), Path.cwd()
    if scenario is not None:
        given = given_scenario(scenario)
        if given.scenario.deploy is None:
            raise UsageError(f"{scenario} has no deploy section", "docs/scenario.md shows one")
        written, base_dir = given.scenario.deploy, given.origin.base_dir
    said = {key: value for key, value in asked.items() if value is not None}
    document = written.model_dump(exclude_unset=True)
    model = {key: said.pop(key) for key in _OF_THE_MODEL if key in said}
    try:
        return Deploy.model_validate(document | said | {"model": document.get("model", {}) | model}), base_dir
    except ValidationError as error:
        first = error.errors()[0]
        place, why = ".".join(map(str, first["loc"])), in_words(first, ("deploy", *first["loc"]))
        raise UsageError(f"{place}: {why}" if place else why) from None


def destroy_command(name: str, *, yes: bool, where: Where) -> ExitCode:
    """Destroy, and say what is left; the exit status.

    Raises:
        UsageError, TargetError, NotBegunError: as `api.deploy.destroy`.
    """

    def asked_for(stack: str) -> bool:
        return yes or typed(f"type {name} to remove {stack} and all that is in it") == name

    done = destroy(name, confirm=asked_for, progress=_shown, **where)
    objects = units.counted(done.n_objects, "object")
    gone = f"is removed with {objects}" if done.was_there else f"does not exist in {done.region}"
    if done.left:
        typer.echo(f"{stack_name(name)} {gone}, and this still carries its tag:")
        for arn in done.left:
            typer.echo(f"  {printable(arn)}: {printable(done.costs[arn])}")
        return ExitCode.TARGET
    if not done.was_there:
        typer.echo(f"{stack_name(name)} {gone}, and nothing there carries its tag")
        return ExitCode.OK
    typer.echo(f"{stack_name(name)} {gone}; nothing carries its tag any more")
    typer.echo(f"log group /aws/sagemaker/Endpoints/{stack_name(name)}, if there is one, stays: it costs storage only")
    return ExitCode.OK


def _shown(event: StackEvent) -> None:
    reason = f"  {event.reason}" if event.status.endswith("_FAILED") else ""
    typer.echo(printable(f"{event.at}  {event.status:<36} {event.name}{reason}"), err=True)
