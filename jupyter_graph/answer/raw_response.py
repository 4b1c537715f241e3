"""An answer as it travels: bytes, a status, a content type and headers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from jupyter_graph.errors import AnswerError
from jupyter_graph.values.decode import decode_payload

TEXT: Final = "text/plain; charset=utf-8"


@dataclass(slots=True)
class RawResponse:
    """What leaves a function; the same in the notebook, the host and Nuclio."""

    payload: bytes = b""
    status_code: int = 200
    content_type: str = TEXT
    headers: dict[str, str] = field(default_factory=dict)

    def decoded(self) -> Any:
        r"""Return the value that a caller reads from it.

        >>> RawResponse(b'{"a": 1}', content_type="application/json").decoded()
        {'a': 1}
        >>> RawResponse(b'1\n2\n', content_type="application/x-ndjson").decoded()
        [1, 2]
        """
        return decode_payload(self.payload, self.content_type)


def to_text(value: str, charset: str, path: str = "answer") -> bytes:
    """Return the bytes of a text in a charset.

    Raises:
        AnswerError: the charset is not known or has no such character.
    """
    try:
        return value.encode(charset)
    except UnicodeEncodeError as error:
        character = f"character {error.start} of the text"
        raise AnswerError(f"{path}: {character} does not exist in {charset}") from None
    except (LookupError, ValueError):
        raise AnswerError(f"{path}: unknown charset {charset!r}") from None
