"""Goal: credentials that end amid a run are renewed in time, on both transports, and no request is refused for them.

Method: a credential process whose keys last a quarter of an hour, or twenty seconds, and an emulator that knows each
key's own secret and token and refuses it when it is older; all in virtual time, which the process is given.
"""

import asyncio
import datetime
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from aiobotocore.credentials import AioProcessProvider
from botocore.credentials import RefreshableCredentials

from emulated_aws import EPOCH_NS, WARP
from plain_services import isolate_aws
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.protocol.http import HttpRequest
from smbench.emulator.protocol.signatures import Signatures
from smbench.wire.sigv4 import Credentials
from whole_story import plan_of, region, story

SCRIPT = """#!/bin/sh
printf '{"Version": 1, "AccessKeyId": "KEY%s", "SecretAccessKey": "secret%s", ' "$NOW_S" "$NOW_S"
printf '"SessionToken": "token%s", "Expiration": "%s"}' "$NOW_S" "$ENDS"
"""
KEY = re.compile(r"Credential=KEY(\d+)/")


@pytest.fixture
def anyio_backend() -> Any:
    return WARP


def now_s() -> float:
    """Of the wall that the region is in; before a loop runs, its beginning."""
    try:
        return EPOCH_NS / 1e9 + asyncio.get_running_loop().time()
    except RuntimeError:
        return EPOCH_NS / 1e9


class Keys:
    """The process, and the emulator's knowledge of its keys. `used`: stamps of those that signed."""

    def __init__(self, good_for_s: int) -> None:
        self.good_for_s = good_for_s
        self.used: set[str] = set()

    async def started(self, *words: str, **_: Any) -> Any:
        ends = datetime.datetime.fromtimestamp(now_s() + self.good_for_s, datetime.UTC).isoformat()
        env = os.environ | {"NOW_S": str(int(now_s())), "ENDS": ends}
        done = subprocess.run(words, env=env, capture_output=True, check=True)  # noqa: ASYNC221  # no time may pass

        class Ended:
            returncode = 0

            async def communicate(self) -> tuple[bytes, bytes]:
                return done.stdout, done.stderr

        return Ended()

    def check(self, signatures: Signatures, request: HttpRequest, service: str) -> None:
        named = KEY.search(request.headers.get("authorization", ""))
        assert named is not None
        stamp, token = named[1], request.headers.get("x-amz-security-token")
        if now_s() - int(stamp) > self.good_for_s or token != f"token{stamp}":
            raise ServiceError("ExpiredTokenException", "The security token included in the request is expired", 403)
        self.used.add(stamp)
        signatures.credentials = Credentials(f"KEY{stamp}", f"secret{stamp}", token)
        CHECK(signatures, request, service)


CHECK, INIT = Signatures.check, AioProcessProvider.__init__


@pytest.fixture
def keys(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Keys]:
    isolate_aws(monkeypatch)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    script, config = tmp_path / "keys.sh", tmp_path / "config"
    script.write_text(SCRIPT)
    script.chmod(0o755)
    config.write_text(f"[default]\nregion = us-east-1\ncredential_process = {script}\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    made = Keys(request.param)

    def begun(provider: AioProcessProvider, *words: Any, **more: Any) -> None:
        INIT(provider, *words, **more | {"popen": made.started})

    with (
        patch.object(Signatures, "check", lambda *called: made.check(*called)),
        patch.object(
            AioProcessProvider, "__init__", lambda self, *a, **b: INIT(self, *a, **b | {"popen": made.started})
        ),
        patch.object(RefreshableCredentials, "_seconds_remaining", lambda one: one._expiry_time.timestamp() - now_s()),
        patch("smbench.aws.access.credentials.wall_ns", lambda: round(now_s() * 1e9)),
    ):
        yield made


@pytest.mark.slow  # hours of virtual time
@pytest.mark.parametrize(
    ("transport", "keys", "every_s"), [("wire", 1000, 60), ("sdk", 1000, 60), ("wire", 20, 3)], indirect=["keys"]
)
async def test_a_run_outlives_its_credentials(tmp_path: Path, keys: Keys, transport: Any, every_s: int) -> None:
    load = [{"constant": {"rate": f"{1 / every_s}/s", "for": f"{18 * every_s}s"}}]
    hosted = story(transport=transport, load=load, gauges_every="1m")
    async with region(hosted, verify_signatures=True) as here:
        rows = await here.run(plan_of(hosted), tmp_path / "run")
        assert here.emulator.sqs.queues == {}  # what was made is removed with the last key
    assert set(rows["outcome"]) == {"completed"}
    assert len(keys.used) * keys.good_for_s >= 18 * every_s
