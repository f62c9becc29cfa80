"""The null target in a process of its own until it is killed; prints its URL. Started by `against.py`."""

import anyio

from smbench.ceiling.null_target import NullTarget
from smbench.processes.worker import freeze_collections


async def _serve() -> None:
    print(await NullTarget().start(), flush=True)
    freeze_collections()
    await anyio.sleep_forever()


if __name__ == "__main__":
    anyio.run(_serve, backend_options={"use_uvloop": True})
