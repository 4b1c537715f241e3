"""Graph documents to read: hand-made ones, and those that MLRun wrote."""

import copy
import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

HERE = Path(__file__).parent
CASES = HERE.parents[2] / "shared" / "conformance" / "cases"


def _of_cases() -> dict[str, Any]:
    """Give the documents of the conformance cases, those that builders made too."""
    found = {}
    for path in sorted(CASES.glob("*.json")):
        case = json.loads(path.read_text(encoding="utf-8"))
        found[case["id"]] = case.get("graph") or case["expect"].get("graph")
    return {name: document for name, document in found.items() if document}


OURS: dict[str, Any] = yaml.safe_load(
    (HERE / "data" / "documents.yaml").read_text(encoding="utf-8")
)
MLRUNS = _of_cases()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests that ask for ``our_document`` or ``document`` each one in turn."""
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
    spec = importlib.util.spec_from_file_location("names", HERE / "data" / "names.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
