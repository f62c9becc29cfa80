"""Vega in a process of its own: it draws one picture while the next is prepared.

Vega keeps the interpreter to itself while it draws, and takes a third of a second to start, in which a report of many
requests is reconstructed.
"""

import os
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Self

import orjson

_NOTHING = '{"data": {"values": []}, "mark": "point"}'


class Vega:
    """Draws between `with` and its end. Each picture is begun in the order in which it was asked for."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-P", "-m", __name__]  # -P: nothing in the folder the user stands in is a module
        # A session of its own: a terminal's Ctrl-C is for the parent, without which its input ends.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        self._turns = ThreadPoolExecutor(1, thread_name_prefix="vega")
        return self

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        if failure is not None:
            self._process.kill()  # nobody wants what it still draws
        self._turns.shutdown(cancel_futures=True)
        self._process.communicate()  # it ends with its input

    def svg(self, spec: dict[str, Any]) -> Future[str]:
        """The SVG of a Vega-Lite chart; a RuntimeError where Vega does not take it."""
        return self._turns.submit(self._ask, orjson.dumps(spec, option=orjson.OPT_APPEND_NEWLINE))

    def _ask(self, line: bytes) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(line)
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        told = orjson.loads(answer) if answer else {"error": "Vega's process has ended"}
        if "svg" not in told:
            raise RuntimeError(told["error"])
        return str(told["svg"])


def main() -> None:
    """The process: a chart a line comes in, an SVG a line goes out."""
    import vl_convert  # here, for nobody else needs it who wants only `Vega`

    vl_convert.vegalite_to_svg(_NOTHING)
    for line in sys.stdin.buffer:
        try:
            told = {"svg": vl_convert.vegalite_to_svg(line.decode())}
        except ValueError as error:
            told = {"error": str(error)}
        sys.stdout.buffer.write(orjson.dumps(told, option=orjson.OPT_APPEND_NEWLINE))
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # a parent that was killed reads no more: end with it, without a word on its terminal
        os._exit(0)  # the interpreter's own end would try to write what is left
