import json

import pytest

from jupyter_graph.answer.raw_response import RawResponse
from jupyter_graph.deployment.parity.compare import differences, shown


def answer(value, status=200, kind="application/json"):
    payload = value if isinstance(value, bytes) else json.dumps(value).encode()
    return RawResponse(payload, status, kind)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        pytest.param({"a": 1.0}, {"a": 1.0 + 1e-12}, id="nearly"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="other-order"),
        pytest.param([1, [2]], [1.0, [2]], id="whole-float"),
        pytest.param("<F at 0x7f00aa>", "<F at 0x7f00bb>", id="addresses"),
    ],
)
def test_answers_that_mean_the_same_are_equal(one, two):
    assert list(differences(answer(one), answer(two))) == []


@pytest.mark.parametrize(
    ("one", "two", "place"),
    [
        pytest.param({"a": 1.0}, {"a": 1.0 + 1e-6}, "body['a']", id="number"),
        pytest.param({"a": [1, 2]}, {"a": [1, 3]}, "body['a'][1]", id="in-a-list"),
        pytest.param([1], [1, 2], "body", id="length"),
        pytest.param(10**12, 10**12 + 1, "body", id="large-whole-numbers"),
        pytest.param({"a": 1}, {}, "body['a']", id="missing"),
        pytest.param({}, {"a": None}, "body['a']", id="more"),
        pytest.param({"a": True}, {"a": 1}, "body['a']", id="true-is-not-1"),
        pytest.param({"a": None}, {"a": 0}, "body['a']", id="null"),
        pytest.param({"a": "1"}, {"a": 1}, "body['a']", id="text-is-no-number"),
    ],
)
def test_the_place_of_a_difference_is_named(one, two, place):
    [(where, _, _)] = differences(answer(one), answer(two))

    assert shown(where) == place


def test_bytes_are_compared_exactly():
    kind = "application/octet-stream"

    assert list(differences(answer(b"1.0", kind=kind), answer(b"1.00", kind=kind)))


def test_status_and_content_type_count():
    one, two = answer({}), answer({}, 500, "application/problem+json")
    places = [place for place, _, _ in differences(one, two)]

    assert places == [("status_code",), ("content_type",)]
