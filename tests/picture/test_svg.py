import re
from xml.etree import ElementTree

import pytest

from jupyter_graph.picture.forms.svg import svg
from jupyter_graph.spec.model import GraphSpec, StepSpec

SVG = "{http://www.w3.org/2000/svg}"


def texts(document):
    root = ElementTree.fromstring(document)
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text")]


def test_every_graph_gives_well_formed_xml(any_graph, counted):
    ElementTree.fromstring(svg(any_graph))
    ElementTree.fromstring(svg(any_graph, counted(any_graph)))


def test_step_and_code_stand_in_the_picture(graph):
    found = texts(svg(graph("branch")))

    assert {"start", "parse", "parse()", "merge", "storey.Merge.merge"} <= set(found)


def test_the_responder_is_marked(graph):
    root = ElementTree.fromstring(svg(graph("linear")))
    [marked] = [g for g in root.iter(f"{SVG}g") if "jg-responder" in g.get("class", "")]

    assert marked.get("aria-label") == "step reply, reply(), answers the caller"


def test_counts_times_errors_and_values_are_shown(graph, counted):
    spec = graph("linear")
    found = texts(svg(spec, counted(spec, count=1204, errors=3)))

    assert "1,204 events · 0.4 ms" in found
    assert "✕ 3" in found
    assert "1,204user: ann,…" in found


@pytest.mark.parametrize(
    "counters",
    [
        pytest.param(None, id="none"),
        pytest.param({}, id="empty"),
        pytest.param({"steps": {}, "edges": {}}, id="nothing-counted"),
        pytest.param({"steps": {"gone": {"count": 1}}, "edges": {}}, id="unknown-step"),
        pytest.param(
            {"steps": {"parse": {"count": 1}}, "edges": {"a→b": {"last": None}}},
            id="half",
        ),
    ],
)
def test_incomplete_counters_are_fine(graph, counters):
    ElementTree.fromstring(svg(graph("linear"), counters))


def test_no_markup_comes_out_of_names_or_values(odd_names, graph, counted):
    spec = graph("odd")
    document = svg(spec, counted(spec, last='<img src=x onerror="alert(1)">]]>'))

    assert "<script" not in document
    assert "<img" not in document
    root = ElementTree.fromstring(document)
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {
        "svg", "title", "desc", "style", "rect", "g", "path", "text", "tspan",
    }  # fmt: skip


def test_the_same_graph_gives_the_same_text(graph, counted):
    spec = graph("random")

    assert svg(spec, counted(spec)) == svg(spec, counted(spec))


def test_ids_of_different_pictures_differ_and_rules_name_their_picture_only(graph):
    ids = [
        set(re.findall(r'\bid="([^"]+)"', svg(graph(name))))
        for name in ("linear", "branch")
    ]

    assert ids[0]
    assert not ids[0] & ids[1]
    style = re.search(r"<style>(.*)</style>", svg(graph("linear")))[1]
    rules = re.sub(r"@media[^{]*\{(.*?\})\}", r"\1", style)
    assert all(rule.startswith(".jg") for rule in re.findall(r"([^{}]+)\{", rules))


def test_numbers_have_at_most_one_decimal_place(graph, counted):
    document = svg(graph("random"), counted(graph("random")))
    shapes = re.sub(r"<style>.*</style>", "", document)

    assert not re.findall(r"\d\.\d{2,}", re.sub(r">[^<]*<|=\"jg[^\"]*\"", "", shapes))


def test_it_tells_what_it_shows_to_who_cannot_see_it(graph):
    root = ElementTree.fromstring(svg(graph("errors")))

    assert root.get("role").startswith("graphics-document")
    assert root.find(f"{SVG}title").text == "graph errors"
    told = root.find(f"{SVG}desc").text
    assert told.startswith("A flow of 7 steps. start leads to parse; ")
    assert "errors of validate go to fix" in told
    assert "errors of any step go to catch_all" in told


@pytest.mark.parametrize(
    ("dark", "look"),
    [
        (None, 'class="jg"'),
        (False, 'class="jg jg-light"'),
        (True, 'class="jg jg-dark"'),
    ],
)
def test_colours_follow_the_page_unless_they_are_chosen(graph, dark, look):
    document = svg(graph("linear"), dark=dark)

    assert look in document
    assert "--jp-layout-color0" in document
    assert "prefers-color-scheme:dark" in document


def test_errors_are_dashed_for_programs_without_styles_too(graph):
    document = re.sub(r"<style>.*</style>", "", svg(graph("errors")))

    assert document.count("stroke-dasharray") == 3


@pytest.mark.parametrize(
    "shape",
    [
        "box",
        "egg",
        "ellipse",
        "cylinder",
        "diamond",
        "doubleoctagon",
        "cds",
        "folder",
        "tab",
        "x",
    ],
)
def test_any_shape_is_drawn(shape):
    step = StepSpec(name="a", handler="f", shape=shape)

    ElementTree.fromstring(svg(GraphSpec(steps=(step,))))


@pytest.mark.slow
def test_a_thousand_steps_are_drawn(big_graph, counted):
    ElementTree.fromstring(svg(big_graph, counted(big_graph)))


def test_flows_queues_and_runners_have_shapes_of_their_own(graph):
    document = svg(graph("kinds"))

    assert 'aria-label="flow tidy, 2 steps"' in document
    assert 'aria-label="queue orders, memory://o"' in document
    assert 'aria-label="model runner models, ModelRunnerStep, 2 models"' in document
    assert document.count('class="jg-count"') == 1


def test_the_place_before_the_first_step_is_called_start(graph, counted):
    spec = graph("linear")
    document = svg(spec, counted(spec))

    assert "start → parse: 30 events" in document
    assert "$start" not in document


def test_a_queue_does_not_show_its_password():
    queue = StepSpec(name="q", kind="queue", path="amqp://ann:secret@host/q?key=1")

    assert "secret" not in svg(GraphSpec(steps=(queue,)))
