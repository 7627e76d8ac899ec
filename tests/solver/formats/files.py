"""What the tests of foreign formats share: where real files lie, and how a small one gets to disk."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("CATALYTIC_DATA", ROOT / ".." / "shared" / "data"))

Write = Callable[[str | bytes], Path]


def writer(folder: Path, name: str) -> Write:
    """A function that writes its argument to the file ``name`` and returns the path."""

    def write(content: str | bytes) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
