"""A whole bundle as one source file, the form in which a dashboard takes code."""

from __future__ import annotations

import base64
import hashlib
import io
import lzma
import textwrap
from pathlib import Path

from jupyter_graph.deployment.bundle.bundle_folder import bundle_files, zip_bundle
from jupyter_graph.errors import BundleError

LIMIT_BYTES = 1_000_000  # Kubernetes keeps a function as one object of at most 1 MiB

CARRIER = '''\
"""Carries a bundle: unpacks it where only this process reads, and serves it."""

import atexit
import base64
import hashlib
import io
import lzma
import shutil
import sys
import tempfile
import zipfile
from pathlib import Path

SHA256 = "{sha256}"
BUNDLE = (
{text}
)


def unpack():
    data = base64.b85decode("".join(BUNDLE.split()))
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise RuntimeError("the bundle in this function was changed or cut off")
    folder = Path(tempfile.mkdtemp(prefix="jupyter-graph-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with zipfile.ZipFile(io.BytesIO(lzma.decompress(data))) as archive:
        archive.extractall(folder)
    return folder


folder = unpack()
sys.path.insert(0, str(folder))

from jupyter_graph.host.handler import serve  # noqa: E402

init_context, handler = serve(folder)
'''


def carrier(folder: Path) -> str:
    """Return the source file that carries a bundle and serves it.

    Raises:
        BundleError: it is too large for a dashboard; the largest files are named.
    """
    buffer = io.BytesIO()
    zip_bundle(folder, buffer, packed=False)  # packed as one it is half as large
    data = lzma.compress(buffer.getvalue(), preset=9)
    lines = textwrap.wrap(base64.b85encode(data).decode("ascii"), 100)
    text = "\n".join(f'    "{line}"' for line in lines)
    code = CARRIER.format(sha256=hashlib.sha256(data).hexdigest(), text=text)
    travels = len(code) * 4 // 3  # the dashboard takes it in base64
    if travels > LIMIT_BYTES:
        raise BundleError(
            f"the function would have {travels:,} bytes, a dashboard takes "
            f"{LIMIT_BYTES:,}; its largest files are {_largest(folder)}; ship large "
            "values in a volume or an image (target archive holds a Dockerfile), or "
            "leave our runtime out with runtime='pip'"
        )
    return code


def _largest(folder: Path) -> str:
    files = sorted(bundle_files(folder), key=lambda path: -path.stat().st_size)[:3]
    return ", ".join(
        f"{path.relative_to(folder).as_posix()} ({path.stat().st_size:,} bytes)"
        for path in files
    )
