"""A benchmark stack brought up, found again and removed: from a script, or from the command line."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from smbench.api.loops import waited_for
from smbench.api.stacks import check_name
from smbench.aws.access.clients import DEPLOYING, AwsClients, AwsSettings
from smbench.aws.setup.uploads import put_once
from smbench.aws.stacks.endpoint import require_changeable, settled
from smbench.aws.stacks.remains import bucket_of, cost_of_leaving, empty, tagged
from smbench.aws.stacks.stack import (
    CHANGEABLE,
    NEW,
    Change,
    ChangeSet,
    Progress,
    StackFound,
    carry_out,
    delete,
    discard_change_set,
    follow,
    make_change_set,
    ours,
)
from smbench.errors import NotBegunError, TargetError, UsageError
from smbench.scenario.deploy import Deploy
from smbench.stack.cost import HourlyCost, hourly_cost
from smbench.stack.packing import Packed, pack
from smbench.stack.template import Template, stack_name, store_template, template

_TRIES = 3


@dataclass(frozen=True, slots=True)
class DeployPlan:
    """What is about to be made or changed, shown before anything is."""

    name: str
    changes: tuple[Change, ...]
    cost: HourlyCost


@dataclass(slots=True)
class Stage:
    """How far a command has come. `left` says what there is if it ends now."""

    left: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that is there. `has_changed` is False where it was so already."""

    name: str
    endpoint: str
    kind: str
    bucket: str
    has_changed: bool


@dataclass(frozen=True, slots=True)
class Destroyed:
    """What `destroy` did.

    Args:
        n_objects: Deleted with the bucket.
        left: ARNs that still carry the stack's tag.
        region: Where it looked.
        was_there: There was a stack; False: nothing but the search for the tag was done.
        costs: What each of `left` costs an hour while it is there, in words.
    """

    name: str
    n_objects: int
    left: tuple[str, ...]
    region: str
    was_there: bool = True
    costs: Mapping[str, str] = field(default_factory=dict)


def deploy(
    name: str,
    wanted: Deploy,
    *,
    base_dir: str | os.PathLike[str] = ".",
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    max_cost: float | None = None,
    confirm: Callable[[DeployPlan], bool] = lambda _plan: True,
    progress: Progress = lambda _event: None,
) -> Deployed:
    """Bring up a benchmark's stack, or change it to what is wanted.

    Args:
        name: Small letters, digits and dashes; stack and endpoint are called `smbench-NAME`.
        wanted: A scenario's `deploy` section.
        base_dir: Where its folder is looked up.
        max_cost: USD an hour that its instances may cost at most; what is not known is refused, too.
        confirm: Given what would change; nothing is made unless it returns True.
        progress: Given each of CloudFormation's events.

    Raises:
        UsageError: the name, the folder or the cost will not do; nothing was made.
        TargetError: AWS refuses, or CloudFormation took the stack back; says which resource failed and why.
        NotBegunError: `confirm` said no.
    """
    check_name(name)
    require_model(wanted)
    cost = hourly_cost(wanted)
    if max_cost is not None and (cost.at_most is None or not cost.at_most <= max_cost):  # nan refuses, too
        raise UsageError(f"{cost.sentence}: not within --max-cost {max_cost:g} USD an hour")
    packed = None if wanted.model.folder is None else pack(Path(base_dir) / wanted.model.folder)
    whole = template(name, wanted, packed.key if packed else None)
    settings = AwsSettings(region, profile, endpoint_url, services=DEPLOYING)
    stage = Stage("nothing was made or changed")

    async def deployed() -> Deployed:
        async with AwsClients(settings) as clients:
            deployment = Deployment(clients, name, whole, packed, cost, confirm, progress, stage)
            return await deployment.carried_out(wanted.kind)

    try:
        return waited_for(deployed)
    except KeyboardInterrupt:
        raise NotBegunError(f"interrupted: {stage.left}", _again(name)) from None


def require_model(wanted: Deploy) -> None:
    """Raises UsageError: nothing says what the endpoint serves."""
    if wanted.model.name is None and wanted.model.image is None:
        advice = "give --image, --model NAME, or deploy.model in the scenario"
        raise UsageError("no model: nothing says what the endpoint serves", advice)


def _again(name: str) -> str:
    return f"`smbench deploy {name}` takes it up, `smbench destroy {name}` removes it"


class Deployment:
    """One deployment under way, by clients that are open; see `deploy`."""

    def __init__(
        self,
        clients: AwsClients,
        name: str,
        whole: Template,
        packed: Packed | None,
        cost: HourlyCost,
        confirm: Callable[[DeployPlan], bool],
        progress: Progress,
        stage: Stage,
    ) -> None:
        self.clients, self.name, self.whole, self.packed, self.cost = clients, name, whole, packed, cost
        self.confirm, self.progress, self.stage = confirm, progress, stage

    async def carried_out(self, kind: str) -> Deployed:
        """Bring it up.

        Raises:
            TargetError: says how to go on, where something was begun.
            NotBegunError: `confirm` said no.
        """
        found = await ours(self.clients, self.name)
        try:
            return await self._carried_out(found, kind)
        except TargetError as error:
            if "smbench destroy" in error.advice:
                raise
            raise TargetError(error.message, "; ".join(filter(None, [error.advice, _again(self.name)]))) from error

    async def _carried_out(self, found: StackFound | None, kind: str) -> Deployed:
        """The bucket first where something must be uploaded into it, then all else."""
        if found is not None and found.is_busy:  # of a deployment that was killed
            self.stage.left = f"CloudFormation goes on with {stack_name(self.name)}, which is in {found.status}"
            found = await follow(self.clients, found.id, self.progress)
            found = None if found.status == "DELETE_COMPLETE" else found
        if found is not None and found.status not in {NEW, *CHANGEABLE}:
            first = f"`smbench destroy {self.name}` first"
            raise TargetError(f"the stack {stack_name(self.name)} is in {found.status} and takes no change", first)
        is_new = found is None or found.status == NEW
        if found is not None and (endpoint := found.outputs.get("EndpointName")):  # not where only the bucket is there
            await require_changeable(self.clients, self.name, endpoint, kind, self._scaled_instance)
        has_changed = True
        if is_new and self.packed is not None:
            found = await self._store_first()
            wanted = await self._compared(self.whole, is_new=False)
        else:
            if self.packed is not None and found is not None:
                await self._upload(found)
            wanted = await self._compared(self.whole, is_new=is_new)
            has_changed = bool(wanted.changes)
            if has_changed:
                await self._agreed(wanted.changes)
        if wanted.changes:
            found = await self._made(wanted)
        assert found is not None, "a stack without changes is there"
        return Deployed(self.name, found.outputs["EndpointName"], kind, found.outputs["BucketName"], has_changed)

    @property
    def _scaled_instance(self) -> str | None:
        """The type of the instances that are wanted, where they shall scale; else None."""
        resources = self.whole["Resources"]
        (variant,) = resources["EndpointConfig"]["Properties"]["ProductionVariants"]
        return variant.get("InstanceType") if "ScalableTarget" in resources else None

    async def _store_first(self) -> StackFound:
        store = await self._compared(store_template(), is_new=True)
        first = {change.name for change in store.changes}
        later = [Change("Add", name, one["Type"]) for name, one in self.whole["Resources"].items() if name not in first]
        await self._agreed((*store.changes, *later))
        found = await self._made(store)
        await self._upload(found)
        return found

    async def _upload(self, found: StackFound) -> None:
        assert self.packed is not None
        bucket = found.outputs["BucketName"]
        self.stage.left = f"{stack_name(self.name)} is there with the bucket {bucket}, the model perhaps not in it"
        await put_once(self.clients, bucket, self.packed.key, self.packed.body)

    async def _compared(self, whole: Template, *, is_new: bool) -> ChangeSet:
        self.stage.left = (
            f"of {stack_name(self.name)} nothing was made or changed but a change set, which costs nothing"
        )
        if not is_new:
            self.stage.left = (
                f"{stack_name(self.name)} is there as it was; a change set may be left, which costs nothing"
            )
        return await make_change_set(self.clients, self.name, whole, is_new=is_new)

    async def _made(self, wanted: ChangeSet) -> StackFound:
        await settled(self.clients, stack_name(self.name), self.progress)
        self.stage.left = f"what CloudFormation has begun in {stack_name(self.name)} it goes on with"
        return await carry_out(self.clients, self.name, wanted, self.progress)

    async def _agreed(self, changes: tuple[Change, ...]) -> None:
        if not self.confirm(DeployPlan(self.name, changes, self.cost)):
            await discard_change_set(self.clients, self.name)
            raise NotBegunError(f"{stack_name(self.name)} was not deployed: nothing was made or changed")


def destroy(
    name: str,
    *,
    region: str | None = None,
    profile: str | None = None,
    endpoint_url: str | None = None,
    confirm: Callable[[str], bool] = lambda _stack: True,
    progress: Progress = lambda _event: None,
) -> Destroyed:
    """Remove a benchmark's stack with all that it holds, and look for what is left.

    Can be repeated from any stage; removes nothing but the stack that carries the benchmark's tag.

    Args:
        confirm: Given the stack's name; nothing is removed unless it returns True.

    Raises:
        UsageError: the name cannot be a benchmark's.
        TargetError: AWS refuses, or something could not be deleted; it is named.
        NotBegunError: `confirm` said no.
    """
    check_name(name)
    settings = AwsSettings(region, profile, endpoint_url, services=DEPLOYING)
    stage = Stage("nothing was removed")

    async def on_clients() -> Destroyed:
        async with AwsClients(settings) as clients:
            return await destroyed(clients, name, confirm, progress, stage)

    try:
        return waited_for(on_clients)
    except KeyboardInterrupt:
        raise NotBegunError(f"interrupted: {stage.left}", _on(name)) from None


def _on(name: str) -> str:
    return f"`smbench destroy {name}` again goes on with what is left"


async def destroyed(
    clients: AwsClients, name: str, confirm: Callable[[str], bool], progress: Progress, stage: Stage
) -> Destroyed:
    """As `destroy`, by clients that are open."""
    found = await ours(clients, name)
    if found is None:
        return await _examined(clients, name, 0, was_there=False)
    if not confirm(stack_name(name)):
        raise NotBegunError(f"{stack_name(name)} was not destroyed: nothing was removed")
    try:
        n_objects = await _removed(clients, name, found, progress, stage)
        stage.left = f"{stack_name(name)} is removed; what may still carry its tag was not looked for"
        return await _examined(clients, name, n_objects)
    except TargetError as error:
        raise TargetError(error.message, "; ".join(filter(None, [error.advice, _on(name)]))) from error


async def _examined(clients: AwsClients, name: str, n_objects: int, *, was_there: bool = True) -> Destroyed:
    left = await tagged(clients, name)
    costs = {arn: await cost_of_leaving(clients, arn) for arn in left}
    return Destroyed(name, n_objects, tuple(left), clients.region, was_there, costs)


async def _removed(clients: AwsClients, name: str, found: StackFound, progress: Progress, stage: Stage) -> int:
    """Delete, and again where results came into the bucket meanwhile; objects deleted."""
    if found.is_busy:
        stage.left = f"CloudFormation goes on with {stack_name(name)}, which is in {found.status}; nothing was removed"
        await follow(clients, found.id, progress)
    n_objects = 0
    for _ in range(_TRIES):
        if (bucket := await bucket_of(clients, found.id)) is not None:
            stage.left = f"{stack_name(name)} is there, its bucket {bucket} perhaps without its objects"
            n_objects += await empty(clients, bucket)
        await settled(clients, stack_name(name), progress)
        stage.left = f"CloudFormation goes on deleting {stack_name(name)}, if it was asked to; its bucket is empty"
        ended, failures = await delete(clients, found.id, progress)
        if ended.status == "DELETE_COMPLETE":
            return n_objects
    left = "; ".join(f"{failure.name}: {failure.reason}" for failure in failures)
    raise TargetError(f"the stack could not be deleted completely: {left}")
