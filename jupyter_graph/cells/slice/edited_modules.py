"""The user's modules whose files say something else than what the kernel runs."""

from __future__ import annotations

import ast
import marshal
import os
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from jupyter_graph.cells.scope.imported_modules import local_modules
from jupyter_graph.cells.shipping.bytecode import inner_code, same_code

_HEADER = 16  # bytes before the code in a cache file of Python
_ATOMS = (bool, int, float, complex, str, bytes, type(None))


def edited_modules(modules: Iterable[str], folder: Path) -> dict[str, Path]:
    """Return the loaded local modules that were edited since, name → file.

    What local modules import counts too. Nothing is run or imported.

    Args:
        modules: names of modules, of installed ones too.
        folder: where modules are looked for first.
    """
    tops, _ = local_modules(modules, folder)
    return {
        name: path
        for name, module in sorted(sys.modules.items())
        if name.partition(".")[0] in tops
        and (path := _file(module)) is not None
        and is_edited(module, path)
    }


def is_older(name: str, node: ast.ImportFrom, live: Any) -> bool:
    """Tell whether an imported function or class is not its module's any more.

    Args:
        name: what the module calls it.
        node: the import.
        live: what was imported.
    """
    now = getattr(sys.modules.get(node.module or ""), name, live)
    return (
        isinstance(live, FunctionType | type)
        and type(now) is type(live)
        and now is not live
        and live.__module__ == now.__module__
        and live.__qualname__ == now.__qualname__
    )


def _file(module: Any) -> Path | None:
    path = Path(getattr(module, "__file__", None) or "")
    return path if path.suffix == ".py" and path.is_file() else None


def is_edited(module: ModuleType, path: Path) -> bool:
    """Tell whether a module's file compiles to other code than the module holds."""
    try:
        text = path.read_bytes()
        tree = ast.parse(text)
        code = compile(text, str(path), "exec", dont_inherit=True)
    except OSError:
        return False
    except (SyntaxError, ValueError):
        return True  # it was imported, so it was valid
    imported = _as_imported(module)
    if imported is not None and not same_code(imported, code):
        return True
    # The cache may be newer than the module: another process imported the file, too.
    return _has_other_functions(module, code) or _has_other_constants(module, tree)


def _as_imported(module: ModuleType) -> CodeType | None:
    """Return the code that Python kept beside the file when it imported the module.

    Where it does not write such files, one that is there may be of any age.
    """
    cached = getattr(module.__spec__, "cached", None)
    if sys.dont_write_bytecode or not cached or not os.access(cached, os.W_OK):
        return None
    try:
        code = marshal.loads(Path(cached).read_bytes()[_HEADER:])
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return code if isinstance(code, CodeType) else None


def _has_other_functions(module: ModuleType, code: CodeType) -> bool:
    """Tell whether a function of a module is not as its file has it, or not there."""
    known: dict[str, list[CodeType]] = defaultdict(list)
    for inner in inner_code(code):
        known[inner.co_qualname].append(inner)
    return not all(
        any(same_code(live, one) for one in known[live.co_qualname])
        for live in _code_of(module, module)
    )


def _code_of(owner: Any, module: ModuleType) -> Iterator[CodeType]:
    """Yield the code of the functions that a module or class defines in its file."""
    for value in list(vars(owner).values()):
        if isinstance(value, type):
            is_inside = value is not owner and value.__module__ == module.__name__
            of_owner = owner is module or value.__qualname__.startswith(
                f"{getattr(owner, '__qualname__', '')}."
            )
            yield from _code_of(value, module) if is_inside and of_owner else ()
            continue
        live = getattr(value, "fget", getattr(value, "__func__", value))
        for _ in range(10):  # decorators around it
            live = getattr(live, "__dict__", {}).get("__wrapped__", live)
        is_own = isinstance(live, FunctionType) and live.__globals__ is vars(module)
        # What dataclasses and the like write stands in no file.
        if is_own and live.__code__.co_filename == module.__file__:
            yield live.__code__


def _has_other_constants(module: ModuleType, tree: ast.Module) -> bool:
    """Tell whether a name that is set once, to a plain value, has another value."""
    names = [
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    ]
    changing = {
        name
        for node in ast.walk(tree)
        if isinstance(node, ast.Global)
        for name in node.names
    }
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        for target in node.targets:
            name = getattr(target, "id", "")
            live = vars(module).get(name, node.value.value)
            is_once = names.count(name) == 1 and name not in changing
            if (
                is_once
                and isinstance(live, _ATOMS)
                and repr(live) != repr(node.value.value)
            ):
                return True
    return False
