"""The notebook answers with what its names mean now, as the shipped code would."""

import pytest

SCORE = """%%graph_step score
class Score:
    def __init__(self):
        self.seen = 0
        self.model = load()
    def load_all(self):
        return unused
    def do(self, body):
        self.seen += 1
        return [body * self.model['w'] + OFFSET, self.seen]
"""


@pytest.fixture
def scoring(run):
    """A class step that keeps what a helper read when the step was built."""
    run("model = {'w': 1}\nOFFSET = 0\nunused = []")
    run("def load():\n    return dict(model)")
    run(SCORE)
    assert run("%graph run 10").body == [10, 1]
    return run


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("model = {'w': 7}", id="a-value"),
        pytest.param("def load():\n    return {'w': 7}", id="a-helper"),
        pytest.param(
            "class load(dict):\n    w = 7\nload = lambda: {'w': 7}", id="kind"
        ),
    ],
)
def test_what_init_kept_is_made_anew(scoring, cell):
    scoring(cell)

    assert scoring("%graph run 10").body == [70, 1]
    assert scoring("%graph run 10").body == [70, 2]


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("def load():\n    return dict(model)", id="helper-as-it-was"),
        pytest.param("OFFSET = 0", id="constant-as-it-was"),
        pytest.param("unused = [1]", id="not-read-when-built"),
        pytest.param("other = 3", id="another-name"),
        pytest.param("model['w'] = 9", id="changed-in-place"),
    ],
)
def test_state_is_kept_when_nothing_it_was_built_from_changed(scoring, cell):
    scoring(cell)

    assert scoring("%graph run 10").body == [10, 2]


def test_what_a_step_reads_with_each_event_needs_no_new_one(scoring):
    scoring("OFFSET = 5")

    assert scoring("%graph run 10").body == [15, 2]


def test_methods_called_by_init_are_followed(run):
    run("limit = 1")
    run(
        "%%graph_step keep\nclass Keep:\n    def __init__(self):\n"
        "        self._fill()\n    def _fill(self):\n        self.limit = limit\n"
        "    def do(self, body):\n        return self.limit"
    )
    assert run("%graph run 0").body == 1
    run("limit = 2")

    assert run("%graph run 0").body == 2


def test_a_step_inside_another_graph_is_built_anew_too(run):
    run("limit = 1")
    run("%graph new inner")
    run(
        "%%graph_step keep\nclass Keep:\n    def __init__(self):\n"
        "        self.limit = limit\n    def do(self, body):\n        return self.limit"
    )
    run("%graph new outer")
    run("%graph add inner part")
    assert run("%graph run 0").body == 1
    run("limit = 2")

    assert run("%graph run 0").body == 2


@pytest.mark.slow
@pytest.mark.timeout(60)
def test_a_process_gets_a_helper_that_was_edited(run):
    run("def rate(x):\n    return x + 1")
    run("%%graph_step apart --processes 1\ndef apart(body):\n    return rate(body)")
    assert run("%graph run 1").body == 2
    run("def rate(x):\n    return x + 1000")

    assert run("%graph run 1").body == 1001


def test_an_added_function_follows_its_cell(run, session):
    run("def total(body):\n    return sum(body)")
    run("%graph add total --respond")
    assert run("%graph run [1, 2]").body == 3
    run("def total(body):\n    return -sum(body)")

    assert run("%graph run [1, 2]").body == -3
    assert session.graph().namespace["total"] is session.user_ns["total"]


def test_an_added_class_follows_its_cell_inside_another_graph(run):
    run("class Count:\n    by = 1\n    def do(self, body):\n        return self.by")
    run("%graph new inner")
    run("%graph add Count")
    run("%graph new outer")
    run("%graph add inner")
    assert run("%graph run 0").body == 1
    run("class Count:\n    by = 2\n    def do(self, body):\n        return self.by")

    assert run("%graph run 0").body == 2


def test_undo_takes_back_that_a_name_is_followed(run, session):
    run("def total(body):\n    return sum(body)")
    run("%graph add total")
    run("%graph undo")

    assert session.graphs.borrowed_names(session.graphs.named()) == []
