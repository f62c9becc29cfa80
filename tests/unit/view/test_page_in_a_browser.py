"""Goal: in a browser the page asks for nothing, and fits a telephone's width as it does a desk's.

Method: a headless Chromium, where there is one, opens a frame of each width around the page, served from loopback,
and writes down what it sees: what was requested, how wide the page came out, which of two drawings is shown.
"""

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from runs import Request, frames_of, span
from smbench.analysis.summary import summarise
from smbench.analysis.verdict.checks import check
from smbench.records import Outcome
from smbench.view.page.page import page
from smbench.view.page.vega import Vega

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.skipif(BROWSER is None, reason="no chromium here: `apt-get install chromium`"),
]

WIDTHS = (360, 1200)
_FRAMES = "".join(
    f'<iframe id="w{width}" src="/page" style="width:{width}px;height:900px"></iframe>' for width in WIDTHS
)
_LOOK = """
<script>
onload = () => {
  const seen = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, root = page.documentElement;
    const shown = (name) => [...page.querySelectorAll(name)].filter((one) => one.offsetParent !== null).length;
    seen[frame.id] = {
      title: page.title, inner: frame.clientWidth, outer: root.scrollWidth, wide: shown("div.wide"),
      narrow: shown("div.narrow"), figures: page.querySelectorAll("figure").length,
      fetched: frame.contentWindow.performance.getEntriesByType("resource").map((one) => one.name),
      overflowing: [...page.querySelectorAll("svg")].filter(
        (one) => one.getBoundingClientRect().right > frame.clientWidth + 1).length,
    };
  }
  document.body.textContent = "SEEN" + JSON.stringify(seen) + "NEES";
};
</script>
"""


def document(vega: Vega) -> str:
    rows = [Request(0.1 * k, send=0.1 * k + 0.002, ack=0.1 * k + 0.02, done=0.1 * k + 3 + k % 7) for k in range(600)]
    rows += [Request(60.0, Outcome.PENDING), Request(60.0, Outcome.FAILED, done=70.0, error="ModelError" * 20)]
    frames = frames_of(rows, spans=[span(len(rows), end_s=60.0)], clock="real")
    summary = summarise(frames)
    return page(frames, summary, check(frames, summary), [], vega)


class Served(ThreadingHTTPServer):
    """The page, the frames around it, and every path that was asked for."""

    daemon_threads = True

    def __init__(self, pages: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages = pages
        self.asked: list[str] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(BaseHTTPRequestHandler):
    server: Served

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        text = self.server.pages.get(self.path)
        body = (text or "").encode()
        self.send_response(200 if text is not None else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Served]:
    server = Served({})
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def look(server: Served, html: str, tmp_path: Path) -> Any:
    """What the browser saw of this page at each width."""
    assert BROWSER is not None
    server.pages = {"/": f"<!DOCTYPE html><body>{_FRAMES}{_LOOK}", "/page": html}
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
    ]
    command += [f"--user-data-dir={tmp_path}", "--virtual-time-budget=10000", "--dump-dom", server.address + "/"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    found = re.search("SEEN(.*)NEES", done.stdout)
    assert found, done.stderr[-2000:]
    return json.loads(found[1].replace("&amp;", "&"))


def test_the_page_asks_for_nothing_and_fits_both_widths(served: Served, tmp_path: Path, vega: Vega) -> None:
    seen = look(served, document(vega), tmp_path)
    for width in WIDTHS:
        at = seen[f"w{width}"]
        assert at["title"].endswith("by-hand - smbench")
        assert at["fetched"] == []
        assert at["outer"] <= at["inner"], "the page scrolls sideways"
        assert at["overflowing"] == 0
        assert (at["wide"], at["narrow"]) == ((0, at["figures"]) if width < 640 else (at["figures"], 0))
    assert set(served.asked) <= {"/", "/page", "/favicon.ico"}  # the icon is that of the frames around it


def test_on_paper_no_table_goes_beyond_the_sheet(served: Served, tmp_path: Path, vega: Vega) -> None:
    printed = document(vega).replace("@media print", "@media all")
    seen = look(served, printed, tmp_path)["w1200"]
    assert seen["outer"] <= seen["inner"]


def test_a_page_that_did_fetch_something_would_be_caught(served: Served, tmp_path: Path) -> None:
    seen = look(served, f'<!DOCTYPE html><title>x</title><img src="{served.address}/beacon.png">', tmp_path)
    assert seen["w360"]["fetched"] == [f"{served.address}/beacon.png"]
    assert "/beacon.png" in served.asked


def test_what_the_page_would_fetch_its_own_policy_stops(served: Served, tmp_path: Path, vega: Vega) -> None:
    spoiled = document(vega).replace("</main>", f'<img src="{served.address}/beacon.png"></main>')
    look(served, spoiled, tmp_path)
    assert "/beacon.png" not in served.asked
