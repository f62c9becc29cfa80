"""Capacity, by hand: provisioning 100 s, removal 50 s, one slot an instance unless a test says otherwise."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelling import SECOND, Stand
from smbench.model.endpoints.endpoint import UpdateInProgress
from smbench.model.service import Seeds
from smbench.records import Outcome


def test_new_instances_serve_after_their_provisioning_and_the_update_ends_with_the_last() -> None:
    stand = Stand(1, provision={"uniform": {"low": "50s", "high": "150s"}})
    stand.endpoint.set_desired(4, "because")
    assert (stand.endpoint.status, stand.endpoint.desired, stand.endpoint.in_service) == ("Updating", 4, 1)
    last_s = 0.0
    while stand.endpoint.is_updating:
        last_s += 1
        stand.go_to(last_s)
    kinds = stand.kinds()
    assert [kind for _, kind in kinds] == ["desired", "in_service", "in_service", "in_service"]
    assert all(50 <= at_s <= 150 for at_s, _ in kinds[1:])
    assert last_s - 1 < kinds[-1][0] <= last_s
    assert stand.changes[0].cause == "because"


def test_capacity_is_billed_from_launch_and_counted_from_service() -> None:
    stand = Stand(1)
    stand.endpoint.set_desired(3)
    assert (stand.endpoint.billed, stand.endpoint.current, stand.endpoint.in_service) == (3, 1, 1)
    stand.go_to(100)
    assert (stand.endpoint.billed, stand.endpoint.current, stand.endpoint.in_service) == (3, 3, 3)


def test_a_removed_instance_serves_no_more_at_once_and_is_billed_until_it_is_gone() -> None:
    stand = Stand(3, service="10s")
    stand.endpoint.set_desired(1)
    assert (stand.endpoint.in_service, stand.endpoint.current, stand.endpoint.billed) == (1, 3, 3)
    stand.arrive(2)
    assert (stand.endpoint.running, stand.endpoint.queued) == (1, 1)
    stand.go_to(49)
    assert stand.endpoint.billed == 3
    stand.go_to(50)
    assert (stand.endpoint.billed, stand.endpoint.is_updating) == (1, False)
    assert stand.kinds() == [(0, "desired"), (50, "removed"), (50, "removed")]


def test_the_idlest_instance_goes_first() -> None:
    stand = Stand(3, service="500s")
    stand.arrive(2)
    stand.endpoint.set_desired(2)
    stand.go_to(60)
    assert stand.changes[-1].instance == 2  # 0 and 1 are busy
    assert stand.changes[-1].kind == "removed"


def test_of_equally_idle_instances_the_newest_goes_first() -> None:
    stand = Stand(3)
    stand.endpoint.set_desired(1)
    stand.go_to(60)
    assert [change.instance for change in stand.changes[1:]] == [2, 1]


def test_a_busy_instance_finishes_before_it_goes() -> None:
    stand = Stand(1, service="200s")
    stand.arrive()
    stand.endpoint.set_desired(0)
    stand.go_to(199)
    assert (stand.endpoint.running, stand.endpoint.current, stand.endpoint.is_updating) == (1, 1, True)
    stand.go_to(300)
    assert stand.kinds() == [(0, "desired"), (200, "removed")]
    assert stand.dones_s() == {0: 200}


def test_an_instance_that_is_drained_early_is_billed_to_the_end_of_its_removal() -> None:
    stand = Stand(1, service="20s")
    stand.arrive()
    stand.endpoint.set_desired(0)
    stand.go_to(100)
    assert stand.kinds() == [(0, "desired"), (50, "removed")]


def test_without_draining_the_running_requests_go_back_to_the_queue() -> None:
    stand = Stand(2, service="200s", open_questions={"drain_on_remove": False})
    stand.arrive(2)
    stand.go_to(10)
    stand.endpoint.set_desired(0)
    assert (stand.endpoint.running, stand.endpoint.queued) == (0, 2)
    stand.go_to(60)
    assert stand.kinds() == [(10, "desired"), (60, "removed"), (60, "removed")]
    stand.endpoint.set_desired(1)
    stand.go_to(1_000)
    assert stand.starts_s() == {0: 160, 1: 360}
    assert [end.attempts for end in stand.ends] == [2, 2]


def test_updates_serialise() -> None:
    stand = Stand(1)
    stand.endpoint.set_desired(2)
    for n in (1, 2, 3):
        with pytest.raises(UpdateInProgress):
            stand.endpoint.set_desired(n)
    stand.go_to(100)
    stand.endpoint.set_desired(1)  # and a removal is an update too
    with pytest.raises(UpdateInProgress):
        stand.endpoint.set_desired(2)
    assert [change.desired_after for change in stand.changes if change.kind == "desired"] == [2, 1]


def test_updates_that_need_not_serialise_overlap() -> None:
    stand = Stand(1, open_questions={"serialise_updates": False})
    stand.endpoint.set_desired(3)
    stand.go_to(50)
    stand.endpoint.set_desired(4)
    stand.go_to(100)
    assert (stand.endpoint.in_service, stand.endpoint.is_updating) == (3, True)
    stand.go_to(150)
    assert (stand.endpoint.in_service, stand.endpoint.is_updating) == (4, False)


def test_scaling_in_takes_back_launches_that_have_not_come_up_first() -> None:
    stand = Stand(1, open_questions={"serialise_updates": False})
    stand.endpoint.set_desired(3)
    stand.go_to(50)
    stand.endpoint.set_desired(1)
    assert (stand.endpoint.billed, stand.endpoint.is_updating) == (1, False)
    stand.go_to(500)
    assert stand.kinds() == [(0, "desired"), (50, "desired")]


def test_the_present_number_is_no_change() -> None:
    stand = Stand(2)
    stand.endpoint.set_desired(2)
    assert not stand.changes


def test_a_launch_that_comes_to_nothing_lowers_what_is_desired() -> None:
    stand = Stand(1, faults={"provision_failures": 1.0})
    stand.endpoint.set_desired(3)
    stand.go_to(100)
    assert stand.kinds() == [(0, "desired"), (100, "failed"), (100, "failed")]
    assert (stand.endpoint.desired, stand.endpoint.in_service, stand.endpoint.is_updating) == (1, 1, False)
    stand.endpoint.set_desired(2)  # may be tried again
    assert stand.endpoint.is_updating


def test_a_dead_instance_is_replaced_without_an_update() -> None:
    stand = Stand(1, faults={"instance_life": "300s", "provision_failures": 1.0})
    stand.go_to(300)
    assert (stand.endpoint.in_service, stand.endpoint.desired, stand.endpoint.status) == (0, 1, "InService")
    stand.go_to(400)
    assert stand.kinds() == [(300, "died"), (400, "in_service")]
    assert stand.changes[-1].instance == 1


def test_an_instance_that_dies_while_it_leaves_ends_the_update() -> None:
    stand = Stand(1, faults={"instance_life": "20s"}, service="500s")
    stand.arrive()
    stand.endpoint.set_desired(0)
    stand.go_to(20)
    assert (stand.endpoint.current, stand.endpoint.is_updating, stand.endpoint.queued) == (0, False, 1)
    stand.go_to(500)
    assert stand.kinds() == [(0, "desired"), (20, "died")]


def test_the_nth_launched_instance_is_the_same_whenever_it_is_launched() -> None:
    law = {"lognormal": {"median": "170s", "sigma": 0.25}}
    delays = []
    for steps in ((4,), (2, 4), (1, 2, 3, 4)):
        stand = Stand(0, provision=law, seeds=Seeds(capacity=5), open_questions={"serialise_updates": False})
        launched_s: dict[int, int] = {}
        for at_s, n in enumerate(steps):
            stand.go_to(at_s * 10)
            launched_s |= dict.fromkeys(range(stand.endpoint.desired, n), at_s * 10)
            stand.endpoint.set_desired(n)
        stand.go_to(2_000)
        came = {change.instance: change.at_ns / SECOND for change in stand.changes if change.kind == "in_service"}
        delays.append([came[index] - launched_s[index] for index in range(4)])
    assert all(one == pytest.approx(other) for one, other in pairwise(delays))


def test_the_instances_of_one_change_share_a_part_of_their_provisioning() -> None:
    law = {"uniform": {"low": "0s", "high": "1000s"}}
    stand = Stand(0, seeds=Seeds(capacity=3), provision="100s", provision_common=law)
    stand.endpoint.set_desired(3)
    stand.go_to(2000)
    stand.endpoint.set_desired(5)
    stand.go_to(4000)
    ready_s = [at_s for at_s, kind in stand.kinds() if kind == "in_service"]
    assert ready_s[0] == ready_s[1] == ready_s[2]
    assert ready_s[3] == ready_s[4]
    assert ready_s[0] - 100 != ready_s[3] - 2100


def test_hosts_have_the_speeds_that_are_named_and_those_beyond_the_average() -> None:
    stand = Stand(3, service="10s", host_speeds=[2, 0.5])
    stand.arrive(3)
    stand.go_to(60)
    assert stand.dones_s() == {0: 5, 1: 20, 2: 10}


def test_a_change_that_has_been_under_way_takes_only_what_is_left() -> None:
    stand = Stand(1, provision="100s", remove="50s")
    stand.endpoint.set_desired(3, under_way_ns=30 * SECOND)
    stand.go_to(69)
    assert stand.endpoint.in_service == 1
    stand.go_to(70)
    assert stand.endpoint.in_service == 3
    stand.endpoint.set_desired(2, under_way_ns=90 * SECOND)
    stand.go_to(70)
    assert not stand.endpoint.is_updating


@given(
    st.integers(1, 4), st.integers(1, 4), st.integers(1, 5), st.integers(1, 5), st.integers(0, 40), st.integers(0, 60)
)
def test_renewed_instances_work_with_their_own_slots_and_the_old_ones_finish_what_they_have(
    n: int, n_new: int, slots: int, slots_new: int, at_s: int, n_requests: int
) -> None:
    stand = Stand(n, service="10s", instances={"min": 0, "max": 9, "start": 1, "concurrency": slots})
    stand.arrive(n_requests)
    stand.go_to(at_s + 0.5)
    running = stand.endpoint.running
    stand.endpoint.renew(slots_new, n_new)
    queued = n_requests - stand.endpoint.ended - running
    assert stand.endpoint.running == running + min(queued, n_new * slots_new)
    assert (stand.endpoint.desired, stand.endpoint.in_service) == (n_new, n_new)
    stand.go_to(at_s + 10.5)
    assert stand.endpoint.running == min(max(0, queued - n_new * slots_new), n_new * slots_new)
    stand.go_to(2_000)
    assert [end.attempts for end in stand.ends] == [1] * n_requests
    assert {end.outcome for end in stand.ends} <= {Outcome.COMPLETED}
    assert list(dict(sorted(stand.starts_s().items())).values()) == sorted(stand.starts_s().values())
    served = [(end.instance or 0, end.start_ns or 0) for end in stand.ends]
    # All of one start work for the same ten seconds.
    assert all(many <= (slots if instance < n else slots_new) for (instance, _), many in Counter(served).items())
    assert all(instance >= n for instance, start_ns in served if start_ns >= round((at_s + 0.5) * SECOND))
    assert (stand.endpoint.current, stand.endpoint.billed, stand.endpoint.is_updating) == (n_new, n_new, False)


def test_without_draining_what_old_instances_work_on_begins_again_on_the_new_ones() -> None:
    stand = Stand(2, service="100s", open_questions={"drain_on_remove": False})
    stand.arrive(2)
    stand.go_to(10)
    stand.endpoint.renew(2, 1)
    stand.go_to(200)
    assert [(end.start_ns, end.attempts, end.instance) for end in stand.ends] == [(10 * SECOND, 2, 2)] * 2


def test_an_update_is_under_way_until_the_last_old_instance_has_left() -> None:
    stand = Stand(1, service="200s")
    stand.arrive()
    stand.endpoint.renew(4, 1)
    assert (stand.endpoint.current, stand.endpoint.status) == (2, "Updating")
    stand.go_to(200)
    assert stand.kinds() == [(0, "in_service"), (200, "removed")]
    assert (stand.endpoint.current, stand.endpoint.status) == (1, "InService")
