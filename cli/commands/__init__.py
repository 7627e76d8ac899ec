"""One file per command; each holds one click command called ``command``. The list is in ``cli/main.py``."""
