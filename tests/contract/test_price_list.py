"""Goal: `smbench prices --refresh` takes our prices out of AWS's list, and whatever goes wrong leaves the table alone.

Method: a server on loopback that answers GetProducts as AWS does, by filters and in pages, with products that are not
ours among them.
"""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import smbench
from smbench.cli.app import app
from smbench.errors import TargetError
from smbench.pricing.table import current_prices, prices_file, shipped_prices

REGION = "eu-west-1"


def product(service: str, usd: list[str], **attributes: str) -> tuple[str, dict[str, Any]]:
    steps = {str(n): {"unit": "x", "pricePerUnit": {"USD": one}} for n, one in enumerate(usd)}
    found = {"regionCode": REGION, "servicecode": service, **attributes}
    terms = {"OnDemand": {"sku.term": {"priceDimensions": steps}}} if usd else {}
    return service, {"product": {"attributes": found}, "terms": terms}


def serverless(group: str, gb: int, usd: float) -> tuple[str, dict[str, Any]]:
    return product(
        "AmazonSageMaker", [f"{gb * usd:.10f}"], productFamily="ML Serverless", group=group, memorygb=str(gb)
    )


def products() -> list[tuple[str, dict[str, Any]]]:
    hosting = {"component": "Hosting", "productFamily": "ML Instance"}
    data = {"operation": "Invoke-Endpoint"}
    return [
        product("AmazonSageMaker", ["0.128"], **hosting, instanceName="ml.m5.large", memory="8 GiB"),
        product("AmazonSageMaker", ["0.256"], **hosting, instanceName="ml.m5.xlarge"),
        product("AmazonSageMaker", ["9.0"], component="Training", instanceName="ml.m5.large"),
        product("AmazonSageMaker", [], **hosting, instanceName="ml.reserved.large"),
        *(serverless("ServerlessInf", gb, 0.0000225) for gb in (1, 2, 6)),
        serverless("ServerlessProvisionedConcurrency-Usage", 2, 0.000006),
        serverless("ServerlessProvisionedConcurrency-Duration", 2, 0.000013),
        product("AmazonSageMaker", ["0.017"], **data, group="Hosting:IN"),
        product("AmazonSageMaker", ["0.018"], **data, group="Hosting:OUT"),
        product("AmazonS3", ["0.0000051"], group="S3-API-Tier1", usagetype="EU-Requests-Tier1"),
        product("AmazonS3", ["0.9"], group="S3-API-Tier1", usagetype="EU-Requests-SIA-Tier1"),
        product("AmazonS3", ["0.00000041"], group="S3-API-Tier2", usagetype="EU-Requests-Tier2"),
        product("AmazonSNS", ["0.0", "0.00000051"], group="SNS-Requests-Tier1", usagetype="EU-Requests-Tier1"),
        product(
            "AWSQueueService", ["0.00000042", "0.0000003"], group="SQS-APIRequest-Tier1", queueType="Standard",
            usagetype="EU-Requests-Tier1",
        ),
        product("AmazonCloudWatch", ["0.000011"], usagetype="EU-CW:GMD-Metrics"),
    ]  # fmt: skip


class PriceList:
    """GetProducts over HTTP, two products a page."""

    def __init__(self) -> None:
        self.products = products()
        self.answer: tuple[int, bytes] | None = None
        self.n_asked = 0

    def reply(self, asked: dict[str, Any]) -> tuple[int, bytes]:
        self.n_asked += 1
        if self.answer is not None:
            return self.answer
        matching = [
            json.dumps(one) for service, one in self.products
            if service == asked["ServiceCode"] and all(self._fits(one, wish) for wish in asked["Filters"])
        ]  # fmt: skip
        start = int(asked.get("NextToken", 0))
        page: dict[str, Any] = {"FormatVersion": "aws_v1", "PriceList": matching[start : start + 2]}
        if start + 2 < len(matching):
            page["NextToken"] = str(start + 2)
        return 200, json.dumps(page).encode()

    @staticmethod
    def _fits(one: dict[str, Any], wish: dict[str, str]) -> bool:
        value = one["product"]["attributes"].get(wish["Field"], "")
        return bool(value == wish["Value"] if wish["Type"] == "TERM_MATCH" else wish["Value"] in value)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[tuple[PriceList, str]]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    listed = PriceList()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, body = listed.reply(asked)
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield listed, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def refreshed(url: str, *more: str) -> Any:
    command = ["prices", "--refresh", "--region", REGION, "--endpoint-url", url, *more]
    return CliRunner().invoke(app, command)


def test_our_prices_are_taken_out_of_the_list_and_kept(served: tuple[PriceList, str]) -> None:
    _, url = served
    shown = refreshed(url, "--output", "json", "--price", "ml.own.large=0.5")
    assert shown.exit_code == 0, shown.output
    table = json.loads(shown.stdout)
    assert table["region"] == REGION
    assert table["per"] == pytest.approx(
        {
            "serverless.gb_second": 0.0000225, "serverless.provisioned_gb_second": 0.000006,
            "serverless.provisioned_busy_gb_second": 0.000013, "data.gb_in": 0.017, "data.gb_out": 0.018,
            "s3.put": 0.0000051, "s3.get": 0.00000041, "sns.publish": 0.00000051, "sqs.request": 0.00000042,
            "cloudwatch.metric": 0.000011,
        }
    )  # fmt: skip
    assert table["instance_hour"] == {"ml.m5.large": 0.128, "ml.m5.xlarge": 0.256, "ml.own.large": 0.5}
    kept = current_prices()
    assert kept.instance_hour == {"ml.m5.large": 0.128, "ml.m5.xlarge": 0.256}
    assert kept.instance_gb == {"ml.m5.large": 8.0, "ml.m5.xlarge": 16.0}  # the second's is not in the list
    assert kept.own == ()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((400, b'{"__type": "AccessDeniedException", "message": "no"}'), "pricing:GetProducts"),
        ((200, b"<html>"), "has no price in eu-west-1 of serverless.gb_second"),
        ((200, b'{"PriceList": ["{}"]}'), "has a product of AmazonSageMaker that cannot be read"),
        ((200, b'{"PriceList": ["["]}'), "has a product of AmazonSageMaker that cannot be read"),
        ((200, b'{"PriceList": []}'), "has no price in eu-west-1 of serverless.gb_second"),
        ((200, b'{"PriceList": [], "NextToken": "on"}'), "has no end"),
    ],
)
def test_a_list_that_cannot_be_read_is_a_sentence_and_the_table_stays(
    served: tuple[PriceList, str], answer: tuple[int, bytes], words: str
) -> None:
    listed, url = served
    listed.answer = answer
    with pytest.raises(TargetError) as caught:
        smbench.prices(refresh=True, region=REGION, endpoint_url=url)
    assert words in caught.value.message
    assert caught.value.message.endswith("; the prices of us-east-1, 2026-10 stay")
    assert current_prices() == shipped_prices()
    assert not prices_file().exists()


def test_a_missing_price_of_provisioned_concurrency_is_not_known_and_no_error(served: tuple[PriceList, str]) -> None:
    listed, url = served
    listed.products = [one for one in listed.products if "Provisioned" not in json.dumps(one)]
    assert refreshed(url).exit_code == 0
    assert current_prices().per["serverless.provisioned_gb_second"] is None
    assert current_prices().per["serverless.gb_second"] == pytest.approx(0.0000225)


def test_nothing_is_asked_without_refresh(served: tuple[PriceList, str]) -> None:
    listed, url = served
    assert CliRunner().invoke(app, ["prices", "--endpoint-url", url]).exit_code == 0
    assert listed.n_asked == 0
