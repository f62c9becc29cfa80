"""The client of an asynchronous endpoint in a simulation: learns of ends by their notices, looks for the rest at last.

It follows the run's engine and tracker rule by rule, without their network: what it submits is accepted at that very
instant, and a notice is seen when it is published.
"""

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from smbench.model.endpoints.endpoint import TIMEOUT, TTL, Ended, Endpoint, Job
from smbench.model.event_queue import EventQueue
from smbench.model.service import Sampler
from smbench.records import Outcome
from smbench.scenario.model import Scenario
from smbench.scenario.values.request import DEFAULT_TIMEOUT_S, DEFAULT_TTL_S
from smbench.scenario.values.seeds import stream
from smbench.schedule.base import Schedule
from smbench.simulator.looks import is_found
from smbench.simulator.sender import Sender, Watch


class Client(Sender):
    """One request a row of the schedule; see `Sender`.

    Attributes:
        pub_ns: When each row's notice was published and received; None: not yet, or there is none.
        is_published: Of each row, whether a notice was, received or not.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        endpoint: Endpoint,
        scenario: Scenario,
        schedule: Schedule,
        payload_classes: Sequence[str],
        base_dir: Path | None,
        id_prefix: str,
        watch: Watch | None = None,
    ) -> None:
        super().__init__(event_queue, scenario, schedule, id_prefix, watch)
        self._endpoint, self._drain_ns = endpoint, round(scenario.drain * 1e9)
        self._kept_s = scenario.target.emulated.results_kept
        self._ttl_s = scenario.request.ttl or DEFAULT_TTL_S
        self._timeout_s = scenario.request.timeout or DEFAULT_TIMEOUT_S
        emulated, questions = scenario.target.emulated, scenario.target.emulated.open_questions
        self._silent = {
            reason
            for reason, notifies in ((TTL, questions.expiry_notifies), (TIMEOUT, questions.timeout_notifies))
            if not notifies
        }
        # The emulator's stream, so that both publish the same request at the same instant.
        self._lag = Sampler(emulated.notify_lag, stream(scenario.seed_of("faults"), "notify_lag"), base_dir)
        self._classes = [payload_classes[index] for index in schedule.payload.tolist()]
        self.pub_ns: list[int | None] = [None] * len(schedule)
        self.is_published = [False] * len(schedule)
        self._lag_ns: list[int] = [0] * len(schedule)
        self._n_open = 0  # accepted, and the client has not heard of an end
        self._last_sent_ns = 0
        endpoint.on_end.append(self._on_end)

    @property
    def seen_ns(self) -> list[int | None]:
        """When each row's end was seen before the drain was over; None: it was not."""
        return self.pub_ns

    @property
    def longest_life_ns(self) -> int:
        """After this long an accepted request can no longer end."""
        return round((self._ttl_s + self._timeout_s) * 1e9)

    def notice_of(self, row: int) -> str:
        """What became of an ended row's notice: `sent`, or `none` where AWS would not send one."""
        ended = self.ended[row]
        return "none" if ended is None or ended.reason in self._silent else "sent"

    def found(self, end_ns: int) -> list[Ended | None]:
        """How each row ended of which no notice came and S3 has the result, or the error, when the run is over."""
        silent = [
            ended if pub_ns is None and ended is not None and ended.outcome is not Outcome.EXPIRED else None
            for ended, pub_ns in zip(self.ended, self.pub_ns, strict=True)
        ]
        done_ns = np.array([-1 if ended is None else ended.done_ns for ended in silent], dtype=np.int64)
        is_there = is_found(done_ns, end_ns, self._kept_s).tolist()
        return [ended if there else None for ended, there in zip(silent, is_there, strict=True)]

    def _submit(self, row: int) -> None:
        now_ns = self._event_queue.now_ns
        index = len(self.order)
        self._watched(row)
        self._n_open += 1
        self._last_sent_ns = now_ns
        self._lag_ns[row] = round(self._lag.draw_s() * 1e9)
        job = Job(index, self.id_of(row), self._classes[row], self._ttl_s, self._timeout_s, now_ns, row)
        self._endpoint.arrive(job)

    def _on_end(self, ended: Ended) -> None:
        row = ended.job.context
        assert isinstance(row, int), "the client puts the row into every job"
        self.ended[row] = ended
        if ended.reason not in self._silent:
            self._event_queue.at(ended.done_ns + self._lag_ns[row], partial(self._publish, row))

    def _publish(self, row: int) -> None:
        self.is_published[row] = True
        self._hear(row)

    def _hear(self, row: int) -> None:
        self.pub_ns[row] = self._event_queue.now_ns
        self._over(row)

    def _over(self, row: int) -> None:
        """The client knows that the row has ended."""
        self._n_open -= 1
        self._freed(row)

    def _drain(self) -> int:
        """Until every end is known, but no longer than the drain after the last submission."""
        event_queue = self._event_queue
        sent_ns = event_queue.now_ns
        while self._n_open:
            limit_ns = max(sent_ns, self._last_sent_ns) + self._drain_ns
            due_ns = event_queue.next_due_ns()
            if due_ns is None or due_ns > limit_ns:
                event_queue.advance(limit_ns)
                break
            event_queue.advance(due_ns)
        return event_queue.now_ns
