"""What imports bring: star imports, the notebook's own modules, dotted names."""

from __future__ import annotations

import ast
import importlib.util
import sys
import sysconfig
from collections.abc import Iterable, Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

from jupyter_graph.cells.scope.visitor import names_of

OURS = "jupyter_graph"


def exports(module: str, folder: Path) -> list[str]:
    """Return the names that ``from module import *`` brings.

    A module that is loaded tells them; of one beside the notebook the text is read;
    of the standard library it is loaded. Of anything else there are none.

    >>> "sqrt" in exports("math", Path())
    True
    """
    is_standard = module in sys.stdlib_module_names
    if is_standard and module not in sys.modules and not local_path(module, folder):
        importlib.import_module(module)
    loaded = sys.modules.get(module)
    listed = getattr(loaded, "__all__", None)
    if listed is not None:
        return sorted(listed)
    names = set(vars(loaded)) if loaded is not None else set[str]()
    if loaded is None and (path := local_path(module, folder)) is not None:
        names.update(*(names_of(statement).binds for statement in _parsed(path)))
    return sorted(name for name in names if not name.startswith("_"))


def _parsed(path: Path) -> list[ast.stmt]:
    try:
        return ast.parse(path.read_bytes()).body
    except (OSError, SyntaxError, ValueError):
        return []


def local_path(module: str, folder: Path) -> Path | None:
    """Return the file of a module that belongs to the user, None for installed ones.

    A package that is a folder without ``__init__.py`` is that folder, once imported.

    >>> local_path("json", Path()) is None
    True
    """
    top = module.partition(".")[0]
    if not top or top in (OURS, "__main__"):
        return None
    loaded = getattr(sys.modules.get(top), "__file__", None)
    if not loaded and (folder_of := _namespace(top)) is not None:
        return folder_of
    # A file named like a standard module is another's unless Python would take it.
    beside = (folder / f"{top}.py", folder / top / "__init__.py")
    for path in () if top in sys.stdlib_module_names else beside:
        if path.is_file() and (loaded is None or Path(loaded).samefile(path)):
            return _inside(path, module)
    spec = None if loaded else spec_of(top)
    origin = loaded or (spec.origin if spec and spec.has_location else None)
    if not origin or is_installed(Path(origin)):
        return None
    return _inside(Path(origin), module)


def _namespace(top: str) -> Path | None:
    """Return the folder of the user's that was imported as a package without a file."""
    folders = map(Path, getattr(sys.modules.get(top), "__path__", ()))
    return next(
        (one for one in folders if one.is_dir() and not is_installed(one)), None
    )


def _inside(top: Path, module: str) -> Path:
    parts = module.split(".")[1:]
    if not parts or top.name != "__init__.py":
        return top
    path = top.parent.joinpath(*parts)
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if file.is_file()), top)


def spec_of(top: str) -> ModuleSpec | None:
    """Return where a top-level module would be imported from, None for nowhere."""
    try:
        return importlib.util.find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None


def is_installed(path: Path) -> bool:
    """Tell whether a file belongs to Python or to an installed package."""
    path = path.resolve()
    if {"site-packages", "dist-packages"} & set(path.parts):
        return True
    roots = {sysconfig.get_path(n) for n in ("stdlib", "platstdlib", "purelib")}
    return any(path.is_relative_to(Path(root).resolve()) for root in roots if root)


def imported_modules(nodes: Iterable[ast.AST]) -> Iterator[str]:
    r"""Yield the modules that code imports, inside functions too.

    Imports under ``if TYPE_CHECKING`` are left out: they never run.

    >>> tree = ast.parse("import a.b, c\ndef f():\n    from d.e import g")
    >>> list(imported_modules([tree]))
    ['a.b', 'c', 'd.e']
    """
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            if not node.level and node.module and node.module != "__future__":
                yield node.module
        elif isinstance(node, ast.If) and _is_type_checking(node.test):
            yield from imported_modules(node.orelse)
        else:
            yield from _imported_by_call(node)
            yield from imported_modules(ast.iter_child_nodes(node))


def _is_type_checking(test: ast.expr) -> bool:
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def _imported_by_call(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call) or not node.args:
        return
    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
    module = str(getattr(node.args[0], "value", ""))
    if name in ("import_module", "__import__") and module and module[0] != ".":
        yield module


def local_modules(
    modules: Iterable[str], folder: Path
) -> tuple[dict[str, Path], set[str]]:
    """Split modules into the user's own files and the top names of all others.

    What the user's files import is followed.

    Returns:
        module name → path of its top module or package, and the other top names.
    """
    local: dict[str, Path] = {}
    others: set[str] = set()
    waiting = {module.partition(".")[0] for module in modules}
    while waiting:
        top = waiting.pop()
        path = local_path(top, folder)
        if path is None:
            others.add(top)
        else:
            local[top] = path
            waiting |= _imports_of(path) - {*local, *others}
    return dict(sorted(local.items())), others


def statements_of(path: Path) -> list[ast.stmt]:
    """Return the statements of a module's file, or of all files of a package."""
    root = path if path.is_dir() else path.parent
    is_package = path.is_dir() or path.name == "__init__.py"
    files = root.rglob("*.py") if is_package else [path]
    return [statement for file in files for statement in _parsed(file)]


def _imports_of(path: Path) -> set[str]:
    bodies = statements_of(path)
    return {module.partition(".")[0] for module in imported_modules(bodies)}
