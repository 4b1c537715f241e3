"""Which endpoints a method and a path belong to, the closest one first."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from jupyter_graph.frontend.endpoints import METHODS, PARAMETER, Endpoint

_LONGEST: Final = 4096  # characters of a path that parameters are looked for in


class Match(NamedTuple):
    """The endpoints of a request, and the values of the first one's parameters."""

    endpoints: tuple[Endpoint, ...]
    parameters: dict[str, str]


class Routes:
    """The endpoints of an API handler, ready for look-ups.

    An exact path goes before one with parameters, that before ``*``, and a longer
    prefix before a shorter one. Every ``*`` above a path belongs to it: it does not
    decide, but its body mappings hold.

    >>> routes = Routes([Endpoint("/users/{id}", "GET"), Endpoint("/*", "GET")])
    >>> match = routes.find("GET", "/users/7")
    >>> [endpoint.path for endpoint in match.endpoints], match.parameters
    (['/users/{id}', '/*'], {'id': '7'})
    """

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._exact: dict[tuple[str, str], Endpoint] = {}
        self._templates: dict[
            tuple[str, int], list[tuple[re.Pattern[str], Endpoint]]
        ] = {}
        self._stars: dict[str, list[tuple[str, Endpoint]]] = {}
        for one in endpoints:
            if one.prefix is not None:
                self._stars.setdefault(one.http_method, []).append((one.prefix, one))
            elif one.parameters:
                # A parameter holds no slash, so only paths of as many parts can match.
                place = one.http_method, one.path.count("/")
                self._templates.setdefault(place, []).append((_pattern(one.path), one))
            else:
                self._exact[one.http_method, one.path] = one
        for stars in self._stars.values():
            stars.sort(key=lambda star: -len(star[0]))

    def find(self, method: str, path: str) -> Match | None:
        """Return the endpoints of a request, None where there is none."""
        exact = self._exact.get((method, path))
        endpoints = [] if exact is None else [exact]
        parameters: dict[str, str] = {}
        if exact is None and len(path) <= _LONGEST:
            for pattern, endpoint in self._templates.get((method, path.count("/")), ()):
                if match := pattern.fullmatch(path):
                    parameters = parameters if endpoints else match.groupdict()
                    endpoints.append(endpoint)
        whole = path if path.endswith("/") else f"{path}/"
        for prefix, endpoint in self._stars.get(method, ()):
            if len(whole) > len(prefix) and whole.startswith(prefix):
                endpoints.append(endpoint)
        return Match(tuple(endpoints), parameters) if endpoints else None

    def methods(self, path: str) -> tuple[str, ...]:
        """Return the methods that a path takes."""
        return tuple(method for method in METHODS if self.find(method, path))


def _pattern(path: str) -> re.Pattern[str]:
    parts = PARAMETER.split(path)
    parts[::2] = map(re.escape, parts[::2])
    parts[1::2] = [f"(?P<{name}>[^/]+)" for name in parts[1::2]]
    return re.compile("".join(parts))
