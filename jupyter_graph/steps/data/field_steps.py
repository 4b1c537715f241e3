"""Steps that rename and drop the fields of a body; they remember nothing."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping, Sequence
from typing import Any

from jupyter_graph.argument_checks import require
from jupyter_graph.errors import SpecError
from jupyter_graph.steps.data.frame_steps import names_of
from jupyter_graph.values.dataframe_rows import is_pandas


class Rename:
    """Rename fields of a body.

    Body in: an object ``{...}`` or a DataFrame. Body out: a new one; renamed fields
    come last, take the place of a field of the same name, and one that is not there
    is left out. All are renamed at once, so that two may change their names.

    Args:
        mapping: old names to new ones.

    Raises:
        SpecError: ``mapping`` is no object of names, or two fields would get one name.
        TypeError: (from ``do``) the body is no object.

    Source: storey's step of this name, https://storey.readthedocs.io

    >>> Rename({"a": "z"}).do({"a": 1, "b": 2})
    {'b': 2, 'z': 1}
    """

    def __init__(self, mapping: Mapping[str, str]) -> None:
        is_object = isinstance(mapping, Mapping)
        new = list(mapping.values()) if is_object else []
        has_names = is_object and all(isinstance(name, str) for name in new)
        rule = "Rename: mapping must be an object of old to new names"
        require(has_names, rule, mapping)
        twice = sorted({name for name in new if new.count(name) > 1})
        if twice:
            rule = f"Rename: mapping gives several fields the name {twice[0]!r}"
            raise SpecError(f"{rule}, got {mapping!r}")
        self.mapping = dict(mapping)

    def do(self, body: Any) -> Any:
        mapping = self.mapping
        if is_pandas(body):
            here = {old: new for old, new in mapping.items() if old in body}
            gone = {*here, *here.values()}
            others = [name for name in body if name not in gone]
            return body[[*others, *here]].rename(columns=here)
        fields = _fields(body, "Rename")
        renamed = {new: fields[old] for old, new in mapping.items() if old in fields}
        kept = {name: value for name, value in fields.items() if name not in mapping}
        return {**kept, **renamed}


class Drop:
    """Leave fields of a body out.

    Body in: an object ``{...}`` or a DataFrame. Body out: a new one without the
    fields (columns); one that is not there is no error.

    Args:
        keys: a name or a list of names.

    Raises:
        SpecError: ``keys`` is neither.
        TypeError: (from ``do``) the body is no object.

    Source: storey's ``DropColumns``, https://storey.readthedocs.io

    >>> Drop(["a", "nope"]).do({"a": 1, "b": 2})
    {'b': 2}
    """

    def __init__(self, keys: str | Sequence[str]) -> None:
        names = names_of(keys, "Drop: keys", one=True)
        if names is None:
            raise SpecError("Drop: keys must be a list of names, got None")
        self.keys = frozenset(names)

    def do(self, body: Any) -> Any:
        if is_pandas(body):
            return body[[name for name in body if name not in self.keys]]
        fields = _fields(body, "Drop")
        return {key: value for key, value in fields.items() if key not in self.keys}


def _fields(body: Any, block: str) -> Mapping[Any, Any]:
    if isinstance(body, Mapping):
        return body
    raise TypeError(
        f"{block} needs a body that is an object or a DataFrame, "
        f"got {reprlib.repr(body)}"
    )
