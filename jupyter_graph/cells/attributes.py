"""What the attributes of a class are right after its definition."""

from __future__ import annotations

import ast
import sys
from typing import TYPE_CHECKING, Any

from jupyter_graph.cells.evaluate import Evaluator, NotPlain
from jupyter_graph.cells.expected import Expected, inner_code, same_code

if TYPE_CHECKING:
    from types import CodeType

    from jupyter_graph.cells.judge import Judge
    from jupyter_graph.cells.program import Statement


class _Unknown(Expected):
    """An attribute whose first value cannot be told from the text."""

    def is_met_by(self, live: Any) -> bool:
        return True


UNKNOWN = _Unknown()
_WRAPPED = ("__init_subclass__", "__class_getitem__", "__new__")  # by Python itself


class _MethodCode(Expected):
    """A method with this code; its class may be among its closure."""

    def __init__(self, code: CodeType) -> None:
        self.code = code

    def is_met_by(self, live: Any) -> bool:
        code = getattr(live, "__code__", None)
        return code is not None and same_code(code, self.code)


def class_attributes(
    judge: Judge, node: ast.ClassDef, statement: Statement
) -> dict[str, Any]:
    """Give attribute → what it is right after the definition, or ``UNKNOWN``."""
    codes = _method_codes(node, statement)
    found: dict[str, Any] = {}

    def look(name: str) -> Any:
        if name not in found:
            return judge.expected(name, statement.index)
        if found[name] is UNKNOWN:
            raise NotPlain(name)
        return found[name]

    evaluator = Evaluator(look, judge.build)
    for part in node.body:
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            is_plain = not part.decorator_list and part.name not in _WRAPPED
            known = is_plain and part.name in codes
            found[part.name] = _MethodCode(codes[part.name]) if known else UNKNOWN
        elif isinstance(part, ast.Assign | ast.AnnAssign):
            found.update(_assigned(part, evaluator))
        else:
            found.update(dict.fromkeys(_names_set(part), UNKNOWN))
    return found


def _assigned(part: ast.Assign | ast.AnnAssign, evaluator: Evaluator) -> dict[str, Any]:
    targets = part.targets if isinstance(part, ast.Assign) else [part.target]
    if part.value is None:
        return {}
    try:
        value = evaluator.value(part.value)
    except NotPlain:
        value = UNKNOWN
    if all(isinstance(target, ast.Name) for target in targets):
        return dict.fromkeys(_names_set(part), value)
    return dict.fromkeys(_names_set(part), UNKNOWN)


def _names_set(part: ast.AST) -> list[str]:
    names = [getattr(part, "name", None)]
    for node in ast.walk(part):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.append(node.id)
        elif isinstance(node, ast.alias):
            names.append(node.asname or node.name.partition(".")[0])
    return [name for name in names if name]


def _method_codes(node: ast.ClassDef, statement: Statement) -> dict[str, CodeType]:
    flags = 0
    for future in statement.futures:
        flags |= getattr(sys.modules["__future__"], future).compiler_flag
    bare = ast.ClassDef(**{**dict(ast.iter_fields(node)), "decorator_list": []})
    module = ast.Module([ast.copy_location(bare, node)], [])
    try:
        code = compile(module, "<cell>", "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return {}
    body = next(c for c in inner_code(code) if c.co_name == node.name)
    inner = (c for c in body.co_consts if hasattr(c, "co_name"))
    return {c.co_name: c for c in inner}
