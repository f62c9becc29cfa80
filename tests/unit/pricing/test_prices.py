"""Goal: prices come from one dated table, what a caller gives replaces them, and costs are their arithmetic.

Method: the table that ships, and sums by hand.
"""

import itertools
import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from smbench.analysis.capacity.price import against_instances
from smbench.cli.app import app
from smbench.errors import UsageError
from smbench.pricing.inference import (
    ServerlessUse,
    break_even,
    comparable,
    serverless_parts,
    serverless_usd,
    strides,
)
from smbench.pricing.table import current_prices, prices_file, prices_from_options, shipped_prices
from smbench.records import Unknown


def test_two_gigabytes_for_a_second_cost_what_the_price_list_says() -> None:
    used = serverless_usd(ServerlessUse(memory_mb=2048, busy_s=1.0, bytes_in=0, bytes_out=0), shipped_prices())
    assert used == pytest.approx(0.00004)
    with_data = serverless_usd(
        ServerlessUse(memory_mb=2048, busy_s=1.0, bytes_in=2**30, bytes_out=2**29), shipped_prices()
    )
    assert with_data == pytest.approx(0.00004 + 0.016 + 0.008)


def test_a_price_that_is_not_known_makes_no_figure_until_it_is_given() -> None:
    use = ServerlessUse(memory_mb=1024, busy_s=0.0, bytes_in=0, bytes_out=0, provisioned=2, length_s=100.0)
    unknown = serverless_usd(use, shipped_prices())
    assert isinstance(unknown, Unknown)
    assert "--price serverless.provisioned_gb_second=" in unknown.reason
    own = {"serverless.provisioned_gb_second": 0.00001, "serverless.provisioned_busy_gb_second": 0.00002}
    known = shipped_prices().with_own(own)
    assert serverless_usd(use, known) == pytest.approx(2 * 100 * 0.00001)
    assert "serverless.provisioned_gb_second" in known.source


def test_break_even_is_where_a_month_of_the_instance_costs_as_much() -> None:
    table = shipped_prices().with_own({"ml.own.large": 0.01})
    points = break_even(0.00001, 0.0, table)
    assert next(iter(points)) == "ml.own.large"
    assert points["ml.own.large"] == pytest.approx(0.01 * 730 / 0.00001)
    assert break_even(0.0, 0.0, table) == {}
    assert break_even(0.00003, 0.00003, table) == {}


@pytest.mark.slow
@given(st.floats(0.0, 0.99), st.floats(1e-9, 1e-2))
def test_at_the_break_even_both_cost_the_same_with_the_data_that_both_pay_for(share: float, each_usd: float) -> None:
    data_usd = share * each_usd
    against = against_instances(each_usd, data_usd, 2048, shipped_prices())
    for point in against.break_even:
        assert point.n_month * each_usd == pytest.approx(point.usd_month + point.n_month * data_usd)
    n_month = next(one.n_month for one in against.break_even if one.instance_type == against.compared_with)
    for row in against.savings:
        assert (row.saving > 0) is (row.n_month < n_month)


def test_what_ran_in_provisioned_environments_has_a_price_of_its_own() -> None:
    own = {
        "serverless.gb_second": 1.0,
        "serverless.provisioned_gb_second": 10.0,
        "serverless.provisioned_busy_gb_second": 100.0,
    }
    use = ServerlessUse(
        memory_mb=2048, busy_s=5.0, bytes_in=0, bytes_out=0, provisioned=3, length_s=7.0, warm_busy_s=4.0
    )
    assert serverless_parts(use, shipped_prices().with_own(own)) == {
        "duration": 2.0, "data in": 0.0, "data out": 0.0, "provisioned": 420.0, "duration, provisioned": 800.0,
    }  # fmt: skip


@pytest.mark.slow
@given(st.floats(1.0, 1e14))
def test_strides_are_equal_steps_of_which_only_the_last_is_beyond_the_break_even(n: float) -> None:
    rows = strides(n)
    assert len(rows) <= 11
    assert {after - row for row, after in itertools.pairwise(rows)} <= {rows[0]}
    assert rows[-1] > n
    assert all(row <= n for row in rows[:-1])
    assert str(rows[0]).rstrip("0") in {"1", "2", "5"}
    assert strides(0.0) == strides(math.inf) == []


def test_the_comparable_instance_is_the_cheapest_with_as_much_memory() -> None:
    table = shipped_prices()
    assert set(table.instance_gb) == set(table.instance_hour)
    assert [comparable(mb, table) for mb in (1024, 4096, 5120, 6144)] == [
        "ml.t2.medium", "ml.t2.medium", "ml.m5.large", "ml.m5.large",
    ]  # fmt: skip
    assert comparable(6144, table.model_copy(update={"instance_gb": {}})) is None


def test_a_newer_table_on_this_machine_goes_before_the_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert current_prices() == shipped_prices()
    newer = shipped_prices().model_copy(update={"as_of": "2027-01-01"})
    prices_file().parent.mkdir()
    prices_file().write_text(newer.model_dump_json())
    assert current_prices().source == "us-east-1, 2027-01-01"
    prices_file().write_text("{}")
    assert current_prices() == shipped_prices()


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


@pytest.mark.slow
def test_the_command_shows_every_price_and_which_is_not_known() -> None:
    shown = CliRunner().invoke(app, ["prices", "--price", "ml.own.large=0.5"]).stdout
    assert "us-east-1, 2026-10; given: ml.own.large" in shown
    names = [*shipped_prices().per, *shipped_prices().instance_hour, "ml.own.large"]
    assert [name for name in names if name not in shown] == []
    assert "not known" in shown
    told = json.loads(CliRunner().invoke(app, ["prices", "--output", "json"]).stdout)
    assert told["per"]["serverless.gb_second"] == 0.00002
