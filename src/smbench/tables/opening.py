"""A file of another program as blocks of text: what it is by its first bytes, unpacked under way, in bounded memory.

What a file is called says little: `.gz` files hold tar archives, `.csv` files are parquet, downloads are web pages. So
its first bytes decide. What cannot be read is named as what it is, with what to do about it.
"""

import bz2
import codecs
import gzip
import io
import lzma
import re
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from smbench.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

BLOCK_BYTES = 4 << 20
LINE_MAX_BYTES = 64 << 20  # a longer line is no row of a table: memory is bounded by it
UNPACKED_FREE_BYTES = 256 << 20  # this much may come out of any file, however small
UNPACKED_SHARE_MAX = (
    200  # beyond, times the packed size: tables shrink to a tenth or a thirtieth, bombs to a thousandth
)

Watch: TypeAlias = Callable[[Path, int, int], None]  # the file, its bytes read so far, its bytes in all


class Form(StrEnum):
    """What a file is, once unpacked."""

    TEXT = "text"
    PARQUET = "parquet"
    ARROW = "Arrow IPC"
    ARROW_STREAM = "Arrow IPC stream"
    JMETER = "JMeter's XML"


_UNPACK_FIRST = "unpack it, and name the file inside"
_AS_CSV = "save it as CSV or parquet"
# What begins like this is named and refused: the bytes, where they are, what it is, what to do.
_FOREIGN: tuple[tuple[bytes, int, str, str], ...] = (
    (b"PK\x03\x04", 0, "a zip archive (or a spreadsheet, which is one)", f"{_UNPACK_FIRST}; save a spreadsheet as CSV"),
    (b"PK\x05\x06", 0, "an empty zip archive", _UNPACK_FIRST),
    (b"ustar", 257, "a tar archive", _UNPACK_FIRST),
    (b"7z\xbc\xaf\x27\x1c", 0, "a 7z archive", _UNPACK_FIRST),
    (b"Rar!\x1a\x07", 0, "a rar archive", _UNPACK_FIRST),
    (b"\x04\x22\x4d\x18", 0, "packed by lz4", "unpack it, or pack it by gzip or zstd"),
    (b"\xff\x06\x00\x00sNaPpY", 0, "packed by snappy", "unpack it, or pack it by gzip or zstd"),
    (b"ORC", 0, "an ORC file", _AS_CSV),
    (b"Obj\x01", 0, "an Avro file", _AS_CSV),
    (b"FEA1", 0, "a Feather file of version 1", "write it again as parquet or Arrow IPC"),
    (b"SQLite format 3\x00", 0, "an SQLite database", _AS_CSV),
    (b"\x89HDF\r\n\x1a\n", 0, "an HDF5 file", _AS_CSV),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 0, "an old Excel or Word document", _AS_CSV),
    (b"%PDF-", 0, "a PDF document", _AS_CSV),
    (b"version https://git-lfs.github.com/", 0, "a Git LFS pointer, not the file itself", "run `git lfs pull`"),
    (b"\x1f\x9d", 0, "packed by compress", "unpack it, or pack it by gzip or zstd"),
    (b"\x93NUMPY", 0, "an array of NumPy's", _AS_CSV),
    (b"\x80\x04\x95", 0, "a pickle", _AS_CSV),
    (b"\x80\x05\x95", 0, "a pickle", _AS_CSV),
)
_COLUMNS = {b"PAR1": Form.PARQUET, b"ARROW1\x00\x00": Form.ARROW, b"\xff\xff\xff\xff": Form.ARROW_STREAM}


class _Streams(io.RawIOBase):
    """Streams of xz or bzip2 one after another, and the zeros that xz allows behind each: the standard library's own
    readers stop at what is none, and what follows would be lost in silence."""

    def __init__(self, packed: IO[bytes], begin: Callable[[], lzma.LZMADecompressor | bz2.BZ2Decompressor]) -> None:
        self._packed, self._ahead, self._begin = packed, b"", begin
        self._stream: lzma.LZMADecompressor | bz2.BZ2Decompressor | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        piece = self._piece(len(view))
        view[: len(piece)] = piece
        return len(piece)

    def _piece(self, n: int) -> bytes:
        """At most `n` bytes; none at the end. Raises EOFError, LZMAError, OSError: it is damaged or was cut short."""
        while True:
            if self._stream is None:
                while taken := self._taken():
                    if begun := taken.lstrip(b"\0"):
                        break
                else:
                    return b""
                self._ahead, self._stream = begun, self._begin()
            packed = self._taken() if self._stream.needs_input else b""
            if self._stream.needs_input and not packed:
                raise EOFError
            piece = self._stream.decompress(packed, n)
            if self._stream.eof:
                self._ahead, self._stream = self._stream.unused_data, None
            if piece:
                return piece

    def _taken(self) -> bytes:
        taken, self._ahead = self._ahead or self._packed.read(BLOCK_BYTES), b""
        return taken


class _AsUtf8(io.RawIOBase):
    """Text of another encoding as UTF-8, without its mark."""

    def __init__(self, text: IO[bytes], encoding: str) -> None:
        self._text, self._decoder, self._ahead = text, codecs.getincrementaldecoder(encoding)(), b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        while not self._ahead and (piece := self._text.read(BLOCK_BYTES)):
            self._ahead = self._decoder.decode(piece).encode()
        if not self._ahead:
            self._decoder.decode(b"", final=True)
        piece, self._ahead = self._ahead[: len(view)], self._ahead[len(view) :]
        view[: len(piece)] = piece
        return len(piece)


_ENCODINGS = (  # by their marks, the longer ones first
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ZSTD = (b"\x28\xb5\x2f\xfd", *(bytes([0x50 + n]) + b"\x2a\x4d\x18" for n in range(16)))  # or a frame to be skipped
_XZ = (b"\xfd7zXZ\x00", b"\x5d\x00\x00")  # and what xz made before it had a format of its own, `.lzma`
_PACKED: dict[bytes, Callable[[IO[bytes]], IO[bytes]]] = {
    b"\x1f\x8b": lambda packed: cast(IO[bytes], gzip.GzipFile(fileobj=packed)),
    b"BZh": lambda packed: io.BufferedReader(_Streams(packed, bz2.BZ2Decompressor), BLOCK_BYTES),
    **dict.fromkeys(_ZSTD, lambda packed: cast(IO[bytes], zstd.ZstdFile(packed))),
    **dict.fromkeys(_XZ, lambda packed: io.BufferedReader(_Streams(packed, lzma.LZMADecompressor), BLOCK_BYTES)),
}
_A_ROW_EACH = "a row for each request is needed"
_OF_JOBS = (
    "when its jobs came, for `replay`: awk 'BEGIN {print \"submit_s\"} !/^;/ {print $2}'; for `import` write submit, "
    "end (fields 2 + 3 + 4) and status (field 11) as CSV"
)
_OF_SERVERS = (
    "write CSV: an ISO 8601 instant a request and, for `import`, its status and latency (Apache's %D, nginx's "
    "$request_time, S3's Total Time), which a server writes only where it is configured to"
)
_OF_ALB = (  # request_creation_time lies behind the fifth pair of quotes; time is when it answered
    """awk -F'"' 'BEGIN {print "start,end,status"} {split($1, a, " "); split($11, b, " "); """
    """print b[2] "," a[2] "," a[9]}' LOG"""
)
_OF_ELB = (  # -1: no target answered
    """awk 'BEGIN {print "start,latency_s,status"} {took = $5 < 0 || $6 < 0 || $7 < 0 ? "" : sprintf("%.6f", $5 + $6 """
    """+ $7); print $1 "," took "," $8}' LOG"""
)
_OF_SQUID = """awk 'BEGIN {print "end,latency_ms,status"} {split($4, a, "/"); print $1 "," $2 "," a[2]}' LOG"""
_OF_W3C = "write CSV: date and time in one column, its latency (IIS: time-taken, ms; CloudFront: s) and sc-status"
_SWF = (  # comments, of which one is of those that its definition names; or a job, of 18 numbers
    rb"(;[^\n]*\n\s*)*;[ \t]*(Version|Computer|Installation|Acknowledge|Information|Conversion|Max\w+|Preemption|"
    rb"UnixStartTime|TimeZone\w*|StartTime|EndTime|AllowOveruse|Queues?|Partitions?|Note)[ \t]*:|"
    rb"(-?\d+(\.\d+)?[ \t]+){17}-?\d+[ \t]*\r?\n"
)
_OF_GATLING = "write its REQUEST records as CSV: start, end, status"
_BY_AWK = (  # what lies before the last four fields differs between Gatling's versions
    """awk -F'\\t' 'BEGIN {print "start,end,status"} $1 == "REQUEST" {print $(NF-3) "," $(NF-2) "," $(NF-1)}' LOG"""
)
_OF_JMETER = re.compile(rb"\s*(<\?xml[^>]*>\s*)?<testResults[\s>]")
_WITHOUT_MARK = re.compile(rb"([^\0]\0){8}|(\0[^\0]){8}")
_BEGINNINGS: tuple[tuple[re.Pattern[bytes], str, str], ...] = tuple(
    (re.compile(rb"\s*(" + begins + rb")", re.IGNORECASE), what, advice)
    for begins, what, advice in (
        (rb"<(!doctype html|html)", "a web page, not a table", "download the file itself"),
        (rb"<\?xml", "an XML document, and not JMeter's", "write its rows as CSV"),
        (rb"#\[Histogram log format", "a log of histograms (HdrHistogram), not of requests", _A_ROW_EACH),
        (rb"Detailed Percentile spectrum", "a table of percentiles (HdrHistogram), not of requests", _A_ROW_EACH),
        (
            rb"Value *(\(\w+\))? +Percentile +TotalCount",
            "a table of percentiles (HdrHistogram), not of requests",
            _A_ROW_EACH,
        ),
        (rb"\0\0\0\0[\x04-\x20]\d+\.\d+\.\d+", "Gatling's binary log, of 3.12 and newer", _OF_GATLING),
        (rb"[\s\S]{0,8}\x06Result\x01[\s\S]{0,16}\x06Attack", "what vegeta attack wrote", "vegeta encode --to csv"),
        (rb"RUN\t", "Gatling's log", f"{_OF_GATLING}: {_BY_AWK}"),
        (rb"Running \w+ test @", "what wrk printed", _A_ROW_EACH),
        (_SWF, "a trace of batch jobs (Standard Workload Format)", _OF_JOBS),
        (rb"(\S+ ){2,4}\[\d\d?/[a-z]{3}/\d{4}:\d\d:\d\d:\d\d", "a web server's access log", _OF_SERVERS),
        (
            rb"(https?|h2|grpcs?|wss?) \d{4}-\d\d-\d\dT\S+ \S+ \S+:\d+ ",
            "a load balancer's access log",
            f"write CSV: {_OF_ALB}",
        ),
        (
            rb"\d{4}-\d\d-\d\dT\S+ \S+ \S+:\d+ \S+ [-\d.]+ [-\d.]+ ",
            "a load balancer's access log",
            f"write CSV: {_OF_ELB}",
        ),
        (rb"\d{9,10}\.\d{3} +\d+ \S+ [A-Z_]+/\d{3} ", "Squid's access log", f"write CSV: {_OF_SQUID}"),
        (rb"#(Software|Version|Fields|Start-Date): ", "an access log in W3C's extended format", _OF_W3C),
        (rb"Summary:", "what hey or oha printed", "ask for a row a request: hey -o csv, oha --output-format csv"),
        (rb"This is ApacheBench,", "what ab printed", "ask for a row a request: ab -g FILE"),
        (rb"starting benchmark\.\.\.", "what h2load printed", "ask for a row a request: h2load --log-file=FILE"),
        (rb"Requests +\[total, rate, ", "vegeta's report", "vegeta encode --to csv"),
        (rb"Fortio \S+ running at ", "what Fortio printed", "ask for a row a request: -access-log-file FILE"),
        (rb"Creating summariser ", "what JMeter printed", "ask for a row a request: jmeter -l FILE.jtl"),
        (rb"execution: local\s", "what k6 printed", "ask for a row a request: k6 run --out csv=FILE"),
        (rb"Bombarding \S+ (with|for) ", "what bombardier printed", _A_ROW_EACH),
        (rb"(\*\* SIEGE |Transactions:\s+\d)", "what siege printed", _A_ROW_EACH),
        (rb"httperf --", "what httperf printed", _A_ROW_EACH),
        (rb"# stats: dump at \d", "tsung's log of sums", _A_ROW_EACH),
        (rb"Test run id: ", "what Artillery printed", _A_ROW_EACH),
        (rb"([\w.]+=(\"[^\"]*\"|[^\s\"]*)[ \t]+){2,}[\w.]+=", "a log of words, `key=value`", "write its rows as CSV"),
        (rb"(---[ \t]*\r?\n)?- \w+:[ \t]", "a YAML document", "write its rows as CSV or JSON lines"),
    )
)
_MAGIC_BYTES = 512
_READ_TWICE = "write it to a file first: it is read more than once"


def form_of(path: Path) -> Form:
    """What the file is; a packed one by what comes out of it.

    Raises:
        UsageError: it cannot be read, or it is known to be nothing that can be: an archive, a web page.
    """
    with _opened(path) as (packed, stream):
        head, is_packed = _read(path, stream, _MAGIC_BYTES), stream is not packed
    for magic, form in _COLUMNS.items():
        if head.startswith(magic):
            if is_packed:
                raise UsageError(f"{path} is {form} packed once more", "unpack it: such files are packed inside")
            return form
    if is_packed and any(head.startswith(magic) for magic in _PACKED):
        raise UsageError(f"{path} is packed twice", "unpack it once")
    for magic, at, what, advice in _FOREIGN:
        if head[at : at + len(magic)] == magic:
            raise UsageError(f"{path} {'holds' if is_packed else 'is'} {what}", advice)
    if _OF_JMETER.match(head):
        return Form.JMETER
    for begins, what, advice in _BEGINNINGS:
        if begins.match(head):
            raise UsageError(f"{path} is {what}", advice)
    if _WITHOUT_MARK.match(head):
        raise UsageError(f"{path} is UTF-16 text without its mark", "save it as UTF-8")
    if b"\0" in head:
        raise UsageError(f"{path} is binary, and of no form that is known", "write its rows as CSV")
    return Form.TEXT


def blocks(path: Path, watch: Watch | None = None) -> Iterator[bytes]:
    """The file's text, unpacked, as blocks of whole lines, each about `BLOCK_BYTES`; without a byte order mark.

    Lines end with `\\n` or `\\r\\n`; where a file has only `\\r` they are made `\\n`.

    Raises:
        UsageError: it cannot be read, is damaged, has a line beyond `LINE_MAX_BYTES`, or unpacks beyond all measure.
    """
    before = path.stat()
    size = before.st_size
    rest, n_out, is_first, has_bare_returns = b"", 0, True, False
    with _opened(path) as (packed, stream):
        while piece := _read(path, stream, BLOCK_BYTES):
            n_out += len(piece)
            if n_out > max(UNPACKED_FREE_BYTES, UNPACKED_SHARE_MAX * size):
                raise UsageError(f"{path} unpacks to more than {UNPACKED_SHARE_MAX} times its size", "unpack it first")
            if is_first:
                piece, is_first = piece.removeprefix(b"\xef\xbb\xbf"), False
                has_bare_returns = b"\r" in piece and b"\n" not in piece
            if has_bare_returns:
                piece = piece.replace(b"\r", b"\n")
            end = piece.rfind(b"\n") + 1
            if end:
                yield rest + piece[:end]
                rest = piece[end:]
            else:
                rest += piece
            if len(rest) > LINE_MAX_BYTES:
                raise UsageError(f"{path} has a line of more than {LINE_MAX_BYTES >> 20} MiB: it is not a table")
            if watch is not None:
                watch(path, packed.tell(), size)
    if rest:
        yield rest
    after = path.stat()
    if (after.st_size, after.st_mtime_ns) != (before.st_size, before.st_mtime_ns):
        raise UsageError(f"{path} was written to while it was read", "wait until whatever writes it is done")


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
    """The file as it lies, and what comes out of it; the same where it is not packed."""
    if path.exists() and not path.is_file():  # a device or a pipe may never end
        if path.is_dir():
            raise UsageError(f"{path} cannot be read: Is a directory", "name one file of it")
        raise UsageError(f"{path} cannot be read: not a regular file", _READ_TWICE)
    try:
        with path.open("rb") as packed:
            head = packed.read(_MAGIC_BYTES)
            packed.seek(0)
            unpack = next((unpack for magic, unpack in _PACKED.items() if head.startswith(magic)), None)
            if unpack is not None:
                head = _read(path, unpack(packed), len(codecs.BOM_UTF32_LE))
                packed.seek(0)
            stream = packed if unpack is None else unpack(packed)
            encoding = next((encoding for mark, encoding in _ENCODINGS if head.startswith(mark)), None)
            yield packed, stream if encoding is None else io.BufferedReader(_AsUtf8(stream, encoding), BLOCK_BYTES)
    except OSError as error:
        advice = _READ_TWICE if str(path) == "-" else ""
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", advice) from error


def _read(path: Path, stream: IO[bytes], n: int) -> bytes:
    try:
        return stream.read(n)
    except UnicodeDecodeError as error:
        raise UsageError(
            f"{path} begins as {error.encoding} and is damaged or cut short", "save it as UTF-8"
        ) from error
    except (OSError, EOFError, zlib.error, lzma.LZMAError, zstd.ZstdError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UsageError(f"{path} is damaged or was cut short: it cannot be unpacked", "copy it again") from error
