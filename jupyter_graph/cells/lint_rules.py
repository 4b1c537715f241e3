"""The rules of ``lint``, one function each."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import localtime, strftime
from typing import Any, Literal

from jupyter_graph.cells.scope.imported_modules import imported_modules
from jupyter_graph.cells.scope.usage import Change, chain_of
from jupyter_graph.cells.shipping.captured_values import shippable, size_of
from jupyter_graph.cells.shipping.fragments import Fragment, code_fragment
from jupyter_graph.cells.shipping.live_names import NamesInside
from jupyter_graph.cells.shipping.secret_text import is_secret
from jupyter_graph.cells.slice.dependency_walk import DependencyWalk
from jupyter_graph.cells.slice.edited_modules import edited_modules, is_older
from jupyter_graph.cells.slice.environment_reads import keys_read, keys_set
from jupyter_graph.cells.slice.left_out import left_out
from jupyter_graph.cells.syntax import (
    ASSIGNMENT,
    DEFINITION,
    targets_of,
)

_BLOCKING = (
    "time.sleep", "os.system", "os.popen", "builtins.input", "subprocess.*",
    "requests.*", "urllib.request.urlopen", "socket.create_connection",
)  # fmt: skip
_READERS = (
    "builtins.open", "io.open", "numpy.load", "numpy.loadtxt", "numpy.genfromtxt",
    "joblib.load", "torch.load", "pandas.read_*", "sqlite3.connect",
    "polars.read_*", "polars.scan_*", "pyarrow.parquet.read_table", "skops.io.load",
)  # fmt: skip
_ENDINGS = ("exit", "quit", "sys.exit", "os._exit", "os.abort")
_OF_SHELLS = ("PWD", "OLDPWD", "HOME", "PATH", "SHELL", "TERM", "LC_", "LANG", "JPY_")
_PATH_READERS = ("read_text", "read_bytes", "open")
_MUTATORS = frozenset(
    ("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop",
     "popitem", "popleft", "remove", "setdefault", "update", "write")
)  # fmt: skip


@dataclass(frozen=True)
class Hint:
    """What a rule found in a piece of code; no line means the piece's own."""

    severity: Literal["warning", "note"]
    message: str
    fix: str | None = None
    line: int | None = None


Hints = Iterator[tuple[Fragment, Hint]]
Rule = Callable[[DependencyWalk], Hints]


def async_steps_do_not_block(walk: DependencyWalk) -> Hints:
    for fragment in _async_code(walk):
        for call in _calls_awaited_alone(fragment.node):
            name = _called(call, fragment, walk)
            if name is not None and _matches(name, _BLOCKING):
                message = (
                    f"{name} blocks the event loop that all events of the worker share"
                )
                better = "sleep(...)" if name == "time.sleep" else "to_thread(...)"
                fix = f"`await asyncio.{better}`, or a plain function with --blocking"
                yield fragment, Hint("warning", message, fix, call.lineno)


def values_are_named(walk: DependencyWalk) -> Hints:
    for fragment, name in _values(walk):
        live = shippable(walk.names.values[name])
        kind = type(live).__name__
        message = f"{name!r} ships as a value: {kind}, about {size_of(live)}"
        yield fragment, Hint("note", message)


def changed_constants_are_named(walk: DependencyWalk) -> Hints:
    for fragment, name in _values(walk):
        node, statement = fragment.node, fragment.statement
        if statement is None or not isinstance(node, ASSIGNMENT):
            continue
        if walk.analysis.is_written_plainly(name, statement, node):
            message = f"{name!r} was changed after this line; it ships as it is now"
            yield fragment, Hint("note", message)


def globals_are_not_written(walk: DependencyWalk) -> Hints:
    fragments = walk.fragments.values()
    state = {
        name
        for fragment in fragments
        if fragment.kind != "import" and not _is_code(fragment)
        for name in fragment.binds
    }
    fix = "keep state in a class step, or in a store outside"
    for fragment in fragments:
        changes = fragment.statement.names.changes if fragment.statement else ()
        for change in changes if fragment.kind == "code" else ():
            if change.depth and change.name in state and _is_mutation(change):
                message = (
                    f"{change.name!r} is changed while events run: each worker has its "
                    "own, and a restart forgets it"
                )
                yield fragment, Hint("warning", message, fix, change.line)


def secrets_stay_outside(walk: DependencyWalk) -> Hints:
    fix = "read it with `context.get_secret(...)` and deploy with --secret"
    for fragment in walk.fragments.values():
        if fragment.kind == "value":
            for name in sorted(fragment.binds):
                if is_secret(name, walk.names.values[name]):
                    message = f"{name!r} looks like a secret"
                    yield fragment, Hint("warning", message, fix)
        elif fragment.node is not None:
            for name, line in _secret_texts(fragment.node):
                message = f"the text for {name!r} looks like a secret"
                yield fragment, Hint("warning", message, fix, line)


def files_are_not_read(walk: DependencyWalk) -> Hints:
    fix = "load it in the notebook and use the variable: that ships as a value"
    for fragment in walk.fragments.values():
        code = fragment.node if isinstance(fragment.node, DEFINITION) else ast.Pass()
        for node in ast.walk(code):
            path = _path_argument(_read_call(node, fragment, walk))
            if path is not None:
                message = f"{path!r} is a file of this machine; it does not ship"
                line = getattr(node, "lineno", None)
                yield fragment, Hint("warning", message, fix, line)


def environment_is_given(walk: DependencyWalk) -> Hints:
    shipped = list(walk.fragments.values())
    set_here = {key: one for one in shipped for key in keys_set(one, walk.names)}
    for key, fragment in set_here.items():
        message = f"the function has {key!r} as this line sets it"
        fix = f"for another value deploy with --env {key}=VALUE"
        yield fragment, Hint("note", message, fix)
    for fragment in shipped:
        for key, _, line in keys_read(fragment, walk.names):
            if key not in set_here:
                message = f"this line reads the environment variable {key!r}"
                fix = f"deploy with --env {key}=VALUE or --secret {key}=NAME/KEY"
                yield fragment, Hint("note", message, fix, line)


def texts_of_the_environment_are_read(walk: DependencyWalk) -> Hints:
    known = {
        value: name
        for name, value in os.environ.items()
        if len(value) >= 8 and not name.startswith(_OF_SHELLS)
    }
    fix = "read it with os.environ, and deploy with --env"
    for fragment in walk.fragments.values():
        nodes = ast.walk(fragment.node) if fragment.node is not None else ()
        texts = [
            (n.value, n.lineno)
            for n in nodes
            if isinstance(n, ast.Constant) and isinstance(n.value, str)
        ]
        if fragment.kind == "value":
            values = (walk.names.values[name] for name in sorted(fragment.binds))
            texts = [(v, fragment.line or 0) for v in values if isinstance(v, str)]
        for text, line in texts:
            if text in known:
                message = f"this text is what the variable {known[text]!r} holds here"
                yield fragment, Hint("note", message, fix, line)


def other_lines_are_left_out(walk: DependencyWalk) -> Hints:
    message = "this line ran here and is left out of the function"
    fix = "if a step needs what it does, do it in the step or in its __init__"
    for statement in left_out(walk.program, walk.fragments.values()):
        yield (
            code_fragment(statement, statement.node, ()),
            Hint("note", message, fix, statement.line),
        )


def the_worker_is_not_ended(walk: DependencyWalk) -> Hints:
    fix = "raise an error: then this event fails and no other"
    for fragment in walk.fragments.values():
        code = fragment.node if isinstance(fragment.node, DEFINITION) else ast.Pass()
        inside = NamesInside(code, walk.names)
        for node in ast.walk(code):
            if isinstance(node, ast.Call):
                name = (inside.dotted(node.func) or "").removeprefix("builtins.")
                if name in _ENDINGS:
                    message = f"{name}() ends the worker, and each event in it"
                    yield fragment, Hint("warning", message, fix, node.lineno)


def modules_are_as_imported(walk: DependencyWalk) -> Hints:
    fragments = walk.fragments.values() if walk.names.is_live else ()
    imports = {one: set(_imports(one)) for one in fragments}
    # All at once first: as a rule none was edited, and each file is read once.
    edited = edited_modules(set().union(*imports.values()), Path.cwd())
    for fragment, modules in imports.items():
        for module in edited_modules(modules, Path.cwd()) if edited else ():
            if (path := edited.pop(module, None)) is not None:
                yield fragment, _edited(module, path)


def _imports(fragment: Fragment) -> Iterator[str]:
    return imported_modules([] if fragment.node is None else [fragment.node])


def _edited(module: str, path: Path) -> Hint:
    when = strftime("%Y-%m-%d %H:%M:%S", localtime(path.stat().st_mtime))
    message = (
        f"module {module!r} was edited after its import ({path}, {when}): the "
        "notebook runs what it was, the function would get what it is now"
    )
    fix = (
        f"importlib.reload(sys.modules[{module!r}]) and run the cells again that "
        "import from it, or restart the kernel"
    )
    return Hint("warning", message, fix)


def imports_are_of_their_modules(walk: DependencyWalk) -> Hints:
    for fragment in walk.fragments.values() if walk.names.is_live else ():
        node = fragment.node
        if not isinstance(node, ast.ImportFrom):
            continue
        for alias in node.names:
            name = alias.asname or alias.name
            if is_older(alias.name, node, walk.names.values.get(name)):
                message = (
                    f"{name!r} is of {node.module!r} as it was before it was loaded "
                    "again; the function would get what it is now"
                )
                yield fragment, Hint("warning", message, "run this cell again")


RULES: tuple[Rule, ...] = (
    async_steps_do_not_block,
    values_are_named,
    changed_constants_are_named,
    globals_are_not_written,
    secrets_stay_outside,
    files_are_not_read,
    environment_is_given,
    texts_of_the_environment_are_read,
    other_lines_are_left_out,
    the_worker_is_not_ended,
    modules_are_as_imported,
    imports_are_of_their_modules,
)


def _is_code(fragment: Fragment) -> bool:
    return isinstance(fragment.node, DEFINITION)


def _values(walk: DependencyWalk) -> Iterator[tuple[Fragment, str]]:
    for fragment in walk.fragments.values():
        for name in sorted(fragment.binds) if fragment.kind == "value" else ():
            yield fragment, name


def _is_mutation(change: Change) -> bool:
    """Tell whether a change writes; of methods only some of containers do."""
    is_direct = len(change.chain) == 1 and change.chain[0] in _MUTATORS
    return change.how != "method" or is_direct


def _async_code(walk: DependencyWalk) -> Iterator[Fragment]:
    """Yield coroutines, and the plain helpers that they call."""
    code = [f for f in walk.fragments.values() if _is_code(f)]
    by_name = {name: fragment for fragment in code for name in fragment.binds}
    done: set[Fragment] = set()
    waiting = [fragment for fragment in code if _has_coroutine(fragment.node)]
    while waiting:
        fragment = waiting.pop(0)
        if fragment in done:
            continue
        done.add(fragment)
        yield fragment
        called = {u.name for u in fragment.uses if u.depth and u.called}
        waiting += [
            by_name[n]
            for n in sorted(called)
            if n in by_name and isinstance(by_name[n].node, ast.FunctionDef)
        ]


def _has_coroutine(node: Any) -> bool:
    return any(isinstance(part, ast.AsyncFunctionDef) for part in ast.walk(node))


def _calls_awaited_alone(node: Any) -> Iterator[ast.Call]:
    """Yield the calls that run on the loop: in a class only those of coroutines."""
    parts = [node]
    if isinstance(node, ast.ClassDef):
        parts = [p for p in node.body if isinstance(p, ast.AsyncFunctionDef)]
    inside = (inner for part in parts for inner in ast.walk(part))
    yield from (inner for inner in inside if isinstance(inner, ast.Call))


def _called(call: ast.Call, fragment: Fragment, walk: DependencyWalk) -> str | None:
    """Return the full name of what is called, by the imports in the code and around."""
    assert fragment.node is not None
    return NamesInside(fragment.node, walk.names).dotted(call.func)


def _matches(name: str, table: Sequence[str]) -> bool:
    return any(
        name.startswith(row[:-1]) if row.endswith("*") else name == row for row in table
    )


def _read_call(
    node: ast.AST, fragment: Fragment, walk: DependencyWalk
) -> ast.Call | None:
    """Return the call that names the file which an expression reads."""
    if not isinstance(node, ast.Call):
        return None
    if _matches(_called(node, fragment, walk) or "", _READERS):
        return node
    method = node.func if isinstance(node.func, ast.Attribute) else None
    path = method.value if method and method.attr in _PATH_READERS else None
    if isinstance(path, ast.Call):
        return path if _called(path, fragment, walk) == "pathlib.Path" else None
    return None


def _path_argument(node: ast.Call | None) -> str | None:
    """Return the first argument of a call when it is a path of this machine."""
    value = getattr(node.args[0], "value", None) if node and node.args else None
    if not isinstance(value, str) or not value or "://" in value:
        return None
    system = ("/dev/", "/proc/", "/etc/", "/tmp/", "/var/")
    return None if value.startswith(system) else value


def _secret_texts(node: ast.AST) -> Iterator[tuple[str, int]]:
    for part in ast.walk(node):
        pairs: list[tuple[str, ast.AST | None]] = []
        if isinstance(part, ASSIGNMENT):
            pairs = [(_name(target), part.value) for target in targets_of(part)]
        elif isinstance(part, ast.keyword):
            pairs = [(part.arg or "", part.value)]
        elif isinstance(part, ast.Dict):
            keys = (str(getattr(key, "value", "")) for key in part.keys)
            pairs = list(zip(keys, part.values, strict=True))
        for name, value in pairs:
            if isinstance(value, ast.Constant) and is_secret(name, value.value):
                yield name or "an argument", value.lineno


def _name(target: ast.AST) -> str:
    root, chain = chain_of(target)
    return chain[-1] if chain else root or ""
