"""MLRun's names, for code that was written for it.

Source: https://docs.mlrun.org/en/stable/api/mlrun.html, ``mlrun.errors``.
"""

from __future__ import annotations

