"""The steps of a raster mosaic: overlapping sky tiles become one image with one background.

Every tile shows a part of the same sky through its own detector: shifted by a fraction of a pixel, with dead pixels,
noise, and a *background* of its own, a plane ``a + b u + c v`` of stray light. Blending such tiles shows every seam.
The remedy is that of Montage (Berriman et al. 2004; http://montage.ipac.caltech.edu): put the tiles on a common grid,
look at what neighbours say differently about the same sky, and find the planes that explain the differences best.
::

    read -> resample -> difference -> solve -> correct -> blend -> shrink -> difference_strips -> solve -> assemble
        (a tile)       (two tiles)   (a row)   (a tile)      (a row)           (two strips)        (the whole sky)

The least squares are solved in two stages, within each row of tiles and then between the finished rows, because a row
that is corrected within itself is wrong by one plane only. So nothing larger than a row ever has to exist at full
resolution, and that is what a plan with little memory lives on.

Coordinates: ``u`` to the right and ``v`` down, in tiles of the common grid. The background of a tile is anchored at
its own middle; that of a row, at the middle of the grid. The least-squares problem cannot see a plane common to all
tiles (the gauge), so the mean correction is defined as zero.

A step is called as ``function(context)`` and takes its inputs and outputs in the order in which the task names them.
Regions hold whatever their last owner left in them: every step writes every byte it commits.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

REACH = 3
"""Half width of the interpolation kernel (Lanczos 3) in pixels: the margin of a raw tile around the common grid."""

BIN = 4
"""Pixels of the common grid per pixel of the mosaic, in each direction."""

BLOCK = 64
"""Rows handled at once: temporaries of that many rows stay in the cache of one core."""

DEAD = 0
"""Value of a raw pixel that saw nothing."""

EXPOSURES = 5
"""Exposures per tile: the median of them forgets a cosmic ray, which never hits the same pixel thrice."""

LEVEL = 1500.0
NOISE = 6.0
STAR_CELL = 64
STAR_WIDTH = 1.8
STAR_STAMP = 9
WAVES = ((260.0, 3.1, 1.7, 0.4, 1.1), (140.0, 1.9, 4.3, 2.2, 0.3), (90.0, 0.9, 1.1, 5.0, 2.7))
"""Clouds of the synthetic sky: amplitude, wavelength down and across (tiles), phase down and across."""

MOMENTS = 11
"""Numbers in a table of differences: see :func:`difference`."""

PREVIEW_SIDE = 1024
"""Neither side of the preview has more pixels."""

REPORT_SIZE = 1 << 16
CHECKSUM_SIZE = 256


class Context(Protocol):
    """What a step is given: its arguments, its buffers as arrays, and scratch bytes."""

    args: Mapping[str, Any]
    inputs: Mapping[str, memoryview]
    outputs: Mapping[str, memoryview]
    scratch: memoryview

    def array(self, buffer: str, dtype: str, shape: tuple[int, ...], /) -> npt.NDArray[Any]: ...
    def commit_length(self, buffer: str, length: int, /) -> None: ...
    def progress(self, fraction: float, /) -> None: ...


@dataclass(frozen=True, slots=True)
class Survey:
    """The grid of tiles. A tile shares a fifth of its side with each neighbour; ``tile`` is a multiple of 20 pixels."""

    rows: int
    cols: int
    tile: int
    seed: int

    def __post_init__(self) -> None:
        if self.rows < 2 or self.cols < 2 or self.tile < 40 or self.tile % (5 * BIN):
            raise ValueError(f"allowed 2 x 2 tiles or more, each a multiple of {5 * BIN} pixels from 40; found {self}")

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> Survey:
        """The survey that a task's arguments name."""
        return cls(int(args["rows"]), int(args["cols"]), int(args["tile"]), int(args["seed"]))

    @property
    def overlap(self) -> int:
        """Pixels shared by neighbours, across the seam."""
        return self.tile // 5

    @property
    def step(self) -> int:
        """Pixels from one tile to the next."""
        return self.tile - self.overlap

    @property
    def raw_side(self) -> int:
        """Pixels of a raw tile in each direction: the common grid and the kernel's reach around it."""
        return self.tile + 2 * REACH

    @property
    def width(self) -> int:
        """Pixels of a row of tiles, across."""
        return self.step * (self.cols - 1) + self.tile

    @property
    def height(self) -> int:
        """Pixels of a column of tiles, down."""
        return self.step * (self.rows - 1) + self.tile

    @property
    def mosaic_shape(self) -> tuple[int, int]:
        """Shape of the mosaic, in bins."""
        return self.height // BIN, self.width // BIN

    @property
    def preview_step(self) -> int:
        """Pixels of the mosaic per pixel of the preview."""
        return -(-max(self.mosaic_shape) // PREVIEW_SIDE)

    @property
    def preview_shape(self) -> tuple[int, int]:
        """Shape of the preview; rows and columns that do not fill a pixel are left out."""
        rows, cols = self.mosaic_shape
        return rows // self.preview_step, cols // self.preview_step


# --- The sky and the detectors: what the steps are not supposed to know ---------------------------------------------


def chance(seed: int, *key: int | npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Numbers in [0, 1) that depend on ``seed`` and ``key`` alone (splitmix64, Steele et al. 2014), elementwise."""
    state: npt.NDArray[np.uint64] = np.asarray(seed, dtype=np.uint64)
    with np.errstate(over="ignore"):
        for part in key:
            state = state + np.asarray(part).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            state = (state ^ (state >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            state = (state ^ (state >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            state = state ^ (state >> np.uint64(31))
    return np.asarray(state >> np.uint64(11), dtype=np.float64) / 2.0**53


def stars(survey: Survey, top: int, left: int, bottom: int, right: int) -> Iterator[tuple[float, float, float]]:
    """(row, column, peak) of the stars whose light falls on the pixels ``[top, bottom) x [left, right)``.

    One star per cell of the sky, so that two tiles which see the same cell see the same star. Peaks are spread over
    two decades, most of them faint.
    """
    reach = STAR_STAMP + 1
    down = np.arange((top - reach) // STAR_CELL, (bottom + reach) // STAR_CELL + 1)
    across = np.arange((left - reach) // STAR_CELL, (right + reach) // STAR_CELL + 1)
    i, j = (part.ravel() for part in np.meshgrid(down, across, indexing="ij"))
    rows = (i + chance(survey.seed, 1, i, j)) * STAR_CELL
    cols = (j + chance(survey.seed, 2, i, j)) * STAR_CELL
    peaks = 40.0 * 100.0 ** (chance(survey.seed, 3, i, j) ** 3)
    near = (rows > top - reach) & (rows < bottom + reach) & (cols > left - reach) & (cols < right + reach)
    yield from zip(rows[near].tolist(), cols[near].tolist(), peaks[near].tolist(), strict=True)


def paint_sky(survey: Survey, rows: Floats, cols: Floats, canvas: npt.NDArray[np.float32]) -> None:
    """The sky at pixels ``rows x cols`` of the common grid (each evenly spaced by 1, not necessarily whole)."""
    v, u = (0.5 + rows) / survey.tile, (0.5 + cols) / survey.tile
    for block in blocks(len(rows)):
        canvas[block] = LEVEL
        for height, down, across, phase_down, phase_across in WAVES:
            wave = np.multiply.outer(
                height * np.cos(2 * np.pi * v[block] / down + phase_down), np.cos(2 * np.pi * u / across + phase_across)
            )
            canvas[block] += wave.astype(np.float32)
    top, left = float(rows[0]), float(cols[0])
    for row, col, peak in stars(survey, int(top), int(left), int(rows[-1]) + 1, int(cols[-1]) + 1):
        i, j = round(row - top), round(col - left)
        stamp_rows = slice(max(0, i - STAR_STAMP), min(len(rows), i + STAR_STAMP + 1))
        stamp_cols = slice(max(0, j - STAR_STAMP), min(len(cols), j + STAR_STAMP + 1))
        down_profile = peak * np.exp(-((rows[stamp_rows] - row) ** 2) / (2 * STAR_WIDTH**2))
        across_profile = np.exp(-((cols[stamp_cols] - col) ** 2) / (2 * STAR_WIDTH**2))
        canvas[stamp_rows, stamp_cols] += np.multiply.outer(down_profile, across_profile).astype(np.float32)


def pointing(survey: Survey, row: int, col: int) -> tuple[float, float]:
    """By how much a tile's pixels are shifted against the common grid, down and across, in pixels: [-0.5, 0.5)."""
    down, across = chance(survey.seed, 4, row, col), chance(survey.seed, 5, row, col)
    return float(down) - 0.5, float(across) - 0.5


def planted(survey: Survey, row: int, col: int) -> npt.NDArray[np.float64]:
    """The background planted into a tile: level at its middle (up to 60), slopes per tile across and down (30)."""
    spread = (60.0, 30.0, 30.0)
    return np.array([most * (2.0 * float(chance(survey.seed, 6, i, row, col)) - 1.0) for i, most in enumerate(spread)])


# --- Planes and least squares ----------------------------------------------------------------------------------------


def anchored(plane: Floats, u: float, v: float) -> Floats:
    """A plane given around the middle ``(u, v)``, as coefficients around the origin."""
    return np.array([plane[0] - plane[1] * u - plane[2] * v, plane[1], plane[2]])


def tile_middle(survey: Survey, row: int, col: int) -> tuple[float, float]:
    """``(u, v)`` of the middle of a tile."""
    return (col * survey.step / survey.tile + 0.5, row * survey.step / survey.tile + 0.5)


def moments(first: Floats, second: Floats, weight: Floats, u: Floats, v: Floats) -> Floats:
    """What least squares need to know about ``first - second`` at ``(u, v)``: sums over the pixels.

    ``[w, wu, wv, wuu, wuv, wvv, wd, wud, wvd, wdd, pixels]`` with ``d`` the difference and ``w`` its weight. Tables of
    disjoint pixels add up.
    """
    total = np.zeros(MOMENTS)
    for block in blocks(len(v)):
        w = weight[block].astype(np.float64)
        d = first[block].astype(np.float64) - second[block]
        wd = w * d
        y = v[block]
        by_row = w.sum(axis=1), (w * u).sum(axis=1), (w * (u * u)).sum(axis=1)
        difference_by_row = wd.sum(axis=1), (wd * u).sum(axis=1)
        total += (
            by_row[0].sum(), by_row[1].sum(), (by_row[0] * y).sum(),
            by_row[2].sum(), (by_row[1] * y).sum(), (by_row[0] * y * y).sum(),
            difference_by_row[0].sum(), difference_by_row[1].sum(), (difference_by_row[0] * y).sum(),
            (wd * d).sum(), np.count_nonzero(w),
        )  # fmt: skip
    return total


def fit(pairs: Sequence[tuple[int, int]], tables: Sequence[Floats], count: int) -> Floats:
    """``count`` planes whose differences explain ``tables`` best, with ``planes[0] = 0``, as rows ``(a, b, c)``.

    Minimises the weighted sum over all pairs ``(i, j)`` and pixels of ``(p_i(u, v) - p_j(u, v) - d)^2``. The normal
    equations are singular by one common plane; holding the first plane at zero takes exactly that freedom.
    """
    normal = np.zeros((3 * count, 3 * count))
    right = np.zeros(3 * count)
    for (i, j), table in zip(pairs, tables, strict=True):
        block = _normal(table)
        for a, b, sign in ((i, i, 1), (j, j, 1), (i, j, -1), (j, i, -1)):
            normal[3 * a : 3 * a + 3, 3 * b : 3 * b + 3] += sign * block
        right[3 * i : 3 * i + 3] += table[6:9]
        right[3 * j : 3 * j + 3] -= table[6:9]
    planes = np.zeros((count, 3))
    planes[1:] = np.linalg.solve(normal[3:, 3:], right[3:]).reshape(count - 1, 3)
    return planes


def _normal(table: Floats) -> Floats:
    w, wu, wv, wuu, wuv, wvv = table[:6]
    return np.array([[w, wu, wv], [wu, wuu, wuv], [wv, wuv, wvv]])


def centred(planes: Floats, middles: Sequence[tuple[float, float]]) -> Floats:
    """``planes`` less the one common plane that makes the mean slope, and the mean level at the middles, zero."""
    common = np.array([0.0, planes[:, 1].mean(), planes[:, 2].mean()])
    levels = [a + (b - common[1]) * u + (c - common[2]) * v for (a, b, c), (u, v) in zip(planes, middles, strict=True)]
    common[0] = np.mean(levels)
    return np.asarray(planes - common)


def seam_rms(pairs: Sequence[tuple[int, int]], tables: Sequence[Floats], planes: Floats) -> float:
    """Root mean square of what neighbours still say differently once each has its plane subtracted."""
    squares = weight = 0.0
    for (i, j), table in zip(pairs, tables, strict=True):
        plane = planes[i] - planes[j]
        squares += table[9] - 2 * plane @ table[6:9] + plane @ _normal(table) @ plane
        weight += table[0]
    return float(np.sqrt(max(0.0, squares) / weight)) if weight else 0.0


# --- The steps -------------------------------------------------------------------------------------------------------


def read(context: Context) -> None:
    """A raw tile, as a detector would deliver it: 16-bit counts, dead pixels, and a background of its own.

    The counts are the median of several exposures, each with its own noise and its own cosmic rays.
    """
    survey, row, col = _tile(context)
    (raw,) = context.outputs
    side = survey.raw_side
    pixels = context.array(raw, "uint16", (side, side))
    canvas = np.frombuffer(context.scratch, dtype=np.float32, count=side * side).reshape(side, side)
    down, across = pointing(survey, row, col)
    rows = row * survey.step - REACH + down + np.arange(side)
    cols = col * survey.step - REACH + across + np.arange(side)
    paint_sky(survey, rows, cols, canvas)
    plane = anchored(planted(survey, row, col), *tile_middle(survey, row, col))
    slope = (plane[1] * (0.5 + cols) / survey.tile).astype(np.float32)
    random = np.random.Generator(np.random.PCG64([survey.seed, row, col]))
    for block in blocks(side):
        light = canvas[block]
        light += (plane[0] + plane[2] * (0.5 + rows[block]) / survey.tile).astype(np.float32)[:, None] + slope
        exposures = random.standard_normal((EXPOSURES, *light.shape), dtype=np.float32)
        exposures *= NOISE
        exposures += light
        hits = random.integers(0, exposures.size, size=exposures.size // 2000)
        exposures.reshape(-1)[hits] += random.uniform(500, 5000, size=hits.size).astype(np.float32)
        pixels[block] = np.clip(np.rint(np.median(exposures, axis=0)), DEAD + 1, 65535)
    dead = random.integers(1, side - 1, size=(2, side * side // 20_000))
    pixels[dead[0], dead[1]] = DEAD


def resample(context: Context) -> None:
    """The tile on the common grid: a plane, its weights, and copies of its west and east borders.

    Dead pixels are bridged from west to east, and what is nearest to one weighs nothing. The weight falls to zero
    towards the edge of the tile, so that a seam is a slow change from one tile to the next.
    """
    survey, row, col = _tile(context)
    (raw,) = context.inputs
    plane_id, weight_id, borders_id = context.outputs
    tile, side, overlap = survey.tile, survey.raw_side, survey.overlap
    pixels = context.array(raw, "uint16", (side, side))
    plane = context.array(plane_id, "float32", (tile, tile))
    weight = context.array(weight_id, "float32", (tile, tile))
    across = np.frombuffer(context.scratch, dtype=np.float32, count=side * tile).reshape(side, tile)
    down_shift, across_shift = pointing(survey, row, col)

    kernel = lanczos(across_shift)
    for block in blocks(side):
        light = pixels[block].astype(np.float32)
        _bridge(light, *np.nonzero(light == DEAD))
        _weighted_sum(kernel, [light[:, k : k + tile] for k in range(len(kernel))], across[block])
    kernel = lanczos(down_shift)
    for block in blocks(tile):
        _weighted_sum(kernel, [across[block.start + k : block.stop + k] for k in range(len(kernel))], plane[block])

    taper = np.minimum(1.0, (np.minimum(np.arange(tile), np.arange(tile)[::-1]) + 0.5) / overlap).astype(np.float32)
    np.multiply.outer(taper, taper, out=weight)
    for i, j in np.argwhere(pixels == DEAD) - REACH:
        weight[max(0, i - 1) : max(0, i + 2), max(0, j - 1) : max(0, j + 2)] = 0.0

    borders = context.array(borders_id, "float32", (2, 2, tile, overlap))
    for side_index, columns in enumerate((slice(0, overlap), slice(tile - overlap, tile))):
        borders[side_index, 0] = plane[:, columns]
        borders[side_index, 1] = weight[:, columns]


def difference(context: Context) -> None:
    """The moments of what a tile (first input) and its neighbour to the east say about the sky they share."""
    survey, row, col = _tile(context)
    west, east = context.inputs
    (table,) = context.outputs
    shape = (2, 2, survey.tile, survey.overlap)
    first, second = context.array(west, "float32", shape)[1], context.array(east, "float32", shape)[0]
    v = (row * survey.step + np.arange(survey.tile) + 0.5) / survey.tile
    u = ((col + 1) * survey.step + np.arange(survey.overlap) + 0.5) / survey.tile
    context.array(table, "float64", (MOMENTS,))[:] = moments(first[0], second[0], _joint(first[1], second[1]), u, v)


def difference_strips(context: Context) -> None:
    """The moments of what a strip (first input) and the one below it say about the sky they share."""
    survey = Survey.of(context.args)
    row = int(context.args["row"])
    upper, lower = context.inputs
    (table,) = context.outputs
    shape = _small_shape(survey)
    shared = survey.overlap // BIN
    first = context.array(upper, "float32", shape)[:, -shared:]
    second = context.array(lower, "float32", shape)[:, :shared]
    v = ((row + 1) * survey.step + BIN * (np.arange(shared) + 0.5)) / survey.tile
    u = BIN * (np.arange(shape[2]) + 0.5) / survey.tile
    context.array(table, "float64", (MOMENTS,))[:] = moments(first[0], second[0], _joint(first[1], second[1]), u, v)


def solve(context: Context) -> None:
    """The background of each member of a chain (the tiles of a row, or the strips) from the tables of its seams.

    Writes one plane ``(a, b, c)`` around the origin per member, then the seams' root mean square before and after.
    """
    survey = Survey.of(context.args)
    names, (solution,) = list(context.inputs), context.outputs
    tables = [context.array(name, "float64", (MOMENTS,)) for name in names]
    pairs = [(i, i + 1) for i in range(len(tables))]
    count = len(tables) + 1
    if "row" in context.args:
        middles = [tile_middle(survey, int(context.args["row"]), col) for col in range(count)]
    else:
        middles = [(survey.width / 2 / survey.tile, tile_middle(survey, row, 0)[1]) for row in range(count)]
    planes = centred(fit(pairs, tables, count), middles)
    result = context.array(solution, "float64", (3 * count + 2,))
    result[: 3 * count] = planes.ravel()
    result[3 * count :] = seam_rms(pairs, tables, np.zeros((count, 3))), seam_rms(pairs, tables, planes)


def correct(context: Context) -> None:
    """A plane without its background. May be done in place: each pixel depends on itself only."""
    survey, row, col = _tile(context)
    plane_id, solution_id = context.inputs
    (corrected_id,) = context.outputs
    shape = (survey.tile, survey.tile)
    plane, corrected = context.array(plane_id, "float32", shape), context.array(corrected_id, "float32", shape)
    level, across, down = _planes(context, solution_id, survey.cols)[col]
    pixel = np.arange(survey.tile) + 0.5
    columns = (level + across * (col * survey.step + pixel) / survey.tile).astype(np.float32)
    rows = (down * (row * survey.step + pixel) / survey.tile).astype(np.float32)
    for block in blocks(survey.tile):
        np.subtract(plane[block], rows[block, None] + columns, out=corrected[block])


def blend(context: Context) -> None:
    """A row of tiles as one strip: the weighted mean where tiles overlap, and the sum of their weights."""
    survey = Survey.of(context.args)
    names, (strip_id, total_id) = list(context.inputs), context.outputs
    tile_shape, strip_shape = (survey.tile, survey.tile), (survey.tile, survey.width)
    planes = [context.array(name, "float32", tile_shape) for name in names[: survey.cols]]
    weights = [context.array(name, "float32", tile_shape) for name in names[survey.cols :]]
    strip, total = (context.array(name, "float32", strip_shape) for name in (strip_id, total_id))
    for block in blocks(survey.tile):
        strip[block] = 0.0
        total[block] = 0.0
        for col, (plane, weight) in enumerate(zip(planes, weights, strict=True)):
            columns = slice(col * survey.step, col * survey.step + survey.tile)
            strip[block, columns] += plane[block] * weight[block]
            total[block, columns] += weight[block]
        np.divide(strip[block], total[block], out=strip[block], where=total[block] > 0)
        context.progress(block.stop / survey.tile)


def shrink(context: Context) -> None:
    """A strip in bins of ``BIN x BIN`` pixels: the weighted mean of the pixels and the sum of their weights."""
    survey = Survey.of(context.args)
    strip_id, total_id = context.inputs
    (small_id,) = context.outputs
    strip, total = (context.array(name, "float32", (survey.tile, survey.width)) for name in (strip_id, total_id))
    small = context.array(small_id, "float32", _small_shape(survey))
    for block in blocks(survey.tile // BIN, BLOCK // BIN):
        pixels = slice(block.start * BIN, block.stop * BIN)
        small[1, block] = _bins(total[pixels])
        small[0, block] = _bins(strip[pixels] * total[pixels])
        np.divide(small[0, block], small[1, block], out=small[0, block], where=small[1, block] > 0)


def assemble(context: Context) -> None:
    """The mosaic: every strip less its own plane, blended where strips overlap."""
    survey = Survey.of(context.args)
    *smalls, solution_id = context.inputs
    (mosaic_id,) = context.outputs
    mosaic = context.array(mosaic_id, "float32", survey.mosaic_shape)
    mosaic[...] = 0.0
    total = np.zeros(survey.mosaic_shape, dtype=np.float32)
    shape = _small_shape(survey)
    for row, (small_id, plane) in enumerate(zip(smalls, _planes(context, solution_id, survey.rows), strict=True)):
        value, weight = context.array(small_id, "float32", shape)
        first = row * survey.step // BIN
        v = BIN * (first + np.arange(shape[1]) + 0.5) / survey.tile
        u = BIN * (np.arange(shape[2]) + 0.5) / survey.tile
        background = np.add.outer(plane[0] + plane[2] * v, plane[1] * u).astype(np.float32)
        mosaic[first : first + shape[1]] += weight * (value - background)
        total[first : first + shape[1]] += weight
    np.divide(mosaic, total, out=mosaic, where=total > 0)


def write(context: Context) -> None:
    """The mosaic as a PNG of at most ``PREVIEW_SIDE`` pixels a side: 8-bit grey, the faint half stretched."""
    survey = Survey.of(context.args)
    (mosaic_id,) = context.inputs
    (image_id,) = context.outputs
    mosaic = context.array(mosaic_id, "float32", survey.mosaic_shape)
    (rows, cols), step = survey.preview_shape, survey.preview_step
    small = np.zeros((rows, cols))
    for i in range(step):
        for j in range(step):
            small += mosaic[i : rows * step : step, j : cols * step : step]
    small /= step * step
    dark, bright = np.percentile(small, (0.5, 99.7))
    grey = np.sqrt(np.clip((small - dark) / max(bright - dark, 1e-6), 0.0, 1.0)) * 255
    _commit(context, image_id, png(np.rint(grey).astype(np.uint8)))


def report(context: Context) -> None:
    """What the correction achieved: the seams before and after, and the planted backgrounds against those found.

    The backgrounds found are compared with those planted up to one common plane, which no difference can show.
    """
    survey = Survey.of(context.args)
    *row_ids, strips_id, mosaic_id = context.inputs
    (report_id,) = context.outputs
    strip_planes = _planes(context, strips_id, survey.rows)
    found = np.array([_planes(context, name, survey.cols) for name in row_ids]) + strip_planes[:, None]
    before, after = zip(*(_seams(context, name, survey.cols) for name in row_ids), strict=True)
    strips_before, strips_after = _seams(context, strips_id, survey.rows)
    mosaic = context.array(mosaic_id, "float32", survey.mosaic_shape)
    planted_rms, left_rms = background_error(survey, found)
    text = {
        "tiles": [survey.rows, survey.cols],
        "pixels": [survey.height, survey.width],
        "seams_in_rows_rms": {"before": _rms(before), "after": _rms(after)},
        "seams_between_rows_rms": {"before": strips_before, "after": strips_after},
        "background_rms": {"planted": planted_rms, "left": left_rms},
        "mosaic": {"mean": float(mosaic.mean(dtype=np.float64)), "pixels_without_data": int((mosaic == 0).sum())},
    }
    _commit(context, report_id, (json.dumps(text, indent=1, sort_keys=True) + "\n").encode())


# --- Pieces of the steps ---------------------------------------------------------------------------------------------


def background_error(survey: Survey, found: Floats) -> tuple[float, float]:
    """Root mean square over the tiles' middles and corners of the planted background, and of planted minus found.

    ``found[row, col]`` is a plane around the origin. Both without their best common plane.
    """
    points, true, left = [], [], []
    for row in range(survey.rows):
        for col in range(survey.cols):
            u, v = tile_middle(survey, row, col)
            plane = anchored(planted(survey, row, col), u, v)
            for x, y in ((u, v), (u - 0.5, v - 0.5), (u + 0.5, v - 0.5), (u - 0.5, v + 0.5), (u + 0.5, v + 0.5)):
                at = np.array([1.0, x, y])
                points.append(at)
                true.append(at @ plane)
                left.append(at @ (plane - found[row, col]))
    basis = np.array(points)
    common, *_ = np.linalg.lstsq(basis, np.array([true, left]).T)
    return _rms(np.array(true) - basis @ common[:, 0]), _rms(np.array(left) - basis @ common[:, 1])


def blocks(count: int, size: int = BLOCK) -> Iterator[slice]:
    """``[0, count)`` in slices of ``size``; the last may be shorter."""
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def lanczos(shift: float) -> npt.NDArray[np.float32]:
    """Weights of the ``2 * REACH + 1`` pixels around a point, when the pixels are displaced by ``shift``."""
    distance = np.arange(-REACH, REACH + 1) + shift
    weights = np.sinc(distance) * np.sinc(distance / REACH) * (np.abs(distance) < REACH)
    return np.asarray(weights / weights.sum(), dtype=np.float32)


def png(grey: npt.NDArray[np.uint8]) -> bytes:
    """An 8-bit grey image as a PNG file (RFC 2083): signature, header, compressed rows without filters, end."""

    def chunk(kind: bytes, payload: bytes) -> bytes:
        return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))

    rows, cols = grey.shape
    header = struct.pack(">IIBBBBB", cols, rows, 8, 0, 0, 0, 0)
    stream = zlib.compress(np.pad(grey, ((0, 0), (1, 0))).tobytes(), 6)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", stream) + chunk(b"IEND", b"")


def png_bound(rows: int, cols: int) -> int:
    """No image of that shape makes a longer PNG: what deflate adds to bytes it cannot compress is below 0.1 %."""
    pixels = rows * (cols + 1)
    return pixels + pixels // 1000 + 1024


def _tile(context: Context) -> tuple[Survey, int, int]:
    return Survey.of(context.args), int(context.args["row"]), int(context.args["col"])


def _small_shape(survey: Survey) -> tuple[int, int, int]:
    return 2, survey.tile // BIN, survey.width // BIN


def _planes(context: Context, solution: str, count: int) -> Floats:
    return context.array(solution, "float64", (3 * count + 2,))[: 3 * count].reshape(count, 3)


def _seams(context: Context, solution: str, count: int) -> tuple[float, float]:
    before, after = context.array(solution, "float64", (3 * count + 2,))[3 * count :]
    return float(before), float(after)


def _bridge(light: Floats, rows: npt.NDArray[np.intp], cols: npt.NDArray[np.intp]) -> None:
    west, east = light[rows, cols - 1], light[rows, cols + 1]
    light[rows, cols] = np.where(west == DEAD, east, np.where(east == DEAD, west, (west + east) / 2))


def _joint(first: Floats, second: Floats) -> Floats:
    """Weight of a difference: its variance is the sum of both variances, and a pixel nobody saw weighs nothing."""
    both = first + second
    return np.divide(first * second, both, out=np.zeros_like(both), where=both > 0)


def _bins(pixels: Floats) -> Floats:
    rows, cols = pixels.shape
    return np.asarray(pixels.reshape(rows // BIN, BIN, cols // BIN, BIN).sum(axis=(1, 3)))


def _weighted_sum(weights: npt.NDArray[np.float32], parts: Sequence[Floats], out: Floats) -> None:
    np.multiply(parts[0], weights[0], out=out)
    for weight, part in zip(weights[1:], parts[1:], strict=True):
        out += weight * part


def _rms(values: Sequence[float] | Floats) -> float:
    return float(np.sqrt(np.mean(np.square(values))))


def _commit(context: Context, buffer: str, content: bytes) -> None:
    context.outputs[buffer][: len(content)] = content
    context.commit_length(buffer, len(content))
