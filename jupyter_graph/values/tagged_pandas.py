"""Values of packages as tagged JSON and files of their own: arrays, frames, models."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import Counter, OrderedDict, defaultdict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from jupyter_graph.errors import ValueShipError
from jupyter_graph.values import file_formats, tagged_json
from jupyter_graph.values.equal import same
from jupyter_graph.values.field_objects import (
    fields_of,
    is_member,
    made,
    member,
    place_of_class,
)
from jupyter_graph.values.json_rules import names_of
from jupyter_graph.values.tagged_json import TAG, tagged

AddFile = Callable[[file_formats.Content], str]
Encode = Callable[[Any], Any]


class Writer:
    """Encodes one value; ``add`` stores a file and returns what stands for it.

    With ``objects`` it writes objects of dataclasses and the like by their fields;
    reading these makes objects of classes that the document names.
    """

    def __init__(
        self, add: AddFile, *, allow_pickle: bool = False, objects: bool = False
    ) -> None:
        self.add = add
        self.objects = objects
        self.allow_pickle = allow_pickle
        self.imports: set[str] = set()

    def encode(self, value: Any, where: str = "") -> Any:
        """Return tagged JSON for a value; ValueShipError names what cannot ship."""
        return tagged_json.encode(value, self.part, where)

    def part(self, value: Any, where: str) -> Any:
        """Return tagged JSON for what is not a plain Python value."""
        name = _name(type(value))
        row = _ROWS.get(name)
        try:
            if row is not None:
                self.imports.add(name.partition(".")[0])
                return row(value, lambda item: self.encode(item, where + "[…]"), self)
            if (kind := file_formats.format_of(value)) is not None:
                return self.file(file_formats.write(value, kind))
            if self.objects and is_member(value):
                return tagged("member", [*self._class(value), value.name])
            if self.objects and (fields := fields_of(value)) is not None:
                return self.fields(value, fields, where)
            raise ValueShipError("there is no safe file format for it")  # noqa: TRY301
        except ValueShipError as error:
            if self.allow_pickle:
                return self.file(file_formats.pickled(value))
            if where and not hasattr(error, "where"):
                error.where = where  # type: ignore[attr-defined]
                error.kind = type(value)  # type: ignore[attr-defined]
            raise

    def fields(self, value: Any, fields: dict[str, Any], where: str) -> dict[str, Any]:
        """Return the tag of an object that is its fields."""
        place = self._class(value)
        written = {
            key: self.encode(one, f"{where}.{key}") for key, one in fields.items()
        }
        return tagged("object", [*place, written])

    def _class(self, value: Any) -> list[str]:
        module, name = place_of_class(type(value))
        self.imports.update({module.partition(".")[0]} - {file_formats.NOTEBOOK})
        return [module, name]

    def file(self, content: file_formats.Content) -> dict[str, Any]:
        """Store a file and return the tag that stands for it."""
        self.imports.update(content.imports)
        return tagged("file", self.add(content))


def decode(
    document: Any,
    read_file: Callable[[str], Any],
    *,
    main: str | None = None,
) -> Any:
    """Return the value of tagged JSON.

    Args:
        document: the JSON.
        read_file: returns the value of a file by its name.
        main: the module of what the notebook defines; None = no object is made.
    """

    def part(value: dict[str, Any]) -> Any:
        tag, content = value[TAG], value["of"]
        if tag == "file":
            return read_file(content)
        if main is not None and tag in _OF_CLASSES:
            return _OF_CLASSES[tag](tagged_json.decode(content, part), main)
        return _BACK[tag](tagged_json.decode(content, part))

    return tagged_json.decode(document, part)


def _name(kind: type) -> str:
    """Return ``package.Class`` of the type or its first base that has a row."""
    names = names_of(kind)
    exact = names[0] if names[0] in _ROWS else ""
    return exact or next((name for name in names if name in _WITH_SUBCLASSES), names[0])


def _array(value: Any, encode: Encode, writer: Writer) -> Any:
    if not value.dtype.hasobject:
        return writer.file(file_formats.write(value, "npy"))
    if value.dtype.names:
        raise ValueShipError(f"an array of {value.dtype} has no safe file format")
    items = [encode(item) for item in value.ravel().tolist()]
    return tagged("objects", [list(value.shape), items])


def _scalar(value: Any, encode: Encode, writer: Writer) -> Any:
    if value.dtype.names:
        raise ValueShipError("a row of a structured array; ship the array")
    data = b64encode(value.tobytes()).decode("ascii")
    return tagged("numpy", [value.dtype.str, data])


def _timestamp(value: Any, encode: Encode, writer: Writer) -> Any:
    zone = None if value.tz is None else str(value.tz)
    return tagged("timestamp", [value.value, value.unit, zone])


def _frame(value: Any, encode: Encode, writer: Writer) -> Any:
    """Return Parquet where it gives back an equal frame, else column by column."""
    freq = getattr(value.index, "freqstr", None)
    try:
        content = file_formats.write(value, "parquet")
        back = file_formats.read("parquet", content.data, ())
        if same(_with_freq(back, freq), value):
            return tagged("frame", [writer.file(content), freq])
    except ValueShipError:
        pass
    # By position: two columns may have one name.
    series = [value.iloc[:, position] for position in range(value.shape[1])]
    columns = [encode(one.array) for one in series]
    return tagged("columns", [encode(value.columns), encode(value.index), columns])


def _with_freq(frame: Any, freq: str | None) -> Any:
    if freq is not None:
        frame.index.freq = freq
    return frame


def _series(value: Any, encode: Encode, writer: Writer) -> Any:
    content = [encode(value.name), encode(value.index), encode(value.array)]
    return tagged("series", content)


def _index(value: Any, encode: Encode, writer: Writer) -> Any:
    freq = getattr(value, "freqstr", None)
    return tagged("index", [encode(value.name), encode(value.array), freq])


def _range_index(value: Any, encode: Encode, writer: Writer) -> Any:
    span = range(value.start, value.stop, value.step)
    return tagged("range-index", [encode(value.name), encode(span)])


def _multi_index(value: Any, encode: Encode, writer: Writer) -> Any:
    levels = [encode(level) for level in value.levels]
    codes = [encode(code) for code in value.codes]
    return tagged("multi-index", [levels, codes, encode(list(value.names))])


def _extension(value: Any, encode: Encode, writer: Writer) -> Any:
    """Return a pandas array by its dtype's own text and its items."""
    if type(value).__name__ in ("NumpyExtensionArray", "PandasArray"):
        return tagged("plain-array", encode(value.to_numpy()))
    # Their items as text would lose the unit, and nanoseconds.
    if type(value).__name__ in ("DatetimeArray", "TimedeltaArray"):
        return tagged("ticks", [str(value.dtype), encode(value.asi8)])
    return tagged("extension", [str(value.dtype), [encode(item) for item in value]])


def _categorical(value: Any, encode: Encode, writer: Writer) -> Any:
    content = [encode(value.codes), encode(value.categories), bool(value.ordered)]
    return tagged("categorical", content)


_FACTORIES: Final[dict[str, Any]] = {
    kind.__name__: kind
    for kind in (
        bool, bytes, complex, Counter, Decimal, deque, dict, float, Fraction,
        frozenset, int, list, OrderedDict, set, str, tuple,
    )
}  # fmt: skip
"""What a defaultdict may make, to be written by its name."""


def _counter(value: Any, encode: Encode, writer: Writer) -> Any:
    return tagged("counter", encode(dict(value)))


def _defaultdict(value: Any, encode: Encode, writer: Writer) -> Any:
    factory = value.default_factory
    name = getattr(factory, "__qualname__", type(factory).__qualname__)
    if factory is not None and _FACTORIES.get(name) is not factory:
        raise ValueShipError(
            f"what it makes for new keys, {name}, is no type like list or int"
        )
    content = [None if factory is None else name, encode(dict(value))]
    return tagged("defaultdict", content)


def _back_defaultdict(content: list[Any]) -> Any:
    name, items = content
    return defaultdict(None if name is None else _FACTORIES[name], items)


def _pandas() -> Any:
    import pandas as pd

    return pd


def _numpy(content: list[Any]) -> Any:
    import numpy as np

    return np.frombuffer(b64decode(content[1]), dtype=content[0])[0]


def _objects(content: list[Any]) -> Any:
    import numpy as np

    shape, items = content
    array = np.empty(len(items), dtype=object)
    for index, item in enumerate(items):
        array[index] = item
    return array.reshape(shape)


def _back_frame(content: list[Any]) -> Any:
    columns, index, arrays = content
    frame = _pandas().DataFrame(dict(enumerate(arrays)), index=index)
    frame.columns = columns
    return frame


def _back_series(content: list[Any]) -> Any:
    return _pandas().Series(content[2], index=content[1], name=content[0], copy=True)


def _back_index(content: list[Any]) -> Any:
    name, array, freq = content
    index = _pandas().Index(array, name=name)
    if freq is not None:
        index.freq = freq
    return index


def _back_ticks(content: list[Any]) -> Any:
    pd = _pandas()
    dtype, numbers = content
    unit = dtype.partition("[")[2].rstrip("]").partition(",")[0]
    if dtype.startswith("timedelta64"):
        return pd.array(numbers.view(f"m8[{unit}]"))
    series = pd.Series(numbers.view(f"M8[{unit}]"))
    if "," in dtype:
        series = series.dt.tz_localize("UTC").astype(dtype)
    return series.array


_ROWS: Final[dict[str, Callable[[Any, Encode, Writer], Any]]] = {
    "collections.Counter": _counter,
    "collections.defaultdict": _defaultdict,
    "numpy.ndarray": _array,
    "numpy.generic": _scalar,
    "pandas.Timestamp": _timestamp,
    "pandas.Timedelta": lambda value, encode, writer: tagged(
        "pandas-timedelta", [value.value, value.unit]
    ),
    "pandas.NAType": lambda value, encode, writer: tagged("na", 0),
    "pandas.NaTType": lambda value, encode, writer: tagged("nat", 0),
    "pandas.DataFrame": _frame,
    "pandas.Series": _series,
    "pandas.RangeIndex": _range_index,
    "pandas.MultiIndex": _multi_index,
    "pandas.Index": _index,
    "pandas.Categorical": _categorical,
    "pandas.ExtensionArray": _extension,
}
_OF_CLASSES: Final[dict[str, Callable[[Any, str], Any]]] = {
    "object": made,
    "member": member,
}
_WITH_SUBCLASSES: Final = frozenset(
    ("numpy.generic", "pandas.Index", "pandas.ExtensionArray")
)
_BACK: Final[dict[str, Callable[[Any], Any]]] = {
    "counter": Counter,
    "defaultdict": _back_defaultdict,
    "numpy": _numpy,
    "objects": _objects,
    "timestamp": lambda of: _pandas().Timestamp(of[0], tz=of[2]).as_unit(of[1]),
    "pandas-timedelta": lambda of: _pandas().Timedelta(of[0]).as_unit(of[1]),
    "na": lambda _: _pandas().NA,
    "nat": lambda _: _pandas().NaT,
    "frame": lambda of: _with_freq(of[0], of[1]),
    "columns": _back_frame,
    "series": _back_series,
    "index": _back_index,
    "range-index": lambda of: _pandas().RangeIndex(of[1], name=of[0]),
    "multi-index": lambda of: _pandas().MultiIndex(of[0], codes=of[1], names=of[2]),
    "categorical": lambda of: _pandas().Categorical.from_codes(
        of[0], categories=of[1], ordered=of[2]
    ),
    "extension": lambda of: _pandas().array(of[1], dtype=of[0]),
    "plain-array": lambda of: of,
    "ticks": _back_ticks,
}
