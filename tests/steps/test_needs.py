import pytest

from jupyter_graph.steps.block_packages import NEEDS, needs_of
from jupyter_graph.steps.block_table import BLOCKS

CLASSES = {place.partition(":")[2] for place in BLOCKS.values()}


@pytest.mark.parametrize("name", NEEDS)
def test_every_name_is_the_class_of_a_block(name):
    assert name in CLASSES


@pytest.mark.parametrize(
    ("block", "arguments", "modules"),
    [
        pytest.param("Filter", {}, [], id="nothing"),
        pytest.param("RemoteStep", {"url": "http://x"}, ["aiohttp"], id="web"),
        pytest.param("Aggregate", {"table": "memory"}, [], id="memory"),
        pytest.param("Aggregate", {"table": "store"}, [], id="store"),
        pytest.param("Aggregate", {"table": "redis://h/0"}, ["redis"], id="redis"),
        pytest.param(
            "Aggregate", {"table": "sqlite:///f.db"}, ["sqlalchemy"], id="sqlite"
        ),
        pytest.param(
            "SQLTarget",
            {"url": "mysql+pymysql://h/d"},
            ["pymysql", "sqlalchemy"],
            id="driver",
        ),
        pytest.param("CSVTarget", {"path": "a.csv.zst"}, ["pyarrow"], id="packed"),
        pytest.param(
            "CSVTarget", {"path": "s3://b/a.csv"}, ["fsspec", "s3fs"], id="bucket"
        ),
        pytest.param("SchemaValidator", {"schema": {}}, ["jsonschema"], id="schema"),
        pytest.param("SchemaValidator", {"schema": "$M"}, [], id="class"),
        pytest.param("PatternValidator", {"timeout_s": 1}, ["regex"], id="timed"),
    ],
)
def test_a_block_needs_what_it_imports(block, arguments, modules):
    assert sorted(set(needs_of(block, arguments))) == modules
