"""The forms a picture is written in: SVG, PNG, text, Mermaid, DOT."""
