"""What runs left in an account, all together: found, and removed with a second look."""

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from smbench.account.left_objects import Objects, claims_of, deleted, inputs_below, outputs_below
from smbench.account.remains import Remain, remains, removed
from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.claim import CLAIMS
from smbench.aws.setup.uploads import input_prefix
from smbench.errors import UsageError
from smbench.records import Outcome
from smbench.results.manifest import Manifest
from smbench.results.store import open_run

_NOT_KNOWN = (
    "outputs and failures of a run whose results folder is lost stay: SageMaker names them after nothing of a run, so "
    "they look like those of other callers. Where only runs write below {}, delete what is there, or let a life cycle "
    "rule expire it"
)


@dataclass(frozen=True, slots=True)
class Found:
    """What is there, in the order in which it is removed.

    Args:
        kept: Why something that is there is not removed.
        n_open: Requests that were accepted and have no end in the run's files: the endpoint may still write theirs.
    """

    things: tuple[Remain, ...] = ()
    objects: tuple[Objects, ...] = ()
    kept: tuple[str, ...] = ()
    n_open: int = 0

    def __bool__(self) -> bool:
        return bool(self.things or self.objects)

    @property
    def lines(self) -> list[str]:
        """Each as a person would look for it."""
        return [*(f"{one} (run {one.run_id})" for one in self.things), *map(str, self.objects)]


@dataclass(frozen=True, slots=True)
class Whose:
    """Of which run something is looked for: by its id, by its files as well, or everything of every run."""

    run_id: str | None = None
    folder: Path | None = None
    manifest: Manifest | None = None
    endpoint: str | None = None  # of every run: whose inputs are looked for

    @property
    def target(self) -> TargetFound | None:
        """The endpoint as the run found it; None where its files do not say."""
        found = self.manifest.target if self.manifest is not None else {}
        return TargetFound.from_json(found) if found else None


async def find(clients: AwsClients, whose: Whose) -> Found:
    """Look for it.

    Raises:
        TargetError: something may not be listed.
    """
    things = await remains(clients, whose.run_id)
    if whose.folder is not None:
        return await _of_folder(clients, whose, things)
    if whose.endpoint is None:
        return Found(tuple(things), kept=(_NOT_KNOWN.format("the endpoint's output and failure paths"),))
    output_path, failure_path = await _outputs_of(clients, whose.endpoint)
    place = input_prefix(output_path)
    objects = (*await inputs_below(clients, place), *await claims_of(clients, f"{place}/{CLAIMS}"))
    paths = " and ".join(path for path in (output_path, failure_path) if path is not None)
    return Found(tuple(things), objects, (_NOT_KNOWN.format(paths),))


async def remove(clients: AwsClients, found: Found) -> list[str]:
    """Remove it and look again; what is left, as a person would look for it. Can be repeated."""
    return [*await removed(clients, list(found.things)), *await deleted(clients, list(found.objects))]


async def _outputs_of(clients: AwsClients, endpoint: str) -> tuple[str, str | None]:
    """Where its outputs and its failures go."""
    with clients.explained(f"describe the endpoint {endpoint} (sagemaker:DescribeEndpoint, DescribeEndpointConfig)"):
        described = await clients.sagemaker.describe_endpoint(EndpointName=endpoint)
        config = await clients.sagemaker.describe_endpoint_config(EndpointConfigName=described["EndpointConfigName"])
    asynchronous = described.get("AsyncInferenceConfig") or config.get("AsyncInferenceConfig")
    if not asynchronous:
        raise UsageError(f"the endpoint {endpoint} takes no inputs from S3", "leave out --endpoint")
    output = asynchronous["OutputConfig"]
    return output["S3OutputPath"], output.get("S3FailurePath")


async def _of_folder(clients: AwsClients, whose: Whose, things: list[Remain]) -> Found:
    """Outputs by the locations that the run's files have, inputs by the contents that its manifest has."""
    target = whose.target
    assert whose.manifest is not None
    assert whose.folder is not None
    if target is None or target.kind != "async":
        return Found(tuple(things))
    requests = open_run(whose.folder).requests
    known = requests.select("output_location", is_open=pl.col("outcome") == Outcome.PENDING).collect()
    locations = known["output_location"].drop_nulls().unique().to_list()
    objects: list[Objects] = []
    for what, place in (("outputs", target.output_path), ("failures", target.failure_path)):
        if place is not None:
            objects += await outputs_below(clients, what, place, locations)
    payloads = whose.manifest.scenario.get("payloads") or {}
    place = payloads.get("prefix") or (input_prefix(target.output_path) if target.output_path else None)
    digests = frozenset(filter(None, whose.manifest.payload_digests.values()))
    kept: tuple[str, ...] = ()
    if place is not None:
        objects += await claims_of(clients, f"{place.rstrip('/')}/{CLAIMS}", whose.run_id)
    if place is not None and not payloads.get("inline"):
        inputs = await inputs_below(clients, place, digests)
        others = {one.run_id for one in await remains(clients, None)} - {whose.run_id}
        if inputs and others:
            kept = (f"inputs below {place} stay: queues of other runs are there, which may send them",)
        else:
            objects += inputs
    return Found(tuple(things), tuple(objects), kept, int(known["is_open"].sum()))
