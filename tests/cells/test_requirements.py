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
