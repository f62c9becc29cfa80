"""The inputs of a share in S3: uploaded before the run, each body once, or one a row where bodies are unique."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from smbench.aws.access.clients import AwsClients
from smbench.aws.endpoint.description import TargetFound
from smbench.aws.setup.uploads import Upload, input_prefix, upload
from smbench.errors import TargetError
from smbench.generator.plan import RunPlan
from smbench.generator.shares import Share
from smbench.scenario.payloads.bodies import Payload

_PROGRESS_EVERY = 100


async def upload_inputs(
    clients: AwsClients,
    store: Any,
    plan: RunPlan,
    share: Share,
    target: TargetFound,
    progress: Callable[[str], None],
) -> list[str] | None:
    """Upload every input that this share needs.

    Args:
        store: The S3 client that uploads: the SDK's, or the wire's.
        progress: Called after every hundredth upload and the last.

    Returns:
        One location a payload, or one a row of the share when payloads are unique; None when bodies go inline.

    Raises:
        TargetError: the endpoint names no place for inputs and the scenario neither, or S3 refused one.
    """
    scenario, payloads = plan.scenario, plan.payloads
    if scenario.payloads.inline:
        return None
    if scenario.payloads.prefix is None and target.output_path is None:
        raise TargetError("where inputs may go is not known: the endpoint names no output path", "set payloads.prefix")
    prefix = scenario.payloads.prefix or input_prefix(str(target.output_path))
    shard = plan.schedule.shard(share.worker, share.of)
    rows = zip(shard.seq.tolist(), shard.payload.tolist(), strict=True)
    n = len(shard) if scenario.payloads.unique else len(payloads)

    def uploaded(n_done: int) -> None:
        if n_done % _PROGRESS_EVERY == 0 or n_done == n:
            progress(f"uploading the inputs: {n_done:,} of {n:,}")

    if scenario.payloads.unique:
        made = (_upload_of(payloads[place], payloads[place].unique(seq)) for seq, place in rows)
        return await upload(clients, made, prefix, store=store, progress=uploaded)
    wanted = (_upload_of(payload, body) for payload in payloads if (body := payload.body) is not None)
    places = iter(await upload(clients, wanted, prefix, store=store, progress=uploaded))
    return [payload.input_location or next(places) for payload in payloads]


def _upload_of(payload: Payload, body: bytes) -> Upload:
    return Upload(payload.payload_class, body, payload.content_type, Path(payload.name).suffix)
