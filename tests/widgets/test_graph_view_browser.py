"""The view in a real browser, with a stand-in for the kernel's side of the model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from jupyter_graph.spec.model import GraphSpec, StepSpec
from jupyter_graph.widgets.graph_view import HERE, GraphView
from jupyter_graph.widgets.step_detail import StepDetail

pytestmark = [pytest.mark.ui, pytest.mark.timeout(60)]

PICTURES = Path(__file__).parents[2] / "build" / "ui"
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
HARNESS = """<!doctype html><meta charset="utf-8"><style>%s</style>
<body style="margin:8px"><div id="el"></div><script type="module">
const state = %s, calls = {};
window.model = {
  get: (key) => state[key],
  set: (key, value) => {
    state[key] = value;
    calls[`change:${key}`]?.forEach((call) => call());
  },
  save_changes: () => {},
  on: (name, call) => (calls[name] ??= new Set()).add(call),
  off: (name, call) => calls[name].delete(call),
};
window.listeners = () => Object.values(calls).reduce((sum, set) => sum + set.size, 0);
const source = new Blob([%s], { type: "text/javascript" });
const { default: widget } = await import(URL.createObjectURL(source));
window.stop = widget.render({ model, el: document.getElementById("el") });
</script>"""


def as_script(value):
    return json.dumps(value).replace("</", "<\\/")


def spec():
    return GraphSpec(
        name="demo",
        steps=(
            StepSpec(name="parse", handler="parse"),
            StepSpec(name="fast", handler="fast", after=("parse",), on_error="fix"),
            StepSpec(name="slow", class_name="Slow", after=("parse",)),
            StepSpec(name="reply", handler="r", after=("fast", "slow"), responder=True),
            StepSpec(name="fix", kind="error_step", handler="fix"),
        ),
    )


def counters(count):
    return {
        "steps": {"parse": {"count": count, "errors": 2, "mean_ms": 0.4}},
        "edges": {"$start→parse": {"count": count, "last": '{"user": "ann"}'}},
    }


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip("playwright.sync_api")
    found = next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if found is None:
        pytest.skip("Chromium is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(
            executable_path=found,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture(params=["light", "dark"])
def scheme(request):
    return request.param


@pytest.fixture
def page(browser, tmp_path, scheme):
    detail = StepDetail(
        code="def parse(body): ...",
        input="<b>bold</b>",
        output="{}",
        error="KeyError: 'x'",
        where="cell 3, line 2",
    )
    view = GraphView(spec(), {"parse": detail})
    state = {
        "drawing": view.drawing,
        "details": view.details,
        "counters": counters(0),
        "selected": "",
    }
    script = (HERE / "graph_view.js").read_text()
    html = HARNESS % (str(view._css), as_script(state), as_script(script))
    (tmp_path / "view.html").write_text(html)
    page = browser.new_page(
        color_scheme=scheme, viewport={"width": 1100, "height": 560}
    )
    complaints = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto((tmp_path / "view.html").as_uri())
    page.wait_for_selector(".jg-node")
    yield page
    page.close()
    assert complaints == []


def focused(page):
    return page.evaluate("document.activeElement.dataset.step")


def test_a_click_opens_the_panel_and_escape_closes_it(page, scheme):
    page.click('[data-step="parse"] .jg-outline')
    panel = page.inner_text(".jg-panel")

    for words in ("parse", "cell 3, line 2", "KeyError: 'x'", "<b>bold</b>"):
        assert words in panel
    assert page.query_selector(".jg-panel b") is None
    assert page.evaluate("model.get('selected')") == "parse"
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"graph-view-{scheme}.png")

    page.press(".jg-panel pre", "Escape")
    assert page.is_hidden(".jg-panel")
    assert focused(page) == "parse"


def test_keys_lead_along_the_edges_and_open_a_step(page):
    page.keyboard.press("Tab")
    assert focused(page) == "$start"
    seen = []
    for key in ("ArrowRight", "ArrowRight", "ArrowRight", "ArrowLeft", "Home"):
        page.keyboard.press(key)
        seen.append(focused(page))
    assert seen[0] == "parse"
    assert seen[1] in ("fast", "slow")
    assert seen[2:] == ["reply", seen[3], "$start"]
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")

    assert page.evaluate("model.get('selected')") == "parse"
    assert page.locator('.jg-node[tabindex="0"]').count() == 1


def test_counters_change_texts_only(page):
    before = page.query_selector('[data-step="parse"]')
    count = json.dumps(counters(1204))
    page.evaluate(f"model.set('counters', {count})")

    assert (
        before.query_selector(".jg-figures").text_content() == "1,204 events · 0.4 ms"
    )
    assert before.query_selector(".jg-badge-text").text_content() == "✕ 2"
    assert "1,204 events" in before.get_attribute("aria-label")
    assert page.text_content(".jg-chip-value >> nth=0") == "user: ann"
    assert page.text_content(".jg-status") == "5 steps · 1,204 events · 2 errors"
    page.wait_for_function(
        "document.querySelector('[aria-live]').textContent.includes('1,204')"
    )


def test_zoom_buttons_and_dragging_move_the_picture(page):
    def place():
        return page.get_attribute(".jg-stage > g", "transform")

    first = place()
    page.click('[aria-label="Zoom in"]')
    zoomed = place()
    page.mouse.move(40, 20)
    page.mouse.down()
    page.mouse.move(90, 40, steps=4)
    page.mouse.up()
    moved = place()
    page.click('[aria-label="Show the whole graph"]')

    assert len({first, zoomed, moved}) == 3
    assert place() == first
    assert page.is_hidden(".jg-panel")


def test_what_render_connects_its_return_value_disconnects(page):
    assert page.evaluate("listeners()") == 4

    page.evaluate("stop()")
    assert page.evaluate("listeners()") == 0


def test_a_new_drawing_replaces_the_old_one(page):
    other = GraphView(GraphSpec(name="two", steps=(StepSpec(name="<i>", handler="f"),)))
    drawing = json.dumps(other.drawing)
    page.evaluate(f"model.set('drawing', {drawing})")

    assert page.locator(".jg-node").count() == 2
    assert page.locator(".jg-title").all_text_contents() == ["start", "<i>"]


def test_colours_have_contrast(page):
    page.evaluate("model.set('selected', 'parse')")
    ratio = """(pairs) => pairs.map(([selector, property]) => {
      const canvas = document.createElement("canvas").getContext("2d", {
        willReadFrequently: true,
      });
      const rgb = (colour) => {
        canvas.clearRect(0, 0, 1, 1);
        canvas.fillStyle = colour;
        canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
      };
      const light = (c) => {
        const [r, g, b] = c.map((v) => v / 255)
          .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
      };
      const style = (name) => getComputedStyle(document.querySelector(name));
      const one = light(rgb(style(selector)[property]));
      const two = light(rgb(style(".jg-view").backgroundColor));
      return (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    })"""
    texts = [
        [".jg-title", "fill"],
        [".jg-code", "fill"],
        [".jg-reply-text", "fill"],
        [".jg-status", "color"],
        [".jg-panel h4", "color"],
    ]
    lines = [[".jg-line", "stroke"], [".jg-kind-task .jg-outline", "stroke"]]

    assert min(page.evaluate(ratio, texts)) >= 4.5
    assert min(page.evaluate(ratio, lines)) >= 2
