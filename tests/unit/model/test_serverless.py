"""A serverless endpoint: one request to an environment, warm ones first, cold starts beyond, throttles beyond that."""

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelling import SECOND, emulated
from smbench.model.endpoints.answers import container_error_of, error_message
from smbench.model.endpoints.endpoint import CONTAINER_ERROR, TIMEOUT
from smbench.model.endpoints.jobs import OUT_OF_MEMORY, Ended, Job
from smbench.model.endpoints.serverless import ServerlessEndpoint
from smbench.model.endpoints.settings import EndpointSettings
from smbench.model.event_queue import EventQueue
from smbench.model.monitoring.metrics import MetricStore
from smbench.model.service import Seeds
from smbench.scenario.values.distributions import Distribution

COLD_S = 3.0


class Serverless:
    """One endpoint with service times of 1 s and cold starts of 3 s, and note of all it tells."""

    def __init__(
        self,
        max_concurrency: int = 20,
        *,
        provisioned: int = 0,
        keep_warm: str = "60s",
        memory: dict[str, int] | None = None,
        **own: Any,
    ) -> None:
        wanted = {"max_concurrency": max_concurrency, "provisioned": provisioned, "keep_warm": keep_warm}
        wanted |= memory or {}
        described = emulated(serverless=wanted | {"cold_start": f"{COLD_S}s"}, **own)
        self.event_queue = EventQueue()
        self.metrics = MetricStore(self.event_queue, 0, delay=Distribution.model_validate("0s"))
        settings = EndpointSettings.of(described, name="e", variant="v", is_synchronous=True)
        self.endpoint = ServerlessEndpoint(
            self.event_queue, settings, described.serverless, seeds=Seeds(), metrics=self.metrics
        )
        self.ends: list[Ended] = []
        self.endpoint.on_end.append(self.ends.append)
        self.n_calls = 0

    def call(self, n: int = 1) -> int:
        """How many of these calls were taken."""
        taken = 0
        for _ in range(n):
            job = Job(self.n_calls, f"id-{self.n_calls}", "", 60.0, 60.0, self.event_queue.now_ns, is_awaited=True)
            self.n_calls += 1
            taken += self.endpoint.arrive(job)
        return taken

    def go_to(self, at_s: float) -> None:
        self.event_queue.advance(round(at_s * SECOND))

    def sojourns_s(self) -> list[float]:
        return [(end.done_ns - end.job.recv_ns) / SECOND for end in self.ends]


def test_a_burst_beyond_the_maximum_is_throttled_at_once_and_by_number() -> None:
    endpoint = Serverless(150)
    assert endpoint.call(160) == 150
    assert endpoint.endpoint.throttled == 10
    endpoint.go_to(10)
    assert endpoint.sojourns_s() == [COLD_S + 1.0] * 150


def test_after_a_run_of_ten_ten_calls_are_warm_and_the_others_cold() -> None:
    endpoint = Serverless(200)
    endpoint.call(10)
    endpoint.go_to(10)
    endpoint.ends.clear()
    endpoint.call(100)
    endpoint.go_to(20)
    assert sorted(endpoint.sojourns_s()) == [1.0] * 10 + [COLD_S + 1.0] * 90
    assert endpoint.endpoint.cold_starts == 100


@pytest.mark.parametrize("n", [0, 5, 20, 30])
def test_provisioned_environments_have_no_cold_start_up_to_their_number(n: int) -> None:
    endpoint = Serverless(50, provisioned=20)
    endpoint.call(n)
    endpoint.go_to(10)
    assert sorted(endpoint.sojourns_s()) == [1.0] * min(n, 20) + [COLD_S + 1.0] * max(0, n - 20)


def test_an_idle_environment_is_kept_for_a_while_since_it_was_last_used() -> None:
    endpoint = Serverless(keep_warm="60s")
    for at_s in (0.0, 50.0, 110.9, 172.0):  # ends at 4, 51, 111.9: warm, warm, and 60.1 s later cold
        endpoint.go_to(at_s)
        endpoint.call()
    endpoint.go_to(200)
    assert endpoint.sojourns_s() == pytest.approx([4.0, 1.0, 1.0, 4.0])


def test_provisioned_environments_are_kept_for_ever() -> None:
    endpoint = Serverless(provisioned=2)
    endpoint.go_to(100_000)
    endpoint.call(2)
    endpoint.go_to(100_010)
    assert endpoint.sojourns_s() == [1.0, 1.0]


def test_the_environment_that_was_used_last_is_used_first() -> None:
    endpoint = Serverless(keep_warm="60s")
    endpoint.call(2)
    for at_s in range(30, 300, 30):  # one is enough from now on, and the other is given up
        endpoint.go_to(at_s)
        endpoint.call()
    assert endpoint.endpoint.warm == 0
    endpoint.go_to(295)
    assert endpoint.endpoint.warm == 1
    assert {end.instance for end in endpoint.ends[2:]} == {endpoint.ends[1].instance}


def test_a_throttle_leaves_no_trace_in_the_chances_of_others() -> None:
    law: Any = {"exponential": {"mean": "1s"}}
    few, many = Serverless(1, service=law), Serverless(2, service=law)
    for endpoint, n in ((few, 3), (many, 1)):
        for at_s in (0, 100, 200):
            endpoint.go_to(at_s)
            endpoint.call(n)
        endpoint.go_to(400)
    assert few.sojourns_s() == many.sojourns_s()


def test_the_limit_of_a_container_does_not_count_the_cold_start() -> None:
    endpoint = Serverless(service="58s")
    endpoint.call()
    endpoint.go_to(100)
    assert (endpoint.ends[0].reason, endpoint.sojourns_s()) == ("", [61.0])
    endpoint = Serverless(service="61s")
    endpoint.call()
    endpoint.go_to(100)
    assert (endpoint.ends[0].reason, endpoint.sojourns_s()) == (TIMEOUT, [63.0])


@pytest.mark.parametrize(("memory", "work_s"), [(1024, 2.0), (2048, 1.0), (4096, 0.5), (6144, 1 / 3)])
def test_work_takes_as_many_times_as_long_as_the_memory_is_smaller(memory: int, work_s: float) -> None:
    endpoint = Serverless(memory={"memory": memory, "measured_at": 2048}, service="1s")
    endpoint.call()
    endpoint.go_to(10)
    assert endpoint.sojourns_s() == pytest.approx([COLD_S + work_s])


def test_a_request_that_takes_more_memory_than_there_is_kills_its_environment() -> None:
    endpoint = Serverless(memory={"memory": 2048, "needed": 2049}, service="1s")
    endpoint.call()
    endpoint.go_to(10)
    assert (endpoint.ends[0].reason, endpoint.endpoint.warm) == (OUT_OF_MEMORY, 0)
    message = error_message(*container_error_of(endpoint.ends[0]), endpoint="mine")
    assert "could not get a response from the mine endpoint. This can occur when CPU or memory utilization" in message
    endpoint = Serverless(memory={"memory": 2048, "needed": 2048}, service="1s")
    endpoint.call()
    endpoint.go_to(10)
    assert (endpoint.ends[0].reason, endpoint.endpoint.warm) == ("", 1)


def test_a_container_that_fails_leaves_a_warm_environment() -> None:
    endpoint = Serverless(faults={"container_errors": 1.0})
    endpoint.call()
    endpoint.go_to(10)
    assert (endpoint.ends[0].reason, endpoint.endpoint.warm) == (CONTAINER_ERROR, 1)


def test_a_cold_start_is_in_the_overhead_and_told_as_setup() -> None:
    endpoint = Serverless()
    endpoint.call(2)
    endpoint.go_to(10)
    endpoint.call(3)
    endpoint.go_to(61)
    sums = {metric.name: point.value("Sum") for metric, point in endpoint.metrics.history()}
    counts = {metric.name: point.value("SampleCount") for metric, point in endpoint.metrics.history()}
    assert sums == {
        "Invocations": 5,
        "ModelLatency": pytest.approx(5e6),
        "OverheadLatency": pytest.approx(9e6),
        "ModelSetupTime": pytest.approx(9e6),
    }
    assert counts["ModelSetupTime"] == 3


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 8)), max_size=40),
    st.integers(1, 6),
    st.integers(0, 6),
)
def test_whatever_comes_each_environment_serves_one_request_at_a_time(
    arrivals: list[tuple[int, int]], max_concurrency: int, provisioned: int
) -> None:
    endpoint = Serverless(max_concurrency, provisioned=min(provisioned, max_concurrency), keep_warm="2s")
    model, taken = endpoint.endpoint, 0
    for gap_ms, n in arrivals:
        endpoint.event_queue.advance(endpoint.event_queue.now_ns + gap_ms * 1_000_000)
        taken += endpoint.call(n)
        assert model.running <= max_concurrency
        assert model.accepted == model.running + model.ended == taken
        assert taken + model.throttled == endpoint.n_calls
    endpoint.event_queue.advance(endpoint.event_queue.now_ns + 100 * SECOND)
    assert (model.running, model.ended) == (0, taken)
    assert model.warm == min(provisioned, max_concurrency)
    by_environment: dict[int | None, list[Ended]] = {}
    for end in endpoint.ends:
        by_environment.setdefault(end.instance, []).append(end)
    for served in by_environment.values():
        for before, after in itertools.pairwise(served):
            assert after.job.recv_ns >= before.done_ns


def test_after_a_replacement_nothing_is_warm_and_what_runs_ends_as_it_would_have() -> None:
    endpoint = Serverless(3, provisioned=1)
    assert endpoint.call(3) == 3
    endpoint.go_to(2.0)  # the provisioned one is idle again, two are at work
    endpoint.endpoint.replace(endpoint.endpoint.serverless.model_copy(update={"max_concurrency": 4, "provisioned": 2}))
    assert (endpoint.endpoint.warm, endpoint.endpoint.running) == (2, 2)
    endpoint.go_to(10.0)
    assert sorted(endpoint.sojourns_s()) == [1.0, COLD_S + 1.0, COLD_S + 1.0]
    assert endpoint.endpoint.warm == 2, "those that worked are of the old configuration"
    assert endpoint.call(5) == 4
    endpoint.go_to(20.0)
    assert sorted(endpoint.sojourns_s()[3:]) == [1.0, 1.0, COLD_S + 1.0, COLD_S + 1.0]


@pytest.mark.slow
@pytest.mark.parametrize("n_running", [0, 2, 5])
@pytest.mark.parametrize("counts", [(3, 1), (1, 3), (3, 0, 2), (2, 0, 5, 1)])
def test_another_concurrency_leaves_warm_what_is_warm_and_as_many_provisioned_as_are_asked(
    counts: tuple[int, ...], n_running: int
) -> None:
    endpoint = Serverless(9, provisioned=counts[0])
    endpoint.call(n_running)
    for count in counts[1:]:
        changed = {"max_concurrency": 7, "provisioned": count}
        endpoint.endpoint.adjust(endpoint.endpoint.serverless.model_copy(update=changed))
    endpoint.go_to(10.0)
    n_on_demand = max(0, n_running - counts[0])
    assert endpoint.endpoint.warm == counts[-1] + n_on_demand
    assert endpoint.call(9) == 7
    endpoint.ends.clear()
    endpoint.go_to(20.0)
    assert endpoint.sojourns_s().count(1.0) == min(7, counts[-1] + n_on_demand)


def test_a_replacement_by_a_lower_maximum_throttles_until_what_runs_has_ended() -> None:
    endpoint = Serverless(3)
    assert endpoint.call(3) == 3
    endpoint.endpoint.replace(endpoint.endpoint.serverless.model_copy(update={"max_concurrency": 1}))
    assert endpoint.call() == 0
    endpoint.go_to(COLD_S + 1.0)
    assert endpoint.call(2) == 1
