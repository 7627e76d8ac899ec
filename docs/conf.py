"""How the documentation is built: `make docs`. Pages are Markdown (MyST); the reference is written from the code."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from reference_pages import write_reference  # noqa: E402  (this folder is no package)

project = "catalytic"
author = "the catalytic authors"
version = release = version_of("catalytic")

extensions = ["myst_parser", "sphinx.ext.autodoc"]
source_suffix = {".md": "markdown"}
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "undoc-members": False}

add_module_names = False

html_theme = "furo"
html_title = f"catalytic {version}"
html_show_sphinx = False


def setup(app: object) -> None:
    """Write the generated pages before any page is read."""
    write_reference(HERE / "reference" / "generated")
