"""Bodies become what a step's annotation says."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any, is_typeddict

from jupyter_graph.errors import SpecError

Call = Callable[..., Any]


def with_typed_body(call: Call, hint: Any, step: str) -> Call:
    """Return a call whose body is made into what its annotation says.

    A body that does not fit is the caller's fault: pydantic's ``ValidationError``,
    which names the field, becomes a 422.

    Raises:
        SpecError: pydantic is not installed, or makes nothing of the annotation.
    """
    make = maker(hint, step)

    @functools.wraps(call)
    def typed(body: Any, *args: Any, **named: Any) -> Any:
        return call(make(body), *args, **named)

    return typed


def maker(hint: Any, step: str) -> Callable[[Any], Any]:
    """Return the function that makes a body, as ``with_typed_body`` does."""
    try:
        from pydantic import TypeAdapter
        from pydantic.errors import PydanticUserError
    except ImportError:
        raise SpecError(
            f"step {step!r} takes {name_of(hint)}, which pydantic makes of the body; "
            "pip install 'jupyter_graph[validate]'"
        ) from None
    try:
        made = modern(hint)
        validate: Callable[[Any], Any] = TypeAdapter(made).validate_python
    except PydanticUserError as error:
        raise SpecError(f"step {step!r} takes {name_of(hint)}: {error}") from None
    if not is_typeddict(hint):
        return validate

    def with_other_keys(body: Any) -> Any:
        """Keep what the type does not name: it goes on to the next step."""
        made = validate(body)
        return {**body, **made} if isinstance(body, dict) else made

    return with_other_keys


def modern(hint: Any) -> Any:
    """Return a TypedDict as pydantic takes it before Python 3.12, others as they are.

    It asks for that of ``typing_extensions``, which keeps what each class declares.
    """
    if sys.version_info >= (3, 12) or not is_typeddict(hint):
        return hint
    import typing_extensions as more

    fields = {
        name: more.Required[modern(kind)]
        if name in hint.__required_keys__
        else more.NotRequired[modern(kind)]
        for name, kind in more.get_type_hints(hint, include_extras=False).items()
    }
    return more.TypedDict(hint.__name__, fields)  # type: ignore[operator]


def name_of(hint: Any) -> str:
    """Return how messages call an annotation."""
    return repr(getattr(hint, "__name__", None) or str(hint))
