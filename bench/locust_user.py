"""What a user of Locust would write: InvokeEndpointAsync by FastHttpUser, unsigned, as Locust has no signer.

Run by `outsiders.py` through Locust's own command. From the instant at which every user has had its first answer it
measures so many more, prints one line of JSON, a Measured as `callers.py` has it or a problem, and quits.
"""

import itertools
import json
import resource
import time

import gevent
from locust import FastHttpUser, task

from origin import INPUT_LOCATION, UNSIGNED_INVOKE_PATH

N_CALLS = 12_000


class Progress:
    """Where the measurement is; one for all users, who are greenlets of one thread."""

    def __init__(self) -> None:
        self.numbers = itertools.count()
        self.n_connected = self.n_answers = 0
        self.cpu_s = self.wall_s = 0.0

    def begin(self) -> None:
        self.n_answers, self.cpu_s, self.wall_s = 0, _cpu_s(), time.perf_counter()

    def measured(self) -> dict[str, float]:
        return {
            "n_units": self.n_answers,
            "cpu_s": _cpu_s() - self.cpu_s,
            "wall_s": time.perf_counter() - self.wall_s,
        }


PROGRESS = Progress()


class Submitter(FastHttpUser):
    """Submits, again and again, without a pause."""

    is_connected = False

    @task
    def submit(self) -> None:
        answer = self.client.post(
            UNSIGNED_INVOKE_PATH,
            data=b"",
            headers={
                "X-Amzn-SageMaker-Inference-Id": f"smb-bench-0-{next(PROGRESS.numbers)}",
                "X-Amzn-SageMaker-InputLocation": INPUT_LOCATION,
                "X-Amzn-SageMaker-Content-Type": "application/json",
            },
        )
        if answer.status_code != 202 or not answer.headers["x-amzn-sagemaker-outputlocation"]:
            self._quit({"problem": f"an answer of {answer.status_code}: {answer.error or answer.text}"})
        PROGRESS.n_answers += 1
        if not self.is_connected:
            self.is_connected = True
            PROGRESS.n_connected += 1
            if PROGRESS.n_connected == self.environment.runner.target_user_count:
                PROGRESS.begin()
        elif PROGRESS.wall_s and PROGRESS.n_answers == N_CALLS:
            self._quit(PROGRESS.measured())

    def _quit(self, told: dict[str, float] | dict[str, str]) -> None:
        print(json.dumps(told), flush=True)
        gevent.spawn(self.environment.runner.quit)  # not from here: it would end this user first, and itself with it


def _cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
