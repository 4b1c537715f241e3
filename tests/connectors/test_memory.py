"""Memory stays flat while a million rows go through."""

import subprocess
import sys

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.integration,
    pytest.mark.skipif(sys.platform != "linux", reason="asks Linux for the peak"),
]
LIMIT_MB = 150
PROGRAM = """
import resource, sys
import pandas, pyarrow.csv, pyarrow.dataset, pyarrow.parquet
from jupyter_graph.connectors.files.csv_target import CSVTarget
from jupyter_graph.connectors.files.jsonlines import JSONLinesTarget
from jupyter_graph.connectors.files.parquet_target import ParquetTarget
from jupyter_graph.connectors.open_source import open_source

kind, path = sys.argv[1:]
row = {"user": "ada", "amount": 2.5, "ok": True, "note": "some text"}
start = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
kinds = {"CSV": CSVTarget, "JSON": JSONLinesTarget, "Parquet": ParquetTarget}
target = kinds[kind](path)
for number in range(1_000_000):
    target.do({"id": number, **row})
target.close()
count = sum(1 for _ in open_source(path))
assert count == sum(len(batch) for batch in open_source(path).batches(10_000))
grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - start
print(count, grown / 1000)
"""


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("kind", "name"),
    [("CSV", "o.csv"), ("JSON", "o.jsonl"), ("Parquet", "o.parquet"), ("Parquet", "o")],
)
def test_a_million_rows_fit_in_flat_memory(tmp_path, kind, name):
    command = [sys.executable, "-c", PROGRAM, kind, str(tmp_path / name)]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    count, grown_mb = said.split()

    assert count == "1000000"
    assert float(grown_mb) < LIMIT_MB
