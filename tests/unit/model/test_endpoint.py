"""The queue and the slots, by hand: every instant below follows from the arithmetic beside it."""

import pytest

from modelling import SECOND, Stand
from smbench.model.endpoints.endpoint import CONTAINER_ERROR, INSTANCE_LOST, TIMEOUT, TTL, Ended
from smbench.model.service import Seeds
from smbench.records import Outcome
from theory import ddc_burst_sojourns_s


@pytest.mark.parametrize(("instances", "concurrency"), [(1, 1), (1, 4), (3, 2), (5, 1)])
def test_a_burst_on_equal_servers_is_served_in_rounds(instances: int, concurrency: int) -> None:
    stand = Stand(instances, instances={"concurrency": concurrency}, service="1.7s")
    stand.arrive(23)
    stand.go_to(100)
    expected_s = ddc_burst_sojourns_s(23, instances * concurrency, 1.7)
    assert list(stand.dones_s().values()) == pytest.approx(expected_s, abs=1e-9)


def test_the_least_loaded_instance_takes_the_next_request() -> None:
    stand = Stand(3, instances={"concurrency": 3}, service="10s")
    stand.arrive(6)
    stand.go_to(20)
    # Each instance is taken once before any is taken twice.
    taken = [stand.ended(index).instance for index in range(6)]
    assert sorted(str(one) for one in taken[:3]) == sorted(str(one) for one in taken[3:]) == ["0", "1", "2"]


def test_nothing_starts_without_instances_and_all_starts_when_one_comes() -> None:
    stand = Stand(0, provision="100s")
    stand.arrive(2)
    stand.go_to(40)
    assert (stand.endpoint.queued, stand.endpoint.running) == (2, 0)
    stand.endpoint.set_desired(1)
    stand.go_to(200)
    assert stand.starts_s() == {0: 140, 1: 141}  # 40 + 100, then one service later


def test_a_waiting_request_expires_at_its_time_to_live_and_not_when_somebody_looks() -> None:
    stand = Stand(1, service="1000s")
    stand.arrive(timeout_s=3600)
    stand.arrive(ttl_s=60)
    stand.go_to(5_000)  # one step
    expired = stand.ended(1)
    assert (expired.outcome, expired.reason, expired.done_ns) == (Outcome.EXPIRED, TTL, 60 * SECOND)
    assert (expired.start_ns, expired.instance, expired.attempts) == (None, None, 0)


def test_a_request_that_expires_behind_another_leaves_the_others_in_order() -> None:
    stand = Stand(1, service="100s")
    stand.arrive(timeout_s=3600)
    stand.arrive(ttl_s=300)
    stand.arrive(ttl_s=60)
    stand.arrive(ttl_s=400)
    stand.go_to(1_000)
    assert stand.starts_s() == {0: 0, 1: 100, 3: 200}
    assert stand.dones_s()[2] == 60


def test_a_slot_that_frees_at_the_very_instant_of_expiry_comes_too_late() -> None:
    stand = Stand(1, service="60s")
    stand.arrive(ttl_s=60)
    stand.arrive(ttl_s=60)
    stand.arrive(ttl_s=61)
    stand.go_to(200)
    assert [stand.ended(index).outcome for index in range(3)] == [
        Outcome.COMPLETED,
        Outcome.EXPIRED,
        Outcome.COMPLETED,
    ]
    assert stand.dones_s() == {0: 60, 1: 60, 2: 120}


def test_a_time_to_live_counts_no_longer_once_a_request_runs() -> None:
    stand = Stand(1, service="500s")
    stand.arrive(ttl_s=60)
    stand.go_to(600)
    assert stand.ended(0).outcome is Outcome.COMPLETED


def test_the_invocation_time_out_cuts_the_service_and_frees_the_slot() -> None:
    stand = Stand(1, service="100s")
    stand.arrive(timeout_s=10)
    stand.arrive(timeout_s=200)
    stand.go_to(300)
    first = stand.ended(0)
    assert (first.outcome, first.reason, first.done_ns) == (Outcome.FAILED, TIMEOUT, 10 * SECOND)
    assert stand.starts_s()[1] == 10
    assert stand.ended(1).outcome is Outcome.COMPLETED


def test_a_service_as_long_as_the_time_out_is_in_time() -> None:
    stand = Stand(1, service="10s")
    stand.arrive(timeout_s=10)
    stand.go_to(20)
    assert stand.ended(0).outcome is Outcome.COMPLETED


def test_a_container_error_takes_the_whole_service_and_fails() -> None:
    stand = Stand(1, service="5s", faults={"container_errors": 1.0})
    stand.arrive()
    stand.go_to(10)
    ended = stand.ended(0)
    assert (ended.outcome, ended.reason, ended.done_ns) == (Outcome.FAILED, CONTAINER_ERROR, 5 * SECOND)


def test_container_errors_strike_their_share() -> None:
    stand = Stand(1, instances={"concurrency": 1000}, faults={"container_errors": 0.2})
    stand.arrive(1000)
    stand.go_to(10)
    failed = sum(end.outcome is Outcome.FAILED for end in stand.ends)
    assert failed == pytest.approx(200, abs=5 * (1000 * 0.2 * 0.8) ** 0.5)  # binomial: five standard deviations


def test_a_share_of_errors_does_not_move_the_service_times() -> None:
    law = {"lognormal": {"median": "1s", "sigma": 0.5}}
    sound, faulty = Stand(1, service=law), Stand(1, service=law, faults={"container_errors": 0.5})
    for stand in (sound, faulty):
        stand.arrive(50)
        stand.go_to(1_000)
    assert sound.dones_s() == faulty.dones_s()


def test_a_payload_class_has_its_own_service_time() -> None:
    stand = Stand(2, service={"by_class": {"": "1s", "big": "8s"}})
    stand.arrive(payload_class="big")
    stand.arrive(payload_class="small")
    stand.go_to(10)
    assert stand.dones_s() == {0: 8, 1: 1}


def test_a_slow_instance_is_slow_for_every_request() -> None:
    stand = Stand(1, service="10s", service_spread=0.3, seeds=Seeds(capacity=3))
    stand.arrive(3)
    stand.go_to(100)
    first, second, third = (stand.dones_s()[index] for index in range(3))
    assert first != 10.0
    assert second - first == pytest.approx(first)
    assert third - second == pytest.approx(first)


def test_instance_speeds_spread_around_the_average() -> None:
    stand = Stand(400, service="10s", service_spread=0.1)
    stand.arrive(400)
    stand.go_to(100)
    durations_s = list(stand.dones_s().values())
    assert sum(durations_s) / 400 == pytest.approx(10, abs=5 * 10 * 0.1 / 20)
    assert max(durations_s) > 11.5


def test_a_callback_may_bring_the_next_request() -> None:
    stand = Stand(1)

    def next_one(_ended: Ended) -> None:
        if len(stand.jobs) < 5:
            stand.arrive()

    stand.endpoint.on_end.append(next_one)
    stand.arrive()
    stand.go_to(10)
    assert stand.dones_s() == {0: 1, 1: 2, 2: 3, 3: 4, 4: 5}


def test_a_callback_finds_the_books_in_order() -> None:
    stand = Stand(2, service="3s")
    seen = list[tuple[int, int]]()
    stand.endpoint.on_end.append(lambda _: seen.append((stand.endpoint.queued, stand.endpoint.running)))
    stand.arrive(3)
    stand.go_to(10)
    # At 3 s the first frees its slot and the third takes it before anybody hears of the first.
    assert seen == [(0, 2), (0, 1), (0, 0)]


def test_a_request_of_a_dead_instance_runs_again_from_the_front_of_the_queue() -> None:
    # Dies at 5 s with request 0; the replacement takes 100 s and dies 5 s later too: lives are drawn, so constant here.
    stand = Stand(1, service="3s", faults={"instance_life": "5s"})
    stand.go_to(4)
    stand.arrive(2)
    stand.go_to(200)
    first = stand.ended(0)
    assert (first.outcome, first.attempts, first.instance) == (Outcome.COMPLETED, 2, 1)
    assert stand.starts_s()[0] == 105  # the replacement is launched at once
    assert stand.endpoint.desired == 1


def test_without_redelivery_the_requests_of_a_dead_instance_are_lost() -> None:
    stand = Stand(1, service="30s", faults={"instance_life": "5s"}, open_questions={"redeliver_on_death": False})
    stand.arrive()
    stand.go_to(10)
    ended = stand.ended(0)
    assert (ended.outcome, ended.reason, ended.done_ns) == (Outcome.FAILED, INSTANCE_LOST, 5 * SECOND)


def test_a_redelivered_request_still_has_its_time_to_live() -> None:
    stand = Stand(1, service="50s", faults={"instance_life": "30s"})
    stand.arrive(ttl_s=60)
    stand.go_to(300)
    ended = stand.ended(0)
    assert (ended.outcome, ended.done_ns, ended.attempts) == (Outcome.EXPIRED, 60 * SECOND, 1)
    assert ended.start_ns == 0


def test_the_oldest_waiting_request_is_told() -> None:
    stand = Stand(1, service="10s")
    stand.arrive()
    assert stand.endpoint.oldest_recv_ns is None  # it runs
    stand.go_to(2)
    stand.arrive(ttl_s=60)
    stand.go_to(3)
    stand.arrive()
    assert stand.endpoint.oldest_recv_ns == 2 * SECOND
    stand.go_to(10.5)
    assert stand.endpoint.oldest_recv_ns == 3 * SECOND


def test_a_request_that_a_callback_brings_overtakes_nobody() -> None:
    # At 60 s the slot frees, request 1 expires, and whoever hears of it sends request 3: the slot is request 2's.
    stand = Stand(1, service="60s")
    stand.arrive()
    stand.arrive(ttl_s=60)
    stand.arrive()
    stand.endpoint.on_end.append(lambda ended: stand.arrive() if ended.outcome is Outcome.EXPIRED else None)
    stand.go_to(300)
    assert stand.starts_s() == {0: 0, 2: 60, 3: 120}


def test_requests_go_back_to_the_queue_in_order_of_acceptance() -> None:
    # Two instances of three slots: 0 and 2 run on the first, 1 on the second. The second goes, 1 follows on the first,
    # behind 2; then the first goes too.
    stand = Stand(2, instances={"concurrency": 3}, service="500s", open_questions={"drain_on_remove": False})
    stand.arrive(3)
    stand.endpoint.set_desired(1)
    stand.go_to(60)
    stand.arrive()
    assert [held.job.index for held in stand.endpoint._queue] == [3]
    stand.endpoint.set_desired(0)
    assert [held.job.index for held in stand.endpoint._queue] == [0, 1, 2, 3]
