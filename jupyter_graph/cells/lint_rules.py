"""The rules of ``lint``, one function each."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from jupyter_graph.cells.scope.usage import chain_of
from jupyter_graph.cells.shipping.captured_values import shippable, size_of
from jupyter_graph.cells.shipping.fragments import Fragment
from jupyter_graph.cells.shipping.literal_rules import reads_environment
from jupyter_graph.cells.shipping.secret_text import is_secret
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.syntax import ASSIGNMENT, DEFINITION, IMPORT, bound_by

_BLOCKING = (
    "time.sleep", "os.system", "os.popen", "builtins.input", "subprocess.*",
    "requests.*", "urllib.request.urlopen", "socket.create_connection",
)  # fmt: skip
_READERS = (
    "builtins.open", "io.open", "numpy.load", "numpy.loadtxt", "numpy.genfromtxt",
    "joblib.load", "torch.load", "pandas.read_*", "sqlite3.connect",
    "polars.read_*", "polars.scan_*", "pyarrow.parquet.read_table", "skops.io.load",
)  # fmt: skip
_PATH_READERS = ("read_text", "read_bytes", "open")
_MUTATORS = frozenset(
    ("add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop",
     "popitem", "popleft", "remove", "setdefault", "update", "write")
)  # fmt: skip


@dataclass(frozen=True)
class Hint:
    """What a rule found in an fragment; no line means the fragment's own."""

    severity: Literal["warning", "note"]
    message: str
    fix: str | None = None
    line: int | None = None


Hints = Iterator[tuple[Fragment, Hint]]
Rule = Callable[[Sequence[Fragment], ShippingAnalysis], Hints]


def async_steps_do_not_block(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis
) -> Hints:
    for fragment in _async_code(fragments):
        for call in _calls_awaited_alone(fragment.node):
            name = _called(call, fragment, analysis)
            if name is not None and _matches(name, _BLOCKING):
                message = (
                    f"{name} blocks the event loop that all events of the worker share"
                )
                better = "sleep(...)" if name == "time.sleep" else "to_thread(...)"
                fix = f"`await asyncio.{better}`, or a plain function with --blocking"
                yield fragment, Hint("warning", message, fix, call.lineno)


def values_are_named(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis
) -> Hints:
    for fragment in fragments:
        for name in sorted(fragment.binds) if fragment.kind == "value" else ():
            live = shippable(analysis.names.values[name])
            kind = type(live).__name__
            message = f"{name!r} ships as a value: {kind}, about {size_of(live)}"
            yield fragment, Hint("note", message)


def changed_constants_are_named(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis
) -> Hints:
    for fragment in fragments:
        node = fragment.node if fragment.kind == "value" else None
        if fragment.statement is None or not isinstance(node, ASSIGNMENT):
            continue
        for name in sorted(fragment.binds):
            if analysis.is_written_plainly(name, fragment.statement, node):
                message = f"{name!r} was changed after this line; it ships as it is now"
                yield fragment, Hint("note", message)


def globals_are_not_written(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis
) -> Hints:
    state = {
        n for i in fragments if not _is_code(i) for n in i.binds if i.kind != "import"
    }
    for fragment in fragments:
        changes = fragment.statement.names.changes if fragment.statement else ()
        for change in changes if fragment.kind == "code" else ():
            method = change.chain[-1] if change.chain else ""
            is_call = change.how == "method"
            if change.depth == 0 or change.name not in state:
                continue
            if is_call and (method not in _MUTATORS or len(change.chain) > 1):
                continue
            message = (
                f"{change.name!r} is changed while events run: each worker has its "
                "own, and a restart forgets it"
            )
            fix = "keep state in a class step, or in a store outside"
            yield fragment, Hint("warning", message, fix, change.line)


def secrets_stay_outside(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis
) -> Hints:
    fix = "read it with `context.get_secret(...)` and deploy with --secret"
    for fragment in fragments:
        if fragment.kind == "value":
            for name in sorted(fragment.binds):
                if is_secret(name, analysis.names.values[name]):
                    yield (
                        fragment,
                        Hint("warning", f"{name!r} looks like a secret", fix),
                    )
        elif fragment.node is not None:
            for name, line in _secret_texts(fragment.node):
                message = f"the text for {name!r} looks like a secret"
                yield fragment, Hint("warning", message, fix, line)


def files_are_not_read(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis
) -> Hints:
    for fragment in fragments:
        for node in (
            ast.walk(fragment.node) if _is_code(fragment) and fragment.node else ()
        ):
            call = _read_call(node, fragment, analysis)
            path = _path_argument(call) if call is not None else None
            if path is None:
                continue
            message = f"{path!r} is a file of this machine; it does not ship"
            fix = "load it in the notebook and use the variable: that ships as a value"
            yield fragment, Hint("warning", message, fix, getattr(node, "lineno", None))


def environment_is_given(
    fragments: Sequence[Fragment], analysis: ShippingAnalysis
) -> Hints:
    for fragment in fragments:
        node, statement = fragment.node, fragment.statement
        if not isinstance(node, ASSIGNMENT) or statement is None:
            continue
        at = statement.index
        if fragment.kind == "code" and reads_environment(
            node,
            lambda part, at=at: analysis.names.dotted(part, at),  # type: ignore[misc]
        ):
            message = "this line reads an environment variable when the function starts"
            fix = "deploy with --env NAME=VALUE or --secret NAME=..."
            yield fragment, Hint("note", message, fix)


RULES: tuple[Rule, ...] = (
    async_steps_do_not_block,
    values_are_named,
    changed_constants_are_named,
    globals_are_not_written,
    secrets_stay_outside,
    files_are_not_read,
    environment_is_given,
)


def _is_code(fragment: Fragment) -> bool:
    return isinstance(fragment.node, DEFINITION)


def _async_code(fragments: Sequence[Fragment]) -> Iterator[Fragment]:
    """Yield coroutines, and the plain helpers that they call."""
    by_name = {n: i for i in fragments if _is_code(i) for n in i.binds}
    found: dict[Fragment, None] = {}
    waiting = [i for i in fragments if _is_code(i) and _has_coroutine(i.node)]
    while waiting:
        fragment = waiting.pop(0)
        if fragment in found:
            continue
        found[fragment] = None
        called = {u.name for u in fragment.uses if u.depth and u.called}
        waiting += [
            by_name[n]
            for n in sorted(called)
            if n in by_name and isinstance(by_name[n].node, ast.FunctionDef)
        ]
    yield from found


def _has_coroutine(node: Any) -> bool:
    return any(isinstance(part, ast.AsyncFunctionDef) for part in ast.walk(node))


def _calls_awaited_alone(node: Any) -> Iterator[ast.Call]:
    """Yield the calls that run on the loop: in a class only those of coroutines."""
    if isinstance(node, ast.ClassDef):
        parts = [p for p in node.body if isinstance(p, ast.AsyncFunctionDef)]
    else:
        parts = [node]
    for part in parts:
        for inner in ast.walk(part):
            if isinstance(inner, ast.Call):
                yield inner


def _called(
    call: ast.Call, fragment: Fragment, analysis: ShippingAnalysis
) -> str | None:
    root, _ = chain_of(call.func)
    if root is None:
        return None
    inside = _imports_inside(fragment.node)
    if root in inside and not isinstance(call.func, ast.Subscript):
        return ".".join((inside[root], *chain_of(call.func)[1]))
    return analysis.names.dotted(call.func, None)


def _imports_inside(node: Any) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in ast.walk(node):
        if isinstance(part, IMPORT):
            for alias in part.names:
                bound = bound_by(alias)
                module = getattr(part, "module", None)
                own = alias.name if alias.asname or module else bound
                found[bound] = f"{module}.{own}" if module else own
    return found


def _matches(name: str, table: Sequence[str]) -> bool:
    return any(
        name.startswith(row[:-1]) if row.endswith("*") else name == row for row in table
    )


def _read_call(
    node: ast.AST, fragment: Fragment, analysis: ShippingAnalysis
) -> ast.Call | None:
    """Return the call that names the file which an expression reads."""
    if not isinstance(node, ast.Call):
        return None
    if _matches(_called(node, fragment, analysis) or "", _READERS):
        return node
    method = node.func if isinstance(node.func, ast.Attribute) else None
    path = method.value if method and method.attr in _PATH_READERS else None
    if isinstance(path, ast.Call):
        return path if _called(path, fragment, analysis) == "pathlib.Path" else None
    return None


def _path_argument(node: ast.Call) -> str | None:
    """Return the first argument of a call when it is a path of this machine."""
    if not node.args:
        return None
    value = getattr(node.args[0], "value", None)
    if not isinstance(value, str) or not value or "://" in value:
        return None
    system = ("/dev/", "/proc/", "/etc/", "/tmp/", "/var/")
    return None if value.startswith(system) else value


def _secret_texts(node: ast.AST) -> Iterator[tuple[str, int]]:
    for part in ast.walk(node):
        pairs: list[tuple[str, ast.AST | None]] = []
        if isinstance(part, ast.Assign):
            pairs = [(_name(target), part.value) for target in part.targets]
        elif isinstance(part, ast.AnnAssign):
            pairs = [(_name(part.target), part.value)]
        elif isinstance(part, ast.keyword):
            pairs = [(part.arg or "", part.value)]
        elif isinstance(part, ast.Dict):
            keys = (str(getattr(key, "value", "")) for key in part.keys)
            pairs = list(zip(keys, part.values, strict=True))
        for name, value in pairs:
            text = getattr(value, "value", None) if value is not None else None
            if isinstance(value, ast.Constant) and is_secret(name, text):
                yield name or "an argument", value.lineno


def _name(target: ast.AST) -> str:
    root, chain = chain_of(target)
    return chain[-1] if chain else root or ""
