#!/usr/bin/env bash
# asyncio-pool 0.6.0, whose interface is that of Python's own pools, gives exceptions back among the results.
#
# Guess: `await pool.map(call, items)` raises what a call raised, as multiprocessing's and concurrent.futures' `map` do; so does the end of the
#        pool's block.
# Seen: of four calls two fail, and `map` returns four results, two of which are exceptions; the block ends as if all went well, and of
#       spawned calls nobody hears. A benchmark that counts results has no failure, and its throughput grows as the
#       service refuses faster. `get_result=result_noraise` is the default; `getres.pair` gives both.
set -euo pipefail
tmp=$(mktemp -d); trap 'rm -rf "$tmp"' EXIT
python3.11 -m venv "$tmp/venv"
"$tmp/venv/bin/python" -m pip install -qq --no-compile --disable-pip-version-check asyncio-pool==0.6.0
"$tmp/venv/bin/python" -W ignore - > "$tmp/seen" 2>"$tmp/errors" <<'PY' || { cat "$tmp/errors"; exit 1; }
import asyncio

from asyncio_pool import AioPool, getres


async def invoke(number: int) -> int:
    await asyncio.sleep(0.01)
    if number % 2:
        raise ConnectionError(f"refused {number}")
    return number


async def main() -> None:
    async with AioPool(size=2) as pool:
        results = await pool.map(invoke, range(4))
    print("map:", len(results), "results:", results)
    async with AioPool(size=2) as pool:
        for number in range(4):
            await pool.spawn(invoke(number))
    print("the block with spawned calls ended well")
    async with AioPool(size=2) as pool:
        print("as pairs:", await pool.map(invoke, range(4), get_result=getres.pair))


asyncio.run(main())
PY
cat > "$tmp/expected" <<'TXT'
map: 4 results: [0, ConnectionError('refused 1'), 2, ConnectionError('refused 3')]
the block with spawned calls ended well
as pairs: [(0, None), (None, ConnectionError('refused 1')), (2, None), (None, ConnectionError('refused 3'))]
TXT
cat "$tmp/seen"
diff "$tmp/expected" "$tmp/seen"
