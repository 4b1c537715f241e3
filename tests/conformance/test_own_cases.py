"""Own documents with the answers that MLRun was observed to give."""

import importlib.util
import json
from pathlib import Path

import pytest
from judging import PEER, observed, problem
from peer import end_peer, start_peer

pytest.importorskip("storey")

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent


def cases():
    for path in sorted(HERE.glob("cases/*.json")):
        for case in json.loads(path.read_text(encoding="utf-8")):
            yield pytest.param(json.dumps(case), id=case["id"])


@pytest.fixture(scope="module")
def adapter():
    spec = importlib.util.spec_from_file_location("adapter", HERE / "adapter.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def peer():
    server = start_peer()
    yield "{}:{}".format(*server.server_address)
    end_peer(server)


@pytest.mark.parametrize("text", list(cases()))
def test_a_case_answers_as_mlrun_did(adapter, peer, tmp_path, text):
    text = text.replace(PEER, peer).replace("<folder>", str(tmp_path))
    case = json.loads(text)

    assert problem(case, observed(case, adapter)) is None
