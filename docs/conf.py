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

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.intersphinx"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["reference/generated/README.md"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3
# The mathematics of the explanations is plain text; nothing is fetched while building.
intersphinx_mapping: dict[str, tuple[str, None]] = {}

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True, "undoc-members": False}
# Types of packages that need not be installed to read about them.
autodoc_type_aliases = {"DataFrame": "pandas.DataFrame"}

html_theme = "furo"
html_title = f"catalytic {version}"
html_show_sphinx = False


def setup(app: object) -> None:
    """Write the generated pages before any page is read."""
    write_reference(HERE / "reference" / "generated")
