"""Goal: JMeter's results as XML are the rows that its CSV has, and nothing in such a file grows or is fetched.
Method: a few samples by hand."""

from pathlib import Path

import pytest

from smbench.errors import UsageError
from smbench.tables import jmeter_xml
from smbench.tables.foreign import open_table

SAMPLES = """<?xml version="1.0" encoding="UTF-8"?>
<testResults version="1.2">
<httpSample t="154" lt="150" ts="1761991200123" s="true" lb="GET &lt;a&gt;" rc="200" rm="OK" tn="a 1-1" by="100">
  <responseHeader class="java.lang.String">HTTP/1.1 200 OK</responseHeader>
  <httpSample t="4" ts="1761991200124" s="true" lb="redirect" rc="302"/>
  <failureMessage>of the sample itself: no assertion</failureMessage>
</httpSample>
<sample t="30000" ts="1761991201123" s="false" lb="b" rc="" rm="">
  <assertionResult><failure>true</failure><failureMessage>too &amp; small</failureMessage></assertionResult>
  <assertionResult><failureMessage>a second one</failureMessage></assertionResult>
</sample>
<unknown t="5" ts="1761991201129"/>
</testResults>
"""


def rows(path: Path, *names: str) -> list[tuple[object, ...]]:
    table = open_table(path)
    batches = list(table.rows.batches([table.find(name) for name in names]))
    return [row for batch in batches for row in zip(*batch.cells, strict=True)]


@pytest.mark.parametrize("at_least", [0, 1_000])
def test_a_sample_is_a_row_and_its_parts_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_least: int
) -> None:
    monkeypatch.setattr(jmeter_xml, "_ROWS_MIN", at_least)
    (tmp_path / "a.jtl").write_text(SAMPLES)
    assert rows(tmp_path / "a.jtl", "timeStamp", "elapsed", "label", "responseCode", "success", "failureMessage") == [
        ("1761991200123", "154", "GET <a>", "200", "true", None),
        ("1761991201123", "30000", "b", None, "false", "too & small"),
    ]


def test_a_row_is_named_by_its_line(tmp_path: Path) -> None:
    (tmp_path / "a.jtl").write_text(SAMPLES)
    (batch,) = open_table(tmp_path / "a.jtl").rows.batches([0])
    assert [batch.place(row) for row in range(2)] == [":3", ":8"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (SAMPLES.removesuffix("</testResults>\n"), "JMeter was killed, or still writes it"),
        (SAMPLES.replace("</sample>", "</sam>"), "a.jtl:11: not the whole of an XML document: mismatched tag"),
        ("<testResults></testResults>", "holds no sample"),
        ('<testResults>\n<!DOCTYPE a [<!ENTITY b "c">]>\n</testResults>', "not the whole of an XML document"),
        ("<testResults><sample t='&b;'/></testResults>", "undefined entity"),
    ],
)
def test_what_is_not_whole_is_refused_and_no_entity_grows(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "a.jtl").write_text(text)
    with pytest.raises(UsageError, match=said) as caught:
        rows(tmp_path / "a.jtl", "timeStamp")
    assert caught.value.advice


def test_a_document_type_before_the_results_is_refused(tmp_path: Path) -> None:
    text = (
        '<?xml version="1.0"?>\n<!DOCTYPE testResults [<!ENTITY b "c">]>\n<testResults><sample t="&b;"/></testResults>'
    )
    (tmp_path / "a.jtl").write_text(text)
    with pytest.raises(UsageError, match="is an XML document, and not JMeter's"):
        rows(tmp_path / "a.jtl", "timeStamp")
