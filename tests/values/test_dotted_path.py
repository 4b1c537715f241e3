"""Dotted paths: one reader for each meaning, side by side."""

from collections import ChainMap, OrderedDict, UserDict, defaultdict
from types import MappingProxyType

import pytest

from jupyter_graph.errors import SpecError
from jupyter_graph.values.dotted_path import (
    MISSING,
    find,
    get_path,
    get_path_sync,
    getter,
    keys_of,
    part_of,
    put_path,
    spread,
    with_part,
)

BODY = {"user": {"id": 7, "none": None}, "items": [{"n": 1}, {}]}


@pytest.mark.parametrize(
    ("path", "part", "or_none"),
    [
        pytest.param("user.id", 7, 7, id="there"),
        pytest.param("user.none", None, None, id="none"),
        pytest.param("user.name", MISSING, None, id="no-field"),
        pytest.param("user.none.x", MISSING, None, id="in-none"),
        pytest.param("items.0.n", 1, None, id="in-a-list"),
        pytest.param("items.9.n", MISSING, None, id="behind-a-list"),
    ],
)
def test_readers_agree_where_they_mean_the_same(path, part, or_none):
    assert find(BODY, path) is getter(keys_of(path))(BODY) is part
    assert part_of(BODY, path) is get_path_sync(BODY, path) is or_none
    assert get_path(BODY, path) is or_none


def test_a_number_on_the_way_is_an_error_in_the_async_engine_alone():
    with pytest.raises(TypeError, match=r"'user\.id\.x' leads through 7"):
        get_path(BODY, "user.id.x")

    assert get_path_sync(BODY, "user.id.x") is part_of(BODY, "user.id.x") is None


@pytest.mark.parametrize("read", [get_path, get_path_sync])
def test_a_body_without_parts_is_refused(read):
    with pytest.raises(TypeError, match="only dict-like event bodies; got int"):
        read(5, "a")


class Uncopied(dict):
    def __copy__(self):
        raise RuntimeError("no copy")


MAPPINGS = [
    dict, OrderedDict, UserDict, MappingProxyType, Uncopied,
    lambda items: defaultdict(list, items), lambda items: ChainMap(dict(items)),
]  # fmt: skip


@pytest.mark.parametrize("inner", MAPPINGS)
@pytest.mark.parametrize("outer", MAPPINGS)
@pytest.mark.parametrize("put", [put_path, with_part])
@pytest.mark.parametrize("path", ["a.c", "a.d.e", "x", "x.y", "a"])
def test_a_value_is_put_into_a_copy(put, outer, inner, path):
    def made():
        return outer({"a": inner({"b": 1}), "other": [1]})

    body = made()
    before_inner, other = body["a"], body["other"]

    found = put(body, path, 2)

    assert body == made()
    assert body["a"] is before_inner
    assert find(found, path) == 2
    assert found["other"] is other


@pytest.mark.parametrize("kind", [dict, OrderedDict, UserDict])
def test_a_copy_is_of_the_same_kind(kind):
    found = put_path(kind(a=kind(b=1)), "a.c", 2)

    assert (type(found), type(found["a"])) == (kind, kind)


def test_a_star_stands_for_every_item():
    assert dict(spread(keys_of("items.*.n"), BODY)) == {
        "items.0.n": 1, "items.1.n": MISSING,
    }  # fmt: skip


@pytest.mark.parametrize("path", [5, "a..b", ".a"])
def test_a_path_is_checked_before_any_event(path):
    with pytest.raises(SpecError, match="field"):
        keys_of(path)
