"""Each broken file is refused with the message that stands beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalytic.solver.errors import InputError
from catalytic.solver.formats import load_problem

BROKEN = Path(__file__).parents[3] / "instances" / "broken"


@pytest.mark.parametrize("path", sorted(BROKEN.glob("*.json")), ids=lambda p: p.stem)
def test_a_broken_file_is_refused_in_the_expected_words(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_problem(path)

    message = str(InputError(path.name, caught.value.mistakes))
    assert message + "\n" == path.with_suffix(".expected").read_text()


def test_there_are_many_and_each_has_its_words() -> None:
    files = {p.stem for p in BROKEN.glob("*.json")}

    assert len(files) >= 50
    assert files == {p.stem for p in BROKEN.glob("*.expected")}
