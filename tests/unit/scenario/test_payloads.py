"""Goal: what is sent is what the scenario says, byte for byte, and what cannot be sent is told before the run.

Method: small files in a folder of their own; payloads and messages are compared.
"""

import base64
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from smbench.errors import ScenarioError
from smbench.scenario.model import Scenario
from smbench.scenario.payloads.bodies import Payload, load_payloads, synthetic_json


def scenario(payloads: dict[str, Any], **sections: Any) -> Scenario:
    load = [{"burst": {"requests": 1}}]
    return Scenario.model_validate({"name": "x", "load": load, "payloads": payloads, **sections})


def wrong(folder: Path, payloads: dict[str, Any], **sections: Any) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_payloads(scenario(payloads, **sections), folder)
    return [f"{problem.where}: {problem.message}" for problem in caught.value.problems]


def write_lines(folder: Path, *lines: object) -> None:
    (folder / "in.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))


def test_without_a_source_one_json_document_of_1_kib_is_sent(tmp_path: Path) -> None:
    (payload,) = load_payloads(scenario({}), tmp_path)
    assert payload.body is not None
    assert len(payload.body) == 1024
    assert (payload.payload_class, payload.content_type) == ("synthetic", "application/json")


@pytest.mark.parametrize("n_bytes", [*range(1, 40), 1000, 128_000])
def test_a_synthetic_document_is_json_of_exactly_its_size(n_bytes: int) -> None:
    body = synthetic_json(n_bytes)
    assert len(body) == n_bytes
    json.loads(body)


def test_files_are_sorted_and_each_is_one_payload_though_two_globs_find_it(tmp_path: Path) -> None:
    for name in ("b.json", "a.json", "c.txt"):
        (tmp_path / name).write_text("{}")
    payloads = load_payloads(scenario({"files": ["*.json", "a.*", "c.txt"]}), tmp_path)
    assert [payload.name for payload in payloads] == ["a.json", "b.json", "c.txt"]
    assert [payload.payload_class for payload in payloads] == ["a", "b", "c"]


def test_a_file_whose_name_looks_like_a_glob_is_itself(tmp_path: Path) -> None:
    (tmp_path / "a[1].json").write_text("1")
    (tmp_path / "a1.json").write_text("2")
    (payload,) = load_payloads(scenario({"files": ["a[1].json"]}), tmp_path)
    assert payload.body == b"1"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("a.json", "application/json"),
        ("a.jsonl", "application/jsonlines"),
        ("a.png", "image/png"),
        ("a.jpeg", "image/jpeg"),
        ("a.csv", "text/csv"),
        ("a.txt", "text/plain"),
        ("a.npy", "application/x-npy"),
        ("a.unknown", "application/octet-stream"),
        ("a", "application/octet-stream"),
    ],
)
def test_the_content_type_follows_from_the_extension(tmp_path: Path, name: str, content_type: str) -> None:
    (tmp_path / name).write_bytes(b"\x00\xff")
    (payload,) = load_payloads(scenario({"files": [name]}), tmp_path)
    assert (payload.content_type, payload.body) == (content_type, b"\x00\xff")


def test_the_weight_of_a_set_is_shared_by_its_payloads(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "b.json").write_text("{}")
    mix = [{"name": "files", "files": ["*.json"], "weight": 3}, {"name": "made", "synthetic": 10}]
    payloads = load_payloads(scenario({"mix": mix}), tmp_path)
    assert [(payload.payload_class, payload.weight) for payload in payloads] == [
        ("files", 1.5), ("files", 1.5), ("made", 1.0),
    ]  # fmt: skip


def test_the_weight_of_a_file_of_lines_is_shared_by_its_lines(tmp_path: Path) -> None:
    write_lines(tmp_path, {"Body": "a"}, {"Body": "b"})
    mix = [{"lines": "in.jsonl", "weight": 3}, {"synthetic": 10}]
    assert [payload.weight for payload in load_payloads(scenario({"mix": mix}), tmp_path)] == [1.5, 1.5, 1.0]


def test_a_digest_is_the_sha256_of_the_body_and_empty_without_one() -> None:
    assert Payload("x", "x", b"abc", 1.0).digest == hashlib.sha256(b"abc").hexdigest()
    assert Payload("x", "x", None, 1.0, input_location="s3://b/k").digest == ""
    with pytest.raises(ValueError, match="exactly one of body and input_location"):
        Payload("x", "x", None, 1.0)


def test_a_line_says_every_argument_of_its_invocation(tmp_path: Path) -> None:
    line = {
        "Body": '{"a": 1}', "ContentType": "application/x-a", "Accept": "text/plain", "CustomAttributes": "c=1",
        "RequestTTLSeconds": 60, "InvocationTimeoutSeconds": 3600,
    }  # fmt: skip
    write_lines(tmp_path, line)
    (payload,) = load_payloads(scenario({"lines": "in.jsonl"}), tmp_path)
    assert payload == Payload(
        "in:1", "in", b'{"a": 1}', 1.0, "application/x-a", "text/plain", "c=1", ttl_s=60, timeout_s=3600
    )


def test_a_line_goes_before_its_set_and_its_set_before_the_scenario(tmp_path: Path) -> None:
    write_lines(tmp_path, {"Body": "a", "ContentType": "of/line", "RequestTTLSeconds": 61}, {"Body": "b"})
    sections = {"request": {"content_type": "of/scenario", "accept": "of/scenario", "ttl": "2m", "timeout": "5s"}}
    mix = {"mix": [{"lines": "in.jsonl", "content_type": "of/set"}, {"synthetic": 9}]}
    first, second, third = load_payloads(scenario(mix, **sections), tmp_path)
    assert [p.content_type for p in (first, second, third)] == ["of/line", "of/set", "of/scenario"]
    assert [p.ttl_s for p in (first, second, third)] == [61, 120, 120]
    assert {p.accept for p in (first, second, third)} == {"of/scenario"}
    assert {p.timeout_s for p in (first, second, third)} == {5}


def test_the_type_of_a_line_without_one_follows_from_its_body(tmp_path: Path) -> None:
    encoded = {"base64": base64.b64encode(b"\x00\xff").decode()}
    write_lines(tmp_path, {"Body": "[1]"}, {"Body": "words"}, {"Body": encoded}, {"InputLocation": "s3://b/k"})
    payloads = load_payloads(scenario({"lines": "in.jsonl"}), tmp_path)
    types = ["application/json", "text/plain", "application/octet-stream", None]
    assert [payload.content_type for payload in payloads] == types
    assert [payload.body for payload in payloads] == [b"[1]", b"words", b"\x00\xff", None]
    assert payloads[3].input_location == "s3://b/k"


def test_empty_lines_a_byte_order_mark_and_windows_line_ends_are_read(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_bytes(b'\xef\xbb\xbf{"Body": "a"}\r\n\r\n{"Body": "b"}')
    payloads = load_payloads(scenario({"lines": "in.jsonl"}), tmp_path)
    assert [(payload.name, payload.body) for payload in payloads] == [("in:1", b"a"), ("in:3", b"b")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "line 1: is no JSON: expecting"),
        (b"[]", "line 1: must be a JSON object"),
        (b"\xff", "line 1: is not UTF-8 text"),
        (b"[" * 100_000, "line 1: is nested too deeply"),
        (b"{}", "line 1: must have exactly one of Body and InputLocation"),
        (b'{"Body": "", "InputLocation": "s3://b/k"}', "must have exactly one of"),
        (b'{"Body": 1}', 'Body must be text, or {"base64": "..."}'),
        (b'{"Body": {"base64": "@"}}', "Body is no base64"),
        (b'{"Body": "\\ud800"}', "Body"),
        (b'{"InputLocation": "s3://bucket"}', "InputLocation must be an S3 object"),
        (b'{"Body": "", "RequestTTLSeconds": 59}', "RequestTTLSeconds must lie between 60 and 21600"),
        (b'{"Body": "", "InvocationTimeoutSeconds": true}', "InvocationTimeoutSeconds must be a whole number"),
        (b'{"Body": "", "ContentType": "a\\nb"}', "ContentType must be text"),
        ('{"Body": "", "Accept": "text/é"}'.encode(), "Accept must be text of at most 1024 characters of printable"),
        (b'{"Body": "", "CustomAttributes": "a\\r\\nX-Amz-Target: b"}', "CustomAttributes must be text"),
        (b'{"InputLocation": "s3://bucket/a\\r\\nb"}', "InputLocation must be printable ASCII"),
        (b'{"Body": "", "InferenceId": "1"}', "InferenceId is not for a payload to say"),
        (b'{"Body": "", "ContentTpye": "a"}', "unknown key ContentTpye; did you mean 'ContentType'?"),
        (b"", "holds no line"),
    ],
)  # fmt: skip
def test_a_line_that_is_no_invocation_is_told(tmp_path: Path, line: bytes, words: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(line)
    (told,) = wrong(tmp_path, {"lines": "in.jsonl"})
    assert told.startswith("payloads.lines: in.jsonl")
    assert words in told


def test_all_bad_lines_are_told_at_once(tmp_path: Path) -> None:
    write_lines(tmp_path, {"Body": "a"}, {"Bod": "b"}, {}, [])
    assert len(wrong(tmp_path, {"lines": "in.jsonl"})) == 3


def test_what_cannot_be_made_unique_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("1,2\n")
    (tmp_path / "b.json").write_text("{no json}")
    write_lines(tmp_path, {"InputLocation": "s3://b/k"})
    mix = [{"files": ["a.csv"]}, {"files": ["b.json"]}, {"lines": "in.jsonl"}]
    csv, no_json, there = wrong(tmp_path, {"unique": True, "mix": mix})
    assert csv.startswith("payloads.mix.0.files: payload a.csv is text/csv, which cannot be made unique")
    assert "is called JSON and is none" in no_json
    assert "is an object in S3 already" in there


def test_the_inline_limit_counts_what_makes_a_body_unique(tmp_path: Path) -> None:
    assert load_payloads(scenario({"inline": True, "synthetic": 128_000}), tmp_path)
    (told,) = wrong(tmp_path, {"inline": True, "unique": True, "synthetic": 128_000})
    assert "inline takes at most 128,000" in told


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{}")
    (tmp_path / "a.json").chmod(0)
    (told,) = wrong(tmp_path, {"files": ["a.json"]})
    assert "cannot be read: Permission denied" in told
