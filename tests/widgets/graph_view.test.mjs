import assert from "node:assert/strict";
import test from "node:test";

import {
  cut,
  duration,
  edgeValue,
  fitted,
  neighbour,
  number,
  spoken,
  status,
  stepLine,
  zoomed,
} from "../../jupyter_graph/widgets/graph_view.js";

const node = (name, x, y, kind = "task") => ({ name, x, y, kind, about: `step ${name}` });
const edge = (source, target, kind = "flow") => ({ source, target, kind });
const drawing = {
  width: 1000,
  height: 200,
  nodes: [
    node("start", 0, 50, "start"),
    node("a", 100, 50),
    node("up", 200, 0),
    node("down", 200, 100),
    node("end", 300, 0),
  ],
  edges: [
    edge("start", "a"),
    edge("a", "start", "error"),
    edge("a", "up"),
    edge("a", "down"),
    edge("up", "end"),
  ],
};

test("counts and times are short", () => {
  assert.deepEqual(
    [999, 1204, 15300, 2_500_000].map(number),
    ["999", "1,204", "15.3k", "2.5M"],
  );
  assert.deepEqual(
    [0.0123, 0.4, 31.2, 2500].map(duration),
    ["12 µs", "0.4 ms", "31 ms", "2.5 s"],
  );
});

test("a step without events has no line", () => {
  assert.equal(stepLine(undefined), "");
  assert.equal(stepLine({ count: 1, mean_ms: 0.4 }), "1 event · 0.4 ms");
  assert.equal(stepLine({ count: 2, mean_ms: null }), "2 events");
});

test("a value is cut and loses JSON's quotes", () => {
  assert.equal(cut("a\n  b"), "a b");
  assert.equal(edgeValue({ last: '{"user": "ann", "amount": 12.5}' }), "user: ann,…");
  assert.equal(edgeValue({ last: null }), "");
  assert.equal(edgeValue({ last: 0 }), "0");
});

test("a small picture is centred, a large one begins at its start", () => {
  assert.deepEqual(fitted(drawing, 2000, 400), { scale: 1, x: 500, y: 100 });
  assert.deepEqual(fitted(drawing, 100, 400), { scale: 0.45, x: 0, y: 155 });
});

test("the point under the pointer stays when zooming", () => {
  const view = zoomed({ scale: 1, x: 10, y: 20 }, 2, 110, 70);
  assert.deepEqual(view, { scale: 2, x: -90, y: -30 });
  assert.equal(zoomed(view, 100, 0, 0).scale, 3);
});

test("arrow keys follow the edges", () => {
  const go = (from, key) => neighbour(drawing, from, `Arrow${key}`);
  assert.equal(go("start", "Right"), "a");
  assert.equal(go("a", "Right"), "up");
  assert.equal(go("down", "Left"), "a");
  assert.equal(go("up", "Down"), "down");
  assert.equal(go("down", "Up"), "up");
  assert.equal(go("end", "Right"), null);
  assert.equal(neighbour(drawing, "down", "Home"), "start");
  assert.equal(neighbour(drawing, "start", "End"), "end");
  assert.equal(neighbour(drawing, "gone", "Home"), null);
});

test("the status counts what came in", () => {
  assert.equal(status(drawing, {}), "4 steps");
  const counters = {
    steps: { a: { count: 30, errors: 1 }, up: { count: 29, errors: 2 } },
    edges: { "start→a": { count: 30 } },
  };
  assert.equal(status(drawing, counters), "4 steps · 30 events · 3 errors");
});

test("a screen reader hears counts and errors", () => {
  const words = spoken(node("a", 0, 0), { count: 3, errors: 1, mean_ms: 2 });
  assert.equal(words, "step a, 3 events · 2.0 ms, 1 error");
});
