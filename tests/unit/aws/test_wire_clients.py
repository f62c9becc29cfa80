"""Goal: the wire speaks to where the SDK's clients speak, or says before the load why it cannot.

Method: AWS's own variables, and nothing that is reached: what is refused is refused before.
"""

from pathlib import Path

import pytest

from certificates import Authority
from fake_aws import FakeAws, json_answer
from raw_server import RawServer
from smbench.aws.access.clients import AwsClients, AwsSettings
from smbench.aws.transport.wire_clients import tls_of, try_runtime, wire_clients
from smbench.errors import TargetError

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, "/nonexistent")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


async def refusal(settings: AwsSettings) -> TargetError:
    async with AwsClients(settings) as clients:
        with pytest.raises(TargetError) as error:
            async with wire_clients(clients):
                pytest.fail("opened")
    assert "--transport sdk" in error.value.advice
    return error.value


async def test_a_proxy_is_refused_by_name_and_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:secret-word@proxy.example:3128")
    error = await refusal(AwsSettings(region="eu-west-1"))
    assert error.message == (
        "runtime.sagemaker.eu-west-1.amazonaws.com is behind the proxy proxy.example:3128, "
        "and the wire speaks to AWS directly"
    )
    assert "NO_PROXY" in error.advice


async def test_a_host_that_no_proxy_is_for_is_spoken_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    async with FakeAws(lambda _: json_answer({})) as aws:
        local = aws.url.replace("127.0.0.1", "127.0.0.2")
        assert "behind the proxy" in (await refusal(AwsSettings(region="eu-west-1", endpoint_url=local))).message
        monkeypatch.setenv("NO_PROXY", "127.0.0.2")
        async with AwsClients(AwsSettings(region="eu-west-1", endpoint_url=local)) as clients:
            with pytest.raises(TargetError, match="connection refused"):  # tried, and nobody listens there
                async with wire_clients(clients):
                    pytest.fail("opened")


async def test_loopback_is_behind_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://proxy.example:3128")
    async with (
        FakeAws(lambda _: json_answer({})) as aws,
        AwsClients(AwsSettings(region="eu-west-1", endpoint_url=aws.url)) as clients,
        wire_clients(clients) as wire,
    ):
        assert wire.runtime.authority == aws.url.removeprefix("http://")


async def test_s3_with_fips_is_asked_at_a_host_that_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    async with FakeAws(lambda _: json_answer({})) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", aws.url)
        monkeypatch.setenv("NO_PROXY", "*")
        async with AwsClients(AwsSettings(region="us-east-1")) as clients, wire_clients(clients) as wire:
            assert wire.s3.origin.host == "s3-fips.us-east-1.amazonaws.com"


async def test_an_address_with_a_path_is_for_the_sdk_alone() -> None:
    error = await refusal(AwsSettings(region="eu-west-1", endpoint_url="http://127.0.0.1:8000/aws"))
    assert "more than a scheme, a host and a port" in error.message


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
async def test_a_file_of_certificates_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    monkeypatch.setenv(variable, "/nonexistent/ca.pem")
    async with AwsClients(AwsSettings(region="eu-west-1")) as clients:
        for opening in (wire_clients(clients).__aenter__, lambda: try_runtime(clients)):
            with pytest.raises(TargetError, match=r"/nonexistent/ca.pem cannot be used \(No such file") as error:
                await opening()
            assert "AWS_CA_BUNDLE" in error.value.advice


async def test_whom_the_system_trusts_is_trusted_unless_a_file_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    known, other = Authority(tmp_path, "known"), Authority(tmp_path, "other")

    async def refused() -> str:
        url = f"https://127.0.0.1:{server.port}"
        async with AwsClients(AwsSettings(region="eu-west-1", endpoint_url=url)) as clients:
            try:
                async with wire_clients(clients):
                    return ""
            except TargetError as error:
                return error.message

    async with RawServer(lambda *_: None, tls=known.server("127.0.0.1")) as server:
        assert "not trusted" in await refused()
        monkeypatch.setenv("SSL_CERT_FILE", str(known.file))  # OpenSSL's own word for the system's trust store
        assert await refused() == ""
        monkeypatch.setenv("AWS_CA_BUNDLE", str(other.file))
        assert "not trusted" in await refused()


async def test_whom_the_sdk_trusts_is_trusted_where_the_system_trusts_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        monkeypatch.setenv(name, "/nonexistent")
    async with AwsClients(AwsSettings(region="eu-west-1")) as clients:
        assert len(tls_of(clients).get_ca_certs()) > 100


async def test_through_a_proxy_the_sdk_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    async with AwsClients(AwsSettings(region="eu-west-1")) as clients:
        await try_runtime(clients)
