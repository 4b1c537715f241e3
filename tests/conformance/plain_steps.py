"""Plain steps of the own cases: functions and classes that import no framework.

``SINK`` holds what passed the steps that note it; ``reset`` empties it.
"""

import asyncio
import importlib
import json
import os

SINK = []


def reset():
    SINK.clear()
    Counter.seen = 0


def inc(x):
    return x + 1


def double(x):
    return 2 * x


def echo(x):
    return x


def seven(x):
    return 7


def to_none(x):
    return None


def body_only(body):
    return {"body": body}


def sink(x):
    SINK.append(x)
    return x


def sink2(x):
    SINK.append({"sink2": x})
    return x


def add_key(body):
    body["added"] = True
    return body


def _marked(body, mark):
    body.setdefault("trace", []).append(mark)
    return body


def mark_a(body):
    return _marked(body, "a")


def mark_b(body):
    return _marked(body, "b")


def mark_c(body):
    return _marked(body, "c")


def sum_list(numbers):
    return sum(numbers)


def is_even(x):
    return x % 2 == 0


def split3(x):
    return [x, x + 1, x + 2]


def extend_fields(body):
    return {"sq": body["n"] * body["n"], "n2": body["n"] + body["n"]}


def running_sum(x, state):
    total = state + x
    return total, total


def reduce_sum(total, x):
    return total + x


def wrap_events(batch):
    return [getattr(item, "body", item) for item in batch]


async def async_inc(x):
    await asyncio.sleep(0)
    return x + 1


async def async_fail(x):
    await asyncio.sleep(0)
    raise KeyError("async boom")


def gen3(x):
    for number in range(3):
        yield {"chunk": number, "x": x}


def gen_fail(x):
    yield {"chunk": 0}
    raise ValueError("stream broke")


async def agen2(x):
    yield x
    yield x + 1


# -- what a step sees ---------------------------------------------------------------


def with_context(x, context):
    has_logger = hasattr(context, "logger")
    return {"x": x, "has_logger": has_logger, "p1": context.get_param("p1", "dflt")}


def secret(x, context):
    return {"s1": context.get_secret("s1"), "none": context.get_secret("nope")}


def kwargs_handler(body, **kwargs):
    return {"body": body, "kwargs": {key: kwargs[key] for key in sorted(kwargs)}}


def full_event_fn(event):
    fields = ("body", "path", "method", "id")
    event.body = {name: getattr(event, name) for name in fields}
    return event


def full_event_returns_body(event):
    return {"not": "an event"}


def headers_event(event):
    event.body = dict(event.headers or {})
    return event


# -- answers and failures -----------------------------------------------------------


def respond_201(x, context):
    text = json.dumps({"made": x})
    return context.Response(
        body=text,
        status_code=201,
        content_type="application/json",
        headers={"x-a": "b"},
    )


def respond_503(x, context):
    return context.Response(body="busy", status_code=503)


def boom(x):
    raise ValueError(f"boom on {x}")


def boom_if_neg(x):
    if x < 0:
        raise ValueError("negative")
    return x


def boom_key(x):
    raise KeyError("k1")


def boom_empty(x):
    raise RuntimeError


def boom_chained(x):
    try:
        int("zz")
    except ValueError as error:
        raise RuntimeError("outer") from error


def raise_http(x):
    """Raise the framework's own error of this name."""
    name = os.environ.get("CONFORMANCE_ERRORS", "jupyter_graph.mlrun_names")
    raise getattr(importlib.import_module(name), x["cls"])(x["msg"])


def catcher(x):
    return {"caught": x}


def bad_catcher(x):
    raise TypeError("catcher is broken too")


def catcher_event(event):
    error = event.error
    event.body = {
        "caught": event.body,
        "origin": event.origin_state,
        "error_type": type(error).__name__,
        "error": str(error),
    }
    return event


# -- classes ------------------------------------------------------------------------


class Adder:
    def __init__(self, k=1):
        self.k = k

    def do(self, x):
        return x + self.k


class Multi:
    def __init__(self, factor=2):
        self.factor = factor

    def do(self, x):
        return x

    def times(self, x):
        return x * self.factor


class DoEvent:
    def do_event(self, event):
        event.body = {"via": "do_event", "body": event.body, "path": event.path}
        return event


class NoHandler:
    def other(self, x):
        return x


class Introspect:
    """Tells what its constructor was given."""

    def __init__(self, context=None, name=None, **kwargs):
        self.told = {
            "name": name,
            "context": context is not None,
            "kwargs": sorted(kwargs),
        }

    def do(self, body):
        return dict(self.told)


class StrictArgs:
    def __init__(self, a, b):
        self.a = a
        self.b = b

    def do(self, x):
        return [self.a, self.b, x]


class RaisesInInit:
    def __init__(self):
        raise OSError("no disk")

    def do(self, x):
        return x


class CallsFn:
    def __init__(self, fn=None, tag=None):
        self.fn = fn
        self.tag = tag

    def do(self, x):
        return {"tag": self.tag, "out": self.fn(x)}


class PostInit:
    mode = None

    def post_init(self, mode="sync", **kwargs):
        self.mode = mode

    def do(self, x):
        return {"mode": self.mode, "x": x}


class Counter:
    seen = 0

    def do(self, x):
        Counter.seen += 1
        return {"x": x, "n": Counter.seen}


class AsyncDo:
    async def do(self, x):
        await asyncio.sleep(0)
        return {"async": x}


class Router2:
    """Leads where the body says."""

    def do(self, x):
        return x

    def select_outlets(self, body):
        return body.get("go")


class LoopUntil:
    """Counts up to its limit, then lets go."""

    def __init__(self, limit=3, back="again", out="done"):
        self.limit = limit
        self.back = back
        self.out = out

    def do(self, body):
        body["n"] = body.get("n", 0) + 1
        return body

    def select_outlets(self, body):
        return [self.back if body["n"] < self.limit else self.out]


class Terminator:
    def do_event(self, event):
        event.body = {"stopped": event.body}
        event.terminated = True
        return event


class Boomer:
    def __init__(self, msg="boomer"):
        self.msg = msg

    def do(self, x):
        raise RuntimeError(self.msg)


class RouteA:
    def do(self, body):
        return {"a": body.get("x", 0) + 1}


class RouteB:
    def __init__(self, k=10):
        self.k = k

    def do(self, body):
        return {"b": body.get("x", 0) * self.k}


class RouteSame:
    def do(self, body):
        return {"x": "overwritten"}
