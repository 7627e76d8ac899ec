"""Each broken file is refused with the message that stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import FOREIGN, detect, load_problem

BROKEN = Path(__file__).parents[3] / "instances" / "broken"

READERS: Mapping[str, Callable[[Path], object]] = {
    ".": load_problem,
    **{word: kind.read for word, kind in FOREIGN.items() if (BROKEN / word).is_dir()},
}
"""Folder -> what reads its files."""

FILES = sorted(p for folder in READERS for p in (BROKEN / folder).glob("*.*") if p.suffix not in (".expected", ".md"))


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(BROKEN)))
def test_a_broken_file_is_refused_in_the_expected_words(path: Path) -> None:
    folder = str(path.parent.relative_to(BROKEN))
    if folder == "onnx":
        pytest.importorskip("onnx")
    with pytest.raises(InputError) as caught:
        READERS[folder](path)

    message = str(InputError(path.name, caught.value.mistakes))
    assert message + "\n" == path.with_suffix(".expected").read_text()


@pytest.mark.parametrize("path", [p for p in FILES if p.parent != BROKEN], ids=lambda p: str(p.relative_to(BROKEN)))
def test_a_broken_foreign_file_is_still_seen_for_what_it_is(path: Path) -> None:
    assert detect(path) == path.parent.name


def test_there_are_many_and_each_has_its_words() -> None:
    assert len(FILES) >= 80
    assert {p.with_suffix(".expected") for p in FILES} == set(BROKEN.rglob("*.expected"))
