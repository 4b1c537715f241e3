"""Imports become pinned requirements."""

from importlib import metadata

import pytest

from jupyter_graph.cells.slice.requirements import requirements


@pytest.mark.parametrize(
    ("imports", "distributions"),
    [
        pytest.param(["sklearn", "numpy"], ["numpy", "scikit-learn"], id="sorted"),
        pytest.param(["yaml"], ["PyYAML"], id="named-otherwise"),
        pytest.param(["numpy.linalg", "numpy"], ["numpy"], id="submodules"),
        pytest.param(["os", "json", "asyncio", "__main__"], [], id="standard-library"),
        pytest.param(["jupyter_graph"], [], id="this-package"),
        pytest.param(["no_such_module_at_all"], [], id="not-installed"),
        pytest.param(["dateutil"], ["python-dateutil"], id="prefix"),
    ],
)
def test_modules_are_pinned_to_what_is_installed(imports, distributions):
    pinned = [f"{name}=={metadata.version(name)}" for name in distributions]

    assert requirements(imports) == pinned


@pytest.mark.parametrize(
    ("code", "module"),
    [
        ("import pandas as pd\ndef f(x): return pd.read_parquet(x)", "pyarrow"),
        ("from pandas import read_sql\ndef f(x): return read_sql(x, x)", "sqlalchemy"),
        ("def f(x):\n    import pandas\n    return x.to_feather('a')", "pyarrow"),
        ("import lightgbm as l\ndef f(x): return l.LGBMRegressor()", "sklearn"),
        ("import pandas as pd\ndef f(x): return pd.DataFrame(x)", None),
        ("def f(x): return x.read_parquet()", None),
    ],
)
def test_modules_behind_a_function_are_needed(kernel, code, module):
    if "lightgbm" in code:
        pytest.importorskip("lightgbm")
    kernel.run(code)
    found = set(kernel.slice("f").imports) - {"pandas", "lightgbm"}

    assert found == ({module} if module else set())


def test_modules_behind_functions_of_local_files_are_needed(kernel):
    (kernel.folder / "rows_of_us.py").write_text(
        "import pandas as pd\ndef rows(x): return pd.read_parquet(x)\n"
    )
    kernel.run("def f(x):\n    import rows_of_us\n    return rows_of_us.rows(x)")

    assert set(kernel.slice("f").imports) == {"pandas", "pyarrow"}
