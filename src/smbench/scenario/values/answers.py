"""What counts as a right answer: beyond the status of a synchronous endpoint, and how a wrong answer differs."""

from typing import Annotated, Any, Self

import orjson
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from smbench.records import WrongAnswer
from smbench.scenario.values.quantities import Bytes
from smbench.scenario.values.record import Part

_TYPE_MAX = 60  # characters of a type that came, in a reason
_MISSING = object()

MediaType = Annotated[
    str,
    Field(
        max_length=128,
        pattern=r"^[!-.0-:<-~]+/[!-.0-:<-~]+$",
        json_schema_extra={"patternErrorMessage": "must be a media type without parameters, such as application/json"},
    ),
]
JsonPath = Annotated[
    str,
    Field(
        max_length=256,
        pattern=r"^[^.\s]+(\.[^.\s]+)*$",
        json_schema_extra={"patternErrorMessage": "must be keys and places joined by dots: predictions.0.score"},
    ),
]
Scalar = StrictStr | StrictBool | StrictInt | StrictFloat


class Expect(Part):
    """What an answer must be beside its status 200. A request with another answer failed, with a reason of its own."""

    content_type: MediaType | None = Field(
        default=None, description="Its media type, such as `application/json`; parameters are not compared."
    )
    json_path: JsonPath | None = Field(
        default=None,
        description=(
            "It is JSON and has this: keys of objects and places of lists (from 0), joined by dots, such as "
            "`predictions.0.label`."
        ),
    )
    equals: Scalar | None = Field(
        default=None, description="What `json_path` names is this text, number or truth value."
    )
    size_min: Annotated[Bytes, Field(ge=0)] | None = Field(default=None, description="Its body has at least this size.")
    size_max: Annotated[Bytes, Field(ge=0)] | None = Field(default=None, description="Its body has at most this size.")

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.equals is not None and self.json_path is None:
            raise ValueError("equals needs a json_path, which says what is compared")
        if self.size_min is not None and self.size_max is not None and self.size_min > self.size_max:
            raise ValueError("size_min is above size_max: no answer could be right")
        return self

    @property
    def is_anything(self) -> bool:
        """Whether every answer is right."""
        return not self.model_fields_set or self == Expect()

    def difference(self, content_type: str | None, body: bytes) -> tuple[WrongAnswer, str] | None:
        """What is wrong with an answer, and in words; None: it is right. Like answers give like words.

        Args:
            content_type: As it came, with parameters; None: it named none.
        """
        if self.size_min is not None and len(body) < self.size_min:
            return WrongAnswer.SIZE, f"wrong answer: smaller than {self.size_min:,} bytes"
        if self.size_max is not None and len(body) > self.size_max:
            return WrongAnswer.SIZE, f"wrong answer: larger than {self.size_max:,} bytes"
        if self.content_type is not None:
            came = (content_type or "none").partition(";")[0].strip().lower()
            if came != self.content_type.lower():
                return WrongAnswer.CONTENT_TYPE, f"wrong answer: content type {came[:_TYPE_MAX]}"
        return None if self.json_path is None else self._wrong_json(self.json_path, body)

    def _wrong_json(self, path: str, body: bytes) -> tuple[WrongAnswer, str] | None:
        try:
            document = orjson.loads(body)
        except orjson.JSONDecodeError:
            return WrongAnswer.JSON, "wrong answer: no JSON"
        found = _at(document, path)
        if found is _MISSING:
            return WrongAnswer.JSON, f"wrong answer: nothing at {path}"
        if self.equals is None or (found == self.equals and isinstance(found, bool) == isinstance(self.equals, bool)):
            return None
        return WrongAnswer.JSON, f"wrong answer: {path} is not {self.equals!r}"


def _at(document: Any, path: str) -> Any:
    for step in path.split("."):
        if isinstance(document, dict) and step in document:
            document = document[step]
        elif isinstance(document, list) and step.isdecimal() and step.isascii() and int(step) < len(document):
            document = document[int(step)]
        else:
            return _MISSING
    return document
