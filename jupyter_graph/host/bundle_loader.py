"""Opens a bundle's graph: its document, its steps, its settings, its secrets."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from jupyter_graph.errors import BundleError
from jupyter_graph.frontend.factory import make_frontend
from jupyter_graph.run.runner import Runner
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.codec import from_dict
from jupyter_graph.spec.named_graphs import hold_none

ENTRY = "main"
"""The module that Nuclio and the host call; its name is free once it was called."""

STEPS = "_graph_steps"
STEPS_OF_BEFORE = "steps"
"""As what ``steps.py`` is loaded of a bundle that holds no module ``STEPS``."""

MODULES = "modules"
"""The folder of the local modules, which is first on the path."""


def open_runner(bundle: Path, context: Any) -> Runner:
    """Return an open Runner of the bundle's graph, on the calling loop.

    Args:
        bundle: folder with ``graph.json``, ``steps.py`` and perhaps ``config.json``.
        context: Nuclio's or the host's context; its logger is the steps' logger.

    Raises:
        BundleError: a file is missing, or a secret has no value here.
        SpecError: the graph breaks rules.
    """
    config = read_config(bundle)
    runner = bundle_runner(
        bundle,
        config,
        mlrun_status=bool(config.get("mlrun_status")),
        own_loop=False,
        logger=context.logger,
        worker_id=str(context.worker_id),
        is_parity=bool(getattr(context, "is_parity", False)),
        is_deployed=True,
        front=make_frontend(config.get("api_handler"), config.get("openai_frontend")),
    )
    return runner.open()


def bundle_runner(bundle: Path, config: Mapping[str, Any], **own: Any) -> Runner:
    """Return a Runner of the bundle's graph with its settings, not yet open."""
    return Runner(
        load_bundle_graph(bundle),
        parameters=config.get("parameters"),
        secrets=read_secrets(config.get("secrets") or {}),
        timeout_s=config.get("timeout_s", 30.0),
        **own,
    )


def load_bundle_graph(bundle: Path) -> Graph:
    """Return the bundle's graph, its names resolved by its ``steps.py``.

    Raises:
        BundleError: ``graph.json`` or ``steps.py`` is missing or cannot be read.
    """
    spec = from_dict(_read_json(bundle / "graph.json"))
    # A bundle is code that its owner built, so what steps.py imports counts too.
    return Graph.from_spec(spec, vars(import_steps(bundle)), literal=True)


def import_steps(bundle: Path) -> ModuleType:
    """Import the bundle's ``steps.py``, under a name that no local module has.

    Raises:
        BundleError: it is missing, or another module has a local module's name.
    """
    path = bundle / "steps.py"
    if not path.is_file():
        raise BundleError(f"bundle {bundle} has no {path.name}")
    for folder in (bundle, bundle / MODULES):
        if folder.is_dir() and str(folder) not in sys.path:
            sys.path.insert(0, str(folder))
    free_names(bundle / MODULES)
    hold_none()  # modules that say @step at their top
    if read_config(bundle).get("mlrun_names"):
        from jupyter_graph.mlrun_names import put_in_place  # few bundles need it

        put_in_place()
    name = STEPS if (bundle / f"{STEPS}.py").is_file() else STEPS_OF_BEFORE
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    # Known before it runs, so that its classes can be pickled by name.
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def free_names(folder: Path) -> None:
    """Make sure that imports find the local modules of a bundle, and no others.

    Args:
        folder: holds the local modules; it need not be there.

    Raises:
        BundleError: another module of such a name is loaded in this process.
    """
    taken = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        loaded = sys.modules.get(path.stem)
        if loaded is None or _is_of(loaded, path):
            continue
        if path.stem == ENTRY:
            del sys.modules[ENTRY]  # who imported it holds its two functions
            continue
        where = getattr(loaded, "__file__", None) or "Python itself"
        taken.append(f"{path.stem} (here it is {where})")
    if taken:
        raise BundleError(
            "local modules have the names of other modules that the function has "
            f"loaded before its steps: {', '.join(taken)}; rename your modules"
        )


def _is_of(module: ModuleType, path: Path) -> bool:
    """Return whether a module is that of a local file or folder, or the same text."""
    if path.is_dir():
        return str(path.resolve()) in map(os.path.realpath, _folders_of(module))
    file = Path(getattr(module, "__file__", None) or "")
    return file == path or (file.is_file() and file.read_bytes() == path.read_bytes())


def _folders_of(module: ModuleType) -> list[str]:
    return list(getattr(module, "__path__", ()))


def read_config(bundle: Path) -> dict[str, Any]:
    """Return the settings of a bundle; none is no error."""
    path = bundle / "config.json"
    return _read_json(path) if path.is_file() else {}


def read_secrets(references: Mapping[str, str]) -> dict[str, str]:
    """Return the values of ``{"KEY": "NAME/KEY"}`` references.

    A value is the variable KEY (as Kubernetes sets it), the variable NAME_KEY, also in
    capitals and with ``_`` for other signs, or the file NAME/KEY in
    ``$JUPYTER_GRAPH_SECRETS_DIR``, which only its owner may read.

    Raises:
        BundleError: some secrets have no value here; all are named, none is shown.

    >>> read_secrets({})
    {}
    """
    values: dict[str, str] = {}
    missing: list[str] = []
    for key, reference in references.items():
        name, _, entry = reference.partition("/")
        known = (os.environ.get(one) for one in (key, *variables_of(reference)))
        value = next(filter(None, known), None) or _secret_file(name, entry)
        if value is None:
            missing.append(f"{key} (variable {name}_{entry}, or secret {reference})")
        else:
            values[key] = value
    if missing:
        raise BundleError(f"secrets without a value: {', '.join(missing)}")
    return values


def variables_of(reference: str) -> tuple[str, str]:
    """Return the variables that may stand for a secret.

    >>> variables_of("shop-db/password")
    ('shop-db_password', 'SHOP_DB_PASSWORD')
    """
    plain = reference.replace("/", "_")
    return plain, re.sub(r"[^A-Za-z0-9_]", "_", plain).upper()


def _secret_file(name: str, entry: str) -> str | None:
    folder = os.environ.get("JUPYTER_GRAPH_SECRETS_DIR")
    parts = (name, entry)
    # A reference comes from a document: it may not lead out of the folder.
    if not folder or any(not part or Path(part).name != part for part in parts):
        return None
    path = Path(folder, name, entry)
    if not path.is_file():
        return None
    if os.name == "posix" and path.stat().st_mode & 0o077:
        raise BundleError(f"secret file {path} must be readable by its owner only")
    return path.read_text(encoding="utf-8").rstrip("\n")


def _read_json(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        wrong = "cannot be read" if isinstance(error, OSError) else "is not JSON"
        raise BundleError(f"bundle file {path} {wrong}: {error}") from None
    if not isinstance(document, dict):
        raise BundleError(f"bundle file {path} must hold a JSON object")
    return document
