"""Goal: three commands from a folder with code/inference.py to an empty account, and a clear word where they cannot.

Method: the commands in this process against the emulated region in another thread, one instance ready after 100 ms.
"""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3  # boto3 has no types of its own
import pytest
import typer
from typer.testing import CliRunner, Result

import smbench
from plain_services import isolate_aws
from smbench.cli.app import app
from smbench.errors import ExitCode, NotBegunError, TargetError, UsageError
from smbench.scenario.deploy import Deploy
from smbench.stack.packing import pack

PAGE = (Path(__file__).parents[2] / "docs" / "deploy.md").read_text(encoding="utf-8")
REGION: dict[str, object] = {"name": "laws", "target": {"emulated": {"service": "50ms", "notify_lag": "10ms"}}}
REGION |= {"load": [{"constant": {"rate": "1/s", "for": "1s"}}]}


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with smbench.emulate(REGION, provision_s=0.1) as address:
        yield address


@pytest.fixture(autouse=True)
def in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    isolate_aws(monkeypatch)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model" / "code").mkdir(parents=True)
    (tmp_path / "model" / "code" / "inference.py").write_text("def model_fn(folder): ...\n")
    return tmp_path


def smb(*words: str, url: str, typed: str = "") -> Result:
    result = CliRunner().invoke(app, [*words, "--endpoint-url", url], input=typed)
    assert "planted-secret" not in result.output + result.stderr
    return result


def account(url: str) -> tuple[list[str], list[str]]:
    """Buckets and endpoints, without the embedded ones."""
    s3, sagemaker = (boto3.client(name, endpoint_url=url) for name in ("s3", "sagemaker"))
    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    endpoints = [one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]]
    return [one for one in buckets if "demo" in one], [one for one in endpoints if "demo" in one]


@pytest.mark.slow  # a stack, a run of two seconds with its processes, and the stack's end
def test_the_commands_of_the_page_lead_from_a_folder_to_an_empty_account(url: str, in_a_folder: Path) -> None:
    """docs/deploy.md, to the letter: its scenario, its commands, and the first answer that it shows."""
    (scenario,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (in_a_folder / "scenario.yaml").write_text(scenario)
    (console,) = re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    (shown,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    commands = [line.split()[2:-2] for line in console.splitlines()]
    assert [one[0] for one in commands] == ["deploy", "run", "destroy"]
    made = smb(*commands[0], "--max-cost", "0.5", url=url)
    assert made.exit_code == 0, (made.output, made.exception)
    assert made.stdout.startswith(shown)
    assert account(url)[1] == ["smbench-demo"]
    again = smb(*commands[0], url=url)
    assert "was so already" in again.output
    measured = smb(*commands[1], "--ui", "none", url=url)
    # A machine that is busy with other tests may spoil the verdict, which is not what is asked here.
    assert measured.exit_code in (ExitCode.OK, ExitCode.INVALID), (measured.output, measured.exception)
    (folder,) = (in_a_folder / "results").iterdir()
    assert smbench.report(folder).requests.collect()["outcome"].to_list() == ["completed"] * 10
    assert smb("destroy", "demo", url=url, typed="other\n").exit_code != 0
    assert account(url)[1] == ["smbench-demo"]
    removed = smb(*commands[2], url=url)
    assert removed.exit_code == 0, (removed.output, removed.exception)
    assert "nothing carries its tag" in removed.output
    assert account(url) == ([], [])


def test_nothing_is_made_unless_it_is_agreed_to(url: str) -> None:
    wanted = Deploy.model_validate({"model": {"image": "i"}})
    for _ in range(3):  # at once again: the stack that held the change set is gone by then
        with pytest.raises(NotBegunError):
            smbench.deploy("demo", wanted, endpoint_url=url, confirm=lambda _: False)
    assert account(url) == ([], [])


@pytest.mark.parametrize("question", ["confirm", "prompt"])
def test_ctrl_c_where_a_person_is_asked_is_a_no_at_once(
    url: str, question: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    went_on: list[bool] = []

    def pressed(*_: object, **__: object) -> str:
        signal.raise_signal(signal.SIGINT)
        went_on.append(True)  # an event loop's own handler lets the question wait
        return "demo"

    if question == "prompt":
        smbench.deploy("demo", Deploy.model_validate({"model": {"image": "i"}}), endpoint_url=url)
    there = account(url)
    monkeypatch.setattr(typer, question, pressed)
    words = ("deploy", "demo", "--image", "i") if question == "confirm" else ("destroy", "demo")
    result = smb(*words, url=url)
    assert isinstance(result.exception, NotBegunError)
    assert (went_on, account(url)) == ([], there)
    smbench.destroy("demo", endpoint_url=url)


def test_a_bucket_is_emptied_of_every_version_and_every_marker(url: str) -> None:
    made = smbench.deploy("demo", Deploy.model_validate({"model": {"image": "i"}}), endpoint_url=url)
    s3 = boto3.client("s3", endpoint_url=url)
    assert s3.get_bucket_versioning(Bucket=made.bucket)["Status"] == "Enabled"
    for key in ("kept", "replaced", "replaced", "deleted"):
        s3.put_object(Bucket=made.bucket, Key=key, Body=b"x")
    for key in ("deleted", "never-there"):
        s3.delete_object(Bucket=made.bucket, Key=key)
    removed = smbench.destroy("demo", endpoint_url=url)
    assert (removed.left, removed.n_objects) == ((), 4)
    assert account(url) == ([], [])


def test_a_rollback_says_in_one_sentence_what_failed_and_destroy_removes_the_rest(url: str) -> None:
    wanted = Deploy.model_validate({"model": {"name": "not-there"}})
    with pytest.raises(TargetError) as refused:
        smbench.deploy("demo", wanted, endpoint_url=url)
    assert "`smbench destroy demo`" in refused.value.advice
    assert "rolled back: EndpointConfig could not be made: Could not find model" in refused.value.message
    with pytest.raises(TargetError, match="ROLLBACK_COMPLETE"):
        smbench.deploy("demo", wanted, endpoint_url=url)
    assert smbench.destroy("demo", endpoint_url=url).left == ()
    assert account(url) == ([], [])


def test_a_change_that_is_rolled_back_leaves_what_was_there_and_says_so_without_a_long_list(url: str) -> None:
    wanted = Deploy.model_validate({"kind": "realtime", "model": {"image": "i"}})
    smbench.deploy("demo", wanted, endpoint_url=url)
    with pytest.raises(TargetError) as refused:
        smbench.deploy("demo", wanted.model_copy(update={"instance": "ml.none.big"}), endpoint_url=url)
    assert "ml.t2.medium" in refused.value.message
    assert len(refused.value.message) < 500
    assert "the stack is as it was" in refused.value.advice
    assert not smbench.deploy("demo", wanted, endpoint_url=url).has_changed
    smbench.destroy("demo", endpoint_url=url)


def test_a_stack_that_is_not_there_is_not_said_to_be_removed(url: str) -> None:
    result = smb("destroy", "never", "--yes", url=url)
    assert (result.exit_code, result.stdout) == (
        0,
        "smbench-never does not exist in us-east-1, and nothing there carries its tag\n",
    )


def test_what_is_left_is_named_with_what_it_costs_an_hour(url: str) -> None:
    sagemaker = boto3.client("sagemaker", endpoint_url=url)
    role = "arn:aws:iam::123456789012:role/r"
    sagemaker.create_model(ModelName="left", ExecutionRoleArn=role, PrimaryContainer={"Image": "i"})
    variant = {
        "VariantName": "v",
        "ModelName": "left",
        "InstanceType": "ml.m5.xlarge",
        "InitialInstanceCount": 2,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="left", ProductionVariants=[variant])
    tags = [{"Key": "smbench:stack", "Value": "left"}]
    sagemaker.create_endpoint(EndpointName="left", EndpointConfigName="left", Tags=tags)
    sagemaker.get_waiter("endpoint_in_service").wait(EndpointName="left", WaiterConfig={"Delay": 1})
    boto3.client("sns", endpoint_url=url).create_topic(Name="left", Tags=tags)
    result = smb("destroy", "left", "--yes", url=url)
    assert result.exit_code == ExitCode.TARGET
    assert "endpoint/left: 0.46 USD an hour (list prices" in result.stdout
    assert ":left: costs nothing by the hour" in result.stdout
    sagemaker.delete_endpoint(EndpointName="left")
    boto3.client("sns", endpoint_url=url).delete_topic(TopicArn="arn:aws:sns:us-east-1:123456789012:left")


@pytest.mark.slow  # a process of its own, which is killed in the middle
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_a_deployment_whose_process_is_killed_can_be_destroyed(url: str, how: signal.Signals) -> None:
    words = ("deploy", "demo", "--image", "i", "--folder", "model", "--yes", "--endpoint-url", url)
    process = subprocess.Popen(
        [sys.executable, "-m", "smbench", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    assert process.stdout is not None
    said = b""
    while b"CREATE_IN_PROGRESS" not in said:
        said += (line := process.stdout.readline())
        assert line, said.decode()
    process.send_signal(how)
    rest = process.communicate(timeout=20)[0].decode()
    assert process.returncode == (-how if how is signal.SIGKILL else ExitCode.INTERRUPTED)
    if how is not signal.SIGKILL:
        assert "what CloudFormation has begun in smbench-demo it goes on with" in rest
        assert "`smbench deploy demo` takes it up, `smbench destroy demo` removes it" in " ".join(rest.split())
    assert smbench.destroy("demo", endpoint_url=url).left == ()
    assert account(url) == ([], [])


def test_a_stack_of_somebody_else_is_not_touched(url: str) -> None:
    client = boto3.client("cloudformation", endpoint_url=url)
    named = {"StackName": "smbench-theirs", "ChangeSetName": "c"}
    body = '{"Resources": {"T": {"Type": "AWS::SNS::Topic"}}}'
    client.create_change_set(**named, ChangeSetType="CREATE", TemplateBody=body)
    client.execute_change_set(**named)
    client.get_waiter("stack_create_complete").wait(StackName="smbench-theirs", WaiterConfig={"Delay": 1})
    with pytest.raises(TargetError, match="smbench did not make it") as found:
        smbench.destroy("theirs", endpoint_url=url)
    assert found.value.advice == "nothing was touched: take another NAME"


def test_a_limit_that_is_no_number_lets_no_stack_pass(url: str) -> None:
    wanted = Deploy.model_validate({"model": {"image": "i"}})
    with pytest.raises(UsageError, match="not within --max-cost nan"):
        smbench.deploy("demo", wanted, max_cost=float("nan"), endpoint_url=url)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("deploy", "Bad_Name", "--image", "i"), "cannot be a stack's name"),
        (("deploy", "demo"), "no model"),
        (("deploy", "demo", "--image", "i", "--instance", "ml.p9.huge", "--max-cost", "1"), "not known"),
        (
            ("deploy", "demo", "--image", "i", "--instance", "ml.m5.xlarge", "--max-cost", "0.4"),
            "at most 0.46 USD (list",
        ),
        (("deploy", "demo", "--image", "i", "--instance-hour", "2", "--max-cost", "1"), "at most 4.00 USD"),
        (("deploy", "demo", "--image", "i", "--folder", "nowhere"), "has no code/inference.py"),
        (("deploy", "demo", "--image", "i", "--model", "m"), "used as it is"),
        (("deploy", "demo", "--image", "i", "--instance", "big"), "instance"),
        (("deploy", "demo", "--image", "i j"), "must have no space"),
        (
            ("deploy", "demo", "--image", "i", "--kind", "serverless", "--instance", "ml.m5.large"),
            "belongs to an endpoint",
        ),
    ],
)
def test_what_cannot_be_deployed_is_refused_before_anything_is_called(words: tuple[str, ...], said: str) -> None:
    result = smb(*words, url="http://127.0.0.1:9")
    assert isinstance(result.exception, UsageError)
    assert said in result.exception.message


def test_the_same_files_pack_to_the_same_address_and_hidden_ones_are_left_out(in_a_folder: Path) -> None:
    first = pack(in_a_folder / "model")
    (in_a_folder / "model" / ".hidden").write_text("x")
    assert pack(in_a_folder / "model") == first
    (in_a_folder / "model" / "weights").write_text("x")
    assert pack(in_a_folder / "model").key != first.key
