"""Expressions of documents: what they give, and what they may not ask for."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_graph import Event, Graph
from jupyter_graph.errors import SpecError
from jupyter_graph.spec.expressions import compile_expression, is_expression


@pytest.mark.parametrize(
    ("text", "event", "found"),
    [
        ("(event + 1)", 2, 3),
        ("(event['a']['b'])", {"a": {"b": 5}}, 5),
        ("(event.get('x', 7))", {}, 7),
        ("(event['n'] if event['n'] > 1 else 0)", {"n": 1}, 0),
        ("(event > 1 and event < 5)", 3, True),
        ("(len(event))", [1, 2], 2),
        ("({'a': event, 'b': [event, 2]})", 1, {"a": 1, "b": [1, 2]}),
        ("(event[1:])", [1, 2, 3], [2, 3]),
        ("(f\"{event['u']}/x\")", {"u": "k"}, "k/x"),
        ("(event.upper().split('-')[0])", "a-b", "A"),
        ("(round(event, 1))", 1.26, 1.3),
        ("('-'.join(event))", ["a", "b"], "a-b"),
        ("(event.replace('a', 'b'))", "aba", "bbb"),
        ("(2 ** event)", 10, 1024),
        ("(not event)", 0, True),
        ("([x * 2 for x in event if x > 1])", [1, 2, 3], [4, 6]),
        ("(sum(row['n'] for row in event['rows']))", {"rows": [{"n": 1}, {"n": 4}]}, 5),
        ("({k: v + 1 for k, v in event.items()})", {"a": 1, "b": 2}, {"a": 2, "b": 3}),
        ("([[y for y in x] for x in event])", [[1], [2, 3]], [[1], [2, 3]]),
        ("([a + b for a in event for b in [a, 1] if a])", [0, 2], [4, 3]),
        ("(any(x == event for x in [1, 2]))", 2, True),
        ("(f'{event:.2f}|{event:>6}')", 1.5, "1.50|   1.5"),
        ("([plus + 1 for plus in event])", [1, 2], [2, 3]),
        ("([spent for spent in event])", [1], [1]),
        ("([len(len) for len in event])", ["ab"], [2]),
        ("([event for event in event])", [1, 2], [1, 2]),
        ("(list(x for x in event))", [1, 2], [1, 2]),
        ("(x for x in event)", [1, 2], [1, 2]),
        ("({**event, 'b': 2})", {"a": 1}, {"a": 1, "b": 2}),
        ("(event[1:3][::-1])", "abcd", "cb"),
        ("(f'{event!r}')", "a", "'a'"),
        ("(event.id)", {"id": 5}, 5),
        ("(event % 2 == 0 and event // 2 or -event)", 3, -3),
        ("(event << 2 | 1)", 3, 13),
        ("(event >> 1)", 6, 3),
        ("(event * 3 + 2 * event)", "ab", "ababababab"),
        ("(0.5 * event)", 3, 1.5),
        ("('a' + event)", "b", "ab"),
        ("(max(event, default=0))", [], 0),
        ("(sorted(event, reverse=True))", [1, 2], [2, 1]),
        ("(body['x'])", Event({"x": 3}), 3),
        ("(event.body['x'] + len(event.path))", Event({"x": 3}, path="/ab"), 6),
    ],
)
def test_an_expression_is_worked_out(text, event, found):
    assert compile_expression(text)(event) == found


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(__import__('os').system('x'))", "calls '__import__'"),
        ("(event.__class__)", "reads the attribute '__class__'"),
        ("(os.system)", "reads the attribute 'system'"),
        ("({x for x in event})", "has a SetComp"),
        ("([x for x in x])", "reads 'x'"),
        ("([x for x in event] + [x])", "reads 'x'"),
        ("([y for x in event])", "reads 'y' (it may read event and body and x)"),
        ("([0 for event.id in event])", "has a Attribute after 'for'"),
        ("([x async for x in event])", "has an async comprehension"),
        ("([x.__class__ for x in event])", "reads the attribute '__class__'"),
        ("([x() for x in event])", "calls 'x'"),
        ("(f'{event:{event}}')", "has a format in an f-string that is computed"),
        ("(lambda: 1)", "has a Lambda"),
        ("(event := 1)", "has a NamedExpr"),
        ("('{}'.format(event))", "calls 'format'"),
        ("(f'{event:>9999999999}')", "has a format in an f-string"),
        ("(getattr(event, 'x'))", "calls 'getattr'"),
        ("(event('x'))", "calls 'event'"),
        ("(evnt + 1)", "reads 'evnt'; did you mean 'event'?"),
        ("(event @ event)", "has a MatMult"),
        ("(dict(**event))", "has a ** in a call"),
        ("(max(*event))", "has a Starred"),
        ("(v_event)", "reads 'v_event'"),
        ("(f_len(event))", "calls 'f_len'"),
        ("(body_of(event))", "calls 'body_of'"),
        ("([v_event for x in event])", "reads 'v_event'"),
        ("(__builtins__)", "reads '__builtins__'"),
        ("(event.items.__self__)", "reads the attribute '__self__'"),
        ("(event.body.__class__.mro())", "reads the attribute '__class__'"),
        ("(f'{event.__class__}')", "reads the attribute '__class__'"),
        ("(f'{[x.gi_frame for x in event]}')", "reads the attribute 'gi_frame'"),
        ("(event[", "cannot be read"),
        ("(event; 1)", "cannot be read"),
        (f"({'(' * 60}event{')' * 60} + {'-' * 60}1)", "nested more than 50 deep"),
        (f"({'event + ' * 500}1)", "characters, 2000 at most"),
    ],
)
def test_what_no_graph_needs_is_refused_before_it_runs(text, said):
    with pytest.raises(SpecError) as caught:
        compile_expression(text)

    assert said in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "(9 ** 9 ** 9)",
        "(2 ** 5000000)",
        "(round(5, -10000000))",
        "(('%' + '500000000d') % 1)",
        "('x' * 10 ** 9)",
        "(('x' * 10000).replace('x', 'y' * 10000))",
        "(('x' * 10000).join(['a'] * 9000))",
        "([('x' * 90000) for a in [0] * 9000])",
        "([2 ** 900000 for a in [0] * 9000])",
        "([[0] * 90000 for a in [0] * 9000])",
        "([0 for a in [0] * 90000])",
        "([0 for a in [0] * 900 for b in [0] * 900 for c in [0] * 900])",
        "([" + "[" * 40 + "0" + " for a in [0] * 99]" * 40 + " for a in [0] * 99])",
        "({str(a) * 9000: 0 for a in [0] * 9000})",
        "(1 << 10 ** 9)",
        "(1 >> 10 ** 9)",
        "(2 ** 1000 ** 1 * 2 ** 1000 << 1)",
        "('x' * 60000 + 'x' * 60000)",
        "('x' * 100001)",
        "(100001 * [0])",
        "([[[0 for a in [0] * 99] for b in [0] * 99] for c in [0] * 99])",
        "(" + "[c + c for c in " * 24 + "['x' * 90000]" + "]" * 24 + ")",
        "(" + "[c * c for c in " * 24 + "[2 ** 9000]" + "]" * 24 + ")",
        "(" + "[(c, c, c, c) * 9 for c in " * 8 + "[(1, 2)]" + "]" * 8 + ")",
        "([['x' * 90000] * 99] * 99)",
        "([[[0] * 999] * 999] * 999)",
    ],
)
def test_a_few_characters_cannot_cost_much(text):
    with pytest.raises(Exception, match=r".") as caught:
        compile_expression(text)(1)

    assert not isinstance(caught.value, MemoryError | RecursionError)


@pytest.mark.parametrize("inner", ["[0]", "event"])
def test_loops_inside_each_other_are_few(inner):
    def nested(count):
        return "(" + "[" * count + "0" + f" for a in {inner}]" * count + ")"

    deepest = compile_expression(nested(10))([1])

    assert deepest == eval(nested(10), {"event": [1]})
    with pytest.raises(SpecError, match="more than 10 loops inside each other"):
        compile_expression(nested(11))
    with pytest.raises(SpecError, match="more than 10 loops inside each other"):
        compile_expression("([0" + " for a in [0]" * 11 + "])")


numbers = st.one_of(st.integers(-99, 99), st.floats(-9, 9, width=16))
leaves = st.one_of(
    numbers.map(repr),
    st.sampled_from(
        ["event['n']", "event['f']", "len(event['t'])", "event.get('z', 3)"]
    ),
)


def longer(parts):
    two = st.tuples(parts, parts)
    operators = ("+", "-", "*", "/", "//", "%", "**", "<", "==", ">=", "and", "or")
    return st.one_of(
        st.tuples(parts, st.sampled_from(operators), parts).map(
            lambda found: "({} {} {})".format(*found)
        ),
        parts.map("(-{})".format),
        parts.map("(not {})".format),
        parts.map("abs({})".format),
        parts.map("round({}, 2)".format),
        parts.map("sum([x * {} for x in event['t'] if x])".format),
        parts.map("len({{x: {} for x in event['t']}})".format),
        parts.map("event['t'][int(abs({}) % 3)]".format),
        two.map(lambda found: "max({}, {})".format(*found)),
        two.map(lambda found: "({0} if {1} else {0})".format(*found)),
    )


@given(st.recursive(leaves, longer, max_leaves=8))
def test_an_expression_gives_what_python_gives(text):
    event = {"n": 7, "f": 0.5, "t": [1, 0, 2]}
    try:
        found = eval(text, {"event": event})
    except Exception as error:
        with pytest.raises((type(error), ValueError)):
            compile_expression(f"({text})")(event)
        return

    try:
        ours = compile_expression(f"({text})")(event)
    except (ValueError, SpecError) as error:
        said = str(error)
        is_right = re.search(r"exponent|too large|characters|deep", said) is not None
    else:
        said, is_right = "", type(ours) is type(found) and repr(ours) == repr(found)
    assert is_right, said


def test_only_texts_in_parentheses_are_expressions():
    found = [is_expression(text) for text in ("(event)", "event", "(event", 5, None)]

    assert found == [True, False, False, False, False]


def test_a_handler_and_an_argument_may_be_expressions(run_graph):
    document = {
        "steps": {
            "a": {"handler": "(event['n'] + 1)"},
            "b": {
                "class_name": "storey.Filter",
                "class_args": {"_fn": "(event > 2)"},
                "after": "a",
            },
            "c": {
                "class_name": "Map",
                "class_args": {"_fn": "(event * 10)"},
                "after": "b",
                "responder": True,
            },
        }
    }

    assert run_graph(Graph.from_dict(document), [{"n": 1}, {"n": 4}]) == [None, 50]
