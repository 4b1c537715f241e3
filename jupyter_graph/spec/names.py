"""Which names steps, graphs and functions may have."""

from __future__ import annotations

import re
import unicodedata

from jupyter_graph.errors import SpecError

RESERVED = frozenset({"start", "graph", "$prev"})
LONGEST_NAME = 63
LONGEST_FUNCTION_NAME = 56  # 63 of Kubernetes less Nuclio's own prefix

_GRAPH = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
_SIGNS = str.maketrans(".-", "__")
_SIGNS_OF_ROUTES = str.maketrans(".-:", "___")
_FUNCTION = re.compile(r"[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\Z")


def step_name_problem(
    name: object, *, route: bool = False, in_document: bool = False
) -> str | None:
    """Return what is wrong with a step's name, None when it is fine.

    Its letters and digits are those of Python's identifiers: each function and class
    may be a step. In a document a step may be called ``start``: MLRun's often are.

    >>> step_name_problem("2nd")
    "a step's name starts with a letter or '_', got '2nd'"
    >>> step_name_problem("model:v2", route=True)
    """
    kind = "route" if route else "step"
    if not isinstance(name, str) or not name:
        return (
            f"a {kind}'s name is a text of 1 to {LONGEST_NAME} characters, got {name!r}"
        )
    if name in RESERVED and not (in_document and name == "start"):
        return f"{name!r} is reserved; choose another name for the {kind}"
    if len(name) > LONGEST_NAME:
        return (
            f"a {kind}'s name has at most {LONGEST_NAME} characters, "
            f"{name[:20] + '…'!r} has {len(name)}"
        )
    if not name[0].isidentifier():
        return f"a {kind}'s name starts with a letter or '_', got {name!r}"
    plain = name.translate(_SIGNS_OF_ROUTES if route else _SIGNS)
    # Joiners, which one does not see, are letters of names since Unicode 15.1.
    is_seen = not any(unicodedata.category(char) == "Cf" for char in name)
    if not (plain.isidentifier() and is_seen):
        signs = "'_', '.', '-' and ':'" if route else "'_', '.' and '-'"
        return f"a {kind}'s name holds letters, digits, {signs}, got {name!r}"
    usual = unicodedata.normalize("NFKC", name)
    if name != usual:  # Python's parser makes them of names, so a function has it
        return f"a {kind}'s name has letters in an unusual form: write {usual!r}"
    return None


def check_step_name(name: str, *, route: bool = False) -> str:
    """Return the name back, or raise a SpecError that says what is wrong with it."""
    return _fine(name, step_name_problem(name, route=route))


def _fine(name: str, problem: str | None) -> str:
    if problem:
        raise SpecError(problem)
    return name


def graph_name_problem(name: object) -> str | None:
    """Return what is wrong with a graph's name, None when it is fine.

    >>> graph_name_problem("graph")
    >>> graph_name_problem("my graph")
    "a graph's name holds letters, digits, '_', '.' and '-', got 'my graph'"
    """
    if name == "graph":  # only steps may not; a graph that nobody names is called so
        return None
    problem = step_name_problem(name)
    if problem is None and not _GRAPH.match(str(name)):
        return f"a graph's name holds ASCII letters and digits, got {name!r}"
    return problem and re.sub(r"\b(a|the) step\b", r"\1 graph", problem)


def check_graph_name(name: str) -> str:
    """Return the name back, or raise a SpecError that says what is wrong with it."""
    return _fine(name, graph_name_problem(name))


def graph_name(text: str) -> str:
    """Return the name of a graph that comes from a file of this name.

    >>> graph_name("01 Fraud-model"), graph_name("")
    ('_01_Fraud-model', 'graph')
    """
    name = re.sub(r"[^A-Za-z0-9_.\-]", "_", text)[: LONGEST_NAME - 1]
    if not (name[:1] == "_" or name[:1].isalpha()):
        name = f"_{name}" if name else "graph"
    return f"{name}_" if name == "start" else name


def function_name_problem(name: object) -> str | None:
    """Return what is wrong with a function's name, None when it is fine.

    >>> function_name_problem("fraud-model")
    """
    is_fine = isinstance(name, str) and _FUNCTION.match(name)
    if is_fine and len(name) <= LONGEST_FUNCTION_NAME:  # type: ignore[arg-type]
        return None
    return (
        "a function's name is 1 to 56 lower-case letters, digits and '-' "
        f"(a letter or digit at both ends), got {name!r}"
    )


def check_function_name(name: str) -> str:
    """Return the name back when a function may have it.

    Raises:
        SpecError: it is not 1 to 56 of ``a-z 0-9 -`` with a letter or digit at
            both ends.
    """
    return _fine(name, function_name_problem(name))


def function_name(graph_name: str) -> str:
    """Return the function name of a graph: lower case, ``-`` for other signs.

    >>> function_name("Fraud_model.v2")
    'fraud-model-v2'
    """
    kebab = re.sub(r"[^a-z0-9]+", "-", graph_name.lower()).strip("-")
    return kebab[:LONGEST_FUNCTION_NAME].strip("-")
