"""A graph as a folder that runs unchanged in the embedded host and in Nuclio."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from jupyter_graph.cells.shipping.secret_text import leaks
from jupyter_graph.cells.slice.module_slice import Slice, slice_cells
from jupyter_graph.cells.slice.requirements import requirements as requirements_of
from jupyter_graph.cells.source import place
from jupyter_graph.deployment.bundle.bundle_folder import (
    MAKER,
    SOURCES,
    Bundle,
    check_is_ours,
    folder_beside,
    hash_of,
    place_of,
    put_in_place,
    set_modes,
)
from jupyter_graph.deployment.bundle.local_modules import collect
from jupyter_graph.deployment.bundle.manifests import dockerfile, manifests
from jupyter_graph.deployment.bundle.requirement_closure import (
    check_requirement,
    joined,
    read_requirements,
)
from jupyter_graph.deployment.bundle.runtime_rooms import (
    HOST_MODULES,
    released_requirement,
    rooms_left_out,
    runtime_files,
)
from jupyter_graph.deployment.deploy_options import DeployOptions
from jupyter_graph.deployment.function_environment import is_given, secret_variables
from jupyter_graph.deployment.named_code import modules_of_steps
from jupyter_graph.deployment.named_values import with_named_values
from jupyter_graph.deployment.nuclio.function_config import (
    function_document,
    public_part,
    to_yaml,
)
from jupyter_graph.deployment.options import read_options
from jupyter_graph.deployment.sources import Code, Sources, code_of
from jupyter_graph.errors import BundleError, ValueShipError
from jupyter_graph.frontend.factory import OPENAI
from jupyter_graph.frontend.openai.client_parameters import compile_for_clients
from jupyter_graph.host.artifacts import requires, save_value
from jupyter_graph.host.bundle_loader import STEPS
from jupyter_graph.mlrun_names import are_in_place
from jupyter_graph.spec.builder import Graph
from jupyter_graph.spec.codec import graph_json

__all__ = ["Bundle", "Sources", "build_bundle"]

NOT_SEARCHED = ("jupyter_graph/", "function.yaml", "deploy/")
"""Our own files, and those that hold what ``--env`` says."""

MAIN = '''\
"""The two functions that Nuclio and the embedded host call."""

from pathlib import Path

from jupyter_graph.host.handler import serve

init_context, handler = serve(Path(__file__).parent)
'''

STEPS_MODULE = '''\
"""The code of steps.py, for processes that a step starts: they import it by name."""

from pathlib import Path

from jupyter_graph.host.bundle_loader import import_steps

import_steps(Path(__file__).parent)
'''


def build_bundle(
    graph: Graph,
    sources: Sources,
    options: DeployOptions,
    folder: Path,
    *,
    private: bool = True,
) -> Bundle:
    """Write the bundle of a graph; either all of it is there afterwards or nothing.

    The same notebook state makes the same bytes.

    Args:
        graph: what is to be deployed.
        sources: where its code comes from.
        options: checked options.
        folder: where it goes; a bundle that is there is replaced.
        private: only its owner may read it.

    Raises:
        BundleError: something cannot travel, or the folder holds something else.
        CellError: a name is not defined, or a value has no safe format.
    """
    folder = Path(folder)
    check_is_ours(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Within one file system a finished folder moves in one step.
    with folder_beside(folder) as building:
        bundle = Builder(graph, sources, options, building / "bundle").build()
        set_modes(bundle.folder, private=private)
        put_in_place(bundle.folder, folder)
    return replace(bundle, folder=folder)


def build_program(graph: Graph, sources: Sources, folder: Path) -> Bundle:
    """Write what of a graph runs, for a process of this notebook's own.

    It holds what a bundle must not hold: secrets in texts, values as pickles. Where
    functions take what OpenAI's clients send, it has their endpoints.

    Args:
        graph: the graph.
        sources: where its code comes from.
        folder: where it goes, which is not there yet.

    Raises:
        CellError: a name is not defined, or a value has no form at all.
    """
    _, needs_front = compile_for_clients(graph, sources.namespace)
    front = dict(OPENAI) if needs_front else None
    words = {"runtime": "pip", "openai_frontend": front}
    options = read_options(graph.name, words)
    return Builder(graph, sources, options, folder).build_program()


class Builder:
    """Writes one bundle into one folder, which is not there yet."""

    def __init__(
        self, graph: Graph, sources: Sources, options: DeployOptions, folder: Path
    ) -> None:
        self.sources = sources
        self.options = options
        self.folder = folder
        self.files: dict[str, str] = {}
        self.spec, extra = with_named_values(graph.spec)
        self.graph = Graph.from_spec(
            self.spec, {**graph.namespace, **extra}, literal=True
        )
        self.graph.allow_imports = graph.allow_imports

    def build(self) -> Bundle:
        """Write every file and return the bundle."""
        code = code_of(self.graph, self.sources)
        part = self._slice(code, self._given())
        self._check_variables(part)
        needs = self._artifacts(part, code)
        files, imports = self._modules(part, code, needs)
        self._check_rooms(part, files)
        self._steps(part, code)
        # By now it is known what everything imports that travels.
        imports |= set(part.imports)
        names_mlrun = "mlrun" in imports and are_in_place()
        needed = self._requirements(imports - ({"mlrun"} if names_mlrun else set()))
        self._write_rest(files, names_mlrun=names_mlrun)
        runtime = runtime_files() if self.options.runtime == "bundled" else ()
        for path, content in runtime:
            self._write(path, content)
        self._requirement_files(needed)
        document = function_document(self.options, self.spec.name, needed)
        self._write("function.yaml", to_yaml(public_part(document)))
        self._write("Dockerfile", dockerfile(self.options))
        self._write(".dockerignore", "events.jsonl\n__pycache__\n")
        # The tag says what is in the image; the manifests that name it come after.
        image = f"{self.options.name}:{hash_of(self.files)[:12]}"
        for path, text in manifests(self.options, image).items():
            self._write(path, text)
        self._listing(part)
        self._check_no_secret_travels(part)
        return self._bundle(part, hash_of(self.files), tuple(needed))

    def build_program(self) -> Bundle:
        """Write the files that run, and return them as a bundle."""
        code = code_of(self.graph, self.sources)
        part = self._slice(code)
        needs = self._artifacts(part, code, is_own=True)
        files, imports = self._modules(part, code, needs)
        names_mlrun = "mlrun" in {*imports, *part.imports} and are_in_place()
        self._write("steps.py", self._source(part, code))
        self._write_rest(files, names_mlrun=names_mlrun)
        return self._bundle(part)

    def _slice(self, code: Code, given: Collection[str] = ()) -> Slice:
        cells, names = list(self.sources.cells), self.sources.namespace
        folder = self.sources.folder
        return slice_cells(cells, code.cells, names, folder=folder, given=given)

    def _bundle(
        self, part: Slice, hash: str = "", requirements: tuple[str, ...] = ()
    ) -> Bundle:
        return Bundle(
            folder=self.folder,
            files=self.files,
            hash=hash,
            slice=part,
            requirements=requirements,
            options=self.options,
            cwd=self.sources.folder,
        )

    def _write_rest(self, files: Mapping[str, bytes], *, names_mlrun: bool) -> None:
        """Write what runs beside ``steps.py``: local modules, graph, entry points."""
        for path, content in sorted(files.items()):
            self._write(path, content)
        self._write("graph.json", graph_json(self.spec))
        self._write("config.json", self._config(names_mlrun=names_mlrun))
        self._write("main.py", MAIN)
        self._write(f"{STEPS}.py", STEPS_MODULE)

    def _given(self) -> set[str]:
        """Return the environment variables that the options give the function."""
        fields = self.options.spec.get("env") or []
        named = {str(one.get("name")) for one in fields if isinstance(one, Mapping)}
        return {*self.options.env, *self.options.secrets, *named}

    def _check_variables(self, part: Slice) -> None:
        """Refuse code that reads variables which nobody gives the function."""
        if self.options.spec.get("envFrom"):
            return  # the cluster knows which ones
        given = self._given()
        missing = {
            name: at
            for name, at in part.variables.items()
            if name not in given and not is_given(name)
        }
        if not missing:
            return
        lines = [
            f"{place(*at)}: environment variable {name!r} is read"
            for name, at in missing.items()
        ]
        example = next(iter(missing))
        raise BundleError(
            "nobody gives the function what it reads; deploy with "
            f"--env {example}=VALUE, --env {example} (the notebook's value now) or "
            f"--secret {example}=NAME/KEY, or read it with "
            f"os.environ.get({example!r}):\n  " + "\n  ".join(lines)
        )

    def _write(self, path: str, content: str | bytes) -> None:
        target = self.folder / path
        data = content.encode() if isinstance(content, str) else content
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        self.files[path] = hashlib.sha256(data).hexdigest()

    def _artifacts(self, part: Slice, code: Code, *, is_own: bool = False) -> set[str]:
        """Save every value; return the modules that loading them needs.

        Args:
            part: the slice.
            code: where names come from.
            is_own: they are read by this notebook's own process, so pickles are fine.
        """
        values = {**{v.name: v.value for v in part.values}, **code.values}
        places = {
            v.name: f"{place(v.cell, v.line)}: "
            for v in part.values
            if v.cell is not None  # a name that no cell set has no place
        }
        folder = self.folder / "artifacts"
        needs: set[str] = set()
        problems: list[str] = []
        for name, value in sorted(values.items()):
            is_allowed = is_own or name in self.options.allow_pickle
            try:
                meta = save_value(name, value, folder, allow_pickle=is_allowed)
            except ValueShipError as error:
                problems.append(f"{places.get(name, '')}{error}")
            else:
                needs.update(requires(meta))
        if problems:
            raise ValueShipError("\n".join(problems))
        for path in sorted(folder.glob("*")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            self.files[f"artifacts/{path.name}"] = digest
        return needs

    def _modules(
        self, part: Slice, code: Code, needs: set[str]
    ) -> tuple[dict[str, bytes], set[str]]:
        """Return the files of local modules, and the installed modules they import."""
        named = [*(module for module, _ in code.imports.values()), *needs]
        tops = {name.partition(".")[0] for name in (*named, *self.graph.allow_imports)}
        return collect({*tops, *part.local_modules}, self.sources.folder)

    def _check_rooms(self, part: Slice, files: Mapping[str, bytes]) -> None:
        """Refuse code that cannot be imported without what a function leaves out."""
        if self.options.runtime != "bundled":
            return
        texts: list[tuple[str, str | bytes]] = [("steps.py", part.source)]
        texts += sorted(files.items())
        lines = [
            f"{place_of(part, line) if path == 'steps.py' else f'{path}, line {line}'}"
            f": {module}"
            for path, text in texts
            if path.endswith(".py")
            for line, module in rooms_left_out(text)
        ]
        if lines:
            raise BundleError(
                "the function holds no code that serves notebooks alone; import from "
                "jupyter_graph itself, as in `from jupyter_graph import deploy`, or "
                "inside the function that needs it:\n  " + "\n  ".join(lines)
            )

    def _steps(self, part: Slice, code: Code) -> None:
        source = self._source(part, code)
        self._check_source(source, part)
        self._write("steps.py", source)

    def _source(self, part: Slice, code: Code) -> str:
        """Return the text of ``steps.py``."""
        lines = [part.source.rstrip("\n")] if part.source.strip() else []
        for name, (module, qualified) in sorted(code.imports.items()):
            alias = "" if name == qualified else f" as {name}"
            lines.append(f"from {module} import {qualified}{alias}")
        if code.values:
            lines.append("from jupyter_graph.host.artifacts import load_value")
        for name in sorted(code.values):
            lines.append(f"{name} = load_value(__file__, {name!r})")
        return "\n".join(lines) + "\n"

    def _check_source(self, source: str, part: Slice) -> None:
        try:  # each cell was valid; their join may not be
            compile(source, "steps.py", "exec")
        except (SyntaxError, ValueError) as error:
            line = getattr(error, "lineno", None) or 0
            raise BundleError(
                f"{place_of(part, line)}: the code that would travel is not valid "
                f"Python: {error}"
            ) from error
        problems = [
            f"{place_of(part, line)} holds {what}; read it with context.get_secret "
            "and deploy with secrets={KEY: 'NAME/KEY'}"
            for line, what in leaks(source)
        ]
        problems += [
            f"env {name} looks like {what}; name its place instead: "
            f"secrets={{{name!r}: 'NAME/KEY'}}"
            for name, value in sorted(self.options.env.items())
            for _, what in leaks(value)
        ]
        if problems:
            raise BundleError(
                "secrets do not travel in a bundle:\n  " + "\n  ".join(problems)
            )

    def _check_no_secret_travels(self, part: Slice) -> None:
        """Refuse a bundle that holds the value of a secret variable of this process."""
        problems = []
        given = self.options.env.values()
        for name, value in secret_variables().items():
            forms = {value.encode(), json.dumps(value)[1:-1].encode()}
            for path in self.files:
                if value in given or path.startswith(NOT_SEARCHED):
                    continue
                content = (self.folder / path).read_bytes()
                at = next((content.find(one) for one in forms if one in content), None)
                if at is not None:
                    line = content.count(b"\n", 0, at) + 1
                    where = place_of(part, line) if path == "steps.py" else path
                    problems.append(f"{where} holds the value of {name}")
        if problems:
            raise BundleError(
                "secrets do not travel in a bundle; read the variable with os.environ "
                "in the step, and deploy with --secret VARIABLE=NAME/KEY:\n  "
                + "\n  ".join(problems)
            )

    def _requirements(self, imports: set[str]) -> list[str]:
        options = self.options
        names = {name.partition(".")[0] for name in imports} - {"jupyter_graph"}
        names |= modules_of_steps(self.spec, self.graph.namespace)
        if options.api_handler is not None:
            names.add("jsonpath_ng")
        in_files = [
            line for path in options.requirements for line in read_requirements(path)
        ]
        by_name = [check_requirement(line, "pip") for line in options.pip]
        released = [released_requirement()] if options.runtime == "pip" else []
        return joined(requirements_of(sorted(names)), released, in_files, by_name)

    def _requirement_files(self, needed: list[str]) -> None:
        self._write("requirements.txt", _lines(needed))
        mine = [] if self.options.runtime == "pip" else requirements_of(HOST_MODULES)
        self._write("requirements-host.txt", _lines(joined(mine, needed)))

    def _config(self, *, names_mlrun: bool) -> str:
        options = self.options
        config: dict[str, Any] = {
            "timeout_s": options.deadline_s,
            "parameters": dict(options.parameters),
            "mlrun_status": options.mlrun_status,
            "secrets": dict(options.secrets),
        }
        if names_mlrun:  # of our classes, as in the notebook
            config["mlrun_names"] = True
        if options.api_handler is not None:
            handler = options.api_handler
            is_object = hasattr(handler, "to_dict")
            config["api_handler"] = handler.to_dict() if is_object else handler
        if options.openai_frontend is not None:
            config["openai_frontend"] = options.openai_frontend
        try:
            return json.dumps(config, indent=1, sort_keys=True, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise BundleError(
                f"parameters, api_handler and openai_frontend must be JSON: {error}"
            ) from None

    def _listing(self, part: Slice) -> None:
        listing = {
            "made_by": MAKER,
            "name": self.options.name,
            "graph": self.spec.name,
            "hash": hash_of(self.files),
            "files": self.files,
            "cells": dict(part.names),
        }
        text = json.dumps(listing, indent=1, sort_keys=True) + "\n"
        (self.folder / SOURCES).write_text(text, encoding="utf-8")


def _lines(items: list[str]) -> str:
    return "".join(f"{item}\n" for item in items)
