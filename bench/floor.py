"""What no client on this loop can do without: for each request one wake-up by the kernel's timer, one write, one read.

A canned request of the length of ours goes to the null target, its answer is not looked at, and nothing is signed,
noted, received, deleted or written down. What a whole life costs beyond it is ours (`against.py`, in the same minute).
"""

import argparse
import asyncio
import time
from collections import deque
from urllib.parse import urlsplit

import anyio

from against import null_target
from machine import host
from smbench.clock import MonotonicClock

RATES_HZ = (1000.0, 4000.0, 0.0)
CONNECTIONS = 64
HEAD = b"POST /endpoints/null/async-invocations HTTP/1.1\r\nhost: null\r\ncontent-length: 0\r\n"
REQUEST = HEAD + b"x-amzn-sagemaker-inference-id: floor\r\nx-pad: %b\r\n\r\n" % (b"x" * 700)


class Line(asyncio.Protocol):
    """One connection: free again as soon as anything has come back."""

    def __init__(self, free: "deque[Line]") -> None:
        self.free, self.n_answered = free, 0
        self.is_greedy = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self.write = transport.write
        self.free.append(self)

    def data_received(self, _data: bytes) -> None:
        self.n_answered += 1
        if self.is_greedy:
            self.write(REQUEST)
        else:
            self.free.append(self)


async def cost(url: str, rate_hz: float, for_s: float) -> tuple[float, float]:
    """CPU seconds of this process a request, and requests a second. A rate of 0: each answer sends the next."""
    free: deque[Line] = deque()
    loop, address = asyncio.get_running_loop(), urlsplit(url)
    assert address.hostname is not None
    assert address.port is not None
    for _ in range(CONNECTIONS):
        await loop.create_connection(lambda: Line(free), address.hostname, address.port)
    lines = list(free)
    begun_s, cpu_s = time.monotonic(), time.process_time()
    if rate_hz:
        clock = MonotonicClock(time.monotonic_ns(), 0)
        for place in range(round(rate_hz * for_s)):
            await clock.sleep_until_ns(round(place / rate_hz * 1e9))
            if free:
                free.popleft().write(REQUEST)
    else:
        for line in lines:
            line.is_greedy = True
            line.write(REQUEST)
        await anyio.sleep(for_s)
    n = sum(line.n_answered for line in lines)
    return (time.process_time() - cpu_s) / n, n / (time.monotonic() - begun_s)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=3.0)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    print(host())
    for rate_hz in RATES_HZ:
        with null_target() as url:  # anew: it keeps what nobody receives
            found = [
                anyio.run(cost, url, rate_hz, given.seconds, backend_options={"use_uvloop": True})
                for _ in range(given.repeats)
            ]
        cpu_s, hz = min(found)
        asked = f"{rate_hz:,.0f}/s planned" if rate_hz else "saturated"
        print(f"{asked}: {cpu_s * 1e6:.1f} us a request at {hz:,.0f}/s, the cheapest of {given.repeats}", flush=True)


if __name__ == "__main__":
    main()
