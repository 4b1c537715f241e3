from textwrap import dedent

import pytest

from jupyter_graph.picture.forms.text_picture import text
from jupyter_graph.picture.layout.measure import columns
from jupyter_graph.spec.model import GraphSpec, StepSpec


@pytest.mark.parametrize(
    ("name", "drawn"),
    [
        pytest.param(
            "branch",
            """\
            branch · flow · 6 steps
            ○   start
            ●   parse  parse()
            ├─╮
            ● │ left   left()
            │ ● right  right()
            │ ● deep   deep()
            ├─╯
            ◉   merge  storey.Merge.merge    ↩ answers
            ▣   store  storey.ParquetTarget
            """,
            id="branch",
        ),
        pytest.param(
            "router",
            """\
            router · flow · 6 steps
            ○ start
            ● prepare       prepare()
            ◆ models        ModelRouter
            │ ├─ forest:v1  V2Model
            │ ├─ boost      V2Model
            │ ╰─ net        V2Model
            ● explain       explain()
            """,
            id="router",
        ),
        pytest.param(
            "errors",
            """\
            errors · flow · 7 steps
            ○     start
            ├┄╮
            │ ◇   catch_all  catch_all()
            ●     parse      parse()
            ●     validate   validate()
            ├┄╮
            │ ◇   fix        fix()
            ● │   predict    predict()
            ├┄┼┄╮
            │ │ ◇ excuse     excuse()
            ├─╯
            ◉     reply      reply()      ↩ answers
            """,
            id="errors",
        ),
        pytest.param(
            "kinds",
            """\
            kinds · flow · 8 steps
            ○   start
            ▤   tidy    2 steps
            ●   ask     ask()
            ●   judge   judge()                     ↺ ask
            ├─╮
            ▥ │ models  ModelRunnerStep · 2 models
            │ ● also    also()
            ├─╯
            ◉   both    both() · join all           ↩ answers
            ▣   orders  memory://o
            ●   work    work()
            """,
            id="kinds",
        ),
    ],
)
def test_a_graph_is_drawn_with_lanes(graph, name, drawn):
    assert text(graph(name)) == dedent(drawn).rstrip()


def test_counts_and_values_stand_beside_the_steps(graph, counted):
    spec = graph("linear")
    lines = text(spec, counted(spec)).splitlines()

    assert lines[2] == '│   30 × {"user": "ann", "amount": 12.5}'
    assert lines[3].split("  ")[-2:] == ["30 events · 0.4 ms", "✕ 2 errors"]


def test_every_graph_can_be_drawn(any_graph, counted):
    drawn = text(any_graph, counted(any_graph))

    assert all(ord(sign) >= 32 for sign in drawn.replace("\n", ""))
    assert all(line == line.rstrip() for line in drawn.splitlines())
    drawn.encode()


def test_ascii_uses_ascii_only(graph, counted):
    spec = graph("errors")

    assert text(spec, counted(spec), ascii=True).isascii()


def test_wide_signs_keep_the_columns_in_line():
    steps = (
        StepSpec(name="漢字", handler="f"),
        StepSpec(name="abcdef", handler="f", after=("漢字",)),
    )
    one, two = text(GraphSpec(steps=steps)).splitlines()[2:]

    assert columns(one.split("f()")[0]) == columns(two.split("f()")[0])


def test_a_graph_too_wide_for_lanes_becomes_a_list():
    roots = [StepSpec(name=f"r{i}", handler="f") for i in range(40)]
    last = StepSpec(name="last", handler="f", after=tuple(s.name for s in roots))
    drawn = text(GraphSpec(steps=(*roots, last)))

    assert "after r0, r1, r2, r3, r4, r5, r6, r7 …" in drawn
    assert max(map(len, drawn.splitlines())) < 80
