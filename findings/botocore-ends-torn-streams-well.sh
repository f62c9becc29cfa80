#!/usr/bin/env bash
# botocore 1.43.117 ends a response stream that broke off as if it had been whole, even short of its Content-Length.
#
# Guess: iterating over InvokeEndpointWithResponseStream raises when the connection closes in the middle of an event.
# Seen: the events before the break are given and the loop ends: with a Content-Length that was not reached, with chunks that end in
#       the middle of an event, and with a body that lasts until the connection closes. Only a chunk that breaks off raises.
#       aiobotocore 3.7.0 raises where the Content-Length is not reached, and is silent in the other two. A client that measures
#       streamed answers counts a torn one as a success, and a short one.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
for kind in botocore==1.43.117 aiobotocore==3.7.0; do
  python3.11 -m venv "$tmp/${kind%%=*}"
  "$tmp/${kind%%=*}/bin/python" -m pip install -qq --disable-pip-version-check "$kind"
done
cat > "$tmp/torn.py" <<'PY'
"""One event and the first half of another, in four framings of HTTP."""
import binascii
import socket
import struct
import threading

FRAMINGS = ("length", "whole chunk", "torn chunk", "until the end")


def event(payload):
    headers = b""
    for name, value in ((":message-type", "event"), (":event-type", "PayloadPart")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    head = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    body = head + struct.pack(">I", binascii.crc32(head)) + headers + payload
    return body + struct.pack(">I", binascii.crc32(body))


def serve(framing):
    """The port of a server that answers one request and closes the connection amid the second event."""
    server = socket.create_server(("127.0.0.1", 0))
    whole = event(b"first") + event(b"second")
    torn = whole[:-9]
    answer = {
        "length": b"Content-Length: %d\r\n\r\n" % len(whole) + torn,
        "whole chunk": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(torn) + torn + b"\r\n0\r\n\r\n",
        "torn chunk": b"Transfer-Encoding: chunked\r\n\r\n%x\r\n" % len(whole) + torn,
        "until the end": b"Connection: close\r\n\r\n" + torn,
    }[framing]

    def once():
        connection, _ = server.accept()
        asked = b""
        while b"\r\n\r\n" not in asked:
            asked += connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.amazon.eventstream\r\n" + answer)
        connection.close()
        server.close()

    threading.Thread(target=once, daemon=True).start()
    return server.getsockname()[1]
PY
export PYTHONPATH="$tmp"
{
"$tmp/botocore/bin/python" -W ignore - <<'PY'
import botocore
import botocore.session
from torn import FRAMINGS, serve

print("botocore", botocore.__version__)
for framing in FRAMINGS:
    session = botocore.session.Session()
    session.set_credentials("AKIDEXAMPLE", "example")
    client = session.create_client("sagemaker-runtime", "us-east-1", endpoint_url=f"http://127.0.0.1:{serve(framing)}")
    events = client.invoke_endpoint_with_response_stream(EndpointName="e", Body=b"x")["Body"]
    parts, end = [], "ends"
    try:
        for each in events:
            parts.append(each["PayloadPart"]["Bytes"])
    except Exception as error:
        end = type(error).__name__
    print(f"{framing}: {len(parts)} of 2, {end}")
PY
"$tmp/aiobotocore/bin/python" -W ignore - <<'PY'
import asyncio

import aiobotocore
from aiobotocore.session import get_session
from torn import FRAMINGS, serve


async def read(framing):
    session = get_session()
    session.set_credentials("AKIDEXAMPLE", "example")
    url = f"http://127.0.0.1:{serve(framing)}"
    parts, end = [], "ends"
    async with session.create_client("sagemaker-runtime", "us-east-1", endpoint_url=url) as client:
        answer = await client.invoke_endpoint_with_response_stream(EndpointName="e", Body=b"x")
        try:
            async for each in answer["Body"]:
                parts.append(each["PayloadPart"]["Bytes"])
        except Exception as error:
            end = type(error).__name__
    return f"{framing}: {len(parts)} of 2, {end}"


print("aiobotocore", aiobotocore.__version__)
for framing in FRAMINGS:
    print(asyncio.run(read(framing)))
PY
} > "$tmp/seen"
cat > "$tmp/expected" <<'TXT'
botocore 1.43.117
length: 1 of 2, ends
whole chunk: 1 of 2, ends
torn chunk: 0 of 2, ProtocolError
until the end: 1 of 2, ends
aiobotocore 3.7.0
length: 1 of 2, ClientPayloadError
whole chunk: 1 of 2, ends
torn chunk: 1 of 2, ClientPayloadError
until the end: 1 of 2, ends
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
