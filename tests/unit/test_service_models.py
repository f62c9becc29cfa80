"""Goal: AWS's models and the instants in its answers are read as botocore reads them, only sooner.

Method: botocore's own loader and parser beside ours.
"""

from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.utils import parse_timestamp

from smbench.aws.access.answers import SoundParsers
from smbench.service_models import ModelFiles


@pytest.mark.parametrize("service", ["sqs", "application-autoscaling"])
def test_a_model_is_the_same_in_the_same_order(service: str) -> None:
    own, theirs = Loader(file_loader=ModelFiles()), Loader()
    model, expected = (loader.load_service_model(service, "service-2") for loader in (own, theirs))
    assert model == expected
    for part in ("operations", "shapes"):
        assert list(model[part]) == list(expected[part])
        for name, value in expected[part].items():
            assert list(model[part][name]) == list(value), name
    assert ModelFiles().load_file("/no/such/model") is None


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-29T17:00:00Z",
        "2026-11-29T17:00:00.123Z",
        "2026-11-29T17:00:00.123456Z",
        "20261129T170000Z",
        "2026-11-29T17:00:00+01:00",
        "Sun, 29 Nov 2026 17:00:00 GMT",
        "1764435600.5",
        1764435600,
        1764435600.25,
    ],
)
def test_an_instant_is_the_one_that_botocore_reads(text: Any) -> None:
    parser = SoundParsers().create_parser("query")
    assert parser._timestamp_parser(text) == parse_timestamp(text)


@pytest.mark.parametrize("text", ["2026-13-29T17:00:00Z", "soon", "Z", ""])
def test_what_is_no_instant_is_refused_as_by_botocore(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid timestamp"):
        parse_timestamp(text)
    with pytest.raises(ValueError, match="Invalid timestamp"):
        SoundParsers().create_parser("query")._timestamp_parser(text)
