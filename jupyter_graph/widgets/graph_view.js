// Draws what the kernel sends; see graph_view.py for the traits.

const SVG = "http://www.w3.org/2000/svg";
const LEAST_SCALE = 0.12;
const MOST_SCALE = 3;
const FIT_SCALE = 0.45; // a first view is never smaller: the rest is reached by moving
const STATUS_MS = 1500;
const LONGEST_VALUE = 12;
const TALLEST = 560;
const FOOT = 26; // the status line

// ---- pure functions, tested with node --test ----

/** Write a count short: 1204 → "1,204", 15300 → "15.3k". */
export function number(count) {
  if (count < 10_000) return Math.round(count).toLocaleString("en-US");
  if (count >= 1e9) return `${(count / 1e9).toFixed(1)}G`;
  if (count >= 1e6) return `${(count / 1e6).toFixed(1)}M`;
  return `${(count / 1e3).toFixed(1)}k`;
}

/** Write milliseconds with the unit that suits them. */
export function duration(ms) {
  if (ms < 0.1) return `${(ms * 1000).toFixed(0)} µs`;
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

/** One line below a step: "30 events · 0.4 ms". */
export function stepLine(counted) {
  const count = counted?.count ?? 0;
  if (!count) return "";
  const events = `${number(count)} event${count === 1 ? "" : "s"}`;
  return counted.mean_ms == null ? events : `${events} · ${duration(counted.mean_ms)}`;
}

/** Cut the end of a text; line breaks become blanks. */
export function cut(text, length = LONGEST_VALUE) {
  const line = String(text ?? "").slice(0, 4 * length).split(/\s+/).join(" ").trim();
  return line.length <= length ? line : `${line.slice(0, length - 1).trimEnd()}…`;
}

/** The last value on an edge in a few signs, without JSON's quotes. */
export function edgeValue(counted, length = LONGEST_VALUE) {
  let text = String(counted?.last ?? "").slice(0, 8 * length);
  if (/^[{[]/.test(text)) text = text.slice(1).replace(/["']/g, "").replace(/}$/, "");
  return cut(text, length);
}

/** The scale and offset that show a whole picture, or its start when it is large. */
export function fitted(drawing, width, height, least = FIT_SCALE) {
  const scale = Math.max(
    least,
    Math.min(1, width / drawing.width, height / drawing.height),
  );
  const free = (room, size) => Math.max(0, (room - size * scale) / 2);
  return {
    scale,
    x: free(width, drawing.width),
    y: free(height, drawing.height),
  };
}

/** Zoom by a factor so that the point under the pointer stays. */
export function zoomed(view, factor, x, y) {
  const scale = Math.min(MOST_SCALE, Math.max(LEAST_SCALE, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** The step that a key leads to from this one, or null. */
export function neighbour(drawing, name, key) {
  const at = new Map(drawing.nodes.map((node) => [node.name, node]));
  const here = at.get(name);
  if (!here) return null;
  if (key === "Home") return drawing.nodes[0].name;
  if (key === "End") return drawing.nodes.reduce((a, b) => (b.x > a.x ? b : a)).name;
  if (key === "ArrowRight" || key === "ArrowLeft") {
    const [from, to] = key === "ArrowRight" ? ["source", "target"] : ["target", "source"];
    const ways = drawing.edges.filter((e) => e[from] === name && at.has(e[to]));
    const flow = ways.filter((e) => e.kind !== "error"); // errors where nothing else leads
    const ends = (flow.length ? flow : ways).map((e) => at.get(e[to]));
    return nearest(ends, here, (n) => Math.abs(n.y - here.y));
  }
  if (key === "ArrowDown" || key === "ArrowUp") {
    const down = key === "ArrowDown" ? 1 : -1;
    const there = drawing.nodes.filter((n) => (n.y - here.y) * down > 1);
    return nearest(
      there,
      here,
      (n) => Math.abs(n.y - here.y) + 3 * Math.abs(n.x - here.x),
    );
  }
  return null;
}

function nearest(nodes, here, distance) {
  if (!nodes.length) return null;
  return nodes.reduce((a, b) => (distance(b) < distance(a) ? b : a)).name;
}

/** What the status line says. */
export function status(drawing, counters) {
  const steps = Object.values(counters?.steps ?? {});
  const errors = steps.reduce((sum, step) => sum + (step.errors ?? 0), 0);
  const start = drawing.nodes.find((node) => node.kind === "start")?.name;
  const events = drawing.edges
    .filter((edge) => edge.source === start && edge.kind !== "error")
    .reduce((most, edge) => {
      const counted = counters?.edges?.[`${start}→${edge.target}`]?.count;
      return Math.max(most, counted ?? counters?.steps?.[edge.target]?.count ?? 0);
    }, 0);
  const boxes = drawing.nodes.filter((node) => node.kind !== "start").length;
  const parts = [`${boxes} step${boxes === 1 ? "" : "s"}`];
  if (events) parts.push(`${number(events)} event${events === 1 ? "" : "s"}`);
  if (errors) parts.push(`${number(errors)} error${errors === 1 ? "" : "s"}`);
  return parts.join(" · ");
}

/** What a screen reader hears at a step. */
export function spoken(node, counted) {
  const errors = counted?.errors ?? 0;
  const words = [node.about, stepLine(counted)];
  if (errors) words.push(`${errors} error${errors === 1 ? "" : "s"}`);
  return words.filter(Boolean).join(", ");
}

// ---- drawing ----

function svg(tag, attributes = {}, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) {
    element.setAttribute(name, String(value));
  }
  if (text !== undefined) element.textContent = text;
  return element;
}

function html(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function button(className, label, sign, onClick) {
  const element = html("button", className, sign);
  element.type = "button";
  element.title = label;
  element.setAttribute("aria-label", label);
  element.addEventListener("click", onClick);
  return element;
}

function drawNode(node) {
  const responder = node.responder ? " jg-responder" : "";
  const group = svg("g", {
    class: `jg-node jg-kind-${node.kind}${responder}`,
    transform: `translate(${node.x} ${node.y})`,
    role: "button",
    tabindex: -1,
  });
  group.dataset.step = node.name;
  const tip = svg("title");
  group.append(tip, svg("path", { class: "jg-outline", d: node.outline }));
  if (node.rim) group.append(svg("path", { class: "jg-rim", d: node.rim }));
  group.append(svg("text", { class: "jg-title", y: node.title_y }, node.title));
  if (node.code) group.append(svg("text", { class: "jg-code", y: node.code_y }, node.code));
  if (node.count) {
    const [x, y, wide] = [node.width / 2 - 44, 4 - node.height / 2, 12 + 7 * node.count.length];
    group.append(
      svg("rect", { class: "jg-count", x: x - wide / 2, y: y - 8, width: wide, height: 16, rx: 8 }),
      svg("text", { class: "jg-count-text", x, y: y + 3.5 }, node.count),
    );
  }
  if (node.responder) {
    const [x, y] = [-node.width / 2 + 26, -node.height / 2 - 5];
    group.append(
      svg("rect", { class: "jg-reply", x: x - 30, y: y - 8, width: 60, height: 16, rx: 8 }),
      svg("text", { class: "jg-reply-text", x, y: y + 3.5 }, "↩ answer"),
    );
  }
  const figures = svg("text", { class: "jg-figures", y: node.height / 2 + 14 });
  const badge = svg("g", { class: "jg-errors" });
  const pill = svg("rect", { class: "jg-badge", y: -node.height / 2 - 9, height: 18, rx: 9 });
  const count = svg("text", { class: "jg-badge-text", y: -node.height / 2 + 3.5 });
  badge.append(pill, count);
  group.append(figures, badge);
  const show = (counted) => {
    const errors = counted?.errors ?? 0;
    tip.textContent = spoken(node, counted);
    group.setAttribute("aria-label", tip.textContent);
    figures.textContent = stepLine(counted);
    badge.style.display = errors ? "" : "none";
    if (errors) {
      count.textContent = `✕ ${number(errors)}`;
      const wide = 14 + 7 * count.textContent.length;
      const x = node.width / 2 - wide / 2 + 6;
      pill.setAttribute("x", x - wide / 2);
      pill.setAttribute("width", wide);
      count.setAttribute("x", x);
    }
  };
  show(undefined);
  return { group, show };
}

function drawEdge(edge) {
  const lines = svg("g", { class: `jg-edge jg-${edge.kind}`, "aria-hidden": "true" });
  lines.append(
    svg("path", { class: "jg-line", d: edge.line }),
    svg("path", { class: "jg-head", d: edge.head }),
  );
  const chip = svg("g", { class: "jg-value" });
  if (!edge.label) return { lines, chip, show: () => {} };
  const [x, y] = edge.label;
  const tip = svg("title");
  const box = svg("rect", { class: "jg-chip", y: y - 9, height: 18, rx: 9 });
  const text = svg("text", { y: y + 3.6 });
  const many = svg("tspan", { class: "jg-chip-count" });
  const value = svg("tspan", { class: "jg-chip-value", dx: 5 });
  text.append(many, value);
  chip.append(tip, box, text);
  let before = 0;
  const show = (counted) => {
    const count = counted?.count ?? 0;
    chip.style.display = count ? "" : "none";
    lines.classList.toggle("jg-moved", count > before && before >= 0);
    before = count;
    if (!count) return;
    many.textContent = number(count);
    value.textContent = edgeValue(counted);
    const wide =
      16 +
      7.4 * many.textContent.length +
      (value.textContent ? 5 + 5.75 * value.textContent.length : 0);
    box.setAttribute("x", x - wide / 2);
    box.setAttribute("width", wide);
    text.setAttribute("x", x - wide / 2 + 8);
    const last = counted.last == null ? "" : `, last ${counted.last}`;
    tip.textContent = `${edge.ends}: ${count} events${last}`;
  };
  show(undefined);
  return { lines, chip, show };
}

function section(title, text, className = "") {
  const part = html("section", className);
  const body = html("pre", "", text);
  body.tabIndex = 0;
  part.append(html("h4", "", title), body);
  return part;
}

function drawPanel(panel, node, detail, counted, close) {
  const head = html("header");
  const words = html("div");
  words.append(html("h3", "", node.kind === "start" ? node.title : node.name));
  const kind = [node.kind.replace("_", " "), detail?.where].filter(Boolean).join(" · ");
  words.append(html("p", "", kind));
  head.append(words, button("jg-close", "Close details", "×", close));
  const parts = [head];
  const line = html("p", "jg-panel-figures", spoken({ about: "" }, counted));
  parts.push(line);
  if (detail?.error) parts.push(section("Last error", detail.error, "jg-panel-error"));
  const options = Object.entries(detail?.options ?? {});
  if (options.length) {
    const list = html("dl");
    for (const [name, value] of options) {
      list.append(html("dt", "", name.replaceAll("_", " ")), html("dd", "", value));
    }
    const part = html("section");
    part.append(html("h4", "", "Options"), list);
    parts.push(part);
  }
  if (detail?.input) parts.push(section("Last input", detail.input));
  if (detail?.output) parts.push(section("Last output", detail.output));
  if (detail?.code) parts.push(section("Code", detail.code));
  panel.replaceChildren(...parts);
  return (now) => {
    line.textContent = spoken({ about: "" }, now);
  };
}

// ---- the view ----

class View {
  constructor(model, el) {
    this.model = model;
    this.root = html("div", "jg jg-view");
    // JupyterLab would take the arrow keys and Enter for the notebook.
    this.root.dataset.lmSuppressShortcuts = "true";
    this.root.dataset.jpSuppressContextMenu = "true";
    // Without tabindex Chromium takes it for a scroller and stops there with Tab.
    this.stage = svg("svg", {
      class: "jg-stage",
      role: "graphics-document document",
      tabindex: -1,
    });
    this.layer = svg("g");
    this.stage.append(this.layer);
    this.panel = html("aside", "jg-panel");
    this.panel.setAttribute("aria-label", "Step details");
    this.panel.hidden = true;
    this.status = html("div", "jg-status");
    this.announcement = html("div", "jg-announcement");
    this.announcement.setAttribute("role", "status");
    this.announcement.setAttribute("aria-live", "polite");
    const tools = html("div", "jg-tools");
    tools.append(
      button("", "Zoom in", "+", () => this.zoom(1.25)),
      button("", "Zoom out", "−", () => this.zoom(0.8)),
      button("", "Show the whole graph", "⤢", () => this.fit(LEAST_SCALE)),
    );
    this.main = html("div", "jg-main");
    this.main.append(this.stage, tools, this.status);
    this.root.append(this.main, this.panel, this.announcement);
    el.replaceChildren(this.root);
    this.view = { scale: 1, x: 0, y: 0 };
    this.focused = "";
    this.listen();
    this.draw();
    this.size = new ResizeObserver(() => this.touched || this.fit());
    this.size.observe(this.main);
  }

  listen() {
    this.offs = [];
    const on = (name, call) => {
      this.model.on(`change:${name}`, call);
      this.offs.push(() => this.model.off(`change:${name}`, call));
    };
    on("drawing", () => this.draw());
    on("counters", () => this.count());
    on("details", () => this.open());
    on("selected", () => this.open());
    this.stage.addEventListener("click", (event) => {
      const step = event.target.closest?.(".jg-node")?.dataset.step;
      if (step && !this.dragged) this.select(step);
    });
    this.stage.addEventListener("keydown", (event) => this.key(event));
    this.panel.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    this.stage.addEventListener("focusin", (event) => {
      const step = event.target.closest?.(".jg-node")?.dataset.step;
      if (step) this.rove(step);
    });
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
  }

  draw() {
    const drawing = this.model.get("drawing");
    this.layer.replaceChildren();
    this.stage.setAttribute("aria-label", `graph ${drawing.name}. ${drawing.about}`);
    for (const { x, y, width, height } of drawing.frames) {
      this.layer.append(svg("rect", { class: "jg-frame", x, y, width, height, rx: 12 }));
    }
    this.edges = drawing.edges.map((edge) => ({ edge, ...drawEdge(edge) }));
    this.nodes = new Map(drawing.nodes.map((node) => [node.name, { node, ...drawNode(node) }]));
    this.layer.append(
      ...this.edges.map((edge) => edge.lines),
      ...[...this.nodes.values()].map((node) => node.group),
      ...this.edges.map((edge) => edge.chip),
    );
    this.rove(this.nodes.has(this.focused) ? this.focused : drawing.nodes[0]?.name);
    this.touched = false;
    this.fit();
    this.count();
    this.open();
  }

  count() {
    const counters = this.model.get("counters") ?? {};
    for (const [name, node] of this.nodes) node.show(counters.steps?.[name]);
    for (const { edge, show } of this.edges) {
      show(counters.edges?.[`${edge.source}→${edge.target}`]);
    }
    this.status.textContent = status(this.model.get("drawing"), counters);
    this.recount?.(counters.steps?.[this.model.get("selected")]);
    this.saying ??= setTimeout(() => {
      this.saying = undefined;
      this.announcement.textContent = this.status.textContent;
    }, STATUS_MS);
  }

  select(name) {
    this.model.set("selected", name);
    this.model.save_changes();
    this.open();
  }

  close() {
    const name = this.model.get("selected");
    this.select("");
    this.nodes.get(name)?.group.focus();
  }

  open() {
    const name = this.model.get("selected");
    const chosen = this.nodes.get(name);
    for (const { node, group } of this.nodes.values()) {
      group.setAttribute("aria-expanded", String(node.name === name));
      group.classList.toggle("jg-selected", node.name === name);
    }
    this.panel.hidden = !chosen;
    this.recount = undefined;
    if (!chosen) return;
    const counted = this.model.get("counters")?.steps?.[name];
    const detail = this.model.get("details")?.[name];
    this.recount = drawPanel(this.panel, chosen.node, detail, counted, () => this.close());
  }

  rove(name) {
    this.nodes.get(this.focused)?.group.setAttribute("tabindex", "-1");
    this.focused = name ?? "";
    this.nodes.get(this.focused)?.group.setAttribute("tabindex", "0");
  }

  key(event) {
    const name = event.target.closest?.(".jg-node")?.dataset.step;
    if (!name || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.select(name);
    else if (event.key === "Escape") this.close();
    else if (event.key === "+") this.zoom(1.25);
    else if (event.key === "-") this.zoom(0.8);
    else if (event.key === "0") this.fit(LEAST_SCALE);
    else {
      const next = neighbour(this.model.get("drawing"), name, event.key);
      if (!next && !event.key.startsWith("Arrow")) return;
      if (next) this.reach(next);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Put the focus on a step, and move the picture when the step is out of sight. */
  reach(name) {
    this.reveal(name);
    this.nodes.get(name).group.focus({ preventScroll: true });
  }

  reveal(name) {
    const { node } = this.nodes.get(name);
    const { width, height } = this.stage.getBoundingClientRect();
    const x = node.x * this.view.scale + this.view.x;
    const y = node.y * this.view.scale + this.view.y;
    const [w, h] = [(node.width / 2) * this.view.scale, (node.height / 2) * this.view.scale];
    const shift = (at, half, room) =>
      at - half < 8 ? 8 + half - at : at + half > room - 8 ? room - 8 - half - at : 0;
    this.move(shift(x, w + 8, width), shift(y, h + 16, height));
  }

  /** Make the place as high as the picture needs, and tell how large it is. */
  room() {
    const drawing = this.model.get("drawing");
    const width = this.main.clientWidth || drawing.width;
    const scale = Math.max(FIT_SCALE, Math.min(1, width / drawing.width));
    const height = Math.min(TALLEST, Math.round(drawing.height * scale) + FOOT);
    this.main.style.minHeight = `${height}px`;
    return { width, height: (this.main.clientHeight || height) - FOOT };
  }

  fit(least = FIT_SCALE) {
    const { width, height } = this.room();
    this.view = fitted(this.model.get("drawing"), width, height, least);
    this.place();
    const selected = this.model.get("selected");
    if (this.nodes.has(selected)) this.reveal(selected);
    this.touched = false;
  }

  zoom(factor) {
    const { width, height } = this.stage.getBoundingClientRect();
    this.view = zoomed(this.view, factor, width / 2, height / 2);
    this.touched = true;
    this.place();
  }

  move(x, y) {
    if (!x && !y) return;
    this.view = { ...this.view, x: this.view.x + x, y: this.view.y + y };
    this.touched = true;
    this.place();
  }

  place() {
    const { x, y, scale } = this.view;
    this.layer.setAttribute("transform", `translate(${x} ${y}) scale(${scale})`);
  }

  wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the notebook scrolls
    event.preventDefault();
    const { left, top } = this.stage.getBoundingClientRect();
    const factor = Math.exp(-event.deltaY / 300);
    this.view = zoomed(this.view, factor, event.clientX - left, event.clientY - top);
    this.touched = true;
    this.place();
  }

  drag(down) {
    this.dragged = false;
    if (down.button !== 0) return;
    let [x, y] = [down.clientX, down.clientY];
    const move = (event) => {
      const [dx, dy] = [event.clientX - x, event.clientY - y];
      if (!this.dragged && Math.hypot(dx, dy) < 4) return;
      this.dragged = true;
      this.move(dx, dy);
      [x, y] = [event.clientX, event.clientY];
    };
    const up = () => {
      window.removeEventListener("pointermove", move);
      window.removeEventListener("pointerup", up);
      window.removeEventListener("pointercancel", up);
      this.release = undefined;
    };
    this.release = up;
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", up);
    window.addEventListener("pointercancel", up);
  }

  remove() {
    this.offs.forEach((off) => off());
    this.release?.();
    this.size.disconnect();
    clearTimeout(this.saying);
  }
}

export default {
  render({ model, el }) {
    const view = new View(model, el);
    return () => view.remove();
  },
};
