"""InvokeEndpoint on a real-time or a serverless endpoint: taken at once or refused, answered when it is over."""

import asyncio
from dataclasses import dataclass

import orjson

from smbench.emulator.protocol.codecs import ServiceError, json_reply
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.sagemaker.hosting import Hosted
from smbench.emulator.sagemaker.truth import Call, Truth
from smbench.emulator.site import Site
from smbench.model.endpoints import endpoint as model
from smbench.model.endpoints.endpoint import Ended, Endpoint, Job
from smbench.records import Outcome
from smbench.scenario.model import ANSWER_MAX_S, SYNCHRONOUS_BODY_MAX_BYTES

_TIMED_OUT = (
    "Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    "each container in Amazon CloudWatch, resolve the issue, and try again."
)
_CONTAINER_ERRORS = {  # what the container answered, 0 where it did not, and with which words
    model.CONTAINER_ERROR: (500, '{"error":"the emulated container failed"}'),
    model.OVERLOADED: (503, '{"error":"the emulated container has no room for more requests"}'),
    model.TIMEOUT: (0, _TIMED_OUT),
    model.INSTANCE_LOST: (0, "The connection to the container was closed."),
}


@dataclass(slots=True)
class _Waiting:
    """A call whose client waits for the answer."""

    call: Call
    answer: asyncio.Future[HttpResponse]


class SynchronousCalls:
    """Hands calls to the model and its ends back to their clients."""

    def __init__(self, site: Site, truth: Truth) -> None:
        self.site, self.truth = site, truth
        self.n_accepted = 0

    def begin(self, hosted: Hosted, call: Call, request: HttpRequest) -> asyncio.Future[HttpResponse]:
        """Take a call; its answer.

        Raises:
            ServiceError: it is refused, and nothing of it remains.
        """
        self._check(hosted, request)
        waiting = _Waiting(call, asyncio.get_running_loop().create_future())
        job = Job(
            index=self.n_accepted,
            inference_id=call.inference_id,
            payload_class="inline",
            ttl_s=ANSWER_MAX_S,
            timeout_s=ANSWER_MAX_S,
            recv_ns=call.arrived_ns,
            context=waiting,
            is_awaited=True,
        )
        fleet = hosted.fleet
        assert fleet is not None, "known to the runtime only once it serves"
        if isinstance(fleet, Endpoint):
            call.accepted = True
            fleet.arrive(job)
        else:
            call.accepted = fleet.arrive(job)
        if not call.accepted:
            raise ServiceError("ThrottlingException", None)  # AWS sends a null message
        self.n_accepted += 1
        return waiting.answer

    def _check(self, hosted: Hosted, request: HttpRequest) -> None:
        """Refuse what this endpoint cannot take. AWS's words for all but the first are not known in public."""
        most = SYNCHRONOUS_BODY_MAX_BYTES[hosted.kind]
        if len(request.body) > most:
            text = f"Member must have length less than or equal to {most}"
            raise ServiceError(
                "ValidationError", f"1 validation error detected: Value at 'body' failed to satisfy constraint: {text}"
            )
        variant = request.headers.get("x-amzn-sagemaker-target-variant")
        if variant not in (None, hosted.variant_name):
            raise ServiceError("ValidationError", f"Variant {variant} of endpoint {hosted.name} not found.")
        component = request.headers.get("x-amzn-sagemaker-inference-component")
        if component is not None:
            raise ServiceError("ValidationError", f"Inference component {component} not found.")

    def ended(self, hosted: Hosted, ended: Ended) -> None:
        """One invocation is over: answer, unless its client has gone."""
        waiting = ended.job.context
        assert isinstance(waiting, _Waiting), "the runtime puts what it took into every job"
        call = waiting.call
        call.started_ns, call.ended_ns = ended.start_ns, ended.done_ns
        call.instance, call.attempts = ended.instance, ended.attempts
        call.outcome, call.notice = ended.outcome, "none"
        response = self._answer(hosted, ended)
        if call.fault != "lost_reply":
            call.status_code = response.status
        if not waiting.answer.done():
            waiting.answer.set_result(response)
        self.truth.close(call)

    def _answer(self, hosted: Hosted, ended: Ended) -> HttpResponse:
        if ended.outcome is Outcome.COMPLETED:
            body = orjson.dumps({"inferenceId": ended.job.inference_id, "instance": ended.instance})
            by = ("x-Amzn-Invoked-Production-Variant", hosted.variant_name)
            return HttpResponse(200, [("Content-Type", "application/json"), by], body)
        status, words = _CONTAINER_ERRORS[ended.reason]
        region, group = self.site.region, f"/aws/sagemaker/Endpoints/{hosted.name}"
        logs = f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#logEventViewer:group={group}"
        text = f'Received server error ({status}) from primary with message "{words}".'
        error = {
            "LogStreamArn": self.site.arn("logs", f"log-group:{group}"),
            "Message": f"{text} See {logs} in account {self.site.account} for more information.",
            "OriginalMessage": words,
            "OriginalStatusCode": status,
        }
        return json_reply(error, 424, [("x-amzn-ErrorType", "ModelError")])
