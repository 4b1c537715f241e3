"""The docs name everything there is, and nothing that is gone."""

import inspect
import json
import re
import tomllib
from pathlib import Path

import pytest
from yaml import safe_load as read

from jupyter_graph import Graph, errors
from jupyter_graph.compile.compiled_graph import compile_graph
from jupyter_graph.magics import deploy_commands, graph_commands
from jupyter_graph.magics.deploy_magic import DeployMagics
from jupyter_graph.magics.graph_magic import GraphMagics
from jupyter_graph.magics.step_arguments import ARGUMENTS_OF_STEPS
from jupyter_graph.magics.step_magic import StepMagics
from jupyter_graph.steps import BLOCKS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
MAGICS = (ROOT / "docs" / "magics.md").read_text(encoding="utf-8")
ERRORS = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", *DOCS]
LINKED = [*PAGES, *(ROOT / f"{name}.md" for name in ("DESIGN", "CONTRIBUTING"))]
REFERENCE = (ROOT / "docs" / "reference" / "index.md").read_text(encoding="utf-8")
DOCS_INDEX = ROOT / "docs" / "index.md"
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAP = DOCS_INDEX.read_text(encoding="utf-8")
FEATURES = (ROOT / "docs" / "mlrun.md").read_text(encoding="utf-8")
NOTEBOOKS = list((ROOT / "notebooks").glob("*.ipynb"))
OPTIONS_OF = {
    "%%graph_step": StepMagics.graph_step,
    "%graph": GraphMagics.graph,
    "%deploy": DeployMagics.deploy,
}
COMMANDS = {
    "%graph": graph_commands.COMMANDS,
    "%deploy": deploy_commands.COMMANDS,
}
CLASSES = {
    name: found
    for name, found in vars(errors).items()
    if inspect.isclass(found) and issubclass(found, errors.JupyterGraphError)
}


def text_of_all():
    pages = [page.read_text(encoding="utf-8") for page in PAGES]
    cells = [
        "".join(cell["source"])
        for path in NOTEBOOKS
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]
    return "\n".join(pages + cells)


TEXT = text_of_all()


def row(*cells):
    return "| " + " | ".join(cell.replace("|", r"\|") for cell in cells) + " |"


def option_rows(magic):
    """Give the rows of a magic's table of options, from its parser."""
    left_out = ARGUMENTS_OF_STEPS if magic == "%graph" else frozenset()
    for action in OPTIONS_OF[magic].parser._actions:
        [*names] = action.option_strings
        if not names or names[0] in left_out - {"--graph", "--path"}:
            continue
        values = ",".join(action.choices) if action.choices else ""
        value = action.metavar or (f"{{{values}}}" if values else "")
        yield row(f"`{names[0]} {value}`".replace(" `", "`"), str(action.help))


def table_after(mark, text):
    """Give the rows of the table below a comment, its two head lines left out."""
    below = text.partition(f"<!-- {mark} -->\n\n")[2]
    return below.partition("\n\n")[0].splitlines()[2:]


@pytest.mark.parametrize("magic", OPTIONS_OF)
def test_the_options_are_those_of_the_parser(magic):
    assert table_after(magic, MAGICS) == list(option_rows(magic))


def options_cell(magic, name, command):
    """Give the options of a subcommand as the table shows them."""
    found = command.options
    if found == ARGUMENTS_OF_STEPS:
        return " those of a step "
    listed = " ".join(f"`{option}`" for option in sorted(found))
    return f" {listed} " if listed else " "


@pytest.mark.parametrize("magic", COMMANDS)
def test_the_subcommands_are_those_there_are(magic):
    described = re.findall(rf"^\| `({magic} \w.*?)` \| .+? \|(.*)\|$", MAGICS, re.M)
    known = [
        (f"{magic} {name} {command.form}".strip(), options_cell(magic, name, command))
        for name, command in COMMANDS[magic].items()
    ]

    assert described == known


def first_line(found):
    return str(found.__doc__).partition("\n")[0]


def error_rows(found=errors.JupyterGraphError, depth=0):
    """Give a row for each error, its subclasses after it."""
    status = str(found.status_code) if issubclass(found, errors.StatusError) else ""
    says = re.sub(r"^\d+: ", "", first_line(found)).replace("``", "`")
    says = says[0].upper() + says[1:]
    name = "· " * depth + f"`{found.__name__}`"
    yield row(name, found.code, status, says).replace("|  |", "| |")
    below = [one for one in CLASSES.values() if one.__bases__[0] is found]
    yield from (line for one in below for line in error_rows(one, depth + 1))


def test_the_errors_are_those_there_are():
    assert table_after("errors", ERRORS) == list(error_rows())
    assert len(list(error_rows())) == len(CLASSES)
    assert len({found.code for found in CLASSES.values()}) == len(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_is_named_in_the_docs(name):
    assert re.search(rf"`{name}`", TEXT)


def test_the_tree_of_the_errors_shows_what_is_no_status():
    tree = str(errors.__doc__)

    assert [
        name
        for name, found in CLASSES.items()
        if not re.search(rf"\b{name}\b", tree)
        and not issubclass(found, errors.StatusError)
    ] == []


@pytest.mark.parametrize("name", BLOCKS)
def test_every_block_is_named_in_the_docs(name):
    assert f"`{name}`" in TEXT


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]+)", text)

    assert [link for link in links if not (page.parent / link).exists()] == []


def anchors(page):
    """Give the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.M)
    return {
        re.sub(r"[^\w\- ]", "", t.lower()).strip().replace(" ", "-") for t in titles
    }


@pytest.mark.parametrize("page", LINKED, ids=lambda page: page.name)
def test_links_to_sections_lead_to_a_heading(page):
    text = page.read_text(encoding="utf-8")
    links = re.findall(r"\]\((?!https?:)([^)#]*)#([^)]+)\)", text)
    where = [(page.parent / path if path else page, name) for path, name in links]

    assert [name for path, name in where if name not in anchors(path)] == []


def test_the_map_leads_to_every_page():
    linked = {
        (ROOT / "docs" / path).resolve() for path in re.findall(r"\]\(([^)#:]+)\)", MAP)
    }

    assert [page.name for page in DOCS if page not in linked | {DOCS_INDEX}] == []


def test_the_readme_names_every_extra():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    rows = re.findall(r"^\| (`.+?) \|", README, re.M)

    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == set(extras)


def test_the_documents_of_the_readme_compile():
    documents = re.findall(r"```yaml\n(.+?)```", README, re.S)

    assert [len(compile_graph(Graph.from_dict(d)).steps) for d in map(read, documents)]


# -- the reference -----------------------------------------------------------------


@pytest.mark.parametrize("name", BLOCKS)
def test_every_name_of_a_block_stands_in_the_reference(name):
    block = BLOCKS[name].partition(":")[2]
    [line] = re.findall(rf"^\| \[`{block}`\].*$", REFERENCE, re.M)

    assert f"`{name}`" in line


# -- MLRun's features --------------------------------------------------------------

NUMBERS = [
    *range(1, 27), *range(30, 37), *range(40, 55), *range(60, 64), *range(70, 89),
    *range(100, 119),
]  # fmt: skip
ROWS = re.findall(r"^\| (\d+) \| (.+?) \| (.+?) \| (.*)\| (.*) ?\|$", FEATURES, re.M)
TESTS = sorted(set(re.findall(r"\[(test_\w+)\]\((\S+?\.py)\)", FEATURES)))


def test_every_feature_of_mlrun_has_a_row():
    assert [int(number) for number, *_ in ROWS] == NUMBERS


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_feature_is_here_or_the_reason_is_said(row):
    _, _, here, _, tests = row

    assert re.match(r"yes$|(better|partly|no): \S", here)
    assert "[test_" in tests or here.startswith("no: ")


@pytest.mark.parametrize(("name", "path"), TESTS)
def test_the_test_of_a_feature_exists(name, path):
    text = (ROOT / "docs" / path).read_text(encoding="utf-8")

    assert re.search(rf"^(async )?def {name}\(", text, re.M)


@pytest.mark.parametrize("page", ["DESIGN.md", "CONTRIBUTING.md"])
def test_files_that_the_pages_for_developers_name_are_there(page):
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(r"`((?:[a-z_]+/)+[a-z_]+(?:\.py)?)`", text)
    places = (ROOT, ROOT / "jupyter_graph")

    assert named
    assert [
        name
        for name in named
        if not any((place / name).exists() for place in places)
        and not (ROOT / "jupyter_graph" / f"{name}.py").exists()
    ] == []
