"""Which files of a folder are problems."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path

import pytest

from catalytic.app.study.instances import find_instances
from catalytic.solver.errors import InputError

PROBLEM = json.dumps({"format": "catalytic-problem/1", "tasks": [{"id": "a", "duration": 1}], "buffers": []})
WORKFLOW = json.dumps({"name": "w", "schemaVersion": "1.5", "workflow": {}})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tree with three problems of three kinds, and other files."""
    tree = tmp_path / "tree"
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / ".hidden").mkdir()
    (tree / "out" / "plans").mkdir(parents=True)
    (tree / "a.json").write_text(PROBLEM)
    (tree / "deep" / "a.json.gz").write_bytes(gzip.compress(WORKFLOW.encode()))
    (tree / "deep" / "er" / "b.hdag").write_text("% a hyperdag\n1 2 2\n0 0\n0 1\n")
    (tree / "notes.txt").write_text("nothing")
    (tree / "table.csv").write_text("id,lower,upper,size\na,0,1,4\n")
    (tree / "numbers.json").write_text("[1, 2]")
    (tree / ".hidden" / "c.json").write_text(PROBLEM)
    (tree / ".d.json").write_text(PROBLEM)
    (tree / "out" / "plans" / "e.json").write_text(PROBLEM)
    return tree


def test_problems_are_found_by_content_at_any_depth_and_nothing_hidden(folder: Path) -> None:
    found = find_instances([folder], except_in=folder / "out")

    assert [i.name for i in found.instances] == ["a.json", "deep/a.json.gz", "deep/er/b.hdag"]
    assert found.others == 3


def test_a_file_that_is_named_and_found_again_is_one_problem(folder: Path) -> None:
    found = find_instances([folder / "a.json", folder], except_in=folder / "out")

    assert [i.name for i in found.instances].count("a.json") == 1


def test_two_problems_of_one_name_are_refused_with_a_way_out(folder: Path) -> None:
    (folder / "deep" / "a.json").write_text(PROBLEM.replace('"a"', '"b"'))

    with pytest.raises(InputError, match=r"the name 'a\.json'"):
        find_instances([folder / "a.json", folder / "deep" / "a.json"], except_in=folder / "out")
    assert len(find_instances([folder], except_in=folder / "out").instances) == 4


def test_files_that_were_named_and_are_no_problems_are_all_told(folder: Path) -> None:
    with pytest.raises(InputError) as refused:
        find_instances([folder / "notes.txt", folder / "table.csv", folder / "a.json"], except_in=folder / "out")

    assert [Path(m.path).name for m in refused.value.mistakes] == ["notes.txt", "table.csv"]
    assert "catalytic place" in str(refused.value)


def test_a_folder_without_problems_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no problem among 0 files"):
        find_instances([tmp_path / "empty"], except_in=tmp_path / "out")


def test_the_digest_is_of_the_bytes(folder: Path) -> None:
    before = find_instances([folder], except_in=folder / "out").instances[0].digest
    (folder / "a.json").write_text(PROBLEM + "\n")

    assert find_instances([folder], except_in=folder / "out").instances[0].digest != before


def test_a_name_that_is_no_text_is_refused(folder: Path) -> None:
    """Rows are text and call problems by their names; on disk a name may be any bytes."""
    shutil.copy(folder / "a.json", folder / "\udcff.json")

    with pytest.raises(InputError, match=r"the name b'\\xff.json', allowed a name in UTF-8"):
        find_instances([folder], except_in=folder / "out")
