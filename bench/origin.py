"""An AWS made of nginx: answers as SageMaker Runtime and SQS do, at next to no cost, over HTTP and over TLS.

It remembers nothing: every invocation is taken, every receive brings the same ten notices, every delete succeeds. It
does look whether a request is signed: without the header of Signature Version 4 it is a 403, but not below `/unsigned`.
It cannot tell whether a signature is right; that is the contract suite's to say.
"""

import base64
import hashlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import orjson

ENDPOINT = "bench"
INVOKE_PATH = f"/endpoints/{ENDPOINT}/async-invocations"
SYNCHRONOUS_PATH = f"/endpoints/{ENDPOINT}/invocations"
UNSIGNED_INVOKE_PATH = f"/unsigned{INVOKE_PATH}"
QUEUE_PATH = "/123456789012/bench"
INPUT_LOCATION = f"s3://bench-bucket/async-inputs/json/{'0' * 64}.json"
BATCH = 10

_STARTING_S = 5.0
_TOKEN_MAX_CHARS = 2000  # nginx takes no word of more than 4096 bytes, quoting included
_WANTED = {"nginx": "nginx-light", "openssl": "openssl"}  # program to Debian package

_CONF = """\
daemon off;
master_process off;
worker_processes 1;
pid {folder}/pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  server_tokens off;
  tcp_nodelay on;
  keepalive_requests 1000000000;
  keepalive_timeout 600s;
  default_type application/json;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  map $request_id $uuid {{
    "~^(?<a>.{{8}})(?<b>.{{4}})(?<c>.{{4}})(?<d>.{{4}})(?<e>.{{12}})$" "$a-$b-$c-$d-$e";
  }}
  map $http_authorization $is_signed {{
    default 0;
    "~^AWS4-HMAC-SHA256 Credential=[^ ]+, ?SignedHeaders=[^ ]+, ?Signature=[0-9a-f]{{64}}$" 1;
  }}
  server {{
    listen 127.0.0.1:{http_port} backlog=4096;
    listen 127.0.0.1:{tls_port} ssl backlog=4096;
    ssl_certificate {folder}/cert.pem;
    ssl_certificate_key {folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;
    add_header x-amzn-requestid $uuid always;
    location = {invoke} {{
      if ($is_signed = 0) {{ return 403 '{{"message":"Missing Authentication Token"}}'; }}
      {taken}
    }}
    location = {synchronous} {{
      if ($is_signed = 0) {{ return 403 '{{"message":"Missing Authentication Token"}}'; }}
      {answered}
    }}
    location = {unsigned_invoke} {{
      {taken}
    }}
    location / {{
      default_type application/x-amz-json-1.0;
      if ($is_signed = 0) {{ return 403 '{{"message":"Missing Authentication Token"}}'; }}
      {pieces}
      if ($http_x_amz_target = "AmazonSQS.ReceiveMessage") {{ return 200 {received}; }}
      if ($http_x_amz_target = "AmazonSQS.DeleteMessageBatch") {{ return 200 {deleted}; }}
      return 400 '{{"__type":"com.amazonaws.sqs#UnsupportedOperation","message":"not served here"}}';
    }}
  }}
}}
"""
# always: by itself nginx adds headers to a 200 and a 201, and not to a 202.
_TAKEN = """\
add_header x-amzn-requestid $uuid always;
      add_header x-amzn-sagemaker-outputlocation s3://bench-bucket/async-outputs/$uuid.out always;
      add_header x-amzn-sagemaker-failurelocation s3://bench-bucket/async-failures/$uuid-error.out always;
      return 202 '{"InferenceId":"$http_x_amzn_sagemaker_inference_id"}';"""

_ANSWERED = """\
add_header x-amzn-requestid $uuid always;
      add_header x-Amzn-Invoked-Production-Variant AllTraffic always;
      return 200 '{"predictions":[0.125,0.25,0.625],"id":"$http_x_amzn_sagemaker_inference_id"}';"""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the server answers. `ca_file` is who vouches for its certificate."""

    http_url: str
    tls_url: str
    ca_file: Path


@contextmanager
def origin() -> Iterator[Origin]:
    """One nginx process on free ports of 127.0.0.1, there until the end of the block; exits with advice without it."""
    nginx, openssl = (_program(name) for name in _WANTED)
    with tempfile.TemporaryDirectory(prefix="smbench-origin-") as name:
        folder = Path(name)
        _make_certificate(openssl, folder)
        http_port, tls_port = _free_ports(2)
        (folder / "nginx.conf").write_text(_configuration(folder, http_port, tls_port), encoding="utf-8")
        command = [nginx, "-p", name, "-c", str(folder / "nginx.conf"), "-e", "stderr"]
        with (
            (folder / "errors").open("w+b") as errors,
            subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors) as process,
        ):
            try:
                _wait_serving(process, (http_port, tls_port), folder / "errors")
                yield Origin(f"http://127.0.0.1:{http_port}", f"https://127.0.0.1:{tls_port}", folder / "cert.pem")
            finally:
                process.terminate()


def received() -> bytes:
    """SQS's answer to a receive: ten notices of completed inferences, delivered raw, as a run's own queue gets them.

    Written out and not taken from the emulator: what is answered here stays the same whatever becomes of that.
    """
    return orjson.dumps({"Messages": [_message(index) for index in range(BATCH)]})


def deleted() -> bytes:
    """SQS's answer to a batch delete in which all ten went well."""
    return orjson.dumps({"Successful": [{"Id": str(index)} for index in range(BATCH)]})


def _message(index: int) -> dict[str, object]:
    body = _result(index)
    return {
        "MessageId": _uuid(f"message {index}"),
        "ReceiptHandle": "AQEB" + _base64(f"receipt {index}", 258),  # as long as SQS's own; a delete carries all ten
        "MD5OfBody": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        "Body": body.decode(),
        "Attributes": {"SentTimestamp": f"17953000{index:02d}961"},
    }


def _result(index: int) -> bytes:
    return orjson.dumps(
        {
            "awsRegion": "us-east-1",
            "eventTime": f"2026-11-21T09:00:{index:02d}.814Z",
            "receivedTime": f"2026-11-21T08:59:{index:02d}.588Z",
            "invocationStatus": "Completed",
            "requestParameters": {
                "accept": "application/json",
                "contentType": "application/json",
                "endpointName": ENDPOINT,
                "inputLocation": INPUT_LOCATION,
            },
            "responseParameters": {
                "contentType": "application/json",
                "outputLocation": f"s3://bench-bucket/async-outputs/{_uuid(f'output {index}')}.out",
            },
            "inferenceId": f"smb-bench-0-{index}",
            "eventVersion": "1.0",
            "eventSource": "aws:sagemaker",
            "eventName": "InferenceResult",
        }
    )


def _uuid(about: str) -> str:
    digits = hashlib.sha256(about.encode()).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:32]}"


def _base64(about: str, n_bytes: int) -> str:
    return base64.b64encode(hashlib.shake_256(about.encode()).digest(n_bytes)).decode("ascii")


def _configuration(folder: Path, http_port: int, tls_port: int) -> str:
    pieces: list[str] = []
    answers = {
        name: "".join(_as_variables(text.decode(), name, pieces))
        for name, text in (("received", received()), ("deleted", deleted()))
    }
    return _CONF.format(
        folder=folder,
        http_port=http_port,
        tls_port=tls_port,
        invoke=INVOKE_PATH,
        synchronous=SYNCHRONOUS_PATH,
        unsigned_invoke=UNSIGNED_INVOKE_PATH,
        taken=_TAKEN,
        answered=_ANSWERED,
        pieces="\n      ".join(pieces),
        **answers,
    )


def _as_variables(text: str, name: str, pieces: list[str]) -> Iterator[str]:
    """The names of variables that hold the text between them; `pieces` gets the lines that set them."""
    if "$" in text:
        raise ValueError("nginx would read a dollar sign as a variable's name")
    for number, start in enumerate(range(0, len(text), _TOKEN_MAX_CHARS)):
        piece = text[start : start + _TOKEN_MAX_CHARS].replace("\\", "\\\\").replace("'", "\\'")
        pieces.append(f"set ${name}_{number} '{piece}';")
        yield f"${{{name}_{number}}}"


def _program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        sys.exit(
            f"the clients are measured against {name}, which is not on this machine: apt-get install {_WANTED[name]}"
        )
    return found


def _make_certificate(openssl: str, folder: Path) -> None:
    subprocess.run(
        [
            *(openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
            *("-days", "2", "-subj", "/CN=smbench bench origin"),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            *("-addext", "keyUsage=critical,digitalSignature,keyCertSign"),
            *("-keyout", folder / "key.pem", "-out", folder / "cert.pem"),
        ],
        check=True,
        stderr=subprocess.DEVNULL,
    )


def _free_ports(n: int) -> list[int]:
    """Free now; nginx says so if one is taken in between."""
    holders = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [holder.getsockname()[1] for holder in holders]
    for holder in holders:
        holder.close()
    return ports


def _wait_serving(process: subprocess.Popen[bytes], ports: tuple[int, ...], errors: Path) -> None:
    deadline_s = time.monotonic() + _STARTING_S
    for port in ports:
        while not _is_open(port):
            if process.poll() is not None or time.monotonic() > deadline_s:
                sys.exit(f"nginx does not serve:\n{errors.read_text(encoding='utf-8')}")
            time.sleep(0.02)


def _is_open(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
