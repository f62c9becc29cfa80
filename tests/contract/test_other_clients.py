"""Goal: clients that are not botocore of today work on `smbench emulate` with nothing but an endpoint URL.

Method: the JavaScript SDK v3 out of npm, in a temporary folder; AWS CLI v2, rclone and s3cmd where the machine has them
(on Debian: apt install awscli rclone s3cmd). One emulator serves all of them, half a second of service a request.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving import emulate, sdk_environment

SCRIPT = Path(__file__).parent / "scripts" / "walk_sdk.mjs"
PACKAGES = ("client-s3", "lib-storage", "client-sqs", "client-sns", "client-sagemaker-runtime")
SCENARIO = """
name: other-clients
target:
  emulated:
    instances: {max: 1, start: 1}
    service: 500ms
load:
  - constant: {rate: 1/s, for: 1s}
"""
BODY = bytes(range(256)) * (6 * 1024 * 1024 // 256)  # two parts of an upload, the second smaller than a part may be

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with emulate(tmp_path_factory.mktemp("emulate"), SCENARIO) as served:
        yield served


def ran(url: str, *command: str | Path, given: bytes = b"", cwd: Path | None = None) -> bytes:
    """What a command wrote to stdout; it must succeed."""
    kept = {name: value for name, value in sdk_environment(url).items() if "CA_BUNDLE" not in name}
    ended = subprocess.run(command, input=given, env=kept, cwd=cwd, capture_output=True, timeout=120, check=False)
    assert ended.returncode == 0, f"{' '.join(map(str, command))}: {ended.stderr.decode()[-800:]}"
    return ended.stdout


def installed(name: str, *, version: str = "") -> str:
    """Where a program is; skips the test when it is missing, or of another version."""
    for path in (shutil.which(name), f"/usr/bin/{name}"):
        if path is not None and Path(path).exists():
            told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
            if version in told.stdout + told.stderr:
                return path
    pytest.skip(f"no {name}{f' of version {version}' if version else ''} is installed here")


@pytest.fixture
def large(tmp_path: Path) -> Path:
    file = tmp_path / "large.bin"
    file.write_bytes(BODY)
    return file


@pytest.mark.npm
def test_the_javascript_sdk_streams_uploads_listens_and_invokes(url: str, tmp_path: Path) -> None:
    npm, node = installed("npm"), installed("node")
    names = [f"@aws-sdk/{name}@3" for name in PACKAGES]
    quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix")
    try:
        got = subprocess.run(
            [npm, "install", *quiet, tmp_path, *names], capture_output=True, text=True, check=False, timeout=90
        )
    except subprocess.TimeoutExpired:
        pytest.skip("no npm registry: no answer in 90 s")
    if got.returncode:
        pytest.skip(f"no npm registry: {got.stderr.strip()[-200:]}")
    shutil.copy(SCRIPT, tmp_path)
    found = json.loads(ran(url, node, SCRIPT.name, url, cwd=tmp_path))
    assert sorted(found["streams"]) == ["CRC32", "CRC32C", "CRC64NVME", "MD5", "SHA1", "SHA256"]
    assert all(streamed == [20005, None] for streamed in found["streams"].values())
    assert found["small"] == "InvalidChunkSizeError"  # as on AWS
    assert found["upload"].endswith('-2"')
    assert found["taken"] == "js-1"
    assert sorted(found["messages"]) == ["from sns", "js-1"]


def test_the_aws_cli_of_version_2_moves_objects_and_messages(url: str, large: Path) -> None:
    aws: list[str | Path] = [installed("aws", version="aws-cli/2"), "--endpoint-url", url]
    ran(url, *aws, "s3", "mb", "s3://cli")
    ran(url, *aws, "s3", "cp", large, "s3://cli/large", "--no-progress")
    ran(url, *aws, "s3", "cp", "s3://cli/large", "s3://cli/copy", "--no-progress")
    assert ran(url, *aws, "s3", "cp", "s3://cli/copy", "-") == BODY
    asked = ("--object-attributes", "ObjectSize")
    told = ran(url, *aws, "s3api", "get-object-attributes", "--bucket", "cli", "--key", "copy", *asked)
    assert json.loads(told)["ObjectSize"] == len(BODY)
    ran(url, *aws, "s3", "rb", "--force", "s3://cli")
    queue = json.loads(ran(url, *aws, "sqs", "create-queue", "--queue-name", "cli"))["QueueUrl"]
    assert queue in json.loads(ran(url, *aws, "sqs", "list-queues"))["QueueUrls"]
    attributes = '{"kind": {"DataType": "String", "StringValue": "a & b"}}'
    said = ("--message-body", "hi", "--message-attributes", attributes)
    ran(url, *aws, "sqs", "send-message", "--queue-url", queue, *said)
    names = ("--message-attribute-names", "All", "--attribute-names", "All")
    (message,) = json.loads(ran(url, *aws, "sqs", "receive-message", "--queue-url", queue, *names))["Messages"]
    assert message["Body"] == "hi"
    assert message["MessageAttributes"]["kind"]["StringValue"] == "a & b"
    handle = message["ReceiptHandle"]
    ran(url, *aws, "sqs", "delete-message", "--queue-url", queue, "--receipt-handle", handle)
    ran(url, *aws, "sqs", "delete-queue", "--queue-url", queue)


def test_rclone_copies_streams_checks_and_purges(url: str, tmp_path: Path, large: Path) -> None:
    rclone: list[str | Path] = [
        installed("rclone"),
        "--config",
        tmp_path / "none.conf",
        "--retries",
        "1",
        "--s3-upload-cutoff",
        "5M",
    ]
    there = f':s3,provider=Other,env_auth=true,region=us-east-1,force_path_style=true,endpoint="{url}":rclone-bucket'
    ran(url, *rclone, "mkdir", there)
    ran(url, *rclone, "copyto", large, f"{there}/in/large")
    ran(url, *rclone, "--s3-copy-cutoff", "5M", "copyto", f"{there}/in/large", f"{there}/copy")
    assert ran(url, *rclone, "cat", f"{there}/copy") == BODY
    ran(url, *rclone, "rcat", f"{there}/streamed", given=b"a stream")
    listed = ran(url, *rclone, "lsf", "--recursive", there).decode().split()
    assert sorted(listed) == ["copy", "in/", "in/large", "streamed"]
    ran(url, *rclone, "cleanup", there)
    ran(url, *rclone, "purge", there)


def test_s3cmd_puts_copies_tells_and_removes(url: str, tmp_path: Path, large: Path) -> None:
    host = url.removeprefix("http://")
    settings = (
        "--no-ssl",
        f"--host={host}",
        f"--host-bucket={host}/%(bucket)s",
        "--access_key=any",
        "--secret_key=any",
    )
    config = tmp_path / "s3cfg"
    config.write_text("[default]\n")
    s3cmd: list[str | Path] = [installed("s3cmd"), "--config", config, *settings]
    ran(url, *s3cmd, "mb", "s3://s3cmd")
    ran(url, *s3cmd, "put", large, "s3://s3cmd/large", "--multipart-chunk-size-mb=5")
    ran(url, *s3cmd, "cp", "s3://s3cmd/large", "s3://s3cmd/copy")
    ran(url, *s3cmd, "get", "s3://s3cmd/copy", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == BODY
    told = ran(url, *s3cmd, "info", "s3://s3cmd").decode()
    assert "Policy:    none" in told
    assert "CORS:      none" in told
    ran(url, *s3cmd, "rb", "--recursive", "--force", "s3://s3cmd")
