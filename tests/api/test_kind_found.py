"""Goal: a scenario that does not say of which kind an endpoint is takes the endpoint's own; one that errs is refused.

Method: emulated regions served on loopback, as a user's SDK reaches them; nothing is sent but the last test's calls.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import smbench
from smbench.errors import ScenarioError, SmbenchError, TargetError
from smbench.scenario.model import Scenario
from whole_story import any_keys

pytestmark = pytest.mark.slow  # an emulator in a thread, and SDK clients of their own for each look

ENDPOINT = "smbench-emulated"
SILENT: dict[str, Any] = {"name": "silent", "load": [{"burst": {"requests": 2}}], "limits": {"in_flight": 10}}


@contextmanager
def hosted(kind: str) -> Iterator[str]:
    own = {"serverless": {"max_concurrency": 5}} if kind == "serverless" else {"instances": {"min": 1}}
    target = {"kind": kind, "emulated": own | {"service": "10ms"}}
    with smbench.emulate({"name": "hosted", "target": target, "load": [{"burst": {"requests": 1}}]}) as url:
        yield url


@pytest.fixture(autouse=True)
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    any_keys(monkeypatch)


def test_a_silent_scenario_runs_against_a_serverless_endpoint_as_one_and_says_what_means_nothing_there(
    tmp_path: Path,
) -> None:
    with hosted("serverless") as url:
        where: dict[str, Any] = {"endpoint": ENDPOINT, "endpoint_url": url}
        with pytest.raises(SmbenchError, match=r"is serverless, and target\.kind asks for asynchronous"):
            smbench.run(SILENT | {"target": {"kind": "async"}}, results=tmp_path, progress="none", **where)
        with pytest.raises(ScenarioError, match=r"collector\.queue"):
            smbench.run(SILENT | {"collector": {"queue": f"{url}/1/q"}}, results=tmp_path, progress="none", **where)
        assert list(tmp_path.iterdir()) == []
        run = smbench.run(SILENT, results=tmp_path, progress="none", **where)
        assert run.manifest.scenario["target"]["kind"] == "serverless"
        assert run.summary.counts.completed == 2
        assert smbench.doctor(SILENT, **where).findings[-1].verdict.value == "valid"


def test_a_silent_scenario_takes_the_kind_of_a_real_time_endpoint_and_an_endpoint_that_is_not_there_is_named() -> None:
    with hosted("realtime") as url:
        assert smbench.policy(SILENT, endpoint=ENDPOINT, endpoint_url=url) == smbench.policy(
            SILENT | {"target": {"kind": "realtime"}}, endpoint=ENDPOINT, endpoint_url=url
        )
        named = Scenario.model_validate(SILENT | {"target": {"endpoint": "nowhere"}})
        with pytest.raises(TargetError, match="there is no endpoint nowhere"):
            smbench.estimate(named, endpoint_url=url)
