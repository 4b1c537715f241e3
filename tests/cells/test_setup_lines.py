"""What sets up modules and variables ships with the code that uses them."""

import os

import pytest

from jupyter_graph.cells import lint


@pytest.mark.parametrize(
    ("setup", "step", "line"),
    [
        pytest.param(
            "import csv\ncsv.register_dialect('semi', delimiter=';')",
            "def step(x): return next(csv.reader(['a;b'], 'semi'))",
            "csv.register_dialect",
            id="dialect",
        ),
        pytest.param(
            "import decimal\ndecimal.getcontext().prec = 5",
            "def step(x): return str(decimal.Decimal(1) / 3)",
            "decimal.getcontext().prec = 5",
            id="state-of-a-module",
        ),
        pytest.param(
            "import numpy as np\nnp.seterr(all='raise')",
            "def step(x): return np.geterr()['over']",
            "np.seterr(all='raise')",
            id="numpy",
        ),
        pytest.param(
            "from pandas import set_option\nset_option('display.max_rows', 3)",
            "def step(x):\n    import pandas as p\n"
            "    return p.get_option('display.max_rows')",
            "set_option('display.max_rows', 3)",
            id="imported-by-name",
        ),
        pytest.param(
            "import pandas as pd\n"
            "@pd.api.extensions.register_dataframe_accessor('sizes')\n"
            "class Sizes:\n"
            "    def __init__(self, frame): self.frame = frame\n"
            "    def rows(self): return len(self.frame)",
            "def step(x): return pd.DataFrame({'a': [1]}).sizes.rows()",
            "class Sizes",
            id="accessor",
        ),
        pytest.param(
            "import warnings\nwarnings.simplefilter('error')",
            "def step(x):\n    try:\n        __import__('warnings').warn('x')\n"
            "    except UserWarning:\n        return 'raised'",
            "warnings.simplefilter('error')",
            id="for-all-modules",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:registration of accessor")
def test_a_call_that_sets_a_module_up_ships(kernel, loaded, setup, step, line):
    kernel.run(setup, step)
    part = kernel.slice("step")

    assert line in part.source
    assert loaded(part).step(1) == kernel.namespace["step"](1)
    assert part.left_out == ()


@pytest.mark.parametrize(
    "line",
    [
        pytest.param("json.dumps({})", id="no-setup"),
        pytest.param("csv.register_dialect('semi', delimiter=';')", id="other-module"),
        pytest.param("rows.set('a')", id="method-of-an-object"),
        pytest.param("random.seed(time.time())", id="argument-that-cannot-ship"),
    ],
)
def test_any_other_call_stays_and_is_told(kernel, line):
    kernel.run(
        "import csv, json, random, time\n"
        "class Rows:\n    def set(self, x): pass\n"
        "rows = Rows()\n"
        f"{line}\n"
        "def step(x): return json.loads(x), random.random()"
    )
    part = kernel.slice("step")
    found = lint(kernel.cells, ["step"], kernel.namespace, folder=kernel.folder)

    assert line not in part.source
    assert [text for *_, text in part.left_out] == [line]
    assert any("is left out of the function" in one.message for one in found)


@pytest.fixture
def variables(monkeypatch):
    for name in ("MODE_OF_TEST", "OTHER_OF_TEST", "TOKEN_OF_NOBODY_TOKEN"):
        monkeypatch.setenv(name, "before")
    return monkeypatch


def test_variables_that_the_code_reads_are_set(kernel, loaded, variables):
    kernel.run(
        "import os\nos.environ['MODE_OF_TEST'] = 'fast'\n"
        "os.environ['OTHER_OF_TEST'] = 'x'\n"
        "os.environ['TOKEN_OF_NOBODY_TOKEN'] = 'hush'",
        "def step(x): return os.environ['MODE_OF_TEST'], "
        "os.environ['TOKEN_OF_NOBODY_TOKEN']",
    )
    part = kernel.slice("step")
    os.environ["MODE_OF_TEST"] = "slow"

    assert loaded(part).step(1)[0] == "fast"
    assert "OTHER_OF_TEST" not in part.source
    assert "hush" not in part.source
    assert part.variables == {"TOKEN_OF_NOBODY_TOKEN": (2, 1)}


@pytest.mark.parametrize(
    ("code", "needed"),
    [
        pytest.param("os.environ['A_OF_TEST']", True, id="item"),
        pytest.param("os.environ.get('A_OF_TEST')", False, id="get"),
        pytest.param("os.getenv('A_OF_TEST', 1)", False, id="getenv"),
        pytest.param(
            "'A_OF_TEST' in os.environ and os.environ['A_OF_TEST']", False, id="asked"
        ),
        pytest.param("os.environ[x]", False, id="unknown-name"),
    ],
)
def test_variables_that_it_cannot_do_without_are_known(kernel, code, needed):
    kernel.run(f"import os\ndef step(x):\n    return {code}")

    assert kernel.slice("step").variables == ({"A_OF_TEST": (1, 3)} if needed else {})


def test_a_variable_in_a_try_is_not_needed(kernel):
    kernel.run(
        "import os\ndef step(x):\n    try:\n        return os.environ['A_OF_TEST']\n"
        "    except KeyError:\n        return 1"
    )

    assert kernel.slice("step").variables == {}


@pytest.mark.parametrize(
    "line",
    [
        "value = os.environ['KEY_OF_TEST'] if 'KEY_OF_TEST' in os.environ else ''",
        "value = read()",
        "value = {'keys': [read()]}",
        "value = os.environ['KEY_OF_TEST'].strip()",
    ],
)
def test_what_stands_in_a_variable_never_ships(kernel, loaded, monkeypatch, line):
    monkeypatch.setenv("KEY_OF_TEST", "of-this-computer")
    kernel.run("import os\ndef read(): return os.environ['KEY_OF_TEST']", line)
    kernel.run("def step(x): return value")
    part = kernel.slice("step")

    assert "of-this-computer" not in part.source
    assert part.values == ()
    assert loaded(part).step(1) == kernel.namespace["value"]
