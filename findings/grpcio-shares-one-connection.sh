#!/usr/bin/env bash
# grpcio 1.85.3: ten channels to one address are one connection.
#
# Guess: a channel is a connection, so a load generator with ten channels has ten, and a balancer spreads them.
# Seen: channels with equal arguments share their connections within the process: the server sees one peer. All load comes over one TCP connection, to one instance behind a balancer, and is held to one
#       connection's limit of concurrent streams. An argument that differs, even one that gRPC does not know, parts them, and so does `grpc.use_local_subchannel_pool`.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
cd "$tmp"
python3.11 -m venv venv
venv/bin/python -m pip install -qq --no-compile --disable-pip-version-check grpcio==1.85.3
venv/bin/python - > seen <<'PY'
from concurrent.futures import ThreadPoolExecutor

import grpc

peers = set()


class Answers(grpc.GenericRpcHandler):
    def service(self, _):
        return grpc.unary_unary_rpc_method_handler(self.answer)

    def answer(self, request, context):
        peers.add(context.peer())
        return b"ok"


server = grpc.server(ThreadPoolExecutor(4), handlers=[Answers()])
port = server.add_insecure_port("127.0.0.1:0")
server.start()
for name, options in (("equal", lambda _: []), ("numbered", lambda number: [("number", number)]), ("local", lambda _: [("grpc.use_local_subchannel_pool", 1)])):
    peers.clear()
    channels = [grpc.insecure_channel(f"127.0.0.1:{port}", options=options(number)) for number in range(10)]
    for channel in channels:
        channel.unary_unary("/service/method")(b"")
    print(f"grpcio {grpc.__version__}, {name}: {len(channels)} channels, {len(peers)} connections")
    for channel in channels:
        channel.close()
server.stop(None).wait()
PY
cat > expected <<'TXT'
grpcio 1.85.3, equal: 10 channels, 1 connections
grpcio 1.85.3, numbered: 10 channels, 10 connections
grpcio 1.85.3, local: 10 channels, 10 connections
TXT
cat seen
diff expected seen
