"""The fields of a step and of a graph, a row each.

From a row follow the reader's and the builder's checks, the option of the magics with
its help and its completion, the options of ``@step``, the row of the reference page and
the JSON Schema. A new field is a row here and an attribute of ``StepSpec``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from jupyter_graph.spec.field_types import (
    EVENT_KEY,
    FLAG,
    STEPS,
    TEXT,
    FieldType,
    amount,
    count,
    mapping,
    names,
    text,
    words,
)
from jupyter_graph.spec.model import GraphSpec, StepSpec


class Option(NamedTuple):
    """How the magics call a field.

    Attributes:
        form: the option as its help shows it, such as ``--timeout S``.
        help: what it means.
    """

    form: str
    help: str

    @property
    def flag(self) -> str:
        """The option without its value."""
        return self.form.partition(" ")[0]

    @property
    def word(self) -> str:
        """The option as Python spells it: the word of ``@step``."""
        return self.flag.removeprefix("--").replace("-", "_")


class Field(NamedTuple):
    """One field of a document.

    Attributes:
        key: its name in a document, and the attribute of the spec.
        type: what it may hold.
        meaning: what it says, for the reference page and the schema.
        is_ours: MLRun does not know it.
        default: what the reference page shows, where it is not the spec's default.
        group: the attribute of the spec that holds it together with others.
        is_setting: ``add_step`` and ``@step`` take it by its name.
        option: how the magics call it.
        called: what messages call it, where not by its key.
    """

    key: str
    type: FieldType
    meaning: str
    is_ours: bool = False
    default: str | None = None
    group: str | None = None
    is_setting: bool = False
    option: Option | None = None
    called: str = ""


def _setting(
    key: str, type: FieldType, meaning: str, *option: str, is_ours: bool = True
) -> Field:
    """Return a field that is typed at the step: with an option, or in Python alone."""
    typed = Option(*option) if option else None
    return Field(key, type, meaning, is_ours, is_setting=True, option=typed)


def _grouped(
    group: str, key: str, type: FieldType, meaning: str, default: str
) -> Field:
    return Field(key, type, meaning, group=group, default=default)


STEP: Final = text("name of a step")

STEP_FIELDS: Final[tuple[Field, ...]] = (
    Field("kind", TEXT,
        "`task`, `router`, `flow`, `queue`, `model_runner` or `error_step`"),
    Field("class_name", TEXT,
        "the step class: the notebook's own, a block's name, MLRun's path of "
        "one, `storey.X`"),
    Field("class_args", mapping("an object of names and values"),
        "its constructor arguments; `{\"$value\": \"clf\"}` is the notebook's "
        "variable `clf`"),
    Field("handler", TEXT,
        "the function, or the method of the class; or an expression in "
        "parentheses: `(event['a'] + 1)`"),
    Field("after", names(), "the upstream steps; none = a first step"),
    Field("before", names(), "of an error handler: where the flow goes on"),
    Field("on_error", STEP, "the error handler of this step"),
    Field("base_step", STEP, "of an error handler: the step it belongs to"),
    _setting("input_path", text("dotted path"),
        "the part of the body that the step gets", "--input-path P",
        "part of the body the step gets", is_ours=False),
    _setting("result_path", text("dotted path"), "where its result goes in the body",
        "--result-path P", "where in the body its result goes", is_ours=False),
    _setting("full_event", FLAG,
        "the step takes and gives the event, not its body; false makes "
        "`storey.Batch` give bodies", "--full-event", "takes and gives the event",
        is_ours=False),
    Field("responder", FLAG, "its result answers the caller",
        option=Option("--respond", "its result answers the caller")),
    _setting("comment", TEXT, "a note; it changes nothing", is_ours=False),
    _setting("shape", TEXT, "the graphviz shape in pictures", is_ours=False),
    Field("routes", STEPS,
        "of a router: its routes, which have no `after`, `before`, `on_error`, "
        "`responder` or `routes`", default="`{}`"),
    Field("steps", STEPS, "of a flow inside: its steps", default="`{}`"),
    Field("engine", words("async", "sync"),
        "kept; a flow inside answers with the step that is marked, else with its last"),
    _setting("max_iterations", count(),
        "how often an event may come here, in a cycle; null = the graph's",
        "--max-iterations N",
        "times an event may come to one step of a cycle (default: 100)", is_ours=False),
    Field("cycle_from", names("names"),
        "which of `after` lead back here from further on"),
    _setting("function", TEXT,
        "the function it runs in; null = the graph's own, `*` = every one",
        "--function F", "the function it runs in (default: that of its upstream steps)",
        is_ours=False),
    Field("path", text("URL"), "of a queue: its stream; null = in process"),
    _grouped("queue", "shards", count(), "of a queue, kept for its stream", ""),
    _grouped("queue", "retention_in_hours", count(), "of a queue, kept for its stream",
        ""),
    _grouped("queue", "trigger_args", mapping(),
        "of a queue, kept for the trigger that reads it", ""),
    _grouped("queue", "options", mapping(),
        "of a queue: further options such as `group`, kept for its stream", ""),
    _grouped("runner", "raise_exception", FLAG,
        "of a model runner: a model that fails, fails the event", "true"),
    _grouped("runner", "max_processes", count(),
        "of a model runner: processes of its pool", "the CPUs"),
    _grouped("runner", "max_threads", count(), "of a model runner: threads of its pool",
        "32"),
    _grouped("runner", "pool_factor", count(),
        "of a model runner: threads or processes a model", "1"),
    _grouped("runner", "_shared_proxy_mapping", mapping(),
        "of a model runner: kept as MLRun wrote it", ""),
    _setting("timeout_s", amount("seconds", above_0=True, ends=" and within a year"),
        "one attempt may take so long; null = the runner's limit", "--timeout S",
        "seconds for one attempt"),
    _setting("retries", count(0), "further attempts after the first failed",
        "--retries N", "more attempts"),
    _setting("backoff_s", amount("seconds", ends=" and within a year"),
        "before the second attempt, doubled each time", "--backoff S",
        "seconds before the first of them, doubled each time (default: 0.1)"),
    _setting("blocking", FLAG, "run it in a thread pool", "--blocking",
        "run it in a thread pool"),
    _setting("processes", count(),
        "run it in so many processes of its own; null = in this one", "--processes N",
        "run it in so many processes of its own"),
    _setting("concurrency", count(), "attempts of it at once; null = the graph's limit",
        "--concurrency N", "attempts of it that may run at once"),
    _setting("batch", count(),
        "run it on lists of at most so many bodies of concurrent callers", "--batch N",
        "takes a list of at most N bodies of concurrent callers, gives a list"),
    _setting("batch_wait_ms", amount("milliseconds"),
        "the first of a batch waits so long for others", "--batch-wait MS",
        "milliseconds the first of a batch waits for others (default: 5)"),
    _setting("join", words("all", "any", "first"),
        "wait for all upstream steps, or go on with one; null = once for each "
        "that comes", "--join HOW",
        "of several upstream steps: all (a list), any or first"),
    _setting("join_timeout_s", amount("seconds", above_0=True),
        "a join of `all` waits so long", "--join-timeout S",
        "seconds that --join all waits for the last of them"),
    _setting("missing", words("drop", "null", "error"),
        "what stands for a branch that does not come", "--missing HOW",
        "what --join all puts for one that does not come: drop, null or error"),
    _setting("vectorized", FLAG, "takes and gives a DataFrame in batch runs",
        "--vectorized", "takes and gives a DataFrame of bodies in batch runs"),
    _setting("side_effects", FLAG,
        "it changes something outside: checks of a deployment, examples and replays do "
        "not call it and take what it gave before", "--side-effects",
        "changes something outside: checks, examples and replays do not call it"),
    _setting("reraise", FLAG,
        "of an error handler: when it has run, the event fails all the same, with the "
        "error that led to it",
        "--reraise", "of an error handler: the event fails all the same"),
)  # fmt: skip

GRAPH_FIELDS: Final[tuple[Field, ...]] = (
    Field("kind", words("flow", "root", "router"),
        "steps in order, or one router that is the whole graph; `root` is "
        "MLRun's word for a flow", default='`"flow"`'),
    Field("name", text("name"), "the graph's name; of a router document the router's",
        default="the file's, else `graph`"),
    Field("graph_name", text("name"),
        "the name of a router document's graph, where it is another than the router's",
        is_ours=True, default="the `name`"),
    Field("engine", words("async", "sync", must="'async' or 'sync'"),
        "in `sync` the last step of a chain answers"),
    Field("steps", STEPS, "the steps of a flow", default=""),
    Field("on_error", STEP, "the error handler of steps that have none of their own",
        called="on_error of the graph"),
    Field("allow_cyclic", FLAG, "steps may lead back to earlier ones (`async` only)"),
    Field("max_iterations", count(),
        "how often an event may come to one step of a cycle; null = 100"),
    Field("final_step", STEP,
        "where MLRun attaches a feature set's targets; it must exist"),
    Field("max_in_flight", count(), "events that may be inside at once", is_ours=True),
    Field("order_by", EVENT_KEY,
        "events with the same key go through one after the other, in the order "
        "they come", is_ours=True),
    Field("copy", words("deep", "shallow", "none", must="'deep', 'shallow' or 'none'"),
        "how bodies are copied where a flow branches", is_ours=True),
)  # fmt: skip

TOPOLOGY: Final = Field(
    "topology",
    words("flow", "router", must="'flow' or 'router'"),
    "steps in order, or one of several routes",
)
"""A document has ``kind`` for it."""

_BY_RULES = ("kind", "name", "graph_name", "steps")
OF_GRAPH: Final = (TOPOLOGY, *(row for row in GRAPH_FIELDS if row.key not in _BY_RULES))
"""Those whose types are checked here; rules look at the name and at the steps."""

BY_KEY: Final[Mapping[str, Field]] = {row.key: row for row in STEP_FIELDS}
GRAPH_BY_KEY: Final[Mapping[str, Field]] = {row.key: row for row in GRAPH_FIELDS}
SETTINGS: Final[Mapping[str, Field]] = {
    row.key: row for row in STEP_FIELDS if row.is_setting
}
"""What ``add_step`` and ``@step`` take by name."""

OPTIONS: Final[Mapping[str, Option]] = {
    row.key: row.option for row in STEP_FIELDS if row.option
}
"""The options of the magics, by the field that each stands for."""

WRITTEN_AS: Final[Mapping[str, str]] = {
    "graph_shape": "shape",
    **{option.word: key for key, option in OPTIONS.items() if key in SETTINGS},
}
"""The options of a cell as ``@step`` spells them, and MLRun's word, to the fields."""


GROUP_OF: Final[Mapping[str, str]] = {
    row.key: row.group for row in STEP_FIELDS if row.group
}
"""Fields that one attribute of the spec holds together, to that attribute."""

DEFAULTS: Final[Mapping[str, Any]] = {
    row.key: getattr(StepSpec(name=""), row.key) for row in STEP_FIELDS if not row.group
}
GRAPH_DEFAULTS: Final = GraphSpec()
