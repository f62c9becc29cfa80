"""Goal: a manifest comes back as it was written, and no credential ever gets into it.

Method: credentials of every known shape are put wherever a user or AWS could put one; the file's text is searched.
"""

import json
from pathlib import Path

import pytest

from runs import manifest_of, span
from smbench.errors import ResultsError
from smbench.results.manifest import Host, read_manifest
from smbench.results.secrets import REDACTED, redacted

KEY_ID = "AKIAIOSFODNN7EXAMPLE"  # AWS's own examples
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION = "IQoJb3JpZ2luX2VjE" + "A1b2" * 40


def test_a_manifest_comes_back_as_it_was_written(tmp_path: Path) -> None:
    manifest = manifest_of([span(3), span(2, name="late", index=1, end_s=None)]).model_copy(
        update={"host": Host.this(), "payload_digests": {"a.json": "00ff"}, "notes": ("a", "b"), "seeds": {"all": 7}}
    )
    manifest.write(tmp_path)
    assert read_manifest(tmp_path) == manifest
    assert read_manifest(tmp_path).n_scheduled == 5


def test_the_host_is_described_without_asking_anybody() -> None:
    host = Host.this()
    assert host.cpu_count >= 1
    assert {"polars", "numpy"} <= host.packages.keys()


@pytest.mark.parametrize(
    "value",
    [
        KEY_ID,
        "ASIAIOSFODNN7EXAMPLE",
        f"run --profile x --key={KEY_ID} y",
        f"aws_secret_access_key = {SECRET}",
        f"export AWS_SESSION_TOKEN={SESSION}",
        SESSION,
        f"https://someone:{SECRET}@proxy.example:3128/",
        f"https://s3.amazonaws.com/k?X-Amz-Credential={KEY_ID}&X-Amz-Signature=deadbeef",
        {"SecretAccessKey": SECRET},
        {"Credentials": {"SessionToken": SESSION}},
        {"env": [{"password": "swordfish-and-more"}]},
        {KEY_ID: 1},
    ],
)
def test_nothing_that_looks_like_a_credential_is_written(tmp_path: Path, value: object) -> None:
    manifest = manifest_of().model_copy(
        update={
            "target": {"found": value},
            "scenario": {"nested": [{"deep": value}]},
            "command": ("smbench", json.dumps(value)),
            "notes": (str(value),),
        }
    )
    manifest.write(tmp_path)
    text = (tmp_path / "manifest.json").read_text()
    for secret in (KEY_ID, "ASIAIOSFODNN7EXAMPLE", SECRET, SESSION, "deadbeef", "swordfish-and-more"):
        assert secret not in text or secret not in json.dumps(value)
    assert REDACTED in text


def test_the_secrets_of_the_environment_are_replaced_wherever_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_SESSION_TOKEN", "short-lived-token-of-no-known-shape")
    monkeypatch.setenv("MY_PASSWORD", "abc")  # too short to be looked for: it would redact ordinary words
    manifest = manifest_of(reason=f"403 for {SECRET}: abc").model_copy(
        update={"notes": ("token=short-lived-token-of-no-known-shape",)}
    )
    manifest.write(tmp_path)
    text = (tmp_path / "manifest.json").read_text()
    assert SECRET not in text
    assert "short-lived-token-of-no-known-shape" not in text
    assert "403 for [redacted]: abc" in text


def test_what_is_no_secret_stays_as_it_is() -> None:
    plain = {
        "inference": "smb-20261121-0-17",
        "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "url": "https://sqs.eu-central-1.amazonaws.com/123456789012/queue",
        "arn": "arn:aws:iam::123456789012:role/smbench",
        "numbers": [1, 2.5, None, True],
        "password": "",
    }
    assert redacted(plain, environ={}) == plain


def test_a_manifest_that_cannot_be_written_is_an_error_of_results(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot write"):
        manifest_of().write(tmp_path / "nowhere")
