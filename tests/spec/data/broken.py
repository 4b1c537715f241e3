"""Every broken document; see broken_table.py for what a row says."""

import broken_code  # noqa: F401
import broken_fields  # noqa: F401
import broken_files  # noqa: F401
import broken_graphs  # noqa: F401
from broken_table import CASES  # noqa: F401
