"""Goal: every form of payload that other tools write is read as it is meant, in bounded memory, and runs nothing.

Method: small files of each form, made here; pickles that would call something, archives that unpack to too much.
"""

import base64
import bz2
import contextlib
import gzip
import io
import json
import lzma
import pickle
import re
import tarfile
import tracemalloc
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from smbench.errors import ScenarioError
from smbench.scenario.describe import describe
from smbench.scenario.model import Scenario
from smbench.scenario.payloads import sources
from smbench.scenario.payloads.bodies import load_payloads, read_payloads
from smbench.scenario.payloads.documents import texts_of
from smbench.scenario.payloads.pickled import plain_values

JPEG = b"\xff\xd8\xff\xe0 not much of an image"


def scenario(payloads: dict[str, Any], **sections: Any) -> Scenario:
    load = [{"burst": {"requests": 1}}]
    return Scenario.model_validate({"name": "x", "load": load, "payloads": payloads, **sections})


def wrong(folder: Path, payloads: dict[str, Any]) -> list[str]:
    with pytest.raises(ScenarioError) as caught:
        load_payloads(scenario(payloads), folder)
    return [problem.message for problem in caught.value.problems]


# ---- a pickled list of arguments -------------------------------------------------------------------------------


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_a_pickled_list_of_arguments_is_what_its_lines_would_be(tmp_path: Path, protocol: int) -> None:
    arguments = [
        {"Body": JPEG, "ContentType": "image/jpeg", "EndpointName": "prod"},
        {"Body": "[1]", "RequestTTLSeconds": 60},
        {"Body": bytearray(b"\x00") if protocol == 5 else b"\x00", "Accept": "text/plain"},
    ]
    (tmp_path / "in.pkl").write_bytes(pickle.dumps(arguments, protocol))
    read = read_payloads(scenario({"pickled": "in.pkl"}), tmp_path)
    assert read.misfits == []
    assert [(one.name, one.body, one.content_type) for one in read.payloads] == [
        ("in:1", JPEG, "image/jpeg"), ("in:2", b"[1]", "application/json"),
        ("in:3", b"\x00", "application/octet-stream"),
    ]  # fmt: skip
    assert read.payloads[1].ttl_s == 60
    assert read.notes == ["in.pkl: EndpointName and InferenceId of 1 entries are left out: smbench sets its own"]


class Calls:
    """Unpickled by Python it would set `called`."""

    called = False

    def __reduce__(self) -> tuple[Any, ...]:
        return _remember, ()


def _remember() -> str:
    Calls.called = True
    return "body"


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (Fraction(1, 2), "fractions.Fraction"),
        (print, ".print"),
        (Calls(), "_remember"),
        ({1, 2}, "the operation EMPTY_SET"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_anything_but_a_plain_value_is_refused_by_its_name_and_not_called(
    tmp_path: Path, value: Any, name: str, protocol: int
) -> None:
    if isinstance(value, set) and protocol < 4:
        name = "set"
    (tmp_path / "in.pkl").write_bytes(pickle.dumps([{"Body": value}], protocol))
    (message,) = wrong(tmp_path, {"pickled": "in.pkl"})
    assert message.startswith("in.pkl holds ")
    assert name in message
    assert not Calls.called


def test_bytes_of_an_old_protocol_come_with_the_advice_to_write_them_with_a_newer_one(tmp_path: Path) -> None:
    (tmp_path / "in.pkl").write_bytes(pickle.dumps([{"Body": b"\xff"}], 2))
    assert wrong(tmp_path, {"pickled": "in.pkl"})[0].endswith("write it with protocol 3 or later")


LEAVES = st.sampled_from([None, True, 0, -1, 255, 2**31, -(2**70), 0.5, "", "é\n", "x" * 300])
PLAIN = st.recursive(
    LEAVES | st.sampled_from([b"", b"\xff" * 300]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner) | st.tuples(inner, inner)
    ),
    max_leaves=8,
)


@pytest.mark.slow
@settings(max_examples=50)
@given(PLAIN, st.sampled_from([3, 4, 5]))
def test_plain_values_come_back_as_they_were(value: Any, protocol: int) -> None:
    assert plain_values(pickle.dumps(value, protocol)) == value


@pytest.mark.slow
@given(PLAIN, st.sampled_from([0, 2, 4]), st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 255)), max_size=3))
def test_a_damaged_pickle_is_refused_as_a_value_whatever_is_damaged(
    value: Any, protocol: int, changes: list[tuple[int, int]]
) -> None:
    content = bytearray(pickle.dumps([value], protocol))
    for place, byte in changes:
        content[place % len(content)] = byte
    with contextlib.suppress(ValueError):
        plain_values(bytes(content))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a pickle"),
        (b"{}", "is not a pickle"),
        (pickle.dumps({"Body": "a"}), "must hold a list"),
        (pickle.dumps([]), "holds no entry"),
        (pickle.dumps([1]), "entry 1: must be a JSON object"),
        (pickle.dumps([{"Body": 1}]), "entry 1: Body must be text"),
        (pickle.dumps([{"Bod": ""}]), "did you mean 'Body'?"),
        (pickle.dumps([{1: ""}]), "a key that is not text"),
        (pickle.dumps([]) * 2, "holds more than one pickle"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x00.", "is not a pickle, or it is damaged"),  # bytes of 64 PiB
    ],
)
def test_a_pickle_of_something_else_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "in.pkl").write_bytes(content)
    (message,) = wrong(tmp_path, {"pickled": "in.pkl"})
    assert words in message


def test_a_body_that_many_entries_share_counts_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = {"Body": b"x" * 1000}
    (tmp_path / "in.pkl").write_bytes(pickle.dumps([body] * 20))
    monkeypatch.setattr("smbench.scenario.payloads.invoke_lines.FILE_MAX_BYTES", 10_000)
    assert "bodies of more than 10,000 bytes in all" in wrong(tmp_path, {"pickled": "in.pkl"})[0]


# ---- an archive of samples -------------------------------------------------------------------------------------


def archive(*members: tuple[str, bytes], link: str = "", is_packed: bool = True) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz" if is_packed else "w") as made:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
        if link:
            linked = tarfile.TarInfo(link)
            linked.type, linked.linkname = tarfile.SYMTYPE, "/etc/hostname"
            made.addfile(linked)
    return packed.getvalue()


@pytest.mark.parametrize("is_packed", [True, False])
def test_the_files_of_an_archive_are_payloads_by_name_and_nothing_is_written(tmp_path: Path, is_packed: bool) -> None:
    content = archive(
        ("s/b.csv", b"1,2"), ("s/._b.csv", b"?"), ("../a.json", b"{}"), ("s/.DS_Store", b"?"), is_packed=is_packed
    )
    (tmp_path / "s.tar.gz").write_bytes(content)
    read = read_payloads(scenario({"archive": "s.tar.gz"}), tmp_path)
    assert [(one.name, one.payload_class, one.body, one.content_type) for one in read.payloads] == [
        ("../a.json", "a", b"{}", "application/json"), ("s/b.csv", "b", b"1,2", "text/csv"),
    ]  # fmt: skip
    assert read.notes == ["s.tar.gz: 2 files that macOS keeps for itself are left out"]
    assert [path.name for path in tmp_path.iterdir()] == ["s.tar.gz"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is not a tar archive"),
        (b"\x1f\x8b no", "is not a tar archive"),
        (archive(("a", b"x" * 20_000))[:40], "is not a tar archive, or it is damaged or cut short"),
        (archive(("a", b"x" * 20_000), is_packed=False)[:9_000], "damaged or cut short"),
        (archive(), "holds no file"),
        (archive(("a", b"1"), ("a", b"2")), "holds a twice"),
        (archive(("a", b"1"), link="l"), "holds l, which is not an ordinary file"),
    ],
)
def test_an_archive_of_something_else_is_one_sentence(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "s.tar").write_bytes(content)
    (message,) = wrong(tmp_path, {"archive": "s.tar"})
    assert message.startswith("s.tar ")
    assert words in message


@pytest.mark.parametrize(
    ("form", "content", "packing"),
    [
        ("archive", bz2.compress(archive(("a", b"1"), is_packed=False)), "bzip2"),
        ("archive", lzma.compress(archive(("a", b"1"), is_packed=False)), "xz"),
        ("archive", b"PK\x03\x04", "zip"),
        ("pickled", gzip.compress(pickle.dumps([{"Body": "a"}])), "gzip"),
    ],
)
def test_what_is_packed_as_it_is_not_read_is_not_taken_for_damage(
    tmp_path: Path, form: str, content: bytes, packing: str
) -> None:
    (tmp_path / "in").write_bytes(content)
    (message,) = wrong(tmp_path, {form: "in"})
    assert message.startswith(f"in is packed by {packing}: unpack it")


def test_an_argument_that_is_null_is_not_there(tmp_path: Path) -> None:
    """As a table writes JSON lines whose rows do not have all arguments."""
    rows = [
        {"Body": "a", "InputLocation": None, "Accept": None, "RequestTTLSeconds": None},
        {"Body": None, "InputLocation": "s3://b/k", "Accept": "text/csv", "RequestTTLSeconds": 60},
    ]
    (tmp_path / "in.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    first, second = load_payloads(scenario({"lines": "in.jsonl"}), tmp_path)
    assert (first.body, first.accept, first.ttl_s) == (b"a", None, None)
    assert (second.input_location, second.accept, second.ttl_s) == ("s3://b/k", "text/csv", 60)
    (tmp_path / "in.jsonl").write_text('{"Body": null}\n')
    assert wrong(tmp_path, {"lines": "in.jsonl"}) == [
        "in.jsonl line 1: must have exactly one of Body and InputLocation"
    ]


@pytest.mark.slow
def test_an_archive_that_unpacks_to_too_much_is_refused_in_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "FILE_MAX_BYTES", 100_000)
    bomb = gzip.compress(archive(("a", b"\x00" * 20_000_000), is_packed=False))
    header = tarfile.TarInfo("long")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, 2**32  # a name that tarfile would gather whole
    for content in (bomb, gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + b"n" * 4_000_000)):
        (tmp_path / "s.tgz").write_bytes(content)
        tracemalloc.start()
        (message,) = wrong(tmp_path, {"archive": "s.tgz"})
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
        tracemalloc.stop()
        assert "unpacks to more than 100,000 bytes" in message


# ---- documents with images in them -----------------------------------------------------------------------------


def image_documents() -> list[dict[str, Any]]:
    encoded = base64.b64encode(JPEG).decode()
    return [{"image": encoded, "id": 1}, {"image": f"data:image/png;base64,{encoded}", "id": 2}]


@pytest.mark.parametrize("form", ["lines", "bodies", "documents"])
def test_lines_of_a_packed_file_are_no_payloads(tmp_path: Path, form: str) -> None:
    (tmp_path / "in.jsonl").write_bytes(gzip.compress(b'{"Body": "a"}\n'))
    assert wrong(tmp_path, {form: "in.jsonl"}) == [
        "in.jsonl is packed by gzip, and its lines are not payloads: unpack it"
    ]


@pytest.mark.parametrize("is_list", [True, False])
def test_documents_go_as_they_are_written_or_as_the_image_inside(tmp_path: Path, is_list: bool) -> None:
    texts = [json.dumps(one) for one in image_documents()]
    (tmp_path / "d.json").write_text("[\n" + " ,\n".join(texts) + "\n]\n" if is_list else "\n\n".join(texts))
    as_written = load_payloads(scenario({"documents": "d.json"}), tmp_path)
    assert [one.body for one in as_written] == [text.encode() for text in texts]
    assert {one.content_type for one in as_written} == {"application/json"}
    inside = load_payloads(scenario({"documents": "d.json", "decode": "image"}), tmp_path)
    assert [(one.body, one.content_type) for one in inside] == [(JPEG, "image/jpeg"), (JPEG, "image/png")]
    assert [one.name for one in inside] == (["d:1", "d:2"] if is_list else ["d:1", "d:3"])


def test_a_document_in_several_lines_is_one(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps({"instances": image_documents()}, indent=1))
    (payload,) = load_payloads(scenario({"documents": "d.json", "decode": "instances.1.image"}), tmp_path)
    assert payload.body == JPEG


def test_image_files_go_as_base64_in_a_document(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(JPEG)
    (tmp_path / "s.tar").write_bytes(archive(("a.jpg", JPEG)))
    for source in ({"files": ["a.jpg"]}, {"archive": "s.tar"}):
        (payload,) = load_payloads(scenario({**source, "encode": "instances.0.b64"}), tmp_path)
        assert payload.content_type == "application/json"
        assert payload.body is not None
        document = json.loads(payload.body)
        assert base64.b64decode(document["instances"][0]["b64"]) == JPEG


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"image": 1}', "document 1: has no text under 'image'"),
        ('{"photo": ""}', "document 1: has no text under 'image'"),
        ("[1]", "document 1: has no text under 'image'"),
        ('{"image": "@"}', "document 1: has no base64 under 'image'"),
        ("{", "document 1: is not JSON"),
        ("[" * 50_000, "document 1: is not JSON"),
        ("", "holds no document"),
        ("[]", "holds no document"),
    ],
)
def test_a_document_without_the_image_is_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "d.jsonl").write_text(text)
    (message,) = wrong(tmp_path, {"documents": "d.jsonl", "decode": "image"})
    assert message == f"d.jsonl {words}"


@pytest.mark.slow
@settings(max_examples=50)
@given(st.lists(LEAVES | st.lists(LEAVES, max_size=3) | st.dictionaries(st.sampled_from("ab"), LEAVES), max_size=5))
def test_a_list_is_its_elements_as_they_are_written(values: list[Any]) -> None:
    texts = [json.dumps(value) for value in values]
    assert [text for _, text in texts_of(f" [ {' , '.join(texts)} ] ")] == texts


def test_encode_and_decode_go_with_their_sources_and_the_paragraph_names_each() -> None:
    for payloads, words in (
        ({"lines": "a", "encode": "x"}, "`encode` is of files and archive"),
        ({"files": ["a"], "decode": "x"}, "`decode` is of documents"),
        ({"archive": "a", "pickled": "b"}, "must name one of"),
    ):
        with pytest.raises(ValueError, match=words):
            scenario(payloads)
    for payloads, words in (
        ({"pickled": "a.pkl"}, "the pickled arguments of a.pkl"),
        ({"bodies": "a.txt"}, "the lines of a.txt"),
        ({"archive": "a.tgz", "encode": "img"}, "the files in a.tgz as base64 under 'img' of a JSON document"),
        ({"documents": "a.json", "decode": "img"}, "of a.json, of each the base64 under 'img' as bytes"),
    ):
        assert words in describe(scenario(payloads))


def test_the_examples_of_the_page_are_payloads() -> None:
    page = (Path(__file__).parents[3] / "docs" / "payloads.md").read_text(encoding="utf-8")
    examples = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    assert len(examples) == 2
    for example in examples:
        assert scenario(YAML(typ="safe").load(example)["payloads"]).payloads.named


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("source", ["lines", "bodies", "documents"])
def test_lines_of_utf_16_are_no_payloads(tmp_path: Path, source: str, encoding: str) -> None:
    (tmp_path / "in.txt").write_bytes('\ufeff{"Body": "a"}\n{"Body": "b"}\n'.encode(encoding))
    with pytest.raises(ScenarioError, match="is UTF-16 text: save it as UTF-8"):
        load_payloads(scenario({source: "in.txt"}), tmp_path)
