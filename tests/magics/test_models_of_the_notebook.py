"""Fitted models that hold functions and classes of the notebook ship with them."""

import json
import subprocess
import sys

import pytest

from jupyter_graph.errors import JupyterGraphError

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

FIT = (
    "from sklearn.pipeline import make_pipeline\n"
    "from sklearn.preprocessing import FunctionTransformer\n"
    "from sklearn.linear_model import LinearRegression\n"
    "import numpy as np\n"
)
FITTED = (
    "model = make_pipeline({}, LinearRegression())"
    ".fit([[1.], [2.], [3.]], [1., 4., 9.])"
)
SQUARE = "def square(X):\n    return np.asarray(X) ** POWER"
STEP = (
    "%%graph_step predict\ndef predict(body):\n"
    "    return round(float(model.predict([[body]])[0]), 6)"
)


def answer_of(folder, body):
    code = (
        "import _graph_steps as steps, json, sys; "
        "print(json.dumps(steps.predict(json.loads(sys.argv[1]))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(body)],
        cwd=folder, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def test_a_function_of_the_notebook_ships_with_what_it_needs(run, folder):
    run(FIT)
    run("POWER = 2")
    run(SQUARE)
    run(FITTED.format("FunctionTransformer(square)"))
    run(STEP)
    assert run("%graph run 3").body == 9.0
    deployment = run("%deploy squares --to archive --output squares")

    assert "1 of 1 events equal" in str(deployment.parity)
    assert answer_of(folder / "squares", 4) == 16.0


def test_a_transformer_class_of_the_notebook_ships(run, folder):
    run(FIT + "from sklearn.base import BaseEstimator, TransformerMixin")
    run(
        "class Square(TransformerMixin, BaseEstimator):\n"
        "    def __init__(self, power=2):\n        self.power = power\n"
        "    def fit(self, X, y=None):\n        self.fitted_ = True\n"
        "        return self\n"
        "    def transform(self, X):\n        return np.asarray(X) ** self.power"
    )
    run(FITTED.format("Square()"))
    run(STEP)
    run("%graph run 3")
    run("%deploy squares --to archive --output squares")

    assert answer_of(folder / "squares", 4) == 16.0


def test_an_allowed_pickle_finds_the_notebooks_classes(run, folder):
    run("class Kept:\n    def __init__(self, n):\n        self.n = list(range(n))")
    run("model = Kept(3)\nmodel.n.append(7)")
    run("%%graph_step predict\ndef predict(body):\n    return model.n[body]")
    run("%deploy kept --to archive --output kept --allow-pickle model")

    assert answer_of(folder / "kept", -1) == 7


def test_a_module_of_the_folder_that_a_model_needs_is_packed(run, folder):
    (folder / "shapes_of_us.py").write_text(
        "import numpy as np\ndef square(X):\n    return np.asarray(X) ** 2\n"
    )
    sys.path.insert(0, str(folder))
    try:
        run(FIT + "from shapes_of_us import square")
        run(FITTED.format("FunctionTransformer(square)"))
        run(STEP)
        run("%deploy squares --to archive --output squares")
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("shapes_of_us", None)

    assert (folder / "squares" / "modules" / "shapes_of_us.py").is_file()
    assert answer_of(folder / "squares", 4) == 16.0


def test_a_transformer_class_of_a_module_ships(run, folder, monkeypatch):
    monkeypatch.delitem(sys.modules, "steps", raising=False)  # of a bundle
    (folder / "steps.py").write_text(
        "import numpy as np\nfrom sklearn.base import BaseEstimator, TransformerMixin\n"
        "class Square(TransformerMixin, BaseEstimator):\n"
        "    def fit(self, X, y=None):\n        self.fitted_ = True\n"
        "        return self\n"
        "    def transform(self, X):\n        return np.asarray(X) ** 2\n"
    )
    sys.path.insert(0, str(folder))
    try:
        run(FIT + "from steps import Square")
        run(FITTED.format("Square()"))
        run(STEP)
        run("%graph run 3")
        deployment = run("%deploy squares --to archive --output squares")
    finally:
        sys.path.remove(str(folder))
        sys.modules.pop("steps", None)

    assert "1 of 1 events equal" in str(deployment.parity)
    assert answer_of(folder / "squares", 4) == 16.0


def test_an_older_function_in_a_model_is_told(run):
    run(FIT + "POWER = 2")
    run(SQUARE)
    run(FITTED.format("FunctionTransformer(square)"))
    run("def square(X):\n    return np.asarray(X) ** 3")
    run(STEP)

    with pytest.raises(JupyterGraphError, match=r"'model' holds 'square' as it was"):
        run("%deploy squares --to archive --output squares")


def test_what_was_allowed_is_not_advised(run):
    run("model = [(n for n in 'a')]")
    run("%%graph_step predict\ndef predict(body):\n    return len(model)")

    with pytest.raises(JupyterGraphError) as caught:
        run("%deploy kept --to archive --output kept --allow-pickle model")

    assert "--allow-pickle" not in str(caught.value)
