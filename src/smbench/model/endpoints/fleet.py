"""The instances behind an endpoint: launched, loaded, removed, dying; one capacity change at a time.

Desired capacity is what was asked for; an update is under way until every instance it launches or removes has come
or gone. Instances that are being removed serve no more requests and are billed until they have left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from smbench.model.endpoints.jobs import Held, Instance
from smbench.model.endpoints.settings import EndpointSettings
from smbench.model.event_queue import EventQueue
from smbench.model.service import Sampler, Seeds
from smbench.scenario.values.seeds import stream

SLOWEST = 0.05  # of average: a normal law of speeds has no lower end, an instance has


class UpdateInProgress(Exception):  # noqa: N818  # AWS's refusal, an expected answer
    """The endpoint is being updated and refuses another capacity change until it is done."""


class QuotaReached(Exception):  # noqa: N818  # as above
    """More instances than the account may have, in AWS's words, or more than there is room for."""


@dataclass(frozen=True, slots=True)
class CapacityChange:
    """What happened to the fleet.

    `kind`: `desired` (another count was asked for), `in_service`, `removed`, `died`, `failed` (a launch came to
    nothing and desired went down by one).
    """

    at_ns: int
    desired_before: int
    desired_after: int
    in_service: int
    kind: str
    instance: int | None = None
    cause: str = ""


def over_quota(quota: int, n_used: int, n_more: int) -> str:
    """What SageMaker says of instances beyond the account's quota. Source: a scaling activity seen in public."""
    return (
        f"The account-level service limit 'ml.m5.xlarge for endpoint usage' is {quota} Instances, with current "
        f"utilization of {n_used} Instances and a request delta of {n_more} Instances. Please use AWS Service Quotas "
        "to request an increase for this quota."
    )


class Fleet:
    """Instances and their slots.

    Args:
        on_ready: An instance has come into service and has free slots.
        on_orphans: Requests whose instance died or left without them, in order of start.
    """

    def __init__(
        self,
        event_queue: EventQueue,
        settings: EndpointSettings,
        *,
        instances_at_start: int,
        seeds: Seeds,
        on_ready: Callable[[], None],
        on_orphans: "Callable[[list[Held]], None]",
        on_capacity: Callable[[CapacityChange], None],
    ) -> None:
        self._event_queue, self._settings = event_queue, settings
        self._on_ready, self._on_orphans, self._on_capacity = on_ready, on_orphans, on_capacity
        self._provision = Sampler(settings.provision, stream(seeds.capacity, "capacity.provision"), settings.base_dir)
        self._common = Sampler(
            settings.provision_common, stream(seeds.capacity, "capacity.provision_common"), settings.base_dir
        )
        self._remove = Sampler(settings.remove, stream(seeds.capacity, "capacity.remove"), settings.base_dir)
        self._speeds = stream(seeds.capacity, "capacity.speed")
        life = settings.faults.instance_life
        life_rng = stream(seeds.faults, "faults.instance_life")
        self._life = None if life is None else Sampler(life, life_rng, settings.base_dir)
        self._failures = stream(seeds.faults, "faults.provision_failures")
        self._n_launched = 0
        self.desired = instances_at_start
        self._launching: list[Instance] = []
        self._serving: list[Instance] = []
        self._leaving: list[Instance] = []
        self._pending: set[int] = set()  # indices of instances that the update under way waits for
        # Serving instances with a free slot, by number running; within one load, the longest at it first.
        self._concurrency = settings.concurrency  # of the instances that serve, and of those to come
        self._by_load: list[dict[Instance, None]] = [{} for _ in range(self._concurrency)]
        for _ in range(instances_at_start):
            self._serve(self._new_instance())

    @property
    def in_service(self) -> int:
        """Able to take work."""
        return len(self._serving)

    @property
    def current(self) -> int:
        """As DescribeEndpoint counts: in service, or still leaving."""
        return len(self._serving) + len(self._leaving)

    @property
    def billed(self) -> int:
        """Paid for: from launch until they have left."""
        return len(self._launching) + self.current

    @property
    def is_updating(self) -> bool:
        """Whether instances are still to come or to leave."""
        return bool(self._pending)

    def utilisations(self, minute_start_ns: int) -> list[float]:
        """The busy share of each instance since the last call, 0..1, of those that exist now."""
        now_ns = self._event_queue.now_ns
        span_ns = max(1, now_ns - minute_start_ns)
        shares = []
        for instance in (*self._serving, *self._leaving):
            instance.settle(now_ns)
            shares.append(min(1.0, instance.busy_ns / (span_ns * instance.slots)))
            instance.busy_ns = 0
        return shares

    def take(self) -> Instance | None:
        """The serving instance with the fewest running and a free slot; None when every slot is taken."""
        for instances in self._by_load:
            if instances:
                return next(iter(instances))
        return None

    def begin(self, instance: Instance, held: Held) -> None:
        """Put a request into a free slot."""
        instance.settle(self._event_queue.now_ns)
        load = len(instance.running)
        del self._by_load[load][instance]
        instance.running[held] = None
        if load + 1 < self._concurrency:
            self._by_load[load + 1][instance] = None

    def end(self, instance: Instance, held: Held) -> None:
        """Free the slot of a request that is over."""
        instance.settle(self._event_queue.now_ns)
        load = len(instance.running)
        del instance.running[held]
        if instance.is_leaving:
            # An entry of its own at this instant: the endpoint is amid counting this end, and whoever hears of the
            # removal must see the books in order.
            self._event_queue.at(self._event_queue.now_ns, partial(self._leave_when_drained, instance))
            return
        if load < self._concurrency:
            del self._by_load[load][instance]
        self._by_load[load - 1][instance] = None

    def check_desired(self, n: int) -> None:
        """Whether so many may be asked for now. Raises as `set_desired`."""
        if self.is_updating and self._settings.open_questions.serialise_updates:
            raise UpdateInProgress(f"cannot set {n} instances: an update to {self.desired} is under way")
        quota = self._settings.faults.instance_quota
        if quota is not None and n > max(quota, self.desired):
            raise QuotaReached(over_quota(quota, self.desired, n - self.desired))

    def set_desired(self, n: int, cause: str = "", *, under_way_ns: int = 0) -> None:
        """Ask for another number of instances.

        Args:
            under_way_ns: For so long the change has been under way already: what exceeds it is left.

        Raises:
            UpdateInProgress: updates serialise and one is under way.
            QuotaReached: the account may not have so many.
        """
        self.check_desired(n)
        if n == self.desired:
            return
        before, self.desired = self.desired, n
        surplus = len(self._launching) + len(self._serving) - n
        common_ns = round(self._common.draw_s() * 1e9)  # one draw a change, so that a policy moves no other's
        for _ in range(-surplus):
            self._pending.add(self._launch(common_ns - under_way_ns))
        leavers = [self._drop_one(under_way_ns) for _ in range(surplus)]
        self._tell("desired", before, cause=cause)
        if not self._settings.open_questions.drain_on_remove:
            for instance in leavers:  # after all have stopped serving, or one's requests would go to the next
                self._orphan(instance)

    def renew(self, concurrency: int, n: int) -> None:
        """Put new instances of another concurrency, which have come up elsewhere, in the place of all there are.

        What the old ones work on ends as at a scale-in. Call it while no change is under way.
        """
        before, self.desired = self.desired, n
        for instance in self._launching:  # for such as died
            if instance.entry is not None:
                instance.entry.cancel()
            instance.is_gone = True
        self._launching.clear()
        leavers = list(self._serving)
        for instance in leavers:
            self._dismiss(instance)
        self._concurrency, self._by_load = concurrency, [{} for _ in range(concurrency)]
        made = [self._new_instance() for _ in range(n)]
        for instance in made:
            self._serve(instance)
        if n != before:
            self._tell("desired", before)
        for instance in made:
            self._tell("in_service", n, instance)
        if not self._settings.open_questions.drain_on_remove:
            for instance in leavers:
                self._orphan(instance)
        self._on_ready()

    def _new_instance(self) -> Instance:
        spread, faults = self._settings.service_spread, self._settings.faults
        slowness = max(SLOWEST, self._speeds.normal(1.0, spread)) if spread else 1.0
        named = self._settings.host_speeds[self._n_launched : self._n_launched + 1]
        instance = Instance(
            index=self._n_launched,
            slowness=1.0 / named[0] if named else slowness,
            provision_ns=round(self._provision.draw_s() * 1e9),
            remove_ns=round(self._remove.draw_s() * 1e9),
            life_ns=None if self._life is None else round(self._life.draw_s() * 1e9),
            is_stillborn=bool(self._failures.random() < faults.provision_failures),
            running={},
            slots=self._concurrency,
        )
        self._n_launched += 1
        return instance

    def _launch(self, more_ns: int = 0) -> int:
        instance = self._new_instance()
        self._launching.append(instance)
        ready_ns = self._event_queue.now_ns + max(0, instance.provision_ns + more_ns)
        instance.entry = self._event_queue.at(ready_ns, partial(self._launched, instance))
        return instance.index

    def _launched(self, instance: Instance) -> None:
        self._launching.remove(instance)
        is_replacement = instance.index not in self._pending
        self._pending.discard(instance.index)
        if instance.is_stillborn and not is_replacement:
            instance.is_gone = True
            before, self.desired = self.desired, self.desired - 1
            self._tell("failed", before, instance)
            return
        self._serve(instance)
        self._tell("in_service", self.desired, instance)
        self._on_ready()

    def _serve(self, instance: Instance) -> None:
        instance.since_ns = self._event_queue.now_ns
        self._serving.append(instance)
        self._by_load[0][instance] = None
        if instance.life_ns is not None:
            instance.entry = self._event_queue.at(
                self._event_queue.now_ns + instance.life_ns, partial(self._die, instance)
            )

    def _drop_one(self, under_way_ns: int) -> Instance:
        """Scale in by one: a launch that has not come up yet, else the idlest instance, of those the newest."""
        if self._launching:
            instance = self._launching.pop()
            if instance.entry is not None:
                instance.entry.cancel()
            instance.is_gone = True
            self._pending.discard(instance.index)
            return instance
        instance = min(self._serving, key=lambda each: (len(each.running), -each.index))
        self._dismiss(instance, under_way_ns)
        return instance

    def _dismiss(self, instance: Instance, under_way_ns: int = 0) -> None:
        """It serves no more, and leaves once it has done what it works on."""
        self._stop_serving(instance)
        instance.is_leaving = True
        self._leaving.append(instance)
        self._pending.add(instance.index)
        gone_ns = self._event_queue.now_ns + max(0, instance.remove_ns - under_way_ns)
        self._event_queue.at(gone_ns, partial(self._pay_off, instance))

    def _stop_serving(self, instance: Instance) -> None:
        self._serving.remove(instance)
        if len(instance.running) < self._concurrency:
            del self._by_load[len(instance.running)][instance]

    def _pay_off(self, instance: Instance) -> None:
        instance.is_paid_off = True
        self._leave_when_drained(instance)

    def _leave_when_drained(self, instance: Instance) -> None:
        if instance.is_paid_off and not instance.running and not instance.is_gone:
            self._bury(instance)
            self._tell("removed", self.desired, instance)

    def _bury(self, instance: Instance) -> None:
        self._leaving.remove(instance)
        self._pending.discard(instance.index)
        instance.is_gone = True
        if instance.entry is not None:
            instance.entry.cancel()

    def _die(self, instance: Instance) -> None:
        if instance.is_leaving:
            self._bury(instance)
        else:
            self._stop_serving(instance)
            instance.is_gone = True
            self._launch()  # the service replaces it by itself; nobody asked, so no update is under way
        self._orphan(instance)
        self._tell("died", self.desired, instance)

    def _orphan(self, instance: Instance) -> None:
        instance.settle(self._event_queue.now_ns)
        orphans = list(instance.running)
        instance.running.clear()
        if orphans:
            self._on_orphans(orphans)

    def _tell(self, kind: str, before: int, instance: Instance | None = None, cause: str = "") -> None:
        self._on_capacity(
            CapacityChange(
                self._event_queue.now_ns,
                before,
                self.desired,
                self.in_service,
                kind,
                None if instance is None else instance.index,
                cause,
            )
        )
