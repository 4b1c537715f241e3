"""From a path, URL, frame or list to the source that reads it."""

import gzip
import zipfile

import pandas as pd
import pytest

from jupyter_graph.connectors.dataframes import DataFrameSource
from jupyter_graph.connectors.files.csv_source import CSVSource
from jupyter_graph.connectors.files.jsonlines import JSONLinesSource, JSONLinesTarget
from jupyter_graph.connectors.files.parquet_source import ParquetSource
from jupyter_graph.connectors.files.places import place_of
from jupyter_graph.connectors.open_source import RowsSource, open_source
from jupyter_graph.connectors.source_base import Source
from jupyter_graph.connectors.sql.sql_source import SQLSource
from jupyter_graph.errors import SpecError

ROWS = [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("where", "kind"),
    [
        pytest.param("in.csv", CSVSource, id="csv"),
        pytest.param("in.CSV.gz", CSVSource, id="packed"),
        pytest.param("in.tsv", CSVSource, id="tsv"),
        pytest.param("in.jsonl", JSONLinesSource, id="lines"),
        pytest.param("in.json", JSONLinesSource, id="json"),
        pytest.param("in.parquet", ParquetSource, id="parquet"),
        pytest.param("folder", ParquetSource, id="folder"),
    ],
)
def test_the_suffix_says_who_reads_a_file(tmp_path, monkeypatch, where, kind):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    if where != "folder":
        (tmp_path / where).touch()

    assert type(open_source(where)) is kind
    assert type(open_source(tmp_path / where)) is kind
    assert isinstance(open_source(f"file://{tmp_path}/{where}"), Source)


def test_lists_frames_and_sources_are_taken():
    frame = open_source(pd.DataFrame(ROWS))
    generated = open_source(row for row in ROWS)

    assert type(frame) is DataFrameSource
    assert list(frame) == list(open_source(ROWS)) == list(generated) == ROWS
    assert open_source(frame) is frame
    assert type(open_source("sqlite://", query="SELECT 1")) is SQLSource


@pytest.mark.parametrize(
    ("where", "options", "message"),
    [
        pytest.param("gone.csv", {}, "there is no file '/", id="missing"),
        pytest.param("README.md", {}, "no source reads '.md'", id="suffix"),
        pytest.param("README.md", {}, "known: .csv", id="known"),
        pytest.param({"a": 1}, {}, "a source is a path", id="a-dict"),
        pytest.param(5, {}, "a source is a path", id="a-number"),
        pytest.param([], {"sep": 1}, "no option 'sep'", id="option"),
        pytest.param("nope://x/a.csv", {}, "nope", id="scheme"),
        pytest.param("ftp://[x/a.csv", {}, "Invalid IPv6 URL", id="no-url"),
    ],
)
def test_what_nobody_reads_is_refused(where, options, message):
    with pytest.raises(SpecError, match=message):
        open_source(where, **options)


def test_a_password_is_never_shown():
    place = place_of("memory://ada:secret@x/rows.csv")

    assert str(place) == "memory://ada:***@x/rows.csv"


def test_memory_urls_and_links_work(tmp_path):
    for path in ("memory://linked/in.jsonl", tmp_path / "real.jsonl"):
        target = JSONLinesTarget(path)
        target.do(ROWS)
        target.close()
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "real.jsonl")
    again = JSONLinesTarget(tmp_path / "link.jsonl")
    again.do({"a": 3})
    again.close()

    assert list(open_source("memory://linked/in.jsonl")) == ROWS
    assert list(open_source(tmp_path / "real.jsonl")) == [{"a": 3}]


def test_files_of_several_members_and_zips_are_read_whole(tmp_path):
    (tmp_path / "in.jsonl.gz").write_bytes(
        gzip.compress(b'{"a": 1}\n') + gzip.compress(b'{"a": 2}\n')
    )
    with zipfile.ZipFile(tmp_path / "in.csv.zip", "w") as archive:
        archive.writestr("in.csv", "a\n1\n2\n")

    assert list(open_source(tmp_path / "in.jsonl.gz")) == ROWS
    assert list(open_source(tmp_path / "in.csv.zip")) == ROWS


def test_rows_are_put_together_to_batches():
    batches = RowsSource({"n": number} for number in range(5)).batches(2)

    assert [batch.num_rows for batch in batches] == [2, 2, 1]
