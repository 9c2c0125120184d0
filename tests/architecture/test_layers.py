"""What the program promises about its own shape: light import, one-way layers, small files, few broad excepts."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = sorted([*(ROOT / "matcher").rglob("*.py"), ROOT / "app.py"])
HEAVY = ("torch", "jieba", "streamlit", "faiss", "pandas", "numpy", "sentence_transformers", "sqlalchemy", "scipy",
         "transformers", "openpyxl", "docx", "sklearn")  # fmt: skip
MODELS = ("torch", "transformers", "sentence_transformers", "jieba", "faiss", "streamlit", "sklearn")
MAX_LINES = 300


def place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def run(code: str) -> str:
    command = [sys.executable, "-c", code]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    ).stdout.strip()


def broad(handler: ast.ExceptHandler) -> bool:
    caught = handler.type
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(
        name is None or ast.unparse(name).split(".")[-1] in ("Exception", "BaseException") for name in names
    )


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert run(f"import sys, matcher; print([m for m in {HEAVY} if m in sys.modules])") == "[]"


@pytest.mark.alone
def test_importing_the_package_is_fast() -> None:
    """Under 0.3 s, and no more than a few standard modules cost on the same machine; best of three."""
    code = (
        "import time; start = time.perf_counter(); import decimal, email.message, http.client; middle = time.perf_counter(); "
        "import matcher; end = time.perf_counter(); print(middle - start, end - middle)"
    )
    pairs = [tuple(map(float, run(code).split())) for _ in range(3)]
    standard, ours = min(pair[0] for pair in pairs), min(pair[1] for pair in pairs)
    assert ours < 0.3
    assert ours < 2.0 * standard


def test_the_nouns_need_no_third_party_package() -> None:
    code = f"import sys, matcher.models, matcher.vocab, matcher.errors; print([m for m in {HEAVY} if m in sys.modules])"
    assert run(code) == "[]"


def test_the_command_line_loads_no_model_library_before_a_command_needs_it() -> None:
    assert run(f"import sys, matcher.cli; print([m for m in {MODELS} if m in sys.modules])") == "[]"


def test_imports_go_one_way() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 broken" in done.stdout


@pytest.mark.parametrize("path", PRODUCT, ids=place)
def test_no_file_is_too_long_to_be_read(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize(
    "path", [p for p in PRODUCT if p.name == "__init__.py" or not p.name.startswith("_")], ids=place
)
def test_every_module_says_what_it_owns(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text("utf-8")))
    assert docstring
    assert docstring.splitlines()[0].endswith((".", ":"))


BROAD = {
    "matcher/cli.py",  # the end of a command
    "matcher/ui/guard.py",  # the end of a page
    "matcher/services/switching.py",  # the end of the thread that loads a model: nobody else would hear of it
    "matcher/services/reranking.py",  # likewise
}


def test_broad_excepts_stand_at_the_named_ends_only() -> None:
    found = {
        place(path)
        for path in PRODUCT
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler) and broad(node)
    }
    assert found <= BROAD


def test_raw_html_is_written_in_one_component_only() -> None:
    def raw(node: ast.AST) -> bool:
        if isinstance(node, ast.keyword):
            return node.arg == "unsafe_allow_html"
        return (
            isinstance(node, ast.Attribute)
            and node.attr == "html"
            and ast.unparse(node.value) in ("st", "streamlit")
        )

    found = {place(path) for path in PRODUCT if any(map(raw, ast.walk(ast.parse(path.read_text("utf-8")))))}
    assert found <= {"matcher/ui/components/html.py"}


def test_no_assert_guards_an_argument() -> None:
    """``python -O`` drops asserts; what a caller may get wrong is a ValueError."""
    found = []
    for path in PRODUCT:
        for function in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(function, ast.FunctionDef):
                names = {arg.arg for arg in (*function.args.args, *function.args.kwonlyargs)} - {
                    "self",
                    "cls",
                }
                found += [
                    f"{place(path)}:{node.lineno}"
                    for node in ast.walk(function)
                    if isinstance(node, ast.Assert)
                    and names & {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
                ]
    assert found == []
