import pytest

from jupyter_graph.deployment.bundle.build import build_bundle
from jupyter_graph.deployment.options import read_options
from jupyter_graph.deployment.parity.parity_check import check_parity
from jupyter_graph.errors import BundleError, ParityError
from jupyter_graph.run.record import RecordedInput
from jupyter_graph.run.runner import Runner

pytestmark = [pytest.mark.slow, pytest.mark.timeout(60)]


@pytest.fixture
def check(tmp_path):
    """Return a function that builds a graph's bundle and checks its parity."""

    def check_one(notebook, *steps, bodies=(), events=(), graph=None, change=None):
        graph = graph or notebook.graph(*steps)
        options = read_options(graph.name, {"timeout_s": 5})
        bundle = build_bundle(graph, notebook.sources, options, tmp_path / "bundle")
        if change is not None:
            change(bundle.folder)
        with Runner(graph) as runner:
            inputs = [RecordedInput.ran(runner, body) for body in bodies]
            inputs += [RecordedInput.ran(runner, **event) for event in events]
        return check_parity(bundle, graph, inputs)

    return check_one


def test_a_bundle_answers_as_the_notebook(check, doubling):
    report = check(doubling, "double", "add_one", bodies=[{"n": 1}, {"n": 2.5}])

    assert str(report) == "parity: 2 of 2 events equal"


def test_failures_are_answers_too(check, doubling):
    report = check(doubling, "double", "add_one", bodies=[{"n": 1}, {}, "text", None])

    assert str(report) == "parity: 4 of 4 events equal"


def test_no_recorded_event_is_said(check, doubling):
    assert str(check(doubling, "double")) == "parity: no recorded events"


def test_what_differs_by_itself_is_left_out(check, notebook):
    notebook.run(
        "import uuid, time\n"
        "def stamp(body):\n"
        "    return {'n': body, 'id': uuid.uuid4().hex, 'at': time.time_ns()}\n"
    )
    report = check(notebook, "stamp", bodies=[1, 2])

    assert report.left_out == ("body['at']", "body['id']")
    assert str(report).startswith("parity: 2 of 2 events equal\n")


def test_a_clock_that_stood_still_is_still_left_out(check, notebook):
    notebook.run(
        "import time\ndef stamp(body):\n    return {'second': int(time.time() * 5)}\n"
    )

    assert check(notebook, "stamp", bodies=[1]).is_equal


def test_state_of_steps_is_fresh_on_both_sides(check, notebook):
    notebook.run(
        "class Count:\n"
        "    def __init__(self): self.n = 0\n"
        "    def do(self, body):\n"
        "        self.n += 1\n"
        "        return self.n\n"
    )

    assert check(notebook, "Count", bodies=[0, 0, 0]).is_equal


def test_coroutines_generators_and_bytes_are_compared(check, notebook):
    notebook.run("async def wait(body):\n    return body\n")
    notebook.run("def many(body):\n    yield body\n    yield body\n")
    report = check(notebook, "wait", "many", bodies=[b"\x00\xff", {"a": 1}])

    assert str(report) == "parity: 2 of 2 events equal"


def test_paths_headers_and_content_types_travel(check, notebook):
    notebook.run(
        "def show(event):\n"
        "    event.body = [event.path, event.method, event.header('x-user'),\n"
        "                  event.content_type, event.body, event.id]\n"
        "    return event\n"
    )
    graph = notebook.graph()
    graph.to(name="show", handler=notebook["show"], full_event=True)
    event = {
        "body": {"a": 1},
        "path": "/x/y",
        "method": "PUT",
        "headers": {"X-User": "ann"},
        "content_type": "application/json",
        "event_id": "e7",
    }
    report = check(notebook, graph=graph, events=[event])

    assert str(report) == "parity: 1 of 1 events equal"


def test_steps_know_that_they_are_checked(check, notebook):
    notebook.run("def look(body, context):\n    return [context.is_parity, body]\n")
    report = check(notebook, "look", bodies=[1])

    [one] = report.not_compared
    assert one.reason == "its steps ask whether this is a check"


def test_a_difference_names_event_place_and_both_values(check, doubling):
    def wrong(folder):
        steps = folder / "steps.py"
        steps.write_text(steps.read_text().replace("* 2", "* 3"))

    report = check(doubling, "double", bodies=[{"n": 0}, {"n": 4}], change=wrong)

    assert not report.is_equal
    assert str(report) == (
        "parity: 1 of 2 events equal\n"
        f"  event 2 ({report.differences[0].event_id}), body['n']:\n"
        "    notebook: 8\n"
        "    bundle:   12\n"
        "  the first step that differs is 'double'"
    )


def test_a_difference_is_an_error_of_the_deploy(doubling, tmp_path):
    graph = doubling.graph("double")
    options = read_options("math", {})
    bundle = build_bundle(graph, doubling.sources, options, tmp_path / "bundle")
    doubling.run("def double(body):\n    return body\n")
    changed = doubling.graph("double")
    with Runner(changed) as runner:
        recorded = RecordedInput.ran(runner, {"n": 1})

    report = check_parity(bundle, changed, [recorded])

    with pytest.raises(ParityError, match="parity: 0 of 1 events equal"):
        report.raise_if_different()


def test_a_module_that_is_not_required_is_named_with_the_fix(check, notebook):
    def hide(folder):
        steps = folder / "steps.py"
        steps.write_text(steps.read_text() + "\nimport yaml\n")

    notebook.run("def use(body):\n    return body\n")

    with pytest.raises(BundleError, match=r"cannot import 'yaml'.*pip='yaml'"):
        check(notebook, "use", change=hide)


def test_an_error_at_import_is_told_with_its_cell(check, notebook):
    notebook.run("import sys\ndef use(body):\n    return body\n")
    notebook.run("def late(body, n=1 if 'pytest' in sys.modules else 1 // 0): return n")

    with pytest.raises(BundleError, match=r"cell 2, line 1: .*ZeroDivisionError"):
        check(notebook, "use", "late")


def test_an_import_inside_a_step_is_a_difference(check, notebook):
    notebook.run(
        "def use(body):\n"
        "    import importlib\n"
        "    return importlib.import_module(body).__name__\n"
    )
    report = check(notebook, "use", bodies=["yaml"])

    assert report.step == "use"
    assert "No module named 'yaml'" in str(report)


def test_a_fitted_model_answers_the_same(check, notebook):
    pytest.importorskip("skops")
    notebook.run(
        "from sklearn.linear_model import LinearRegression\n"
        "model = LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0])\n"
    )
    notebook.run("def predict(body):\n    return model.predict([[body]])\n")

    assert check(notebook, "predict", bodies=[1, 2.5]).is_equal


def test_a_body_that_cannot_be_sent_is_left_out_and_said(check, doubling):
    report = check(doubling, "double", bodies=[{"n": 1}, {"n": object()}])

    head, left_out = str(report).splitlines()
    assert head == "parity: 1 of 1 events equal, 1 not compared"
    assert left_out.startswith("  not compared: event 2: its body cannot be sent: ")


@pytest.mark.timeout(180)
def test_a_fresh_environment_has_the_requirements_alone(doubling, tmp_path):
    graph = doubling.graph("double")
    options = read_options("math", {"fresh_env": True})
    bundle = build_bundle(graph, doubling.sources, options, tmp_path / "bundle")
    with Runner(graph) as runner:
        recorded = RecordedInput.ran(runner, {"n": 1})
    report = check_parity(bundle, graph, [recorded])

    assert str(report) == "parity: 1 of 1 events equal"
