"""Which names steps, routes, graphs and functions may have."""

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.spec.names import (
    check_function_name,
    check_graph_name,
    check_step_name,
    function_name,
    graph_name,
)

FINE = ["a", "_", "_a1", "Parse", "a.b", "a-b", "a_b", "x" * 63]
WRONG = [
    pytest.param("", "text of 1 to 63 characters, got ''", id="empty"),
    pytest.param(None, "text of 1 to 63 characters, got None", id="none"),
    pytest.param(5, "got 5", id="a-number"),
    pytest.param("x" * 64, "at most 63 characters, 'x{20}…' has 64", id="too-long"),
    pytest.param("2nd", "starts with a letter or '_', got '2nd'", id="digit-first"),
    pytest.param("-a", "starts with a letter", id="dash-first"),
    pytest.param(".a", "starts with a letter", id="dot-first"),
    pytest.param("\u00b2a", "starts with a letter", id="superscript-first"),
    pytest.param("a\u200d", "holds letters, digits", id="invisible"),
    pytest.param("a\u202eb", "holds letters, digits", id="right-to-left"),
    pytest.param("a b", "holds letters, digits", id="blank"),
    pytest.param("a\n", "holds letters, digits", id="newline-last"),
    pytest.param("a/b", "holds letters, digits", id="slash"),
    pytest.param("a'; x", "holds letters, digits", id="quote"),
]


@pytest.mark.parametrize("name", FINE)
@pytest.mark.parametrize("route", [False, True])
def test_a_fine_name_comes_back(name, route):
    assert check_step_name(name, route=route) == name
    assert check_graph_name(name) == name


@pytest.mark.parametrize("name", ["größe", "名前", "_é.a-b", "Ж1"])
def test_a_step_has_the_letters_of_python(name):
    assert check_step_name(name) == name
    with pytest.raises(SpecError, match="a graph's name holds ASCII letters"):
        check_graph_name(name)


def test_a_name_in_the_form_that_python_does_not_keep_is_refused():
    with pytest.raises(SpecError, match="unusual form: write 'fi_é'"):
        check_step_name("\ufb01_e\u0301")


@pytest.mark.parametrize(("name", "message"), WRONG)
@pytest.mark.parametrize("route", [False, True])
def test_a_wrong_name_is_refused(name, message, route):
    with pytest.raises(SpecError, match=message):
        check_step_name(name, route=route)


@pytest.mark.parametrize(("name", "message"), WRONG)
def test_a_graph_has_the_rule_of_steps(name, message):
    with pytest.raises(SpecError, match=f"a graph's name.*{message}"):
        check_graph_name(name)


@pytest.mark.parametrize("name", ["start", "graph", "$prev"])
def test_reserved_names_are_no_steps(name):
    with pytest.raises(SpecError, match="is reserved"):
        check_step_name(name)


def test_a_graph_may_be_called_graph():
    assert check_graph_name("graph") == "graph"
    with pytest.raises(SpecError, match=r"'start' is reserved.*for the graph"):
        check_graph_name("start")


def test_only_a_route_may_have_a_version():
    assert check_step_name("m:v2", route=True) == "m:v2"
    with pytest.raises(SpecError, match=r"holds letters, digits, '_', '\.' and '-'"):
        check_step_name("m:v2")


@pytest.mark.parametrize("name", ["a", "0", "a-b", "a" * 56])
def test_a_fine_function_name_comes_back(name):
    assert check_function_name(name) == name


@pytest.mark.parametrize(
    "name", ["", "A", "a_b", "-a", "a-", "a.b", "a" * 57, "a\n", None, 5]
)
def test_a_wrong_function_name_is_refused(name):
    with pytest.raises(SpecError, match="1 to 56 lower-case letters, digits and '-'"):
        check_function_name(name)


@pytest.mark.parametrize(
    ("graph", "function"),
    [
        ("fraud", "fraud"),
        ("Fraud_Model", "fraud-model"),
        ("_01_x.y", "01-x-y"),
        ("a" * 63, "a" * 56),
        ("a" * 55 + "_b", "a" * 55),
    ],
)
def test_a_graphs_function_has_a_name_that_fits(graph, function):
    assert check_function_name(function_name(graph)) == function


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("fraud", "fraud"),
        ("01 x", "_01_x"),
        ("é", "_"),
        ("a" * 99, "a" * 62),
        ("start", "start_"),
        ("", "graph"),
    ],
)
def test_a_graph_may_be_named_after_any_file(stem, name):
    assert graph_name(stem) == check_graph_name(name)
