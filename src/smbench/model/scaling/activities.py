"""Scaling activities in Application Auto Scaling's words: what it did, or would have done."""

from collections.abc import Callable
from dataclasses import dataclass, field

IN_PROGRESS = "InProgress"
SUCCESSFUL = "Successful"
OVERRIDDEN = "Overridden"
FAILED = "Failed"

AT_MAX = "AlreadyAtMaxCapacity"
AT_MIN = "AlreadyAtMinCapacity"
AT_DESIRED = "AlreadyAtDesiredCapacity"
FLAPPING = "AutoScalingAnticipatedFlapping"
UNSCALABLE = "TargetServicePutResourceAsUnscalable"

# What a scalable target sets, as activities name it. Of the last one AWS's words are not known in public.
INSTANCES = "instance count"
COPIES = "copy count"
PROVISIONED = "provisioned concurrency"


@dataclass(frozen=True, slots=True)
class NotScaledReason:
    """Why an alarm led to nothing."""

    code: str
    max_capacity: int | None = None
    min_capacity: int | None = None
    current_capacity: int | None = None


@dataclass(slots=True)
class Activity:
    """One change of capacity, or one that was not made. Texts are those seen in public logs."""

    id: str
    resource_id: str
    description: str
    cause: str
    start_ns: int
    end_ns: int | None
    status: str
    status_message: str | None
    not_scaled_reasons: tuple[NotScaledReason, ...] = ()
    before: int | None = None
    after: int | None = None
    what: str = INSTANCES  # is set
    n_failed: int = field(default=0)  # launches that came to nothing

    @property
    def is_scaled(self) -> bool:
        """Whether it changed the capacity, or tried to."""
        return not self.not_scaled_reasons

    def succeed(self, at_ns: int) -> None:
        """Capacity is in service; in AWS's wording."""
        self.end_ns, self.status = at_ns, SUCCESSFUL
        self.status_message = (
            f"Successfully set desired {self.what} to {self.after}. Change successfully fulfilled by sagemaker."
        )

    def fail(self, at_ns: int) -> None:
        """New instances failed their health check."""
        self.end_ns, self.status = at_ns, FAILED
        launched = "copies" if self.what == COPIES else "instances"
        self.status_message = (  # ours: no text of AWS's for this case is public
            f"Failed to set desired {self.what} to {self.after}. "
            f"Reason: {self.n_failed} of the new {launched} did not pass the health check."
        )

    def override(self, at_ns: int) -> None:
        """A later activity took its place; in AWS's wording."""
        self.end_ns, self.status = at_ns, OVERRIDDEN
        self.status_message = "Overridden by a later scaling activity."


def cause_of_alarm(alarm: str, state: str, policy: str) -> str:
    """The `Cause` that AWS writes for a policy that an alarm set off."""
    return f"monitor alarm {alarm} in state {state} triggered policy {policy}"


class ActivityLog:
    """Activities by resource, in order."""

    def __init__(self, new_id: Callable[[], str]) -> None:
        self._new_id = new_id
        self._by_resource: dict[str, list[Activity]] = {}
        self._what: dict[str, str] = {}

    def is_about(self, resource_id: str, what: str) -> None:
        """From now on the activities of a resource set this."""
        self._what[resource_id] = what

    def begin(self, resource_id: str, cause: str, at_ns: int, before: int, after: int) -> Activity:
        """Capacity was set; the service is at it."""
        what = self._what[resource_id]
        activity = Activity(
            id=self._new_id(),
            resource_id=resource_id,
            description=f"Setting desired {what} to {after}.",
            cause=cause,
            start_ns=at_ns,
            end_ns=None,
            status=IN_PROGRESS,
            status_message=(
                f"Successfully set desired {what} to {after}. Waiting for change to be fulfilled by sagemaker."
            ),
            before=before,
            after=after,
            what=what,
        )
        self._by_resource.setdefault(resource_id, []).append(activity)
        return activity

    def refused(self, resource_id: str, cause: str, at_ns: int, before: int, after: int, text: str) -> None:
        """SageMaker would not set the capacity; in AWS's wording."""
        activity = self.begin(resource_id, cause, at_ns, before, after)
        activity.end_ns, activity.status = at_ns, FAILED
        activity.status_message = (
            f"Failed to set desired {activity.what} to {after}. Reason: {text} (Service: AmazonSageMaker; "
            "Status Code: 400; Error Code: ResourceLimitExceeded)"
        )

    def limits_set(self, resource_id: str, cause: str, at_ns: int, low: int, high: int) -> None:
        """A scheduled action set new limits, or failed for they are no range; of that no text of AWS's is public."""
        what = f"set min capacity to {low} and max capacity to {high}"
        is_range = low <= high
        self._by_resource.setdefault(resource_id, []).append(
            Activity(
                id=self._new_id(),
                resource_id=resource_id,
                description=f"Setting min capacity to {low} and max capacity to {high}",
                cause=cause,
                start_ns=at_ns,
                end_ns=at_ns,
                status=SUCCESSFUL if is_range else FAILED,
                status_message=f"Successfully {what}" if is_range else f"Failed to {what}. Reason: they are no range",
                what=self._what[resource_id],
            )
        )

    def not_scaled(self, resource_id: str, cause: str, at_ns: int, reason: NotScaledReason, message: str = "") -> None:
        """An alarm led to nothing. Of a run of equal reasons only the first is kept.

        Args:
            message: In our words, where the reason's code alone does not explain it.
        """
        activities = self._by_resource.setdefault(resource_id, [])
        told = [
            ([each.code for each in last.not_scaled_reasons], last.status_message or "") for last in activities[-1:]
        ]
        if told == [([reason.code], message)]:
            return
        activities.append(
            Activity(
                id=self._new_id(),
                resource_id=resource_id,
                description="Attempting to scale due to alarm triggered",
                cause=cause,
                start_ns=at_ns,
                end_ns=None,
                status=FAILED,
                status_message=message or None,
                not_scaled_reasons=(reason,),
                what=self._what[resource_id],
            )
        )

    def newest_first(self, resource_id: str | None = None) -> list[Activity]:
        """Of one resource, or of all."""
        chosen = self._by_resource.values() if resource_id is None else [self._by_resource.get(resource_id, [])]
        # Reversed before the sort, which is stable: of two at one instant the later made comes first.
        newest = [activity for activities in chosen for activity in reversed(activities)]
        return sorted(newest, key=lambda activity: -activity.start_ns)
