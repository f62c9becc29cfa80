"""Goal: a comparison's page says what its table says, each run a point, and asks nobody for anything.

Method: groups of given figures; the document taken apart by `html.parser`.
"""

import pytest

from comparing import PRIMARY, group_of
from pages import Element, fetched, parsed
from smbench.analysis.comparison.compare import comparison
from smbench.analysis.comparison.contrasts import Comparison
from smbench.analysis.comparison.regression import judge, parse_gate
from smbench.analysis.numbers.bounds import Bounded
from smbench.view.page.comparison_page import comparison_page
from smbench.view.page.vega import Vega
from smbench.view.report.comparison import cells

pytestmark = pytest.mark.slow

OLD = [1.0, 1.1, 1.2, 1.15, 1.05]
COMPARED = {
    "five a side": comparison([group_of("old", OLD), group_of("new", [2 * value for value in OLD])], baseline="old"),
    "one a side": comparison([group_of("old", [1.0]), group_of("new", [2.0])], baseline="old"),
    "three groups": comparison([group_of("a", OLD), group_of("b", OLD), group_of("<c>", OLD)], baseline="a"),
    "never ended": comparison(
        [group_of("old", [1.0]), group_of("new", [Bounded(low=900.0, high=None)])], baseline="old"
    ),
    "nothing known": comparison(
        [group_of("old", [1.0], "drain_s"), group_of("new", [1.0], "makespan_s")], baseline="old"
    ),
}


def tree_of(told: Comparison, vega: Vega) -> Element:
    document = comparison_page(told, [], vega)
    assert fetched(document) == []
    return parsed(document)


@pytest.mark.parametrize("kind", COMPARED)
def test_every_cell_of_the_table_stands_in_the_page(kind: str, vega: Vega) -> None:
    told = COMPARED[kind]
    text = tree_of(told, vega).whole_text()
    for contrast in told.contrasts:
        for row in contrast.rows:
            assert all(cell in text for cell in cells(told, contrast, row))


@pytest.mark.parametrize("kind", COMPARED)
def test_nothing_is_drawn_that_is_no_number(kind: str, vega: Vega) -> None:
    document = comparison_page(COMPARED[kind], [], vega)
    assert not any(word in document for word in ("NaN", "Infinity", "undefined"))
    assert "<c>" not in document


def test_the_gate_comes_first_then_what_was_named_beforehand(vega: Vega) -> None:
    told = COMPARED["five a side"]
    document = comparison_page(told, judge(parse_gate("slower-than 5%"), told), vega)
    sentences = [one.text for one in parsed(document).all("section")[0].all("p")]
    assert sentences[0].startswith("REGRESSED")
    assert sentences[1].startswith("new against old: sojourn p95 2.00 times")


def test_a_run_is_a_point_and_its_value_is_told(vega: Vega) -> None:
    figure, *_ = tree_of(COMPARED["five a side"], vega).all("figure")
    wide = figure.all("svg")[0]
    assert len([path for path in wide.all("path") if path.attributes.get("stroke-width") == "2"]) == 10
    text = figure.all("figcaption")[0].text
    assert "old: 1.00 s, 1.10 s, 1.20 s, 1.15 s, 1.05 s; new: 2.00 s" in text


def test_one_run_a_side_is_said_to_show_nothing_of_the_next(vega: Vega) -> None:
    titles = [one.text for one in tree_of(COMPARED["one a side"], vega).all("h3")]
    assert any("One run a side" in title for title in titles)


def test_pictures_have_titles_that_say_something_and_texts(vega: Vega) -> None:
    for one in tree_of(COMPARED["three groups"], vega).all("figure"):
        (head,) = one.all("h3")
        assert len(head.text.split()) > 3
        assert all(svg.attributes["role"] == "img" for svg in one.all("svg"))
        assert one.all("figcaption")[0].text


def test_the_primary_metric_is_the_one_on_the_axis(vega: Vega) -> None:
    assert PRIMARY == "sojourn_p95"
    assert "sojourn p95 (s)" in tree_of(COMPARED["five a side"], vega).all("svg")[0].whole_text()
