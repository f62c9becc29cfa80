"""What follows an inference's end: the object in S3 first, the message to SNS a little later."""

from functools import partial
from typing import Any

import orjson

from smbench.emulator.messaging.sns import Sns
from smbench.emulator.messaging.sqs import Sqs
from smbench.emulator.protocol.codecs import ServiceError
from smbench.emulator.s3.kept_results import KeptResults
from smbench.emulator.s3.locations import Place, bucket_and_key
from smbench.emulator.s3.service import S3
from smbench.emulator.sagemaker.configurations import Delivery
from smbench.emulator.sagemaker.hosted import Hosted
from smbench.emulator.sagemaker.invocation import PendingInvocation
from smbench.emulator.sagemaker.notifications import (
    DOWNLOAD_FAILED,
    RUBBISH,
    UPLOAD_FAILED,
    Result,
    result_document,
)
from smbench.emulator.sagemaker.truth import Call, Truth
from smbench.emulator.site import Site
from smbench.model.endpoints.endpoint import Ended
from smbench.model.endpoints.failures import FAILURE_REASONS, error_object
from smbench.model.monitoring.metrics import MetricStore
from smbench.records import Outcome
from smbench.scenario.emulated import Emulated


class Completion:
    """Writes results and publishes messages, and notes in the truth what became of them."""

    def __init__(
        self, site: Site, s3: S3, sqs: Sqs, sns: Sns, metrics: MetricStore, truth: Truth, emulated: Emulated
    ) -> None:
        self.site, self.s3, self.sqs, self.sns, self.metrics, self.truth = site, s3, sqs, sns, metrics, truth
        self._kept = None if emulated.results_kept is None else KeptResults(site, s3, emulated.results_kept)
        open_questions = emulated.open_questions
        self._silent_reasons = {
            reason
            for reason, notifies in (
                ("ttl", open_questions.expiry_notifies),
                ("timeout", open_questions.timeout_notifies),
            )
            if not notifies
        }

    def __call__(self, hosted: Hosted, ended: Ended) -> None:
        """One inference is over. An endpoint that was deleted meanwhile leaves no trace but the truth."""
        taken = ended.job.context
        assert isinstance(taken, PendingInvocation), "the runtime puts what it took into every job"
        call = taken.call
        call.started_ns, call.ended_ns = ended.start_ns, ended.done_ns
        call.instance, call.attempts = ended.instance, ended.attempts
        call.outcome, call.notice = ended.outcome, "none"
        if not hosted.is_deleted:
            failure_reason, body = self._write(hosted, taken, ended)
            if ended.reason not in self._silent_reasons:
                self._announce(hosted, taken, failure_reason, body)
        if not call.n_unpublished:
            self.truth.close(call)

    # S3

    def _write(self, hosted: Hosted, taken: PendingInvocation, ended: Ended) -> tuple[str | None, bytes]:
        """The reason of failure, None when there is none, and the object's body; both for the message."""
        call, delivery = taken.call, hosted.delivery
        reason = FAILURE_REASONS[ended.reason] if ended.reason else self._download_failure(hosted, taken)
        if reason is None:
            written = orjson.dumps({"inferenceId": call.inference_id, "instance": ended.instance})
            body = bytes(memoryview(written))  # it stays, and orjson's own would keep a buffer of 4 KiB
            if delivery.output is None or self._put(taken, delivery, delivery.output, taken.output_key, body):
                return None, body
            self._count(hosted, "ResponseUploadFailures")
            reason = UPLOAD_FAILED
        if ended.outcome is Outcome.COMPLETED:  # the container did its part, S3 did not
            call.outcome = Outcome.FAILED
        call.output_location = None
        body = (error_object(ended.reason) if ended.reason else reason).encode()
        # A request that expired never met a container: nothing is written for it.
        if (
            call.outcome is Outcome.FAILED
            and delivery.failure is not None
            and self._put(taken, delivery, delivery.failure, taken.failure_key, body)
        ):
            call.output_location = taken.failure_location
        return reason, body

    def _download_failure(self, hosted: Hosted, taken: PendingInvocation) -> str | None:
        """Looked at once, when the container is through: the model knows nothing of S3."""
        if taken.input_location is None:
            return None
        found = bucket_and_key(taken.input_location)
        if found is not None and self.s3.exists(*found):
            return None
        self._count(hosted, "RequestDownloadFailures")
        return DOWNLOAD_FAILED

    def _put(self, taken: PendingInvocation, delivery: Delivery, place: Place, key: str, body: bytes) -> bool:
        """Whether the bucket is there to take it."""
        try:
            stored = self.s3.put(
                place.bucket,
                key,
                body,
                content_type="application/json",
                headers=delivery.object_headers,
                appears_after_s=taken.notice.result_after_s,
                is_result=self._kept is None,
            )
        except ServiceError:
            return False
        if self._kept is not None:
            self._kept.add(place.bucket, stored)
        return True

    # SNS

    def _announce(self, hosted: Hosted, taken: PendingInvocation, failure_reason: str | None, body: bytes) -> None:
        call, notice, delivery = taken.call, taken.notice, hosted.delivery
        is_completed = failure_reason is None
        topic = delivery.success_topic if is_completed else delivery.error_topic
        includes = delivery.includes_response if is_completed else delivery.includes_error
        if topic is None:
            return
        assert call.ended_ns is not None, "it is over"
        call.notice = notice.notice
        result = Result(
            event_utc_ns=self.site.utc_ns(call.ended_ns),
            received_utc_ns=self.site.utc_ns(call.arrived_ns),
            failure_reason=failure_reason,
            location=call.output_location,
            response=body if includes else None,
        )
        document = result_document(taken, result, endpoint=hosted.name, region=self.site.region)
        event_queue = self.site.event_queue
        call.n_unpublished = len(notice.delays_s)
        for delay_s in notice.delays_s:
            publish = partial(self._publish, hosted, call, topic, document)
            event_queue.at(call.ended_ns + round(delay_s * 1e9), publish)
        if notice.is_followed_by_rubbish:
            last_s = notice.delays_s[-1] if notice.delays_s else 0.0
            event_queue.at(call.ended_ns + round(last_s * 1e9), partial(self._send_rubbish, topic))

    def _publish(self, hosted: Hosted, call: Call, topic: str, document: dict[str, Any]) -> None:
        n_before = self.sns.counts.n_delivered
        try:
            self.sns.publish(topic, orjson.dumps(document).decode(), document=document)
        except ServiceError:  # the topic is gone
            self._count(hosted, "NotificationFailures")
        else:
            call.copies += 1
            if call.published_ns is None and self.sns.counts.n_delivered > n_before:
                call.published_ns = self.site.now_ns
        call.n_unpublished -= 1
        if not call.n_unpublished:
            self.truth.close(call)

    def _send_rubbish(self, topic: str) -> None:
        # Into the queues, past the topic: a subscription that filters on the body would keep it out.
        for queue in self.sns.queues(topic):
            self.sqs.send(queue, RUBBISH)

    def _count(self, hosted: Hosted, name: str) -> None:
        dimensions = (("EndpointName", hosted.name), ("VariantName", hosted.variant_name))
        self.metrics.count(name, dimensions, "Count")
