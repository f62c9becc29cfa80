"""Goal: the emulator is reached whatever the user's AWS settings say; AWS is reached as they say; what is missing ends
in a sentence with advice; no credential stands in any text.

Method: AWS's own files and variables in a temporary folder; a scripted server on loopback.
"""

import textwrap
from pathlib import Path
from socket import gaierror

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from fake_aws import FakeAws, client_error, json_answer
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.access.refusals import explained
from smbench.aws.transport.invoke import SdkTransport
from smbench.clock import WarpLoop
from smbench.emulator.protocol.http import HttpResponse
from smbench.errors import TargetError
from smbench.records import Invocation, Rejected

KEY, SECRET, TOKEN = "AKIAABCDEFGHIJKLMNOP", "not-to-be-seen-secret", "not-to-be-seen-token"
IDENTITY = HttpResponse(
    200,
    [("content-type", "text/xml")],
    b'<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    b"<Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>",
)


class Machine:
    """A user's AWS settings: variables and files, nothing else."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.patch.setenv(name, value)

    def config(self, text: str) -> None:
        (self.folder / "config").write_text(textwrap.dedent(text))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    for name in ("AWS_PROFILE", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    machine = Machine(tmp_path, monkeypatch)
    machine.set(
        HOME=str(tmp_path),
        AWS_CONFIG_FILE=str(tmp_path / "config"),
        AWS_SHARED_CREDENTIALS_FILE=str(tmp_path / "credentials"),
        AWS_EC2_METADATA_DISABLED="true",
    )
    return machine


def with_keys(machine: Machine) -> None:
    machine.set(AWS_ACCESS_KEY_ID=KEY, AWS_SECRET_ACCESS_KEY=SECRET, AWS_SESSION_TOKEN=TOKEN)


async def refusal(settings: AwsSettings) -> TargetError:
    """What opening says, with every link of its origin free of secrets."""
    with pytest.raises(TargetError) as error:
        async with AwsClients(settings):
            pytest.fail("opened")
    for secret in (SECRET, TOKEN):
        assert secret not in error.value.message + error.value.advice
    return error.value


@pytest.mark.slow
async def test_the_emulator_is_reached_whatever_the_machine_is_set_to(machine: Machine) -> None:
    machine.config("not an AWS config file [")
    machine.set(
        AWS_PROFILE="gone",
        AWS_REGION="mars-north-1",
        AWS_DEFAULT_REGION="mars-north-1",
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_ENDPOINT_URL_STS="http://127.0.0.1:9",
        AWS_CA_BUNDLE="/nowhere.pem",
        AWS_USE_FIPS_ENDPOINT="true",
        AWS_DATA_PATH="/nowhere",
        HTTP_PROXY="http://127.0.0.1:9",
        http_proxy="http://127.0.0.1:9",
        ALL_PROXY="http://127.0.0.1:9",
    )
    with_keys(machine)
    async with (
        FakeAws(lambda _: IDENTITY) as aws,
        AwsClients(AwsSettings(endpoint_url=aws.url, emulated=True)) as clients,
    ):
        assert (await clients.identity())["Account"] == "123456789012"
        assert clients.region == "us-east-1"
        (request,) = aws.requests
    assert "Credential=smbench/" in request.headers["authorization"]
    assert "x-amz-security-token" not in request.headers


@pytest.mark.slow
async def test_aws_is_reached_as_the_machine_is_set(machine: Machine) -> None:
    async with FakeAws(lambda _: IDENTITY) as aws:
        machine.config("[default]\nregion = eu-west-1\n")
        machine.set(AWS_ENDPOINT_URL_STS=aws.url)
        with_keys(machine)
        async with AwsClients(AwsSettings()) as clients:
            await clients.identity()
            assert clients.region == "eu-west-1"
            assert clients.sqs.meta.endpoint_url == "https://sqs.eu-west-1.amazonaws.com"
    (request,) = aws.requests
    assert f"Credential={KEY}/" in request.headers["authorization"]
    assert "/eu-west-1/sts/" in request.headers["authorization"]
    assert request.headers["x-amz-security-token"] == TOKEN


@pytest.mark.slow
@pytest.mark.parametrize("anyio_backend", [("asyncio", {"loop_factory": WarpLoop})])  # the tries are seconds apart
async def test_submission_is_tried_once_and_preparation_is_not(machine: Machine) -> None:
    del machine
    broken = json_answer({"__type": "InternalFailure"}, 500)
    async with (
        FakeAws(lambda _: broken) as aws,
        AwsClients(AwsSettings(endpoint_url=aws.url, emulated=True, in_flight=7)) as clients,
    ):
        assert clients.runtime.meta.config.max_pool_connections == 7
        assert clients.sqs.meta.config.read_timeout > 20  # a long poll is that long by itself
        with pytest.raises(Rejected):
            await SdkTransport(clients.runtime, "ep").submit(Invocation(1, "run-0-1", body=b"x"))
        assert len(aws.requests) == 1
        aws.requests.clear()
        with (
            pytest.raises(TargetError, match="could not look in us-east-1: InternalFailure"),
            clients.explained("look"),
        ):
            await clients.sagemaker.describe_endpoint(EndpointName="ep")
        assert len(aws.requests) > 1


@pytest.mark.parametrize("code", ["Throttling", "ThrottlingException", "TooManyRequestsException", "SlowDown"])
def test_a_throttle_is_to_be_waited_for(code: str) -> None:
    throttled = ClientError({"Error": {"Code": code, "Message": "Rate exceeded"}}, "DescribeStacks")
    said = pytest.raises(TargetError, match=f"could not look in r: {code}: Rate exceeded")
    with said as found, explained("look", profile=None, region="r"):
        raise throttled
    assert "wait a minute, then repeat the command" in found.value.advice


async def test_without_a_region_it_says_how_to_give_one(machine: Machine) -> None:
    with_keys(machine)
    error = await refusal(AwsSettings())
    assert error.message == "no AWS region is set"
    assert "--region" in error.advice


async def test_without_credentials_it_says_how_to_sign_in(machine: Machine) -> None:
    machine.config("[profile team]\nregion = eu-west-1\n")
    error = await refusal(AwsSettings(profile="team"))
    assert error.message == "no AWS credentials were found"
    assert "aws sso login --profile team" in error.advice


async def test_half_of_the_credentials_are_none(machine: Machine) -> None:
    machine.set(AWS_ACCESS_KEY_ID=KEY)
    error = await refusal(AwsSettings(region="eu-west-1"))
    assert error.message == "the AWS credentials are incomplete"


async def test_a_profile_that_is_not_there_is_named(machine: Machine) -> None:
    error = await refusal(AwsSettings(profile="gone", region="eu-west-1"))
    assert error.message == "there is no AWS profile named gone"
    machine.set(AWS_PROFILE="also-gone")
    assert "also-gone" in (await refusal(AwsSettings(region="eu-west-1"))).message


async def test_a_profile_of_aws_login_gets_its_bridge(machine: Machine) -> None:
    machine.config("[profile me]\nregion = eu-west-1\nlogin_session = arn:aws:iam::123456789012:user/me\n")
    error = await refusal(AwsSettings(profile="me"))
    assert "aws configure export-credentials --profile me" in error.advice


async def test_an_expired_sso_session_says_to_sign_in(machine: Machine) -> None:
    machine.config("""
        [profile team]
        region = eu-west-1
        sso_start_url = https://example.awsapps.com/start
        sso_region = eu-west-1
        sso_account_id = 123456789012
        sso_role_name = reader
    """)
    error = await refusal(AwsSettings(profile="team"))
    assert "aws sso login --profile team" in error.advice


async def test_a_credential_process_that_fails_is_not_quoted(machine: Machine) -> None:
    script = machine.folder / "fetch"
    script.write_text(f"#!/bin/sh\necho {SECRET} >&2\nexit 1\n")
    script.chmod(0o700)
    machine.config(f"[profile team]\nregion = eu-west-1\ncredential_process = {script}\n")
    error = await refusal(AwsSettings(profile="team"))
    assert "could not be fetched" in error.message


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        ("credential_process = /no/such/program", "/no/such/program: No such file or directory"),
        (f"credential_process = /bin/echo {SECRET}", "printed what are no credentials"),
        ("credential_process = /bin/echo []", "printed what are no credentials"),
        ("role_arn = arn:aws:iam::123456789012:role/x\nweb_identity_token_file = /no/token", "/no/token: No such file"),
    ],
)
async def test_what_a_profile_names_and_there_is_not_is_said_and_nothing_is_quoted_or_logged(
    machine: Machine, capfd: pytest.CaptureFixture[str], profile: str, words: str
) -> None:
    machine.config(f"[profile one]\nregion = eu-west-1\n{profile}\n")
    error = await refusal(AwsSettings(profile="one"))
    assert words in error.message
    assert "aws sts get-caller-identity --profile one" in error.advice
    assert capfd.readouterr().err == ""


async def test_a_profile_that_asks_a_person_for_a_code_gets_its_bridge_and_asks_nobody(machine: Machine) -> None:
    role = "region = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/x\n"
    machine.config(
        f"[profile far]\n{role}source_profile = near\n"
        f"[profile near]\n{role}source_profile = keys\nmfa_serial = arn:aws:iam::123456789012:mfa/me\n"
        f"[profile keys]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    )
    error = await refusal(AwsSettings(profile="far"))
    assert "the profile near asks for a code" in error.message
    assert "aws configure export-credentials --profile far --format env" in error.advice


@pytest.mark.slow
async def test_credentials_that_are_fetched_elsewhere_are_not_blamed_on_the_address_of_the_services(
    machine: Machine,
) -> None:
    """A role is taken at STS, which --endpoint-url does not name."""
    machine.config(
        f"[profile one]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/x\nsource_profile = keys\n"
        f"[profile keys]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    )
    denied = HttpResponse(
        403,
        [("content-type", "text/xml")],
        b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>may not perform sts:AssumeRole</Message></Error>"
        b"</ErrorResponse>",
    )
    async with FakeAws(lambda _: denied) as aws:
        machine.set(AWS_ENDPOINT_URL_STS=aws.url)
        error = await refusal(AwsSettings(profile="one", endpoint_url="http://127.0.0.1:1"))
    assert error.message == "not allowed to fetch the credentials: may not perform sts:AssumeRole"


async def test_a_config_file_that_cannot_be_read_is_named(machine: Machine) -> None:
    machine.config("not an AWS config file [")
    assert str(machine.folder / "config") in (await refusal(AwsSettings(region="eu-west-1"))).message


async def test_a_region_that_is_no_region_is_refused(machine: Machine) -> None:
    with_keys(machine)
    assert "not a region" in (await refusal(AwsSettings(region="not a region"))).message


async def test_an_address_of_one_service_that_cannot_be_used_is_refused(machine: Machine) -> None:
    with_keys(machine)
    machine.set(AWS_ENDPOINT_URL_SQS="ftp://127.0.0.1:8000")
    error = await refusal(AwsSettings(region="eu-west-1"))
    assert error.message.startswith("the address of sqs is ftp://127.0.0.1:8000, which cannot be used: ")


@pytest.mark.parametrize(
    ("flag", "aws_region", "default_region", "expected"),
    [
        ("eu-west-1", "eu-west-2", "eu-west-3", "eu-west-1"),
        (None, "eu-west-2", "eu-west-3", "eu-west-2"),
        (None, "", "eu-west-3", "eu-west-3"),
    ],
)
@pytest.mark.slow
async def test_the_region_is_looked_for_in_the_order_of_the_aws_cli(
    machine: Machine, flag: str | None, aws_region: str, default_region: str, expected: str
) -> None:
    with_keys(machine)
    machine.set(AWS_REGION=aws_region, AWS_DEFAULT_REGION=default_region)
    async with AwsClients(AwsSettings(region=flag)) as clients:
        assert clients.region == expected


@pytest.mark.parametrize(
    ("code", "text", "status", "expected"),
    [
        ("ExpiredTokenException", "The security token is expired", 400, "the credentials have expired"),
        ("UnrecognizedClientException", "The security token is invalid", 400, "does not accept the credentials"),
        ("SignatureDoesNotMatch", f"...\nx-amz-security-token:{TOKEN}\n", 403, "does not accept the credentials"),
        ("InvalidSignatureException", "Signature expired: 1 is now earlier than 2", 403, "clock is wrong"),
        ("RequestTimeTooSkewed", "The difference is too large", 403, "clock is wrong"),
        ("AccessDeniedException", "user x may not sagemaker:DescribeEndpoint", 400, "not allowed to look: user x"),
        ("ThrottlingException", None, 400, "could not look in eu-west-1: ThrottlingException"),
        ("Odd", f"Credential={KEY}/x x-amz-security-token: {TOKEN}", 400, "could not look in eu-west-1: Odd"),
    ],
)
def test_what_aws_refuses_is_said_with_advice_and_without_secrets(
    code: str, text: str | None, status: int, expected: str
) -> None:
    clients = AwsClients(AwsSettings(region="eu-west-1", profile="team"))
    with pytest.raises(TargetError) as error, clients.explained("look"):
        raise client_error(code, text, status)
    told = error.value.message + error.value.advice
    assert expected in error.value.message
    assert KEY not in told
    assert TOKEN not in told


@pytest.mark.slow
@pytest.mark.parametrize(
    ("region", "advice"),
    [
        ("us-esat-1", "the AWS SDK knows no region us-esat-1; did you mean us-east-1?"),
        ("cn-north-1", "check the network, the proxy settings and the region"),
    ],
)
def test_where_nothing_answers_a_misspelt_region_is_guessed(region: str, advice: str) -> None:
    clients = AwsClients(AwsSettings(region=region))
    with pytest.raises(TargetError) as error, clients.explained("look"):
        raise EndpointConnectionError(endpoint_url=f"https://api.sagemaker.{region}.amazonaws.com", error=gaierror())
    assert error.value.advice == advice


def test_a_bucket_that_is_not_there_is_to_be_made_again() -> None:
    clients = AwsClients(AwsSettings(region="eu-west-1"))
    with (
        pytest.raises(TargetError, match="could not look in eu-west-1: NoSuchBucket") as error,
        clients.explained("look"),
    ):
        raise client_error("NoSuchBucket", status=404)
    assert error.value.advice == "create the bucket, or name one that exists"
