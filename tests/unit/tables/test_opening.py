"""Goal: a file is known by its first bytes, unpacked in bounded memory, and named as what it is when it cannot be read.
Method: one small file of each kind."""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from backports import zstd

from smbench.errors import UsageError
from smbench.tables import opening
from smbench.tables.opening import Form, blocks, form_of

TEXT = b"t_ms,n\n0,1\n5,2\n"
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd after a frame to be skipped": lambda content: b"\x50\x2a\x4d\x18\x04\0\0\0size" + zstd.compress(content),
    "lzma": lambda content: lzma.compress(content, format=lzma.FORMAT_ALONE),
}


def tar_of(content: bytes) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        info = tarfile.TarInfo("a.csv")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return out.getvalue()


def zip_of(content: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.csv", content)
    return out.getvalue()


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.bin"])
def test_what_is_packed_is_read_whatever_it_is_called(tmp_path: Path, packing: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKED[packing](TEXT))
    assert form_of(path) is Form.TEXT
    assert b"".join(blocks(path)) == TEXT


def test_parts_that_were_packed_one_after_another_are_one_file(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(TEXT) + gzip.compress(b"9,9\n"))
    assert b"".join(blocks(path)) == TEXT + b"9,9\n"


@pytest.mark.slow
@pytest.mark.parametrize("n_zeros", [0, 4, 8 << 20])
def test_streams_of_xz_may_lie_apart_by_zeros_and_end_with_some(tmp_path: Path, n_zeros: int) -> None:
    path = tmp_path / "a.xz"
    path.write_bytes(lzma.compress(TEXT) + bytes(n_zeros) + lzma.compress(b"9,9\n") + bytes(n_zeros))
    assert b"".join(blocks(path)) == TEXT + b"9,9\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zip_of(TEXT), "is a zip archive"),
        (tar_of(TEXT), "is a tar archive"),
        (gzip.compress(tar_of(TEXT)), "holds a tar archive"),
        (zstd.compress(zip_of(TEXT)), "holds a zip archive"),
        (gzip.compress(b"PAR1...."), "is parquet packed once more"),
        (b"7z\xbc\xaf\x27\x1c\x00", "is a 7z archive"),
        (b"SQLite format 3\x00", "is an SQLite database"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "is a Git LFS pointer"),
        (b"\n<!DOCTYPE html>\n<html>", "is a web page"),
        ("t_ms,n\n1,2\n3,4\n".encode("utf-16-le"), "is UTF-16 text without its mark"),
        (b"<?xml version='1.0'?>\n<tsung/>\n", "is an XML document, and not JMeter's"),
        (b"Value(ms)  Percentile  TotalCount  1/(1-Percentile)\n", "is a table of percentiles"),
        (b'time=2026-11-01T10:00:00Z msg="a b" latency_ms=12.5\n', "is a log of words"),
        (b"---\n- name: a\n  duration: 12.5\n", "is a YAML document"),
        (gzip.compress(gzip.compress(TEXT)), "is packed twice"),
        (b"\x1f\x9d\x90t_", "is packed by compress"),
        (b"\x93NUMPY\x01\0v\0", "is an array of NumPy's"),
        (b"\x80\x04\x95\x1a", "is a pickle"),
        (b"This is ApacheBench, Version 2.3\n", "is what ab printed"),
        (b"starting benchmark...\n", "is what h2load printed"),
        (b"Requests      [total, rate, throughput]  20, 10.5, 10.4\n", "is vegeta's report"),
        (b"Fortio 1.66.0 running at 8 queries per second\n", "is what Fortio printed"),
        (b"Creating summariser <summary>\n", "is what JMeter printed"),
        (b"\n     execution: local\n        script: a.js\n", "is what k6 printed"),
        (b"Bombarding http://127.0.0.1:80 with 10 request(s)\n", "is what bombardier printed"),
        (b"Transactions:\t\t        10 hits\n", "is what siege printed"),
        (b"httperf --client=0/1 --server=a\n", "is what httperf printed"),
        (b"# stats: dump at 1761999000\nstats: users 0 0\n", "is tsung's log of sums"),
        (b"Test run id: abc\n", "is what Artillery printed"),
    ],
)
def test_what_is_no_table_is_named_as_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "trace.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=said) as caught:
        form_of(path)
    assert caught.value.advice


@pytest.mark.parametrize("packing", PACKED)
def test_a_packed_file_that_was_cut_short_is_refused(tmp_path: Path, packing: str) -> None:
    path = tmp_path / "a.gz"
    path.write_bytes(PACKED[packing](os.urandom(4_000))[:2_000])
    with pytest.raises(UsageError, match="is damaged or was cut short"):
        list(blocks(path))


@pytest.mark.parametrize("packing", ["gzip", "zstd"])
@pytest.mark.parametrize("unit", [b"\n", b"1,2\n"])
def test_a_bomb_goes_off_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packing: str, unit: bytes) -> None:
    monkeypatch.setattr(opening, "UNPACKED_FREE_BYTES", 1 << 20)
    path = tmp_path / "a.gz"
    path.write_bytes(PACKED[packing](unit * (2 << 20)))
    with pytest.raises(UsageError, match="unpacks to more than"):
        for _ in blocks(path):
            pass


@pytest.mark.slow
def test_a_line_without_end_is_no_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LINE_MAX_BYTES", 8 << 20)
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"0" * (16 << 20)))
    with pytest.raises(UsageError, match="has a line of more than"):
        list(blocks(path))


def test_blocks_are_whole_lines_and_say_how_far_they_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "BLOCK_BYTES", 10)
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT * 5 + b"7,7")
    heard: list[tuple[int, int]] = []
    found = list(blocks(path, lambda _path, n, of: heard.append((n, of))))
    assert b"".join(found) == TEXT * 5 + b"7,7"
    assert all(block.endswith(b"\n") for block in found[:-1])
    assert heard[-1] == (path.stat().st_size, path.stat().st_size)


def test_a_pipe_a_device_and_a_folder_are_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path):
        with pytest.raises(UsageError, match=r"cannot be read: (not a regular file|Is a directory)"):
            form_of(path)


@pytest.mark.parametrize("packing", ["gzip", ""])
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_text_of_another_encoding_is_read_by_its_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, packing: str
) -> None:
    monkeypatch.setattr(opening, "BLOCK_BYTES", 7)  # ends within a character
    text = "t_µs,n\r\n0,\U0001f600\r\n"
    written = f"\ufeff{text}".encode(encoding)
    path = tmp_path / "a.csv"
    path.write_bytes(PACKED[packing](written) if packing else written)
    assert form_of(path) is Form.TEXT
    assert b"".join(blocks(path)).decode() == text
    path.write_bytes(written[:-1])
    with pytest.raises(UsageError, match="is damaged or cut short"):
        list(blocks(path))


def test_what_follows_a_stream_of_bzip2_and_is_none_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "a.bz2"
    path.write_bytes(bz2.compress(TEXT) + bz2.compress(b"9,9\n"))
    assert b"".join(blocks(path)) == TEXT + b"9,9\n"
    path.write_bytes(bz2.compress(TEXT) + b"B_h" + bz2.compress(b"9,9\n")[3:])
    with pytest.raises(UsageError, match="is damaged"):
        list(blocks(path))


def test_a_file_that_grows_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(TEXT)
    reading = blocks(path)
    next(reading)
    with path.open("ab") as more:
        more.write(b"9,9\n")
    with pytest.raises(UsageError, match="was written to while it was read"):
        list(reading)
