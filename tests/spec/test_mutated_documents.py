"""Good documents changed at random: refused by an error of ours, or they compile."""

import copy
import math
import os
import time

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_graph import Graph, load_graph, save_graph
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.graph_schema import graph_schema

pytestmark = pytest.mark.slow
TIMES = int(os.environ.get("MUTATIONS", "2000"))

SCHEMA = jsonschema.Draft202012Validator(graph_schema())

WORDS = st.sampled_from(
    [
        "a", "b", "c", "q", "r", "m", "mr", "catch", "ghost", "", "$prev", "start", "f",
        "g", "h", "C", "M", "R", "LM", "Choose", "slow", "many", "(event + 1)", "(",
        "os.system", "storey.Map", "storey.Batch", "Filter", "Merge", "ModelRouter",
        "VotingEnsemble", "task", "flow", "router", "queue", "model_runner",
        "error_step", "sync", "async", "all", "any", "first", "drop", "memory://x", "*",
        "x" * 200, "\x00", "é",
    ]
)  # fmt: skip
FIELDS = st.sampled_from(
    [
        "kind", "class_name", "class_args", "handler", "after", "before", "on_error",
        "base_step", "input_path", "result_path", "full_event", "responder", "comment",
        "shape", "routes", "steps", "engine", "max_iterations", "cycle_from",
        "function", "path", "shards", "trigger_args", "options", "raise_exception",
        "max_processes", "timeout_s", "retries", "backoff_s", "blocking", "processes",
        "concurrency", "batch", "batch_wait_ms", "join", "join_timeout_s", "missing",
        "vectorized", "name", "allow_cyclic", "final_step", "max_in_flight", "copy",
        "order_by",
        "shared_models", "track_models", "endpoint_type", "$tuple", "$items", "$value",
    ]
)  # fmt: skip
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-2, 3)
    | st.sampled_from([10**400, 0.5, -1.5, math.nan, math.inf, -0.0])
    | WORDS
    | st.text(max_size=3)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(FIELDS | WORDS, inner, max_size=3)
    ),
    max_leaves=6,
)
CHANGES = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "add", "drop", "rename", "move", "double"]),
        st.integers(0, 10_000),
        FIELDS | WORDS,
        VALUES,
    ),
    min_size=1,
    max_size=4,
)


def places(value):
    """Return every container in a document and each of its keys."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


def changed(document, changes):
    """Return a document with these changes, each at a place that its number chooses."""
    for what, number, word, value in changes:
        if not (found := list(places(document))):
            break
        holder, key = found[number % len(found)]
        if what == "set" or not isinstance(holder, dict):
            holder[key] = copy.deepcopy(value)
        elif what == "add":
            holder[word] = copy.deepcopy(value)
        elif what == "drop":
            del holder[key]
        elif what == "rename":
            holder[word] = holder.pop(key)
        elif what == "double":
            holder[word] = copy.deepcopy(holder[key])
        else:
            other, there = found[(number * 7) % len(found)]
            other[there] = copy.deepcopy(holder[key])
    return document


def is_refused_at_once(read):
    """Tell whether reading was refused; any other error, or a hang, is a failure."""
    started = time.thread_time()  # a busy machine is no hang
    try:
        read()
    except SpecError as error:
        is_refused = bool(str(error))
    else:
        is_refused = False
    assert time.thread_time() - started < 1
    return is_refused


@pytest.fixture(scope="module", autouse=True)
def _all_imported(our_documents, names):
    """Compile each document once: what blocks import takes its time only then."""
    for document in our_documents.values():
        compile_graph(Graph.from_dict(document, vars(names)))


HURRIED = settings(max_examples=TIMES, deadline=None, suppress_health_check=HealthCheck)
IN_FILES = settings(HURRIED, max_examples=TIMES // 4)


@pytest.mark.slow
@pytest.mark.timeout(600)
@given(number=st.integers(0, 1000), changes=CHANGES)
@HURRIED
def test_a_changed_document_is_refused_or_compiles(
    our_documents, names, number, changes
):
    documents = list(our_documents.values())
    document = changed(copy.deepcopy(documents[number % len(documents)]), changes)

    is_refused = is_refused_at_once(
        lambda: compile_graph(Graph.from_dict(document, vars(names))),
    )
    assert is_refused or SCHEMA.is_valid(document)


SIGNS = st.sampled_from(list("{}[]:,\"'#&*!|>-?%@ \n\t\\0123abc\x00\x85é")) | st.text(
    max_size=2
)
EDITS = st.lists(
    st.tuples(st.integers(0, 10_000), st.integers(0, 4), SIGNS), max_size=5
)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("suffix", ["json", "yaml"])
@given(number=st.integers(0, 1000), edits=EDITS)
@IN_FILES
def test_a_changed_file_is_refused_or_read(
    our_documents, tmp_path_factory, suffix, number, edits
):
    documents = list(our_documents.values())
    path = tmp_path_factory.getbasetemp() / f"changed.{suffix}"
    save_graph(Graph.from_dict(documents[number % len(documents)]), path)
    text = path.read_text(encoding="utf-8")
    for at, length, signs in edits:
        at %= len(text) + 1
        text = text[:at] + signs + text[at + length :]
    path.write_text(text, encoding="utf-8")

    is_refused_at_once(lambda: load_graph(path))
