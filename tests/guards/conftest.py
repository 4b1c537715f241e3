"""Tests in a process of their own, which the guards see."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run_tests(tmp_path):
    """Run a file of tests with one guard; give how it ended, its output and errors."""

    def run(guard, source):
        (tmp_path / "test_it.py").write_text(source)
        words = ["-p", "pytest_timeout", "-p", f"tests.guards.{guard}"]
        words += ["-c", os.devnull, "--rootdir", tmp_path, tmp_path]
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", *words],
            cwd=ROOT,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
            capture_output=True,
            text=True,
            timeout=18,
        )
        return ended.returncode, ended.stdout, ended.stderr

    return run
