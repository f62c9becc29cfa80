#!/usr/bin/env bash
# httpie 3.2.4's "Elapsed time" is that of the headers or of the whole answer, by what it is told to print.
#
# Guess: `http --meta`, which prints how long the request took, says how long the answer took, as curl's `time_total` does.
# Seen: with the body printed beside it, the time ends with the body; with `--meta` alone it ends with the headers, since nobody read the body. Of an
#       answer whose body takes five seconds it says some hundredths. `--stream` and `--download`, where the body is read and takes its time, say so as
#       well, the download beside its own five seconds. Two people measure one endpoint with one tool and differ a hundredfold.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check httpie==3.2.4 requests==2.34.2
export HTTPIE_CONFIG_DIR="$tmp/config"
"$tmp/venv/bin/python" -W ignore - "$tmp" > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import re
import socket
import subprocess
import sys
import threading
import time

BODY_S = 5


def serve(listener: socket.socket) -> None:
    while True:
        connection, _ = listener.accept()
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 6\r\n\r\n[1, 2")
        time.sleep(BODY_S)
        connection.sendall(b"]")
        connection.close()


listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
for options in (["--meta"], ["--meta", "--stream"], ["--meta", "--download", "--output", f"{sys.argv[1]}/body"], ["--print=mb"], ["--print=hmb"]):
    command = [sys.executable, "-W", "ignore", "-m", "httpie", "--ignore-stdin", *options, url]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (elapsed_s,) = re.findall(r"Elapsed time: ([0-9.]+)s", done.stdout + done.stderr)[:1]
    name = " ".join(option for option in options if "/" not in option)
    print(f"{name}:", "with the body" if float(elapsed_s) >= BODY_S else "without the body")
PY
cat > "$tmp/expected" <<'TXT'
--meta: without the body
--meta --stream: without the body
--meta --download --output: without the body
--print=mb: with the body
--print=hmb: with the body
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
