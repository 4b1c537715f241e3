"""What the attributes of a class are right after its definition."""

from __future__ import annotations

import ast
from types import CodeType
from typing import TYPE_CHECKING, Any

from jupyter_graph.cells.shipping.evaluate import Evaluator
from jupyter_graph.cells.shipping.stand_ins import NotPlain
from jupyter_graph.cells.shipping.unchanged import Expected, same_code

if TYPE_CHECKING:
    from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
    from jupyter_graph.cells.slice.program import Statement


class _Unknown(Expected):
    """An attribute whose first value cannot be told from the text."""

    def is_met_by(self, live: Any) -> bool:
        return True


UNKNOWN = _Unknown()
_WRAPPED = ("__init_subclass__", "__class_getitem__", "__new__")  # by Python itself


class _MethodCode(Expected):
    """A method with one of these codes; its class may be among its closure."""

    def __init__(self, codes: list[CodeType]) -> None:
        self.codes = codes

    def is_met_by(self, live: Any) -> bool:
        own = getattr(live, "__code__", None)
        return own is not None and any(same_code(own, code) for code in self.codes)


def class_attributes(
    judge: ShippingAnalysis, node: ast.ClassDef, statement: Statement
) -> dict[str, Any]:
    """Return attribute → what it is right after the definition, or ``UNKNOWN``."""
    codes = _method_codes(judge, node, statement)
    found: dict[str, Any] = {}

    def look(name: str) -> Any:
        if name not in found:
            return judge.expected(name, statement.index)
        if found[name] is UNKNOWN:
            raise NotPlain(name)
        return found[name]

    evaluator = Evaluator(
        look, lambda part: judge.codes.of(part, statement), judge.build
    )
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


def _method_codes(
    judge: ShippingAnalysis, node: ast.ClassDef, statement: Statement
) -> dict[str, list[CodeType]]:
    found: dict[str, list[CodeType]] = {}
    for body in judge.codes.of(node, statement):
        for code in body.co_consts:
            if isinstance(code, CodeType):
                found.setdefault(code.co_name, []).append(code)
    return found
