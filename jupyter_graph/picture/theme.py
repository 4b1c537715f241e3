"""The colours and fonts of pictures, for light and dark surroundings.

In JupyterLab its own variables decide (``--jp-*``), in VS Code the editor's; elsewhere
the reader's preference. All tints are mixed from the background, the text colour and
one accent for each kind of step.
"""

from __future__ import annotations

import re

_COLOURS = {
    "start": ("#64748b", "#eef1f4", "#94a0b0"),
    "task": ("#3b7dd8", "#eef4fc", "#86b0e7"),
    "router": ("#8b5cf6", "#f4effe", "#b89bf9"),
    "route": ("#8b5cf6", "#f9f7ff", "#cdbdf9"),
    "error_step": ("#e5484d", "#fdeeee", "#f09598"),
    "target": ("#0f9b8e", "#e9f6f5", "#72c5bd"),
    "queue": ("#0f9b8e", "#e9f6f5", "#72c5bd"),
    "flow": ("#2f7fb8", "#ecf4fa", "#7fb1d3"),
    "model_runner": ("#b5477e", "#faeef4", "#d592b4"),
    "missing": ("#c2780c", "#fdf5e9", "#dba95e"),
}
"""Kind of a step to its accent, and to fill and stroke without a style sheet."""

# For programs that know neither variables nor mixing: fill, stroke.
PLAIN = {kind: (fill, stroke) for kind, (_, fill, stroke) in _COLOURS.items()}
PLAIN_TEXT, PLAIN_MUTED = "#1c2430", "#5b6572"
PLAIN_LINE, PLAIN_GROUND = "#8a94a2", "#ffffff"
PLAIN_ERROR_LINE = PLAIN["error_step"][1]
"""Lines of failed events, where no style sheet is read; ``.jg-error`` is the other."""
PLAIN_RED, PLAIN_GREEN = "#e5484d", "#1a7f4e"

_LIGHT = "--jg-ground0:#ffffff;--jg-text0:#1c2430;"
_DARK = "--jg-ground0:#14181f;--jg-text0:#e6eaf0;"

_RULES = """
.jg {
  --jg-ground: var(--jp-layout-color0,
    var(--vscode-editor-background, var(--jg-ground0)));
  --jg-text: var(--jp-ui-font-color0,
    var(--vscode-editor-foreground, var(--jg-text0)));
  --jg-muted: color-mix(in srgb, var(--jg-text) 66%, var(--jg-ground));
  --jg-wire: color-mix(in srgb, var(--jg-text) 42%, var(--jg-ground));
  --jg-hair: color-mix(in srgb, var(--jg-text) 17%, var(--jg-ground));
  --jg-red: #e5484d;
  --jg-green: #1f9d62;
  --jg-violet: #8b5cf6;
  --jg-font: var(--jp-ui-font-family, system-ui, -apple-system, "Segoe UI",
    Helvetica, Arial, sans-serif);
  --jg-mono: var(--jp-code-font-family, ui-monospace, SFMono-Regular, Menlo,
    Consolas, "DejaVu Sans Mono", monospace);
  font-family: var(--jg-font);
}
.jg.jg-light { --jg-ground: #ffffff; --jg-text: #1c2430; }
.jg.jg-dark { --jg-ground: #14181f; --jg-text: #e6eaf0; }
.jg .jg-ground { fill: var(--jg-ground); }
.jg text { font-family: var(--jg-font); stroke: none; pointer-events: none; }
.jg .jg-outline {
  fill: color-mix(in srgb, var(--jg-accent) 9%, var(--jg-ground));
  stroke: color-mix(in srgb, var(--jg-accent) 68%, var(--jg-ground));
  stroke-width: 1.3;
}
.jg .jg-rim {
  fill: none;
  stroke: color-mix(in srgb, var(--jg-accent) 68%, var(--jg-ground));
  stroke-width: 1.1;
}
.jg .jg-title {
  fill: var(--jg-text); font-size: 13px; font-weight: 600; text-anchor: middle;
}
.jg .jg-code {
  fill: var(--jg-muted); font-family: var(--jg-mono); font-size: 10.5px;
  text-anchor: middle;
}
.jg .jg-figures { fill: var(--jg-muted); font-size: 11px; text-anchor: middle; }
.jg .jg-line { fill: none; stroke: var(--jg-wire); stroke-width: 1.5; }
.jg .jg-head { fill: var(--jg-wire); stroke: none; }
.jg .jg-error { --jg-wire: color-mix(in srgb, var(--jg-red) 72%, var(--jg-ground)); }
.jg .jg-error .jg-line { stroke-dasharray: 5 4; }
.jg .jg-route { --jg-wire: color-mix(in srgb, var(--jg-violet) 60%, var(--jg-ground)); }
.jg .jg-frame {
  fill: color-mix(in srgb, var(--jg-violet) 4%, var(--jg-ground));
  stroke: color-mix(in srgb, var(--jg-violet) 34%, var(--jg-ground));
  stroke-width: 1.1;
}
.jg .jg-chip { fill: var(--jg-ground); stroke: var(--jg-hair); stroke-width: 1; }
.jg .jg-chip-count { fill: var(--jg-text); font-size: 10.5px; font-weight: 600; }
.jg .jg-chip-value {
  fill: var(--jg-muted); font-family: var(--jg-mono); font-size: 9.5px;
}
.jg .jg-count {
  fill: color-mix(in srgb, var(--jg-accent) 22%, var(--jg-ground));
  stroke: color-mix(in srgb, var(--jg-accent) 68%, var(--jg-ground));
}
.jg .jg-count-text {
  fill: var(--jg-text); font-size: 10px; font-weight: 600; text-anchor: middle;
}
.jg .jg-badge { fill: #d43a40; stroke: var(--jg-ground); stroke-width: 1.5; }
.jg .jg-badge-text {
  fill: #ffffff; font-size: 10px; font-weight: 700; text-anchor: middle;
}
.jg .jg-reply {
  fill: var(--jg-ground);
  stroke: color-mix(in srgb, var(--jg-green) 70%, var(--jg-ground));
  stroke-width: 1.2;
}
.jg .jg-reply-text {
  fill: color-mix(in srgb, var(--jg-green) 70%, var(--jg-text));
  font-size: 9.5px; font-weight: 600; text-anchor: middle;
}
.jg .jg-responder .jg-outline {
  stroke: color-mix(in srgb, var(--jg-green) 78%, var(--jg-ground));
  stroke-width: 1.8;
}
.jg .jg-kind-missing .jg-outline { stroke-dasharray: 4 3; }
"""


def stylesheet() -> str:
    """Return the rules for everything inside an element of class ``jg``.

    They hold no ``<``, so that they can stand in SVG and HTML as they are.
    """
    kinds = "".join(
        f".jg .jg-kind-{kind}{{--jg-accent:{accent}}}"
        for kind, (accent, _, _) in _COLOURS.items()
    )
    rules = re.sub(r"\s*([{};:,])\s+|\s+", lambda m: m[1] or " ", _RULES).strip()
    scheme = f"@media (prefers-color-scheme:dark){{.jg{{{_DARK}}}}}"
    return f".jg{{{_LIGHT}}}{scheme}{rules}{kinds}"
