import pytest

from jupyter_graph.deployment.bundle.local_modules import collect
from jupyter_graph.deployment.bundle.requirement_closure import (
    closure,
    joined,
    modules_of,
    read_requirements,
)
from jupyter_graph.errors import DeployError


def test_a_requirement_brings_what_it_needs_itself():
    found, missing = closure(["pandas"])

    assert {"pandas", "numpy", "python-dateutil"} <= found
    assert "pytest" not in found
    assert missing == []


def test_what_is_not_installed_is_named():
    assert closure(["no-such-thing-anywhere==1"]) == (set(), ["no-such-thing-anywhere"])


def test_modules_have_other_names_than_what_brings_them():
    assert "yaml" in modules_of(["pyyaml"])
    assert "dateutil" in modules_of(["python-dateutil"])


def test_the_later_of_two_requirements_counts():
    assert joined(["a==1", "b==1"], ["A==2"]) == ["A==2", "b==1"]


def test_a_file_of_requirements_is_read(tmp_path):
    path = tmp_path / "requirements.txt"
    path.write_text("# what it needs\nnumpy >= 1.26  # arrays\n\nPyYAML==6\n")

    assert read_requirements(path) == ["numpy>=1.26", "PyYAML==6"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("numpy\n-r other.txt", "line 2", id="option"),
        pytest.param("numpy==", "line 1", id="half"),
        pytest.param("a b c", "no requirement", id="words"),
    ],
)
def test_a_line_that_is_no_requirement_is_named(tmp_path, text, said):
    path = tmp_path / "requirements.txt"
    path.write_text(text)

    with pytest.raises(DeployError, match=said):
        read_requirements(path)


def test_a_missing_file_of_requirements_is_an_error(tmp_path):
    with pytest.raises(DeployError, match="cannot read requirements"):
        read_requirements(tmp_path / "none.txt")


def test_local_modules_travel_with_the_local_modules_they_import(tmp_path):
    (tmp_path / "pricing.py").write_text(
        "import yaml\nimport json\nfrom rates import x"
    )
    (tmp_path / "rates").mkdir()
    (tmp_path / "rates/__init__.py").write_text("from .table import x")
    (tmp_path / "rates/table.py").write_text("x = 1")
    (tmp_path / "rates/.secret").write_text("")
    files, imports = collect(["pricing"], tmp_path)

    assert set(files) == {
        "modules/pricing.py",
        "modules/rates/__init__.py",
        "modules/rates/table.py",
    }
    assert imports == {"yaml", "json"}


def test_an_optional_import_that_is_nowhere_is_no_error(tmp_path):
    (tmp_path / "pricing.py").write_text(
        "try:\n    import nowhere_to_be_found\nexcept ImportError:\n    pass\n"
    )

    files, _ = collect(["pricing"], tmp_path)

    assert set(files) == {"modules/pricing.py"}
