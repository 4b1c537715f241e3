"""Values that travel with a function: saved in safe formats, checked before opened."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from jupyter_graph.errors import BundleError, ValueShipError
from jupyter_graph.values import file_formats, tagged_json
from jupyter_graph.values.equal import same
from jupyter_graph.values.tagged_pandas import Writer, decode

INDEX: Final = "index.json"
FOLDER: Final = "artifacts"


def save_value(
    name: str, value: Any, folder: Path, *, allow_pickle: bool = False
) -> dict[str, Any]:
    """Save a value into the folder and its index; return its entry.

    The same value makes the same bytes. What is written has been read back and
    compared: an equal object with equal types, or nothing is written.

    Args:
        name: the variable's name.
        value: any value; models, arrays and frames may stand inside containers.
        folder: the bundle's ``artifacts`` folder.
        allow_pickle: take pickle where no safe format fits.

    Returns:
        ``{"name", "format", "files": [{"file", "format", "sha256", "types"}], "sha256",
        "types", "imports"}``; the first file is the one to begin with.

    Raises:
        ValueShipError: no format restores an equal object; the text says what to do.
    """
    contents: dict[str, file_formats.Content] = {}
    stem = _stem(name)

    def add(content: file_formats.Content) -> str:
        ending = f"{len(contents)}.{content.format}" if contents else content.format
        contents[f"{stem}.{ending}"] = content
        return f"{stem}.{ending}"

    writer = Writer(add, allow_pickle=allow_pickle, objects=True)
    try:
        document = writer.encode(value)
        back = decode(
            document, lambda file: _opened(contents[file]), main=file_formats.NOTEBOOK
        )
        if not _is_same(value, back, contents):
            raise ValueShipError("what is read back is not equal to it")  # noqa: TRY301
    except (ValueShipError, tagged_json.NotTaggable) as error:
        raise _refusal(name, value, error, is_allowed=allow_pickle) from error
    if document != {tagged_json.TAG: "file", "of": next(iter(contents), None)}:
        text = json.dumps(document, indent=1, allow_nan=False).encode()
        contents = {f"{stem}.json": file_formats.Content("json", text, ()), **contents}
    entry = _entry(name, contents, writer.imports)
    _store(folder, entry, contents)
    return entry


def load_value(file: str, name: str) -> Any:
    """Return a value of the bundle in which ``file`` (its ``steps.py``) lies.

    Raises:
        BundleError: the value is missing, or its file is not the one that was saved.
    """
    folder = Path(file).resolve().parent / FOLDER
    try:
        entry = json.loads((folder / INDEX).read_bytes())[name]
    except (OSError, KeyError, ValueError) as error:
        raise BundleError(f"the bundle holds no value {name!r}: {error}") from None
    infos = {info["file"]: info for info in entry["files"]}
    main = _module_of(file)

    @cache  # one file may be named from several places of a value
    def read(file: str) -> Any:
        info = infos[file]
        data = _checked(folder, info)
        types = tuple(info["types"])
        return file_formats.read(info["format"], data, types, main=main)

    root = entry["files"][0]
    if root["format"] != "json":
        return read(root["file"])
    return decode(json.loads(_checked(folder, root)), read, main=main)


def _module_of(file: str) -> str:
    """Return the module whose file it is: it is being imported, so it is there."""
    for name, module in list(sys.modules.items()):
        if getattr(module, "__file__", None) == file and name != "__main__":
            return name
    return file_formats.NOTEBOOK


def requires(meta: Mapping[str, Any]) -> list[str]:
    """Return the import names that loading the value of an entry needs.

    >>> requires({"imports": ["numpy", "sklearn"]})
    ['numpy', 'sklearn']
    """
    return list(meta["imports"])


def _opened(content: file_formats.Content) -> Any:
    return file_formats.read(content.format, content.data, content.types)


def _is_same(value: Any, back: Any, contents: dict[str, file_formats.Content]) -> bool:
    """Compare; a pickled object has no equality that could be trusted but its type."""
    if any(content.format == "pickle" for content in contents.values()):
        return type(value) is type(back)
    return same(value, back)


def _checked(folder: Path, info: Mapping[str, Any]) -> bytes:
    """Read a file once and make sure that it is the one that was saved."""
    file = info["file"]
    path = folder / str(file)
    # The index is a file of the bundle: it may not lead anywhere else.
    if Path(file).name != file or path.is_symlink():
        raise BundleError(f"artifact {file!r} is not a plain file of the bundle")
    try:
        data: bytes = path.read_bytes()
    except OSError as error:
        raise BundleError(f"artifact {file!r} cannot be read: {error}") from None
    if hashlib.sha256(data).hexdigest() != info["sha256"]:
        raise BundleError(f"artifact {file!r} was changed after the bundle was built")
    return data


def _entry(
    name: str, contents: Mapping[str, file_formats.Content], imports: set[str]
) -> dict[str, Any]:
    files = [
        {
            "file": file,
            "format": content.format,
            "sha256": hashlib.sha256(content.data).hexdigest(),
            "types": list(content.types),
        }
        for file, content in contents.items()
    ]
    types = {kind for content in contents.values() for kind in content.types}
    return {
        "name": name,
        "format": files[0]["format"],
        "files": files,
        "sha256": files[0]["sha256"],
        "types": sorted(types),
        "imports": sorted(imports),
    }


def _store(
    folder: Path, entry: dict[str, Any], contents: Mapping[str, file_formats.Content]
) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file, content in contents.items():
        (folder / file).write_bytes(content.data)
    path = folder / INDEX
    index = json.loads(path.read_bytes()) if path.exists() else {}
    index[entry["name"]] = entry
    text = json.dumps(index, indent=1, sort_keys=True) + "\n"
    path.write_text(text, encoding="utf-8")


def _stem(name: str) -> str:
    """Return a file name that no other variable has, also where case is not seen."""
    if name.isascii() and name == name.lower():
        return name
    return f"{name.lower()}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _can_be_pickled(value: Any) -> bool:
    """Return whether a pickle of a value would be read where the code has shipped."""
    if isinstance(value, type):
        return False  # a class comes as code, or its name is nowhere
    try:
        file_formats.pickled(value)
    except ValueShipError:
        return False
    return True


def _refusal(
    name: str, value: Any, error: Exception, *, is_allowed: bool
) -> ValueShipError:
    where = getattr(error, "where", "")
    kind = getattr(error, "kind", type(value))
    advice = "make it inside the step (in __init__, or where it is used)"
    # A pickle that cannot be made, or not be read there, is no way out.
    if not is_allowed and _can_be_pickled(value):
        advice += f", or allow pickle for it with --allow-pickle {name}"
    return ValueShipError(
        f"{name}{where} ({kind.__module__}.{kind.__qualname__}) cannot ship: {error}; "
        f"{advice}"
    )
