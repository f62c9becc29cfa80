"""InvokeEndpoint on a real-time or a serverless endpoint: taken at once or refused, answered at the end or in parts."""

import asyncio
from collections.abc import Container
from dataclasses import dataclass

import numpy as np

from smbench.emulator.protocol.codecs import ServiceError, json_reply
from smbench.emulator.protocol.http import HttpRequest, HttpResponse
from smbench.emulator.sagemaker.hosted import Hosted
from smbench.emulator.sagemaker.streaming import StreamedReply
from smbench.emulator.sagemaker.truth import Call, Truth
from smbench.emulator.site import Site
from smbench.model.endpoints.answers import (
    ANSWERED,
    CONTENT_TYPE,
    MODEL_ERROR,
    answer_of,
    called,
    container_error_of,
    error_message,
)
from smbench.model.endpoints.endpoint import Ended
from smbench.model.endpoints.streaming import Streamed
from smbench.model.service import Sampler
from smbench.records import Outcome
from smbench.scenario.model import SYNCHRONOUS_BODY_MAX_BYTES

_NAMES_NO_COMPONENT = (
    "Inference Component Name header is required for endpoints to which you plan to deploy inference components. "
    "Please include Inference Component Name header or consider using SageMaker models."
)


_NO_CAPACITY = (  # source: AWS's machine learning blog, on scaling components to zero
    "Inference Component has no capacity to process this request. ApplicationAutoScaling may be in-progress (if "
    "configured) or try to increase the capacity by invoking UpdateInferenceComponentRuntimeConfig API."
)


@dataclass(slots=True)
class _Waiting:
    """A call whose client waits for the answer."""

    call: Call
    answer: asyncio.Future[HttpResponse]
    reply: StreamedReply | None = None  # where it asked for a stream


class SynchronousCalls:
    """Hands calls to the model and its ends back to their clients.

    Args:
        n_parts: Of an answer in a stream.
        gap: Draws from each part to the next.
        chance: Draws the variant of a call that names none.
        multi_models: Names of models whose container loads models by name.
    """

    def __init__(
        self,
        site: Site,
        truth: Truth,
        n_parts: int,
        gap: Sampler,
        chance: np.random.Generator,
        multi_models: Container[str],
    ) -> None:
        self.site, self.truth, self.n_parts, self._gap, self._chance = site, truth, n_parts, gap, chance
        self._multi_models = multi_models
        self.n_accepted = 0

    def begin(
        self, hosted: Hosted, call: Call, request: HttpRequest, *, in_stream: bool = False
    ) -> asyncio.Future[HttpResponse]:
        """Take a call; its answer, or the beginning of it where it comes in a stream.

        Raises:
            ServiceError: it is refused, and nothing of it remains.
        """
        hosted = self._variant_for(hosted, request)
        self._check_headers(hosted, request, call.inference_id, in_stream=in_stream)
        waiting, streamed = _Waiting(call, asyncio.get_running_loop().create_future()), None
        if in_stream:
            fate, name = request.fate.kind, hosted.variant_name
            waiting.reply = StreamedReply(call.inference_id, name, self.n_parts, fate, waiting.answer)
            streamed = Streamed.drawn(self.n_parts, self._gap, waiting.reply.part)
        assert hosted.fleet is not None, "known to the runtime only once it serves"
        job = called(self.n_accepted, call.inference_id, call.arrived_ns, waiting, streamed)
        # Before it arrives: one that is refused for want of room ends in there.
        call.accepted = True
        call.accepted = hosted.fleet.arrive(job)
        if not call.accepted:
            raise ServiceError("ThrottlingException", None)  # AWS sends a null message
        self.n_accepted += 1
        return waiting.answer

    def _variant_for(self, hosted: Hosted, request: HttpRequest) -> Hosted:
        """The variant that is named, or one by weight. Refuses what this endpoint cannot take.

        AWS's words for all but the first and the last are not known in public.
        """
        most = SYNCHRONOUS_BODY_MAX_BYTES[hosted.kind]
        if len(request.body) > most:
            text = f"Member must have length less than or equal to {most}"
            raise ServiceError(
                "ValidationError", f"1 validation error detected: Value at 'body' failed to satisfy constraint: {text}"
            )
        variant = request.headers.get("x-amzn-sagemaker-target-variant")
        chosen = self._by_weight(hosted) if variant is None else hosted.of_variant(variant)
        if chosen is None:
            raise ServiceError("ValidationError", f"Variant {variant} of endpoint {hosted.name} not found.")
        component = request.headers.get("x-amzn-sagemaker-inference-component")
        if component is not None:
            if (found := hosted.components.get(component)) is None:
                raise ServiceError("ValidationError", f"Inference component {component} not found.")
            if not found.copies.in_service:
                found.metrics.refuse()
                raise ServiceError("ValidationError", _NO_CAPACITY)
            return found.part
        if hosted.kind == "realtime" and "ModelName" not in chosen.variant:
            raise ServiceError("ValidationError", _NAMES_NO_COMPONENT)
        return chosen

    def _check_headers(self, hosted: Hosted, request: HttpRequest, inference_id: str, *, in_stream: bool) -> None:
        """Refuse names of models and containers that this endpoint has not, and explanations.

        AWS's words for the first are known, and the beginning of those for the second (aws/amazon-sagemaker-examples
        issue 1026, aws/sagemaker-tensorflow-serving-container issue 166); those for the others are not known in public.
        Neither containers that are called one by one nor explainers can be made here.
        """
        headers, name = request.headers, hosted.name
        has_many = hosted.variant.get("ModelName") in self._multi_models
        if "x-amzn-sagemaker-target-model" in headers and not has_many:
            text = f"Endpoint {name} is not a multi-model endpoint and does not support target model header."
            raise ServiceError("ValidationError", text)
        if has_many and "x-amzn-sagemaker-target-model" not in headers and not in_stream:
            raise ServiceError("ValidationError", f"Request {inference_id} is missing a target model header.")
        if "x-amzn-sagemaker-target-container-hostname" in headers:
            words = "is not configured for direct invocation and does not support target container hostname header"
            raise ServiceError("ValidationError", f"Endpoint {name} {words}.")
        if "x-amzn-sagemaker-enable-explanations" in headers:
            text = f"Endpoint {name} has no explainer configuration and does not support enable explanations header."
            raise ServiceError("ValidationError", text)

    def _by_weight(self, hosted: Hosted) -> Hosted:
        """In the long run each variant gets its weight's share; none of weight 0."""
        if not hosted.others:
            return hosted
        weights = np.array([one.weight for one in hosted.variants])
        if not weights.sum():
            raise ServiceError("ValidationError", f"All variants of endpoint {hosted.name} have weight 0.")
        return hosted.variants[int(self._chance.choice(len(weights), p=weights / weights.sum()))]

    def ended(self, hosted: Hosted, ended: Ended) -> None:
        """One invocation is over: answer, unless its client has gone."""
        waiting = ended.job.context
        assert isinstance(waiting, _Waiting), "the runtime puts what it took into every job"
        call = waiting.call
        call.started_ns, call.ended_ns = ended.start_ns, ended.done_ns
        call.instance, call.attempts = ended.instance, ended.attempts
        call.outcome, call.notice = ended.outcome, "none"
        status = self._reply(waiting, hosted, ended)
        if call.fault != "lost_reply":
            call.status_code = status
        self.truth.close(call)

    def _reply(self, waiting: _Waiting, hosted: Hosted, ended: Ended) -> int:
        """Send the answer, or the rest of it; its status."""
        if (reply := waiting.reply) is not None and (reply.is_begun or ended.outcome is Outcome.COMPLETED):
            if ended.outcome is Outcome.COMPLETED:
                reply.complete()
            else:
                reply.fail(ended.reason)
            return 200
        response = self._answer(hosted, ended)
        if not waiting.answer.done():
            waiting.answer.set_result(response)
        return response.status

    def _answer(self, hosted: Hosted, ended: Ended) -> HttpResponse:
        if ended.outcome is Outcome.COMPLETED:
            by = ("x-Amzn-Invoked-Production-Variant", hosted.variant_name)
            return HttpResponse(ANSWERED, [("Content-Type", CONTENT_TYPE), by], answer_of(ended))
        status, words = container_error_of(ended)
        site = self.site
        error = {
            "LogStreamArn": site.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{hosted.name}"),
            "Message": error_message(status, words, endpoint=hosted.name, region=site.region, account=site.account),
            "OriginalMessage": words,
            "OriginalStatusCode": status,
        }
        return json_reply(error, MODEL_ERROR, [("x-amzn-ErrorType", "ModelError")])
