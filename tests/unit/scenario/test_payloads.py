"""Goal: what is sent is what the scenario says, byte for byte, and what cannot be sent is told before the run.

Method: small files in a folder of their own; payloads and messages are compared.
"""

import base64
import hashlib
import json
import os
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from smbench.errors import ScenarioError
from smbench.scenario.model import Scenario
from smbench.scenario.payloads.bodies import Payload, Synthetic, load_payloads, read_payloads


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
    body = Synthetic(n_bytes).make()
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
    with pytest.raises(ValueError, match="exactly one of content and input_location"):
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
        (b"{", "line 1: is not JSON: expecting"),
        (b"[]", "line 1: must be a JSON object"),
        (b"\xff", "line 1: is not UTF-8 text"),
        (b"[" * 100_000, "line 1: is nested too deeply"),
        (b"{}", "line 1: must have exactly one of Body and InputLocation"),
        (b'{"Body": "a", "Body": "b"}', "line 1: has Body twice"),
        (b'{"Body": {"base64": "YQ==", "base64": "Yg=="}}', "line 1: has base64 twice"),
        (b'{"Body": "", "InputLocation": "s3://b/k"}', "must have exactly one of"),
        (b'{"Body": 1}', 'Body must be text, or {"base64": "..."}'),
        (b'{"Body": {"base64": "@"}}', "Body is not base64"),
        (b'{"Body": "\\ud800"}', "Body"),
        (b'{"InputLocation": "s3://bucket"}', "InputLocation must be an S3 object"),
        (b'{"Body": "", "RequestTTLSeconds": 59}', "RequestTTLSeconds must lie between 60 and 21600"),
        (b'{"Body": "", "InvocationTimeoutSeconds": true}', "InvocationTimeoutSeconds must be a whole number"),
        (b'{"Body": "", "ContentType": "a\\nb"}', "ContentType must be text"),
        ('{"Body": "", "Accept": "text/é"}'.encode(), "Accept must be text of at most 1024 characters of printable"),
        (b'{"Body": "", "CustomAttributes": "a\\r\\nX-Amz-Target: b"}', "CustomAttributes must be text"),
        (b'{"InputLocation": "s3://bucket/a\\r\\nb"}', "InputLocation must be printable ASCII"),
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


@pytest.mark.slow
def test_of_many_bad_lines_the_first_hundred_are_described_and_the_others_counted(tmp_path: Path) -> None:
    write_lines(tmp_path, *({"Body": number} for number in range(5_000)))
    described = wrong(tmp_path, {"lines": "in.jsonl"})
    assert len(described) == 101
    assert "line 100: Body" in described[99]
    assert "in.jsonl has 4,900 more lines that are wrong" in described[100]


@pytest.mark.parametrize(
    "location",
    [
        "https://buck.s3.us-east-1.amazonaws.com/in/a.json",
        "https://s3.us-east-1.amazonaws.com/buck/in/a.json",
        "https://buck.s3.cn-north-1.amazonaws.com.cn/in/a.json",
        "s3://buck/a",
    ],
)
def test_an_input_s_location_may_be_an_s3_or_an_https_address_of_s3(tmp_path: Path, location: str) -> None:
    write_lines(tmp_path, {"InputLocation": location})
    (payload,) = load_payloads(scenario({"lines": "in.jsonl"}), tmp_path)
    assert payload.input_location == location


@pytest.mark.parametrize(
    "location", ["https://u:p@buck.s3.us-east-1.amazonaws.com/a", "https://example.org/a", "buck/a"]
)
def test_any_other_location_is_refused(tmp_path: Path, location: str) -> None:
    write_lines(tmp_path, {"InputLocation": location})
    assert (
        "InputLocation must be an S3 object such as s3://bucket/key or https://"
        in wrong(tmp_path, {"lines": "in.jsonl"})[0]
    )


def test_a_location_longer_than_aws_takes_is_refused_with_both_lengths(tmp_path: Path) -> None:
    write_lines(tmp_path, {"InputLocation": "s3://b/" + "k" * 1017}, {"InputLocation": "s3://b/" + "k" * 1050})
    (only,) = wrong(tmp_path, {"lines": "in.jsonl"})
    assert "line 2: InputLocation has 1,057 characters; AWS takes at most 1,024" in only


def test_a_line_says_where_below_the_output_path_its_result_goes(tmp_path: Path) -> None:
    line = {"InputLocation": "s3://b/a", "S3OutputPathExtension": "run1/a", "Filename": "result.json"}
    write_lines(tmp_path, line)
    (payload,) = load_payloads(scenario({"lines": "in.jsonl"}), tmp_path)
    assert (payload.output_extension, payload.filename) == ("run1/a", "result.json")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("S3OutputPathExtension", "s3://b/a"),
        ("S3OutputPathExtension", "a b"),
        ("S3OutputPathExtension", "a" * 513),
        ("Filename", "a/b"),
        ("Filename", "a.b.c"),
        ("Filename", "a" * 33),
    ],
)
def test_a_place_that_aws_would_refuse_is_refused(tmp_path: Path, key: str, value: str) -> None:
    write_lines(tmp_path, {"InputLocation": "s3://b/a", key: value})
    assert f"{key} must be at most" in wrong(tmp_path, {"lines": "in.jsonl"})[0]


@pytest.mark.parametrize(
    ("key", "meant"),
    [
        ("input_location", "InputLocation"),
        ("inputLocation", "InputLocation"),
        ("body", "Body"),
        ("content-type", "ContentType"),
        ("request_ttl_seconds", "RequestTTLSeconds"),
        ("s3OutputPathExtension", "S3OutputPathExtension"),
    ],
)
def test_a_key_in_the_spelling_of_another_language_leads_to_aws_s(tmp_path: Path, key: str, meant: str) -> None:
    write_lines(tmp_path, {key: "s3://b/a"})
    assert wrong(tmp_path, {"lines": "in.jsonl"})[0].endswith(f"unknown key {key}; did you mean '{meant}'?")


def test_recorded_calls_are_taken_without_what_smbench_sets_itself(tmp_path: Path) -> None:
    recorded = {"EndpointName": "prod", "InferenceId": "abc", "InputLocation": "s3://b/a"}
    write_lines(tmp_path, recorded, recorded, {"InputLocation": "s3://b/b"})
    read = read_payloads(scenario({"lines": "in.jsonl"}), tmp_path)
    assert [payload.input_location for payload in read.payloads] == ["s3://b/a", "s3://b/a", "s3://b/b"]
    assert read.notes == ["in.jsonl: EndpointName and InferenceId of 2 lines are left out: smbench sets its own"]


def test_each_line_of_a_file_of_bodies_is_one_body_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(b'{"x": 1}\r\n\n  plain  \n\xff\n[2]')
    payloads = load_payloads(scenario({"bodies": "b.jsonl"}), tmp_path)
    assert [(payload.name, payload.body) for payload in payloads] == [
        ("b:1", b'{"x": 1}'), ("b:3", b"  plain  "), ("b:4", b"\xff"), ("b:5", b"[2]"),
    ]  # fmt: skip
    assert [payload.content_type for payload in payloads] == [
        "application/json", "text/plain", "application/octet-stream", "application/json",
    ]  # fmt: skip


def test_a_file_of_bodies_without_a_line_is_refused(tmp_path: Path) -> None:
    (tmp_path / "b.jsonl").write_bytes(b"\n\n")
    assert wrong(tmp_path, {"bodies": "b.jsonl"}) == ["payloads.bodies: b.jsonl holds no line"]


@pytest.mark.parametrize("of", ["mix", "files"])
def test_a_gigabyte_is_described_without_being_made(tmp_path: Path, of: str) -> None:
    source: dict[str, Any] = {"synthetic": 2**30, "unique": True}
    if of == "mix":
        source = {"mix": [{"synthetic": 2**30}, {"synthetic": 2**30, "weight": 2}]}
    tracemalloc.start()
    payloads = load_payloads(scenario(source), tmp_path)
    assert {payload.size_bytes for payload in payloads} == {2**30}
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def test_a_synthetic_document_s_digest_is_that_of_its_bytes() -> None:
    for n_bytes in (1, 5, 64_999, 65_011, 65_012, 200_000):
        made = Synthetic(n_bytes)
        assert made.digest == hashlib.sha256(made.make()).hexdigest()


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
