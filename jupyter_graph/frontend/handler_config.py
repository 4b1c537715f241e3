"""The configuration of an API handler: its endpoints, and the rules among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from jupyter_graph.errors import SpecError
from jupyter_graph.frontend.endpoints import PARAMETER, Endpoint


@dataclass(frozen=True, slots=True)
class ApiHandlerConfig:
    """All endpoints of a function.

    Args:
        endpoints: the endpoints.
        enabled: False lets every request through, as if there were no API handler.
        include_url_info: handlers also get ``mlrun_request_path`` and
            ``mlrun_request_method``.

    Raises:
        SpecError: endpoints contradict each other; all problems are listed.

    >>> ApiHandlerConfig((Endpoint("/chat"),)).to_dict()["endpoints"]
    {'POST:/chat': {'path': '/chat', 'http_method': 'POST', 'action': 'allow'}}
    """

    endpoints: tuple[Endpoint, ...] = ()
    enabled: bool = True
    include_url_info: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "endpoints", tuple(self.endpoints))
        problems = [problem for rule in RULES for problem in rule(self.endpoints)]
        for name in ("enabled", "include_url_info"):
            if not isinstance(getattr(self, name), bool):
                problems.append(f"{name} is true or false, got {getattr(self, name)!r}")
        SpecError.raise_all("invalid API handler", problems)

    def adding(self, *endpoints: Endpoint) -> ApiHandlerConfig:
        """Return a configuration with more endpoints; the same key is replaced."""
        table = {endpoint.key: endpoint for endpoint in (*self.endpoints, *endpoints)}
        return ApiHandlerConfig(
            tuple(table.values()), self.enabled, self.include_url_info
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the configuration as MLRun stores it at ``api_handler_config``."""
        return {
            "enabled": self.enabled,
            "endpoints": {each.key: _endpoint_dict(each) for each in self.endpoints},
            "include_url_info": self.include_url_info,
        }


def _endpoint_dict(endpoint: Endpoint) -> dict[str, Any]:

    document = asdict(endpoint)
    for name in ("input_body_mappings", "output_body_mappings"):
        document[name] = document[name] and {"mappings": list(document[name])}
    return {name: value for name, value in document.items() if value}


# -- rules ------------------------------------------------------------------------


def keys_are_unique(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    for key, count in Counter(endpoint.key for endpoint in endpoints).items():
        if count > 1:
            yield f"{count} endpoints are {key!r}"


def paths_do_not_overlap(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    """``/a/{x}`` and ``/a/{y}`` are the same paths."""
    seen: dict[tuple[str, str], Endpoint] = {}
    for endpoint in endpoints:
        if not endpoint.parameters:
            continue
        shape = PARAMETER.sub("{}", endpoint.path)
        first = seen.setdefault((endpoint.http_method, shape), endpoint)
        if first.path != endpoint.path:
            yield (
                f"endpoints {first.key!r} and {endpoint.key!r} match the same set of "
                "paths"
            )


def names_come_from_one_place(endpoints: tuple[Endpoint, ...]) -> Iterator[str]:
    """A name in the path may not be that of a value from the body."""
    for endpoint in endpoints:
        for other in endpoints:
            if not endpoint.parameters or not _covers(other, endpoint):
                continue
            names = {one.destination_path for one in other.input_body_mappings}
            for name in sorted(names.intersection(endpoint.parameters)):
                yield (
                    f"endpoint {endpoint.key!r}: {name!r} is a parameter of the path "
                    f"and a destination_path of {other.key!r}; rename one of them"
                )


def _covers(other: Endpoint, endpoint: Endpoint) -> bool:
    if other.http_method != endpoint.http_method:
        return False
    prefix = other.prefix
    return other is endpoint or (
        prefix is not None and endpoint.path.startswith(prefix)
    )


RULES = (keys_are_unique, paths_do_not_overlap, names_come_from_one_place)
