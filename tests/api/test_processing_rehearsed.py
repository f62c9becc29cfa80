"""Goal: `run --on processing` is rehearsed on `smbench emulate`, and nothing but smbench itself is started there.

Method: an emulation as the command serves it, in a thread of this process; jobs asked for with real boto3, each as the
product asks for it but for one part.
"""

import copy
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import orjson
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

import smbench
from serving import sdk_environment
from smbench.emulator.sagemaker import containers
from smbench.emulator.sagemaker.containers import Container
from smbench.generator.plan import make_plan
from smbench.lifecycle.processing.job import JobWanted, own_entry, request_of
from smbench.scenario.model import Scenario
from smbench.version import __version__

ROLE = "arn:aws:iam::123456789012:role/job"
ENDPOINT = {"target": {"emulated": {"instances": {"min": 1, "max": 1, "concurrency": 20}, "service": "50ms"}}}
LOAD: dict[str, Any] = {"name": "small", "load": [{"constant": {"rate": "10/s", "for": "1s"}}], "drain": "20s"}
BUCKET, PLACE = "smbench-emulated", "s3://smbench-emulated/run"
Client = Callable[[str], Any]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch, smbench.emulate(LOAD | ENDPOINT) as url:
        for name, value in sdk_environment(url).items():
            if name.startswith("AWS_"):
                patch.setenv(name, value)
        yield url


@pytest.fixture
def client(url: str) -> Client:
    config = Config(retries={"total_max_attempts": 1})
    return lambda service: boto3.client(service, endpoint_url=url, region_name="us-east-1", config=config)


def asked(url: str | None, name: str, place: str = PLACE) -> dict[str, Any]:
    """CreateProcessingJob as the product asks for it."""
    plan = make_plan(Scenario.model_validate(LOAD | {"target": {"endpoint": "mine"}}), Path())
    return request_of(JobWanted(ROLE), name, place, plan, "us-east-1", url, has_files=False)


def put(client: Client, url: str, prefix: str = "run", **changed: bytes) -> None:
    """What the product puts into S3 for a job, but for some files."""
    order = orjson.dumps({"order": {"manifest": {"endpoint_url": url}}})
    wheel = {f"code/smbench-{__version__}-py3-none-any.whl": b"not opened"}
    entry = {f"code/{name}": body for name, body in own_entry().items()}
    for name, body in ({"order.json": order} | wheel | entry | changed).items():
        client("s3").put_object(Bucket=BUCKET, Key=f"{prefix}/{name}", Body=body)


def ended(client: Client, name: str) -> dict[str, Any]:
    for _ in range(600):
        seen: dict[str, Any] = client("sagemaker").describe_processing_job(ProcessingJobName=name)
        if seen["ProcessingJobStatus"] in ("Completed", "Failed", "Stopped"):
            return seen
        time.sleep(0.05)
    raise AssertionError(f"{name} does not end")


@pytest.mark.slow  # a container's process sends in real time
def test_a_job_is_rehearsed_from_the_scenario_to_its_run(
    url: str, client: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body.json").write_text("{}")
    scenario = LOAD | {"payloads": {"files": ["body.json"]}}
    done = smbench.run_job(scenario, role=ROLE, to=f"{PLACE}-1", endpoint=BUCKET, endpoint_url=url, base_dir=tmp_path)
    assert done.requests.collect()["outcome"].to_list() == ["completed"] * 10
    (listed,) = client("sagemaker").list_processing_jobs(StatusEquals="Completed")["ProcessingJobSummaries"]
    assert listed["ProcessingJobName"].startswith("smbench-small-")
    assert listed["ProcessingEndTime"] >= listed["CreationTime"]
    assert not client("sagemaker").list_processing_jobs(NameContains="other")["ProcessingJobSummaries"]


def changed_in(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def change(request: dict[str, Any]) -> None:
        *way, last = path.split(".")
        at: Any = request
        for step in way:
            at = at[int(step)] if step.isdigit() else at[step]
        at[int(last) if last.isdigit() else last] = value

    return change


OURS = f"but smbench {__version__} as its own `run --on processing` asks for it"
APP = "AppSpecification"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed_in(f"{APP}.ImageUri", "mine:1"), "run the image mine:1: .* leave out --image"),
        (changed_in(f"{APP}.ContainerEntrypoint", ["/bin/sh", "-c", "touch /tmp/x"]), OURS),
        (changed_in(f"{APP}.ContainerEntrypoint.0", "/bin/bash"), OURS),
        (changed_in(f"{APP}.ContainerArguments.0", "s3://smbench-emulated/elsewhere"), OURS),
        (changed_in(f"{APP}.ContainerArguments.0", "/etc"), OURS),
        (changed_in(f"{APP}.ContainerArguments.1", "0.0.0"), f"smbench 0.0.0, only of its own version, {__version__}"),
        (changed_in(f"{APP}.ContainerArguments", ["s3://smbench-emulated/run"]), OURS),
        (changed_in(f"{APP}.ContainerArguments.3", "https://example.com"), "elsewhere .https://example.com.: give"),
        (changed_in(f"{APP}.ContainerArguments.3", "http://127.0.0.1:1"), "calls go elsewhere"),
        (changed_in(f"{APP}.ContainerArguments.3", "http://127.0.0.1:x"), "calls go elsewhere"),
        (lambda request: request[APP]["ContainerArguments"].append("--more"), OURS),
        (lambda request: request[APP].pop("ContainerEntrypoint"), OURS),
        (changed_in("Environment.PYTHONPATH", "/tmp"), OURS),
        (changed_in("Environment.LD_PRELOAD", "/tmp/x.so"), OURS),
        (changed_in("ProcessingInputs.0.S3Input.LocalPath", "/opt/ml/../../tmp/x"), OURS),
        (changed_in("ProcessingInputs", []), OURS),
        (changed_in("NetworkConfig", {"EnableNetworkIsolation": True}), OURS),
    ],
)
def test_what_is_no_job_of_this_smbench_is_refused_in_a_sentence_and_nothing_is_started(
    url: str, client: Client, monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], None], words: str
) -> None:
    monkeypatch.setattr("smbench.emulator.sagemaker.processing.Container", must_not_start)
    put(client, url)
    request = copy.deepcopy(asked(url, "refused"))
    change(request)
    with pytest.raises(ClientError, match=words) as refused:
        client("sagemaker").create_processing_job(**request)
    assert refused.value.response["Error"]["Code"] == "NotImplemented"
    with pytest.raises(ClientError, match="Could not find"):
        client("sagemaker").describe_processing_job(ProcessingJobName="refused")


@pytest.mark.parametrize(
    ("file", "body", "words"),
    [
        ("code/entry.py", b"print()", OURS),
        ("code/entry.sh", b"", OURS),
        ("code/json.py", b"print()", OURS),
        ("code/other.whl", b"", OURS),
        ("order.json", b"", "calls go elsewhere .to AWS."),
        ("order.json", b'{"order": {"manifest": {"endpoint_url": "http://10.0.0.1"}}}', "elsewhere .http://10.0.0.1"),
    ],
)
def test_a_job_whose_files_are_not_ours_is_refused(
    url: str, client: Client, monkeypatch: pytest.MonkeyPatch, file: str, body: bytes, words: str
) -> None:
    monkeypatch.setattr("smbench.emulator.sagemaker.processing.Container", must_not_start)
    prefix = f"run-{len(body)}-{file.replace('/', '-')}"
    put(client, url, prefix, **{file: body})
    with pytest.raises(ClientError, match=words):
        client("sagemaker").create_processing_job(**asked(url, "refused", f"s3://{BUCKET}/{prefix}"))


def must_not_start(*_arguments: object) -> Container:
    raise AssertionError("a container was started")


def test_more_hosts_than_this_machine_is_asked_for_are_refused_as_aws_refuses_them(url: str, client: Client) -> None:
    put(client, url)
    request = asked(url, "many")
    request["ProcessingResources"]["ClusterConfig"]["InstanceCount"] = 9
    with pytest.raises(ClientError, match=r"limit 'ml\.m5\.xlarge for processing job usage' is 8 Instances"):
        client("sagemaker").create_processing_job(**request)


# ---- one container ----------------------------------------------------------------------------------------------


def container(folder: Path, script: str, longest_s: float = 60.0) -> Container:
    return Container("algo-1", folder, ["/bin/sh", "-c", script], {"PATH": os.defpath}, 0, longest_s)


def wait_for(is_so: Callable[[], object]) -> None:
    for _ in range(2000):
        if is_so():
            return
        time.sleep(0.01)
    raise AssertionError("it does not come to this")


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{process}/stat")  # one that has ended may wait for whoever reads its status
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.slow  # processes are started
def test_what_a_container_left_running_ends_with_it(tmp_path: Path) -> None:
    one = container(tmp_path, "sleep 100 & echo $!; exit 4")
    wait_for(lambda: one.code is not None)
    assert one.code == 4
    wait_for(lambda: not is_alive(int(one.log[0].text)))


@pytest.mark.slow  # processes are started
def test_a_container_that_hangs_is_killed_with_its_children_when_its_time_is_over(tmp_path: Path) -> None:
    one = container(tmp_path, "trap '' TERM; sleep 100 & echo $!; wait; sleep 100", longest_s=0.3)
    wait_for(lambda: one.code is not None)
    assert (one.was_overdue, one.code) == (True, -9)
    wait_for(lambda: not is_alive(int(one.log[0].text)))


@pytest.mark.slow  # processes are started
def test_a_container_ends_with_an_emulator_that_is_killed(tmp_path: Path) -> None:
    code = (
        "import os, pathlib, time; from smbench.emulator.sagemaker.containers import Container\n"
        f"one = Container('algo-1', pathlib.Path({str(tmp_path)!r}), ['/bin/sh', '-c', 'echo $$; sleep 100'],"
        " {'PATH': os.defpath}, 0, 60.0)\n"
        "while not one.log: time.sleep(0.01)\n"
        "print(one.log[0].text, flush=True); time.sleep(100)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as emulator:
        assert emulator.stdout is not None, "it is a pipe"
        process = int(emulator.stdout.readline())
        assert is_alive(process)
        emulator.kill()
    wait_for(lambda: not is_alive(process))


@pytest.mark.slow  # processes are started
def test_a_containers_log_is_bounded_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(containers, "_LOG_MAX_BYTES", 20)
    one = container(tmp_path, "for n in 1 2 3 4 5 6 7 8 9; do echo line $n; done")
    wait_for(lambda: one.code is not None)
    assert [line.text for line in one.log[:2]] == ["line 1", "line 2"]
    assert "keeps no more than" in one.log[-1].text
    assert len(one.log) == 3
