"""Graph documents to read: hand-made ones, and those that MLRun wrote."""

import copy
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
CASES = HERE.parents[2] / "shared" / "conformance" / "cases"


def _of_cases() -> dict[str, Any]:
    """Return the documents of the conformance cases, those that builders made too."""
    found = {}
    for path in sorted(CASES.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        found[case["id"]] = case.get("graph") or case["expect"].get("graph")
    return {name: document for name, document in found.items() if document}


def data_module(name: str) -> ModuleType:
    """Import a module of the data folder."""
    sys.path.insert(0, str(HERE / "data"))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.pop(0)


OURS: dict[str, Any] = yaml.safe_load(
    (HERE / "data" / "documents.yaml").read_text(encoding="utf-8")
)
MLRUNS = _of_cases()


BROKEN: dict[str, Any] = data_module("broken").CASES


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Return tests that ask for a document each one in turn."""
    if "broken" in metafunc.fixturenames:
        rows = [pytest.param(name, row[2:], id=name) for name, row in BROKEN.items()]
        metafunc.parametrize(("broken", "words"), rows)
    if "our_document" in metafunc.fixturenames:
        metafunc.parametrize("our_document", OURS.values(), ids=OURS)
    if "document" in metafunc.fixturenames and "document" not in _marked(metafunc):
        both = {**OURS, **MLRUNS}
        metafunc.parametrize("document", both.values(), ids=both)


def _marked(metafunc: pytest.Metafunc) -> str:
    marks = metafunc.definition.iter_markers("parametrize")
    return " ".join(str(mark.args[0]) for mark in marks)


@pytest.fixture(scope="session")
def our_documents() -> dict[str, Any]:
    """Hand-made documents by name."""
    return copy.deepcopy(OURS)


@pytest.fixture(scope="session")
def names() -> ModuleType:
    """The functions and classes that the hand-made documents name."""
    return data_module("names")
