"""The mosaic is a problem that is what its script says, and its steps remove what was planted."""

from __future__ import annotations

import json
import struct
import zlib

import numpy as np
import numpy.typing as npt
import pytest

from catalytic.solver.formats import load_problem, parse_problem

from . import mosaic

ROWS, COLS, TILE, SEED = 3, 4, 160, 5

steps = mosaic.load("steps")
make_problem = mosaic.load("make_problem")


@pytest.fixture(scope="module")
def survey() -> object:
    return steps.Survey(ROWS, COLS, TILE, SEED)


@pytest.fixture(scope="module")
def result() -> dict[str, bytes]:
    """Every buffer of a small mosaic, computed without catalytic."""
    return mosaic.run(make_problem.make_problem(ROWS, COLS, TILE, SEED))


def true_mosaic(survey: object) -> npt.NDArray[np.float64]:
    """The sky itself, in the mosaic's bins."""
    rows, cols = survey.height, survey.width  # type: ignore[attr-defined]
    canvas = np.zeros((rows, cols), dtype=np.float32)
    steps.paint_sky(survey, np.arange(rows), np.arange(cols), canvas)
    return np.asarray(canvas.reshape(rows // 4, 4, cols // 4, 4).mean(axis=(1, 3)), dtype=np.float64)


def without_plane(image: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """``image`` less the plane that fits it best: the gauge, which no difference between tiles can show."""
    v, u = (axis.ravel() for axis in np.indices(image.shape))
    basis = np.stack([np.ones_like(u), u, v], axis=1)
    plane, *_ = np.linalg.lstsq(basis, image.ravel())
    return image - (basis @ plane).reshape(image.shape)


def test_the_committed_problem_is_what_the_script_makes() -> None:
    committed = (mosaic.FOLDER / "problem.json").read_text(encoding="utf-8")

    assert committed == make_problem.render(make_problem.make_problem())


def test_the_committed_problem_allocates_what_the_project_promises() -> None:
    """At least 5GB over all buffers, planned for two workers in 10GB of 8 partitions, with no working set near 1/5."""
    problem = load_problem(mosaic.FOLDER / "problem.json")
    graph = problem.graph
    largest = max(sum(graph.aligned_size[b] for b in graph.working_set(t.id)) for t in problem.tasks)

    assert graph.allocated >= 5 * 10**9
    assert 2 * largest < 0.2 * graph.allocated
    assert problem.capacity_of("workers") == 2
    assert (problem.workspace.size, problem.workspace.partitions) == (10 * 10**9, 8)
    assert len(graph.pools) >= 5


def test_a_small_mosaic_is_a_valid_problem() -> None:
    text = make_problem.render(make_problem.make_problem(ROWS, COLS, TILE, SEED, workspace="100MB", partitions=4))

    problem = parse_problem(text.encode(), "small")

    assert len(problem.tasks) == ROWS * (3 * COLS + (COLS - 1) + 3) + (ROWS - 1) + 5


def test_the_correction_removes_the_planted_backgrounds(result: dict[str, bytes]) -> None:
    """What is left of offsets and gradients is noise: under a twentieth of what was planted."""
    report = json.loads(result["report"])

    assert report["background_rms"]["planted"] > 10
    assert report["background_rms"]["left"] < report["background_rms"]["planted"] / 20
    assert report["seams_in_rows_rms"]["after"] < report["seams_in_rows_rms"]["before"] / 5
    assert report["seams_between_rows_rms"]["after"] < report["seams_between_rows_rms"]["before"] / 5


def test_the_mosaic_is_the_sky(result: dict[str, bytes], survey: object) -> None:
    """Up to the gauge, half of all bins are within 1 of a sky of 1500; without correction they would be 20 off."""
    shape = survey.mosaic_shape  # type: ignore[attr-defined]
    mosaic_image = np.frombuffer(result["mosaic"], dtype=np.float32).reshape(shape).astype(np.float64)

    error = np.abs(without_plane(mosaic_image - true_mosaic(survey)))

    assert np.median(error) < 1.5
    assert np.percentile(error, 99) < 15  # the kernel rounds the tips of stars


def test_planes_are_found_exactly_where_there_is_no_noise(survey: object) -> None:
    """A chain of three planes, seen only through their differences on two narrow seams, comes back up to the gauge."""
    planes = np.array([[5.0, -2.0, 1.0], [-3.0, 4.0, 0.5], [1.0, 0.0, -7.0]])
    v = np.linspace(0, 1, 40)
    tables = []
    for i in range(2):
        u = i + np.linspace(0.8, 1.0, 9)
        at = np.stack(np.broadcast_arrays(1.0, u[None, :], v[:, None]))
        seen = np.einsum("k,kij->ij", planes[i], at), np.einsum("k,kij->ij", planes[i + 1], at)
        tables.append(steps.moments(*seen, np.ones((40, 9)), u, v))

    found = steps.fit([(0, 1), (1, 2)], tables, 3)

    np.testing.assert_allclose(found - found[0], planes - planes[0], atol=1e-9)
    assert steps.seam_rms([(0, 1), (1, 2)], tables, found) < 1e-6


def test_the_gauge_has_no_mean() -> None:
    planes = np.array([[5.0, -2.0, 1.0], [-3.0, 4.0, 0.5], [1.0, 0.0, -7.0]])
    middles = [(0.5, 0.5), (1.3, 0.5), (2.1, 0.5)]

    free = steps.centred(planes, middles)

    levels = [a + b * u + c * v for (a, b, c), (u, v) in zip(free, middles, strict=True)]
    np.testing.assert_allclose([free[:, 1].mean(), free[:, 2].mean(), np.mean(levels)], 0, atol=1e-12)
    np.testing.assert_allclose(free - free[0], planes - planes[0], atol=1e-12)


@pytest.mark.parametrize("shift", [-0.5, -0.2, 0.0, 0.37])
def test_resampling_moves_a_wave_by_the_shift(shift: float) -> None:
    """A wave of 12 pixels, sampled at displaced points, is interpolated to where it should be to within 2 %."""
    at = np.arange(60) - 3 + shift
    wave = np.cos(2 * np.pi * at / 12)

    moved = np.convolve(wave, steps.lanczos(shift)[::-1], mode="valid")

    np.testing.assert_allclose(moved, np.cos(2 * np.pi * np.arange(54) / 12), atol=0.02)


def test_a_raw_tile_is_sky_and_background_without_cosmic_rays(result: dict[str, bytes], survey: object) -> None:
    """Every live pixel is within the noise: none of the thousands of hits survives the median."""
    side = TILE + 2 * steps.REACH
    raw = np.frombuffer(result["raw-01-02"], dtype=np.uint16).reshape(side, side).astype(np.float64)
    down, across = steps.pointing(survey, 1, 2)
    step = survey.step  # type: ignore[attr-defined]
    rows, cols = step - 3 + down + np.arange(side), 2 * step - 3 + across + np.arange(side)
    sky = np.zeros((side, side), dtype=np.float32)
    steps.paint_sky(survey, rows, cols, sky)
    level, slope_u, slope_v = steps.anchored(steps.planted(survey, 1, 2), *steps.tile_middle(survey, 1, 2))
    background = level + np.add.outer(slope_v * (rows + 0.5) / TILE, slope_u * (cols + 0.5) / TILE)

    error = np.abs(raw - sky - background)[raw != steps.DEAD]

    assert np.count_nonzero(raw == steps.DEAD) == 1  # one dead pixel in 20 000
    assert error.max() < 5 * steps.NOISE


def test_dead_pixels_leave_no_hole(result: dict[str, bytes]) -> None:
    weight = np.frombuffer(result["weight-01-02"], dtype=np.float32)

    assert np.count_nonzero(weight == 0) == 9  # the one dead pixel, and its neighbours
    assert json.loads(result["report"])["mosaic"]["pixels_without_data"] == 0


def test_no_step_depends_on_what_its_regions_held_before(
    result: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mosaic, "GARBAGE", 0x5A)

    again = mosaic.run(make_problem.make_problem(ROWS, COLS, TILE, SEED))

    assert again == result


def test_a_plane_may_be_corrected_in_place(result: dict[str, bytes]) -> None:
    problem = make_problem.make_problem(ROWS, COLS, TILE, SEED)
    task = next(t for t in problem["tasks"] if t["id"] == "correct-01-02")
    sizes = {b["id"]: b["size"] for b in problem["buffers"]}
    buffers = {name: bytearray(content) for name, content in result.items()}
    context = mosaic.PlainContext(task, buffers, sizes)
    shared = bytearray(result["plane-01-02"])
    context.inputs["plane-01-02"] = memoryview(shared).toreadonly()
    context.outputs["corrected-01-02"] = memoryview(shared)

    steps.correct(context)

    assert bytes(shared) == result["corrected-01-02"]


def test_the_preview_is_a_png_of_the_whole_mosaic(result: dict[str, bytes], survey: object) -> None:
    image = result["preview"]
    rows, cols = survey.preview_shape  # type: ignore[attr-defined]
    (length,) = struct.unpack(">I", image[33:37])

    assert image[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", image[16:24]) == (cols, rows)
    assert len(zlib.decompress(image[41 : 41 + length])) == rows * (cols + 1)
    assert len(image) <= steps.png_bound(rows, cols)


def test_the_bound_on_a_preview_holds_for_noise() -> None:
    """Noise is what deflate cannot compress."""
    noise = np.random.default_rng(1).integers(0, 256, size=(300, 400), dtype=np.uint8)

    assert len(steps.png(noise)) <= steps.png_bound(300, 400)


@pytest.mark.parametrize("wrong", [{"rows": 1}, {"cols": 1}, {"tile": 150}, {"tile": 20}], ids=str)
def test_a_survey_names_what_it_cannot_be(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="allowed 2 x 2 tiles or more"):
        steps.Survey(**({"rows": 2, "cols": 2, "tile": 40, "seed": 1} | wrong))
