"""Safe file formats for arrays, frames and models; each says what it needs."""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from jupyter_graph.errors import ValueShipError
from jupyter_graph.values.json_rules import names_of

NOTEBOOK: Final = "__main__"
"""The module of what a notebook defines."""

_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip archive knows


@dataclass(frozen=True, slots=True)
class Content:
    """One file: its bytes, and what reading them back takes."""

    format: str
    data: bytes
    imports: tuple[str, ...]
    types: tuple[str, ...] = ()


def format_of(value: Any) -> str | None:
    """Return the format of a value by the names of its bases; None when none fits.

    >>> format_of(object()) is None
    True
    """
    return next(filter(None, map(_FORMATS.get, names_of(type(value)))), None)


def write(value: Any, kind: str) -> Content:
    """Return the file of a value.

    Raises:
        ValueShipError: the format cannot hold it, or its package is missing.
    """
    return _FILES[kind][0](value)


def read(
    kind: str, data: bytes, types: tuple[str, ...], *, main: str = NOTEBOOK
) -> Any:
    """Return the value of a file; nothing in it is run but a pickle.

    Args:
        kind: the format.
        data: the bytes of the file.
        types: the types that its reading may make.
        main: the module that holds what the notebook defines.
    """
    if kind == "pickle":
        return _Unpickler(io.BytesIO(data), main).load()
    if kind == "skops" and main != NOTEBOOK:
        data, types = _of_module(data, types, main)
    return _FILES[kind][1](data, types)


class _Unpickler(pickle.Unpickler):
    """Reads a pickle whose classes of the notebook stand in another module here."""

    def __init__(self, file: io.BytesIO, main: str) -> None:
        super().__init__(file)
        self._main = main

    def find_class(self, module: str, name: str) -> Any:
        return super().find_class(self._main if module == NOTEBOOK else module, name)


def _of_module(
    data: bytes, types: tuple[str, ...], main: str
) -> tuple[bytes, tuple[str, ...]]:
    """Return an archive of skops with the notebook's classes from another module."""

    def moved(node: dict[str, Any]) -> dict[str, Any]:
        if node.get("__module__") == NOTEBOOK:
            node["__module__"] = main
        return node

    prefix = f"{NOTEBOOK}."
    if not any(name.startswith(prefix) for name in types):
        return data, types
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "schema.json":
                schema = json.loads(content, object_hook=moved)
                content = json.dumps(schema).encode()
            new.writestr(entry, content)
    shown = (name.removeprefix(prefix) for name in types if name.startswith(prefix))
    others = (name for name in types if not name.startswith(prefix))
    return buffer.getvalue(), (*others, *(f"{main}.{name}" for name in shown))


def _write_npy(value: Any) -> Content:
    import numpy as np

    if value.dtype.hasobject or type(value) is not np.ndarray:
        raise ValueShipError(f"an array of {value.dtype} has no safe file format")
    buffer = io.BytesIO()
    np.save(buffer, _without_gaps(value), allow_pickle=False)
    return Content("npy", buffer.getvalue(), ("numpy",))


def _without_gaps(value: Any) -> Any:
    """Return a structured array whose padding is zero, not what memory held."""
    if not (names := value.dtype.names):
        return value
    import numpy as np

    clean = np.zeros(value.shape, value.dtype)
    for name in names:
        clean[name] = value[name]
    return clean


def _read_npy(data: bytes, _: tuple[str, ...]) -> Any:
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def _write_parquet(value: Any) -> Content:
    import pyarrow as pa
    import pyarrow.parquet as pq

    buffer = io.BytesIO()
    try:
        pq.write_table(pa.Table.from_pandas(value), buffer)
    except (pa.ArrowException, ValueError, TypeError, OverflowError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueShipError(f"a frame that Parquet cannot hold: {reason}") from None
    return Content("parquet", buffer.getvalue(), ("pandas", "pyarrow"))


def _read_parquet(data: bytes, _: tuple[str, ...]) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(io.BytesIO(data)).to_pandas()


def _write_skops(value: Any) -> Content:
    sio = _skops()
    try:
        raw = sio.dumps(value)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise ValueShipError(f"skops cannot save it: {reason}") from error
    # Recorded with the bundle: loading trusts these types of the file and no others.
    types = tuple(sorted(sio.get_untrusted_types(data=raw)))
    data, modules = rewrite_skops(raw)
    roots = {module.partition(".")[0] for module in modules} - {"builtins", NOTEBOOK}
    return Content("skops", data, tuple(sorted(roots | {"skops"})), types)


def _read_skops(data: bytes, types: tuple[str, ...]) -> Any:
    return _skops().loads(data, trusted=list(types))


def _skops() -> Any:
    try:
        import skops.io
    except ImportError:
        raise ValueShipError(
            "it needs skops, which is not installed; "
            'pip install "jupyter_graph[sklearn]"'
        ) from None
    return skops.io


def rewrite_skops(raw: bytes) -> tuple[bytes, set[str]]:
    """Return an archive without memory addresses and times, and the modules it names.

    skops 0.16 names files and objects by ``id()``; here they are numbered in the order
    in which they appear, so that the same value gives the same bytes.
    """
    numbers: dict[int, int] = {}
    files: dict[str, str] = {}
    modules: set[str] = set()

    def renamed(node: dict[str, Any]) -> dict[str, Any]:
        if isinstance(node.get("__module__"), str):
            modules.add(node["__module__"])
        if isinstance(node.get("__id__"), int):
            node["__id__"] = numbers.setdefault(node["__id__"], len(numbers) + 1)
        if isinstance(name := node.get("file"), str):
            tail = name.rpartition(".")[2]
            node["file"] = files.setdefault(name, f"{len(files) + 1}.{tail}")
        return node

    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        schema = json.loads(archive.read("schema.json"), object_hook=renamed)
        contents = [(new, _clean(new, archive.read(old))) for old, new in files.items()]
    contents.append(("schema.json", json.dumps(schema, indent=1).encode()))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in contents:
            archive.writestr(zipfile.ZipInfo(name, _EPOCH), data)
    return buffer.getvalue(), modules


def _clean(name: str, data: bytes) -> bytes:
    if not name.endswith(".npy"):
        return data
    array = _read_npy(data, ())
    return _write_npy(array).data if array.dtype.names else data


def skops_content(data: bytes) -> Any:
    """Return the content of an archive without the numbers of its objects."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:

        def read(node: dict[str, Any]) -> dict[str, Any]:
            # Which objects are one object differs between a value and its copy.
            node.pop("__id__", None)
            if isinstance(node.get("file"), str):
                node["file"] = archive.read(node["file"])
            return node

        return json.loads(archive.read("schema.json"), object_hook=read)


def pickled(value: Any) -> Content:
    """Return a pickle; only for a value whose owner asked for it by name.

    Raises:
        ValueShipError: it cannot be pickled.
    """
    try:
        data = pickle.dumps(value, protocol=5)
    except Exception as error:
        raise ValueShipError(f"it cannot even be pickled: {error}") from error
    kind = type(value)
    root = kind.__module__.partition(".")[0]
    # what loading needs; what the notebook defines ships with its code
    imports = () if root in ("builtins", NOTEBOOK) else (root,)
    return Content("pickle", data, imports, (f"{kind.__module__}.{kind.__name__}",))


def _write_xgboost(value: Any) -> Content:
    return Content("xgboost", bytes(value.save_raw("ubj")), ("xgboost",))


def _read_xgboost(data: bytes, _: tuple[str, ...]) -> Any:
    import xgboost

    return xgboost.Booster(model_file=bytearray(data))


def _write_lightgbm(value: Any) -> Content:
    return Content("lightgbm", value.model_to_string().encode(), ("lightgbm",))


def _read_lightgbm(data: bytes, _: tuple[str, ...]) -> Any:
    import lightgbm

    return lightgbm.Booster(model_str=data.decode())


_FORMATS: Final = {
    "numpy.ndarray": "npy",
    "pandas.DataFrame": "parquet",
    "sklearn.BaseEstimator": "skops",
    "scipy.spmatrix": "skops",
    "scipy.sparray": "skops",
    "xgboost.Booster": "xgboost",
    "lightgbm.Booster": "lightgbm",
}
_Write = Callable[[Any], Content]
_Read = Callable[[bytes, tuple[str, ...]], Any]
_FILES: Final[dict[str, tuple[_Write, _Read]]] = {
    "npy": (_write_npy, _read_npy),
    "parquet": (_write_parquet, _read_parquet),
    "skops": (_write_skops, _read_skops),
    "xgboost": (_write_xgboost, _read_xgboost),
    "lightgbm": (_write_lightgbm, _read_lightgbm),
}
"""How each format is written and read; a pickle is written by ``pickled`` alone."""
