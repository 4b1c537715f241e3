"""Which endpoints a request belongs to."""

import pytest

from jupyter_graph.frontend.endpoint_routes import Routes
from jupyter_graph.frontend.endpoints import Endpoint

ROUTES = Routes(
    [
        Endpoint("/items/all", "GET"),
        Endpoint("/items/{id}", "GET"),
        Endpoint("/items/{id}/parts/{part}", "GET"),
        Endpoint("/files/{name}.{ext}", "GET"),
        Endpoint("/items/*", "GET"),
        Endpoint("/items/deep/*", "GET"),
        Endpoint("/*", "POST"),
    ]
)


@pytest.mark.parametrize(
    ("path", "paths"),
    [
        pytest.param("/items/all", ["/items/all", "/items/*"], id="exact-first"),
        pytest.param("/items/7", ["/items/{id}", "/items/*"], id="template"),
        pytest.param("/items/deep/x", ["/items/deep/*", "/items/*"], id="longest-star"),
        pytest.param("/items", None, id="a-star-is-below"),
        pytest.param("/items/", None, id="nothing-below"),
        pytest.param("/other", None, id="none"),
    ],
)
def test_the_closest_endpoint_comes_first(path, paths):
    found = ROUTES.find("GET", path)

    assert (found and [one.path for one in found.endpoints]) == paths


@pytest.mark.parametrize(
    ("path", "parameters"),
    [
        pytest.param("/items/7", {"id": "7"}, id="one"),
        pytest.param("/items/7/parts/a b", {"id": "7", "part": "a b"}, id="two"),
        pytest.param("/files/a.tar.gz", {"name": "a.tar", "ext": "gz"}, id="inside"),
        pytest.param("/items/all", {}, id="exact-has-none"),
        pytest.param("/items/7\n", {"id": "7\n"}, id="a-line-end-is-a-character"),
    ],
)
def test_parameters_are_what_stands_between_the_slashes(path, parameters):
    assert ROUTES.find("GET", path).parameters == parameters


def test_a_dot_in_a_path_is_a_dot():
    assert Routes([Endpoint("/a.{x}", "GET")]).find("GET", "/ab7") is None


def test_a_path_says_which_methods_it_takes():
    assert ROUTES.methods("/items/7") == ("GET", "POST")
    assert ROUTES.methods("/") == ()


def test_a_very_long_path_is_looked_up_in_no_time():
    path = "/files/" + "." * 100_000 + "/"

    assert ROUTES.find("GET", path) is None
