"""The code on the pages runs, and prints what the pages show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import COMMANDS, DOCS, ROOT, Example, examples

SET_UP = COMMANDS / "README.md"
COMMAND_PAGES = sorted(page for page in COMMANDS.glob("*.md") if page != SET_UP)
TUTORIAL = DOCS / "tutorial.md"


def run_all(page: Path, namespace: dict[str, Any]) -> None:
    found = [example for example in examples(page) if not is_test(example)]
    assert found, f"{page.name} has no example"
    for example in found:
        printed = example.run(namespace)
        assert printed == example.output, f"{page.name}:{example.line} prints\n{printed}"


def is_test(example: Example) -> bool:
    return "def test_" in example.code


def test_the_readme_prints_what_it_shows() -> None:
    run_all(ROOT / "README.md", {})


def test_the_tutorial_prints_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    run_all(TUTORIAL, {})


def test_the_tests_in_the_tutorial_pass(tmp_path: Path) -> None:
    shown = [example.code for example in examples(TUTORIAL) if is_test(example)]
    assert shown
    module = tmp_path / "test_shown.py"
    module.write_text("\n\n".join(shown), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), str(module)]
    finished = subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize("page", COMMAND_PAGES, ids=lambda page: page.stem)
def test_the_example_of_a_command_prints_what_it_shows(page: Path) -> None:
    namespace: dict[str, Any] = {}
    run_all(SET_UP, namespace)
    run_all(page, namespace)
    namespace["exchange"].check_invariants()
