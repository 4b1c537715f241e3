"""What the attributes of a class are right after its definition."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from types import CodeType
from typing import Any

from jupyter_graph.cells.scope.bindings import set_by
from jupyter_graph.cells.scope.program import Statement
from jupyter_graph.cells.shipping.bytecode import same_code
from jupyter_graph.cells.shipping.evaluator import Evaluator
from jupyter_graph.cells.shipping.shipping_analysis import ShippingAnalysis
from jupyter_graph.cells.shipping.unchanged import UNSURE, Expected, ensure, tried
from jupyter_graph.cells.syntax import ASSIGNMENT, FUNCTION, targets_of

_WRAPPED = ("__init_subclass__", "__class_getitem__", "__new__")  # by Python itself


class _MethodCode(Expected):
    """A method with one of these codes; its class may be among its closure."""

    def __init__(self, codes: list[CodeType]) -> None:
        self.codes = codes

    def matches(self, live: Any) -> bool:
        own = getattr(live, "__code__", None)
        return own is not None and any(same_code(own, code) for code in self.codes)


def class_attributes(
    analysis: ShippingAnalysis, node: ast.ClassDef, statement: Statement
) -> dict[str, Any]:
    """Return attribute → what it is right after the definition, or ``UNSURE``."""
    bytecode = analysis.names.bytecode
    methods = _method_codes(bytecode.of(node, statement))
    attributes: dict[str, Any] = {}

    def look(name: str) -> Any:
        if name not in attributes:
            return analysis.expected(name, statement.index)
        ensure(attributes[name] is not UNSURE, name)
        return attributes[name]

    evaluator = Evaluator(
        look, lambda part: bytecode.of(part, statement), analysis.calls.result
    )
    for part in node.body:
        if isinstance(part, FUNCTION):
            is_plain = not part.decorator_list and part.name not in _WRAPPED
            known = is_plain and part.name in methods
            attributes[part.name] = _MethodCode(methods[part.name]) if known else UNSURE
        elif isinstance(part, ASSIGNMENT):
            attributes.update(_assigned(part, evaluator))
        else:
            attributes.update(dict.fromkeys(_names_set(part), UNSURE))
    return attributes


def _assigned(part: ast.Assign | ast.AnnAssign, evaluator: Evaluator) -> dict[str, Any]:
    if part.value is None:
        return {}
    is_plain = all(isinstance(target, ast.Name) for target in targets_of(part))
    value = tried(evaluator.value, part.value) if is_plain else UNSURE
    return dict.fromkeys(_names_set(part), value)


def _names_set(part: ast.AST) -> list[str]:
    return [name for node in ast.walk(part) for name in set_by(node)]


def _method_codes(bodies: Iterable[CodeType]) -> dict[str, list[CodeType]]:
    methods: dict[str, list[CodeType]] = {}
    for body in bodies:
        for code in body.co_consts:
            if isinstance(code, CodeType):
                methods.setdefault(code.co_name, []).append(code)
    return methods
