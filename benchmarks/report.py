"""How large is the page of a plan of two thousand tasks, and how long does a browser take to open it?

Claim: the report of the largest montage trace (2122 tasks) is under 5 MB and opens in under 2 s in headless Chromium,
without a message on the console and without a request. Opening means: until the page's own script has drawn every
chart. Beside it, in the same browser, the page of a plan of a few tasks: what no page can undercut.

Reads the trace from ``$CATALYTIC_DATA/wfcommons`` (default: ``../shared/data`` beside the repository).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.app.browser import Browser, browser, missing

ROOT = Path(__file__).resolve().parents[1]
SMALL = ROOT / "instances" / "didactic" / "fork-join.json"
MOST_MB, MOST_S = 5.0, 2.0


def trace(name: str) -> Path | None:
    """The first trace whose name contains ``name``."""
    root = Path(os.environ.get("CATALYTIC_DATA") or ROOT / ".." / "shared" / "data")
    return next(iter(sorted((root / "wfcommons").glob(f"*{name}*.json*"))), None)


def page_of(problem: Path, folder: Path, seconds: float) -> Path:
    """The report of a plan of ``problem``, made as a user makes it."""
    plan, page = folder / f"{problem.name}.plan.json", folder / f"{problem.name}.html"
    call = [sys.executable, "-c", "from catalytic.cli.main import main; main()"]
    for words in (["plan", str(problem), "-o", str(plan), "--time-limit", f"{seconds:g}"],
                  ["report", str(plan), "-o", str(page)]):  # fmt: skip
        subprocess.run([*call, *words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return page


def opened(window: Browser, page: Path) -> tuple[float, list[str], list[str]]:
    """Seconds until ``page`` is drawn, what the console says, and addresses asked for beside the page itself."""
    window.open(page)  # warms the browser's caches of code, for both pages alike
    before = time.monotonic()
    window.open(page)
    seconds = time.monotonic() - before
    asked = [address for address in window.requests() if address != page.as_uri() and address != "about:blank"]
    return seconds, window.errors(), asked


def main() -> int:
    """Print the table; 1 when the claim does not hold."""
    parser = argparse.ArgumentParser(description="Size and opening of the HTML report.")
    parser.add_argument("--only", metavar="NAME", default="dss-15d", help="the trace (default %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="time limit of its plan (default %(default)s)")
    parser.add_argument("--runs", type=int, default=5, help="times each page is opened (default %(default)s)")
    args = parser.parse_args()
    problem, lacking = trace(args.only), missing()
    if problem is None or lacking:
        print(f"skipped: {lacking or 'no workflow traces; set CATALYTIC_DATA'}", file=sys.stderr)
        return 0
    with tempfile.TemporaryDirectory(prefix="report-") as name, browser() as window:
        pages = {p: page_of(p, Path(name), args.seconds) for p in (problem, SMALL)}
        found = {p: [opened(window, page) for _ in range(args.runs)] for p, page in pages.items()}
        print(f"{'page of':44} {'size':>9} {'opens in (median, most)':>24} {'console':>8} {'requests':>9}")
        for p, runs in found.items():
            times, size = [seconds for seconds, _, _ in runs], pages[p].stat().st_size
            said, asked = sum(len(errors) for _, errors, _ in runs), sum(len(requests) for _, _, requests in runs)
            label = f"{p.name[:44]:44}"
            print(f"{label} {size / 1e6:6.2f} MB {median(times):13.2f} s, {max(times):5.2f} s {said:8} {asked:9}")
        size, runs = pages[problem].stat().st_size, found[problem]
    good = size <= MOST_MB * 1e6 and median(seconds for seconds, _, _ in runs) <= MOST_S
    quiet = not any(errors or asked for _, errors, asked in runs)
    verdict = "met" if good and quiet else "MISSED"
    print(f"wanted: at most {MOST_MB:g} MB, {MOST_S:g} s, nothing said, nothing asked: {verdict}")
    return 0 if good and quiet else 1


if __name__ == "__main__":
    sys.exit(main())
