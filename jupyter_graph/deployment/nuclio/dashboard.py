"""What we ask a Nuclio dashboard: nuclio-jupyter sends, we read the causes ourselves.

nuclio-jupyter 0.13 knows how to find a dashboard, to log in, to make a project and to
create or update a function. It has no time limits, does not print why a build failed
(``status.logs[].err``) and takes every answer but 200 for "there is no such function";
these parts are done here.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from jupyter_graph.deployment.invoke import reason_of
from jupyter_graph.errors import DashboardError
from jupyter_graph.threads.outcome import Outcome
from jupyter_graph.threads.start import start_thread

LIMIT_S = 30.0
FIRST_POLL_S = 0.05
SLOWEST_POLL_S = 1.0
READY = ("ready", "scaledToZero")
FAILED = ("error", "unhealthy", "imported")


class Dashboard:
    """One Nuclio dashboard.

    Args:
        url: where it is; else ``$NUCLIO_DASHBOARD_URL``, the cluster's own service, or
            ``http://localhost:8070``.
        limit_s: seconds one request may take.
    """

    def __init__(self, url: str | None = None, *, limit_s: float = LIMIT_S) -> None:
        try:
            from nuclio.auth import AuthInfo
            from nuclio.deploy import find_dashboard_url
        except ImportError as error:
            raise DashboardError(
                f"nuclio-jupyter, which speaks to the dashboard, is not installed "
                f"({error}); pip install 'jupyter_graph[nuclio]'"
            ) from None
        self.url = (url or "").rstrip("/")
        self.api = find_dashboard_url(self.url)
        self.limit_s = limit_s
        self._login = AuthInfo.from_envvar()

    def function(self, name: str) -> dict[str, Any] | None:
        """Return a function as the dashboard knows it, None when there is none.

        Raises:
            DashboardError: the dashboard is down, or refuses.
        """
        # nuclio-jupyter takes every refusal for "no such function".
        response = self._ask("GET", f"/functions/{name}")
        if response.status_code == 404:
            return None
        what = f"function {name!r}"
        if not response.ok:
            raise DashboardError(
                f"the dashboard at {self.api} refused to show {what}: "
                f"{_reason(response)}"
            )
        try:
            document = response.json()
        except ValueError:
            raise DashboardError(
                f"{self.api} is no Nuclio dashboard: it answered {what} with "
                f"{response.headers.get('Content-Type')!r}"
            ) from None
        return document if isinstance(document, dict) else None

    def send(self, document: Mapping[str, Any], project: str) -> None:
        """Create or update a function; its project is made when it is not there.

        Raises:
            DashboardError: the dashboard refuses; the text holds its reason.
        """
        from nuclio import deploy as nuclio_deploy
        from nuclio.utils import DeployError as NuclioError

        name = document["metadata"]["name"]

        def deploy() -> None:
            with _quiet_and_verified(nuclio_deploy):
                nuclio_deploy.deploy_config(
                    dict(document),
                    self.url,
                    name=name,
                    project=project,
                    create_new=True,  # the project
                    watch=False,
                    auth_info=self._login,
                )

        try:
            self._within(deploy)
        except NuclioError as error:
            response = getattr(error.err, "response", None)
            reason = str(error) if response is None else _reason(response)
            raise DashboardError(
                f"the dashboard at {self.api} refused function {name!r}: {reason}"
            ) from None
        except (LookupError, TypeError, AttributeError, ValueError) as error:
            raise DashboardError(
                f"{self.api} does not answer as a Nuclio dashboard does: {error!r}"
            ) from error

    def wait(
        self, name: str, wait_s: float, marks: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Wait until a function is ready; return it as the dashboard knows it.

        Args:
            name: the function's name.
            wait_s: seconds until it must be ready.
            marks: annotations of the version that is waited for: right after an
                update the dashboard still shows the state of the one before.

        Raises:
            DashboardError: it failed, with the cause its logs hold, or takes too long.
        """
        deadline = time.monotonic() + wait_s
        pause = FIRST_POLL_S
        while True:
            function = self.function(name) or {}
            status = function.get("status") or {}
            state = status.get("state") or "not there yet"
            annotations = (function.get("metadata") or {}).get("annotations") or {}
            if not (marks or {}).items() <= annotations.items():
                state = "not updated yet"
            if state in READY:
                return function
            if state in FAILED:
                raise DashboardError(f"function {name!r} is {state}: {cause(status)}")
            if time.monotonic() + pause > deadline:
                reason = cause(status, default="")
                raise DashboardError(
                    f"function {name!r} is still {state!r} after {wait_s:g} s "
                    f"(wait_s says how long to wait){f': {reason}' if reason else ''}"
                )
            time.sleep(pause)
            pause = min(pause * 1.5, SLOWEST_POLL_S)

    def delete(self, name: str, project: str) -> None:
        """Delete a function; one that is not there is deleted already."""
        response = self._ask(
            "DELETE",
            "/functions",
            json={"metadata": {"name": name}},
            headers={"x-nuclio-project-name": project},
        )
        if not response.ok and response.status_code != 404:
            raise DashboardError(
                f"the dashboard at {self.api} did not delete {name!r}: "
                f"{_reason(response)}"
            )

    def addresses(self, function: Mapping[str, Any]) -> list[str]:
        """Return the URLs of a function, those from outside the cluster first."""
        status = function.get("status") or {}
        external = list(status.get("externalInvocationUrls") or ())
        port = status.get("httpPort")
        if not external and port:
            response = self._ask("GET", "/external_ip_addresses")
            document = response.json() if response.ok else {}
            hosts = document.get("externalIPAddresses", {}).get("addresses") or []
            external = [f"{host}:{port}" for host in hosts[:1]]
        internal = list(status.get("internalInvocationUrls") or ())
        return [
            url if "://" in url else f"http://{url}" for url in (*external, *internal)
        ]

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        import requests

        try:
            return requests.request(
                method,
                f"{self.api}{path}",
                timeout=self.limit_s,
                verify=_verifies(),
                auth=self._login.to_requests_auth(),
                allow_redirects=False,
                **options,
            )
        except OSError as error:  # those of requests among them
            raise self._down(error) from None

    def _down(self, error: BaseException) -> DashboardError:
        return DashboardError(
            f"the Nuclio dashboard at {self.api} does not answer: {reason_of(error)}; "
            "is it up? (dashboard=URL or $NUCLIO_DASHBOARD_URL says where it is)"
        )

    def _within(self, work: Callable[[], None]) -> None:
        """Do work that knows no time limit in a thread, and stop waiting in time."""
        done = Outcome()

        def run() -> None:
            try:
                work()
                done.settle(None)
            except BaseException as error:
                done.settle(None, error)

        start_thread(run, "jupyter_graph-dashboard")
        if not done.wait(self.limit_s):
            raise self._down(TimeoutError(f"no answer within {self.limit_s:g} s"))
        if isinstance(done.error, OSError):
            raise self._down(done.error)
        done.result()


def cause(status: Mapping[str, Any], default: str = "it did not say why") -> str:
    r"""Return why a function failed: the message and the last error of its logs.

    >>> logs = [{"message": "Failed", "err": "no such package: pandsa"}]
    >>> cause({"message": "\n", "logs": logs})
    'no such package: pandsa'
    """
    message = str(status.get("message") or "").strip()
    errors = [str(log["err"]).strip() for log in _logs(status) if log.get("err")]
    parts = [message, *(error for error in errors[-1:] if error not in message)]
    return "\n".join(filter(None, parts)) or default


def log_text(status: Mapping[str, Any]) -> str:
    """Write a function's build and deploy logs, errors included."""
    lines = []
    for log in _logs(status):
        at = time.gmtime(float(log.get("time") or 0) / 1000)
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S', at)} {log.get('level', '')}"
        lines.append(f"{line} {log.get('message', '')}".rstrip())
        if log.get("err"):
            lines.append(f"  {log['err']}")
    return "".join(f"{line}\n" for line in lines)


def _logs(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [log for log in status.get("logs") or () if isinstance(log, Mapping)]


def _reason(response: Any) -> str:
    """Return why the dashboard refused, in its own words."""
    try:
        document = response.json()
    except ValueError:
        document = None
    error = document.get("error") if isinstance(document, dict) else None
    return f"{response.status_code} {error or response.text[:500] or response.reason}"


def _verifies() -> bool:
    """Return whether certificates are checked; nuclio-jupyter alone would not."""
    return os.environ.get("NUCLIO_VERIFY_CERT", "true").lower() != "false"


@contextlib.contextmanager
def _quiet_and_verified(module: Any) -> Iterator[None]:
    """Keep nuclio-jupyter from writing into the cell, and let it check certificates."""
    logger = logging.getLogger("nuclio")
    before = logger.level, module.VERIFY_CERT
    logger.setLevel(logging.CRITICAL)
    # nuclio-jupyter 0.13 reads it from its own module and checks nothing by default.
    module.VERIFY_CERT = _verifies()
    try:
        yield
    finally:
        logger.setLevel(before[0])
        module.VERIFY_CERT = before[1]
