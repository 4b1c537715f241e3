"""The table of broken documents, and the words to write them with.

``CASES`` gives each name its ``(kind, source, *words)``: the words stand in the
refusal, the kind says how the source is read. It is ``document`` (an object), ``built``
(one that is refused while it is built), ``json`` or ``yaml`` (what a file holds),
``function`` (a file with an MLRun function), ``serving`` (for ``read_serving_spec``) or
``api`` (an API handler).
"""

CASES = {}


def case(name, source, *words, kind="document"):
    assert name not in CASES, name
    CASES[name] = (kind, source, *words)


def built(name, source, *words):
    case(name, source, *words, kind="built")


def flow(**steps):
    return {"steps": steps}


def task(**fields):
    return {"handler": "f", **fields}


def block(class_name, **class_args):
    return flow(a={"class_name": class_name, "class_args": class_args})


def router(class_name=None, routes=None, **class_args):
    step = {"kind": "router", "class_name": class_name, "class_args": class_args}
    return flow(a={**step, "routes": routes or {"m": {"class_name": "M"}}})


def nested(depth, inside):
    for _ in range(depth):
        inside = {"kind": "flow", "steps": {"a": inside}}
    return flow(a=inside)
