"""Goal: an address that no request can be sent to is refused in a sentence, and never tried."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from smbench.aws.access.addresses import require_usable
from smbench.aws.access.clients import AwsSettings
from smbench.cli.app import app
from smbench.errors import TargetError
from smbench.targets.base import AwsAccess

UNUSABLE = {
    "ftp://x": "does not begin with http:// or https://",
    "file:///etc/passwd": "does not begin with http:// or https://",
    "s3://bucket": "does not begin with http:// or https://",
    "localhost:8000": "does not begin with http:// or https://",
    "127.0.0.1": "does not begin with http:// or https://",
    "": "an empty address",
    "http://": "names no host",
    "http:///path": "names no host",
    "https:host": "names no host",
    "http://:8000": "names no host",
    "http://127.0.0.1:0": "not a number from 1 to 65535",
    "http://127.0.0.1:65536": "not a number from 1 to 65535",
    "http://127.0.0.1:-1": "not a number from 1 to 65535",
    "http://127.0.0.1:port": "not a number from 1 to 65535",
    "http://[::1": "its host is not an address",
    "http://[zz]:1": "its host is not an address",
    " http://127.0.0.1:1": "a blank",
    "http://127.0.0.1 :1": "a blank",
    "http://127.0.0.1:1\n": "a blank",
    "http://127.0.0.1:1/?a=b": "more than a scheme",
    "http://127.0.0.1:1/#a": "more than a scheme",
}


@pytest.mark.parametrize(("url", "why"), UNUSABLE.items())
def test_an_address_that_cannot_be_used_is_refused_and_says_why(url: str, why: str) -> None:
    for made in (AwsAccess, AwsSettings):
        with pytest.raises(TargetError, match=r"^--endpoint-url is ") as refused:
            made(None, None, url)
        assert why in refused.value.message
        assert "\n" not in refused.value.message
        assert refused.value.advice == "an address looks like http://127.0.0.1:8000"


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1:8000", "HTTPS://vpce-1.s3.us-east-1.vpce.amazonaws.com/", "http://[::1]:65535", "http://h/path"],
)
def test_an_address_of_a_service_passes(url: str) -> None:
    require_usable("--endpoint-url", url)


@pytest.mark.parametrize(
    "url", ["http://jo:PW@h", "ftp://jo:PW@h", "http://jo:PW@h:99999", "jo:PW@h", "http://jo PW@h"]
)
def test_a_password_in_an_address_is_never_repeated(url: str) -> None:
    with pytest.raises(TargetError) as refused:
        require_usable("the address of sqs", url)
    assert "PW" not in refused.value.message + refused.value.advice


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        ("run", "quick-start", "--endpoint", "mine"),
        ("run", "quick-start", "--stack", "mine"),
        ("doctor", "--endpoint", "mine"),
        ("policy", "--endpoint", "mine"),
        ("clean",),
        ("destroy", "mine", "--yes"),
        ("prices", "--refresh"),
        ("order", "quick-start", "--endpoint", "mine", "--to", "place", "--shards", "2"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_refuses_it_before_it_does_anything(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = CliRunner().invoke(app, [*words, "--endpoint-url", "ftp://x"])
    assert isinstance(ran.exception, TargetError), (ran.output, ran.exception)
    assert "--endpoint-url is ftp://x, which cannot be used" in ran.exception.message
    assert not list(tmp_path.iterdir())
