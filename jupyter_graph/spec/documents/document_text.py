"""JSON and YAML text, read as plain data: bounded, each key once, no objects."""

from __future__ import annotations

import functools
import json
import math
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from jupyter_graph.errors import SpecError

LONGEST: Final = 16 * 1024 * 1024
"""Characters that a document may have."""

LINE_BREAKS: Final = frozenset("\x85\u2028\u2029\ufeff")
"""What YAML takes for the end of a line where it stands in a text unquoted."""

MOST_VALUES: Final = 1_000_000
DEEPEST: Final = 100


def read_json(text: str, what: str = "the text") -> Any:
    """Read JSON text.

    Raises:
        SpecError: it is too long, no JSON, or has a key twice in one object.

    >>> read_json('{"a": [1]}')
    {'a': [1]}
    """
    return _read(text, what, "JSON", _parse_json, ValueError)


def read_yaml(text: str, what: str = "the text") -> Any:
    """Read YAML text: plain data only, whatever its tags ask for.

    Raises:
        SpecError: it is too long, no YAML, or has a key twice in one object.

    >>> read_yaml("a: [1]")
    {'a': [1]}
    """
    import yaml

    return _read(text, what, "YAML", _parse_yaml, yaml.YAMLError, ValueError, TypeError)


def yaml_text(value: Any) -> str:
    """Return plain data as YAML that reads back the same, its order kept.

    >>> print(yaml_text({"a": [1, "no"]}), end="")
    a:
    - 1
    - 'no'
    """
    import yaml

    return str(yaml.dump(value, Dumper=_dumper(), sort_keys=False, allow_unicode=True))


def check_plain(value: Any, what: str) -> None:
    """Refuse what a document file cannot hold, naming its place.

    Raises:
        SpecError: a value is no number, text, list or object, or is not finite.
    """
    todo: list[tuple[Any, tuple[Any, ...]]] = [(value, ())]
    problems = []
    while todo:
        value, place = todo.pop()
        if isinstance(value, dict):
            todo += [(item, (*place, key)) for key, item in value.items()]
        elif isinstance(value, list):
            todo += [(item, (*place, at)) for at, item in enumerate(value)]
        elif not (value is None or isinstance(value, str | int | float)):
            problems.append(
                f"{what}: {_place(place)} is a {type(value).__name__}, which a graph "
                "document cannot hold; write it as a text"
            )
        elif isinstance(value, float) and not math.isfinite(value):
            problems.append(f"{what}: {_place(place)} is {_unwritable(value)}")
    SpecError.raise_all(f"{what} is not a graph document", reversed(problems))


def check_size(value: Any, what: str) -> None:
    """Refuse what is nested too deep, or holds itself, or is too much to walk over.

    A few lines of YAML may stand for more values than there are atoms.

    Raises:
        SpecError: it has more than 1,000,000 values or 100 levels, or holds itself.
    """
    level, seen = [value], 0
    for _ in range(DEEPEST + 1):
        following: list[Any] = []
        for item in level:
            following += _inside(item)
            if seen + len(following) > MOST_VALUES:
                raise SpecError(f"{what} holds more than {MOST_VALUES:,} values")
        if not following:
            return
        seen += len(following)
        level = following
    if _holds_itself(value):
        raise SpecError(f"{what} holds itself")
    raise SpecError(f"{what} is nested too deep: {DEEPEST} levels at most are read")


def _holds_itself(value: Any) -> bool:
    """Tell whether an object or a list stands somewhere inside itself."""
    open_ids: set[int] = set()  # what the current one stands in
    done: set[int] = set()  # of a few lines of YAML, each value is looked at once
    todo = [(value, False)]
    while todo:
        item, is_left = todo.pop()
        if is_left:
            open_ids.discard(id(item))
            done.add(id(item))
        elif id(item) in open_ids:
            return True
        elif isinstance(item, Mapping | list | tuple) and id(item) not in done:
            open_ids.add(id(item))
            todo += [(item, True), *((inner, False) for inner in _inside(item))]
    return False


def _inside(item: Any) -> Iterable[Any]:
    if isinstance(item, Mapping):
        return item.values()
    return item if isinstance(item, list | tuple) else ()


def _place(place: tuple[Any, ...]) -> str:
    keys = [key if isinstance(key, str) else f"[{key!r}]" for key in place]
    return reprlib.repr(".".join(keys).replace(".[", "["))


def _unwritable(number: float) -> str:
    return f'{number!r}, which JSON does not have; write {{"$float": "{number!r}"}}'


def _read(
    text: str,
    what: str,
    form: str,
    parse: Callable[[str], Any],
    *refusals: type[Exception],
) -> Any:
    if len(text) > LONGEST:
        raise SpecError(
            f"{what} has {len(text):,} characters, {LONGEST:,} at most are read"
        )
    try:
        return parse(text)
    except SpecError as error:
        raise SpecError(f"{what} {error}") from None
    except RecursionError:
        raise SpecError(f"{what} is nested too deep") from None
    except refusals as error:
        raise SpecError(f"{what} is no {form}: {error}") from None


def _parse_json(text: str) -> Any:
    return json.loads(text, object_pairs_hook=_once_each, parse_constant=_no_number)


def _parse_yaml(text: str) -> Any:
    import yaml

    return yaml.load(text, _loader())  # a safe loader: plain data, no objects


def _once_each(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    fields: dict[Any, Any] = {}
    for key, value in pairs:
        if key in fields:
            raise SpecError(f"has {key!r} twice in one object")
        fields[key] = value
    return fields


def _no_number(name: str) -> Any:
    raise SpecError(f"holds {_unwritable(float(name.replace('Infinity', 'inf')))}")


@functools.cache
def _dumper() -> Any:
    import yaml

    class Quoting(yaml.SafeDumper):
        def represent_str(self, data: str) -> yaml.ScalarNode:
            style = '"' if LINE_BREAKS.intersection(data) else None
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

        def ignore_aliases(self, data: Any) -> bool:
            return True

    Quoting.add_representer(str, Quoting.represent_str)
    return Quoting


@functools.cache
def _loader() -> Any:
    """Return the safe loader, libyaml's where it is there, that wants each key once."""
    import yaml

    class OnceEach(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            if isinstance(node, yaml.MappingNode):
                seen: set[tuple[str, str]] = set()
                for key, _ in node.value:
                    if (mark := (key.tag, str(key.value))) in seen:
                        raise SpecError(f"has {key.value!r} twice in one object")
                    seen.add(mark)
            fields: dict[Any, Any] = super().construct_mapping(node, deep)
            return fields

    return OnceEach
