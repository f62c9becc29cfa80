"""Goal: prices come from one dated table, what a caller gives replaces them, and costs are their arithmetic.

Method: the table that ships, and sums by hand.
"""

import json

import pytest
from typer.testing import CliRunner

from smbench.cli.app import app
from smbench.errors import UsageError
from smbench.pricing.inference import ServerlessUse, break_even, serverless_usd
from smbench.pricing.table import prices_from_options, shipped_prices
from smbench.records import Unknown


def test_two_gigabytes_for_a_second_cost_what_the_price_list_says() -> None:
    used = serverless_usd(ServerlessUse(memory_mb=2048, busy_s=1.0, bytes_in=0), shipped_prices())
    assert used == pytest.approx(0.00004)
    with_data = serverless_usd(ServerlessUse(memory_mb=2048, busy_s=1.0, bytes_in=2**30), shipped_prices())
    assert with_data == pytest.approx(0.00004 + 0.016)


def test_a_price_that_is_not_known_makes_no_figure_until_it_is_given() -> None:
    use = ServerlessUse(memory_mb=1024, busy_s=0.0, bytes_in=0, provisioned=2, length_s=100.0)
    unknown = serverless_usd(use, shipped_prices())
    assert isinstance(unknown, Unknown)
    assert "--price serverless.provisioned_gb_second=" in unknown.reason
    given = shipped_prices().with_own({"serverless.provisioned_gb_second": 0.00001})
    assert serverless_usd(use, given) == pytest.approx(2 * 100 * 0.00001)
    assert "serverless.provisioned_gb_second" in given.source


def test_break_even_is_where_a_month_of_the_instance_costs_as_much() -> None:
    table = shipped_prices().with_own({"ml.own.large": 0.01})
    points = break_even(0.00001, table)
    assert next(iter(points)) == "ml.own.large"
    assert points["ml.own.large"] == pytest.approx(0.01 * 730 / 0.00001)
    assert break_even(0.0, table) == {}


def test_options_that_name_no_price_are_one_sentence() -> None:
    assert prices_from_options(["ml.m5.large=0.1"]) == {"ml.m5.large": 0.1}
    for wrong in ("ml.m5.large", "=1", "ml.m5.large=cheap"):
        with pytest.raises(UsageError, match="--price"):
            prices_from_options([wrong])
    with pytest.raises(UsageError, match=r"there is no price 'serverless\.gb'"):
        shipped_prices().with_own({"serverless.gb": 1.0})
    with pytest.raises(UsageError, match="not between"):
        shipped_prices().with_own({"ml.m5.large": -1.0})


def test_the_table_says_where_and_when_its_prices_are_from() -> None:
    assert shipped_prices().source == "us-east-1, 2026-10"


def test_the_command_shows_every_price_and_which_is_not_known() -> None:
    shown = CliRunner().invoke(app, ["prices", "--price", "ml.own.large=0.5"]).stdout
    assert "us-east-1, 2026-10; given: ml.own.large" in shown
    names = [*shipped_prices().per, *shipped_prices().instance_hour, "ml.own.large"]
    assert [name for name in names if name not in shown] == []
    assert "not known" in shown
    told = json.loads(CliRunner().invoke(app, ["prices", "--output", "json"]).stdout)
    assert told["per"]["serverless.gb_second"] == 0.00002
