"""Makes ``problem.json``: the mosaic as a problem file, for any grid and tile size.

::

    python make_problem.py                                  # the file that lies beside this script
    python make_problem.py --rows 3 --cols 4 --tile 160 --workspace 100MB --output small.json

The file is a function of the arguments. It has one line per task and per buffer, so that two of them can be compared
by eye. Durations are medians of a run on two cores (nanoseconds per pixel, below), page faults of the mapped regions
included, which take most of the time of the cheap steps: they only have to be right relative to each other.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from steps import BIN, CHECKSUM_SIZE, MOMENTS, REPORT_SIZE, Survey, png_bound

ROWS, COLS, TILE, SEED = 12, 8, 1300, 20260
WORKSPACE, WORKERS = "10GB", 2

POOLS = {
    "raw": ("counts", "sequential"),
    "planes": ("plane", "sequential"),
    "weights": ("weight", "sequential"),
    "borders": ("border", "sequential"),
    "strips": ("strip", "sequential"),
    "tables": ("table", "random"),
    "mosaic": ("mosaic", "random"),
    "products": ("file", "sequential"),
}
"""Pool -> data type and access of the buffers in it."""

NANOSECONDS_PER_PIXEL = {
    "read": 160.0,
    "resample": 25.0,
    "difference": 23.0,
    "correct": 4.5,
    "blend": 7.0,
    "shrink": 13.0,
    "difference_strips": 20.0,
    "assemble": 26.0,
    "write": 7.0,
    "report": 2.0,
}
SMALL_SECONDS = 0.005
"""Duration of steps that handle a few numbers, and the least of any step."""


def make_problem(
    rows: int = ROWS,
    cols: int = COLS,
    tile: int = TILE,
    seed: int = SEED,
    workspace: str = WORKSPACE,
    partitions: int = 8,
    workers: int = WORKERS,
) -> dict[str, Any]:
    """The problem of a ``rows x cols`` grid of ``tile x tile`` pixels, as the content of its file."""
    survey = Survey(rows, cols, tile, seed)
    return {
        "format": "catalytic-problem/1",
        "name": "mosaic",
        "workspace": {"size": workspace, "partitions": partitions, "alignment": 4096, "isolation": "exclusive"},
        "resources": {"workers": workers},
        "policy": {"inputs": "external", "outputs": "export"},
        "pools": [{"id": pool, "data_type": kind, "access": access} for pool, (kind, access) in POOLS.items()],
        "tasks": _tasks(survey),
        "buffers": _buffers(survey),
    }


def _tasks(survey: Survey) -> list[dict[str, Any]]:
    rows, cols = range(survey.rows), range(survey.cols)
    tile = survey.tile**2
    strip = survey.tile * survey.width
    small = strip // BIN**2
    mosaic = survey.mosaic_shape[0] * survey.mosaic_shape[1]
    tasks = []

    def add(
        step: str,
        place: dict[str, int],
        inputs: list[str],
        outputs: list[str],
        *,
        pixels: int = 0,
        label: str | None = None,
        **more: Any,
    ) -> None:
        args = {"rows": survey.rows, "cols": survey.cols, "tile": survey.tile, "seed": survey.seed} | place
        seconds = max(SMALL_SECONDS, round(NANOSECONDS_PER_PIXEL.get(step, 0.0) * pixels / 1e9, 3))
        run = {"python": f"steps:{step}", "args": args}
        name = label or _id(step, *place.values())
        tasks.append({"id": name, "duration": seconds, "inputs": inputs, "outputs": outputs, "run": run} | more)

    for row in rows:
        for col in cols:
            here = {"row": row, "col": col}
            raw, plane, weight, borders, corrected = (
                _id(kind, row, col) for kind in ("raw", "plane", "weight", "borders", "corrected")
            )
            add("read", here, [], [raw], pixels=survey.raw_side**2, scratch=4 * survey.raw_side**2)
            scratch = 4 * survey.raw_side * survey.tile
            add("resample", here, [raw], [plane, weight, borders], pixels=tile, scratch=scratch)
            add("correct", here, [plane, _id("row", row)], [corrected], pixels=tile, in_place={corrected: plane})
        for col in cols[:-1]:
            pair = [_id("borders", row, col), _id("borders", row, col + 1)]
            seam = survey.tile * survey.overlap
            add("difference", {"row": row, "col": col}, pair, [_id("seam", row, col)], pixels=seam)
        seams = [_id("seam", row, col) for col in cols[:-1]]
        add("solve", {"row": row}, seams, [_id("row", row)])
        tiles = [_id(kind, row, col) for kind in ("corrected", "weight") for col in cols]
        add("blend", {"row": row}, tiles, [_id("strip", row), _id("total", row)], pixels=survey.cols * tile)
        add("shrink", {"row": row}, [_id("strip", row), _id("total", row)], [_id("small", row)], pixels=strip)
    for row in rows[:-1]:
        pair = [_id("small", row), _id("small", row + 1)]
        add("difference_strips", {"row": row}, pair, [_id("seam", row)], pixels=small // 5)
    add("solve", {}, [_id("seam", row) for row in rows[:-1]], ["strips"], label="solve-strips")
    add("assemble", {}, [*(_id("small", row) for row in rows), "strips"], ["mosaic"], pixels=survey.rows * small)
    add("write", {}, ["mosaic"], ["preview"], pixels=mosaic)
    add("report", {}, [*(_id("row", row) for row in rows), "strips", "mosaic"], ["report"], pixels=mosaic)
    # cksum is the one checksum tool that POSIX requires, so the task runs wherever there is a shell.
    command = {"command": ["cksum"], "stdin": "preview", "stdout": "checksum"}
    tasks.append(
        {"id": "checksum", "duration": SMALL_SECONDS, "inputs": ["preview"], "outputs": ["checksum"], "run": command}
    )
    return tasks


def _buffers(survey: Survey) -> list[dict[str, Any]]:
    rows, cols = range(survey.rows), range(survey.cols)
    tile = 4 * survey.tile**2
    strip = 4 * survey.tile * survey.width
    mosaic = 4 * survey.mosaic_shape[0] * survey.mosaic_shape[1]
    buffers = []

    def add(pool: str, name: str, size: int, **more: Any) -> None:
        kind, access = POOLS[pool]
        buffers.append({"id": name, "size": size, "data_type": kind, "access": access} | more)

    for row in rows:
        for col in cols:
            add("raw", _id("raw", row, col), 2 * survey.raw_side**2)
            add("planes", _id("plane", row, col), tile)
            add("planes", _id("corrected", row, col), tile)
            add("weights", _id("weight", row, col), tile)
            add("borders", _id("borders", row, col), 2 * 2 * 4 * survey.tile * survey.overlap)
        for col in cols[:-1]:
            add("tables", _id("seam", row, col), 8 * MOMENTS)
        add("tables", _id("row", row), 8 * (3 * survey.cols + 2))
        add("strips", _id("strip", row), strip)
        add("strips", _id("total", row), strip)
        add("mosaic", _id("small", row), 2 * strip // BIN**2)
    for row in rows[:-1]:
        add("tables", _id("seam", row), 8 * MOMENTS)
    add("tables", "strips", 8 * (3 * survey.rows + 2))
    # Kept as well: what survives the run is what `catalytic verify` can check.
    add("mosaic", "mosaic", mosaic, keep=True, export="mosaic.f32")
    add("products", "preview", png_bound(*survey.preview_shape), export="preview.png")
    add("products", "report", REPORT_SIZE, export="report.json")
    add("products", "checksum", CHECKSUM_SIZE, export="checksum.txt")
    return buffers


def _id(kind: str, *place: int) -> str:
    return "-".join([kind.replace("_", "-"), *(f"{number:02d}" for number in place)])


def render(problem: dict[str, Any]) -> str:
    """The file: every value on one line, lists of tasks, buffers and pools one line per entry."""
    lines = []
    for key, value in problem.items():
        if key in ("tasks", "buffers", "pools"):
            entries = ",\n".join("  " + json.dumps(entry) for entry in value)
            lines.append(f"{json.dumps(key)}: [\n{entries}\n ]")
        else:
            lines.append(f"{json.dumps(key)}: {json.dumps(value)}")
    return "{" + ",\n ".join(lines) + "}\n"


def main() -> None:
    """Write the file that the command line asks for."""
    parser = argparse.ArgumentParser(description="Make the problem file of a mosaic.")
    parser.add_argument("--rows", type=int, default=ROWS, help="rows of tiles (default %(default)s)")
    parser.add_argument("--cols", type=int, default=COLS, help="tiles per row (default %(default)s)")
    parser.add_argument("--tile", type=int, default=TILE, help="pixels per side, multiple of 20 (default %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED, help="which sky (default %(default)s)")
    parser.add_argument("--workspace", default=WORKSPACE, help="size of the workspace (default %(default)s)")
    parser.add_argument("--partitions", type=int, default=8, help="partitions (default %(default)s)")
    parser.add_argument("--workers", type=int, default=WORKERS, help="tasks at once (default %(default)s)")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("problem.json"))
    args = vars(parser.parse_args())
    output: Path = args.pop("output")
    output.write_text(render(make_problem(**args)), encoding="utf-8")


if __name__ == "__main__":
    main()
