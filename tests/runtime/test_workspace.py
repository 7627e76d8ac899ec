"""Creating and opening a workspace: reserved, private, idempotent, and whole after a crash at any step."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from catalytic.runtime.locks import WorkspaceLocks, owner_pid
from catalytic.runtime.storage import Disk
from catalytic.runtime.workspace import Workspace
from catalytic.solver.errors import InputError, IntegrityError, Refused, StorageError, WorkspaceBusy
from tests.faults import Crash, FaultyStorage, crash, io_error, no_space

SIZE = 16 * 4096


def create(path: Path, **changes: object) -> Workspace:
    options: dict[str, object] = {"size": SIZE, "partitions": 4} | changes
    return Workspace.create(path, **options)  # type: ignore[arg-type]


def test_every_byte_is_reserved_and_private(tmp_path: Path) -> None:
    workspace = create(tmp_path / "w")

    for number in range(4):
        info = workspace.partition_path(number).stat()
        assert (info.st_size, stat.S_IMODE(info.st_mode)) == (SIZE // 4, 0o600)
        assert info.st_blocks * 512 >= info.st_size
    assert stat.S_IMODE((tmp_path / "w").stat().st_mode) == 0o700


def test_creating_again_with_the_same_geometry_opens_it(tmp_path: Path) -> None:
    first = create(tmp_path / "w")

    assert create(tmp_path / "w") == first == Workspace.open(tmp_path / "w")


@pytest.mark.parametrize(
    "change", [{"size": 2 * SIZE}, {"partitions": 2}, {"integrity": False}], ids=lambda change: next(iter(change))
)
def test_another_geometry_is_refused_by_name(tmp_path: Path, change: dict[str, object]) -> None:
    create(tmp_path / "w")

    with pytest.raises(Refused, match=next(iter(change))):
        create(tmp_path / "w", **change)


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")

    with pytest.raises(Refused, match="not empty"):
        create(tmp_path)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"partitions": 0}, "partitions"),
        ({"alignment": 64}, "page size"),
        ({"alignment": 12288}, "power of two"),
        ({"size": 4096}, "at least partitions"),
    ],
    ids=["no partition", "below a page", "no power of two", "too small"],
)
def test_impossible_geometry_says_what_is_allowed(tmp_path: Path, change: dict[str, object], word: str) -> None:
    with pytest.raises(InputError, match=word):
        create(tmp_path / "w", **change)


def test_too_little_space_names_needed_free_and_next_step(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"needs \d+ bytes .* \d+ bytes .* are free. Free space") as caught:
        create(tmp_path / "w", size=2**58)

    assert caught.value.exit_code == 9
    assert not (tmp_path / "w").exists()


def test_after_a_crash_at_any_step_creating_again_finishes(tmp_path: Path) -> None:
    for step in range(1, 100):
        path = tmp_path / str(step)
        try:
            create(path, storage=FaultyStorage(step, crash))
        except Crash:
            with pytest.raises(InputError) if not (path / "metadata/workspace.json").exists() else _nothing():
                Workspace.open(path)
            assert create(path).partition_size == SIZE // 4
        else:
            assert step > 15
            return
    raise AssertionError("creating never came to an end")


class _nothing:  # noqa: N801  (reads as a context manager function)
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


@pytest.mark.parametrize("fault", [no_space, io_error])
def test_a_device_error_at_any_step_is_a_storage_error(tmp_path: Path, fault: Callable[[], BaseException]) -> None:
    steps = FaultyStorage(0, fault)
    create(tmp_path / "count", storage=steps)

    for step in range(1, steps.steps + 1):
        path = tmp_path / str(step)
        with pytest.raises(StorageError, match="run the same command again"):
            create(path, storage=FaultyStorage(step, fault))
        assert create(path).size == SIZE


def test_a_larger_unfinished_workspace_can_be_finished_smaller(tmp_path: Path) -> None:
    with pytest.raises(Crash):
        create(tmp_path / "w", size=4 * SIZE, storage=FaultyStorage(12, crash))

    assert Workspace.open(create(tmp_path / "w").path).size == SIZE


def test_a_sparse_copy_is_not_opened(tmp_path: Path) -> None:
    partition = create(tmp_path / "w").partition_path(0)
    partition.unlink()
    with partition.open("wb") as file:
        file.truncate(SIZE // 4)

    with pytest.raises(StorageError, match="sparse"):
        Workspace.open(tmp_path / "w")


@pytest.mark.parametrize("text", ["{", "[]", '{"format": "x"}', '{"format": "catalytic-workspace/1"}'])
def test_a_damaged_header_is_an_integrity_error(tmp_path: Path, text: str) -> None:
    create(tmp_path / "w")
    (tmp_path / "w/metadata/workspace.json").write_text(text)

    with pytest.raises(IntegrityError, match=r"workspace\.json is damaged"):
        Workspace.open(tmp_path / "w")


def test_a_missing_or_short_partition_is_an_integrity_error(tmp_path: Path) -> None:
    workspace = create(tmp_path / "w")
    os.truncate(workspace.partition_path(1), 4096)
    with pytest.raises(IntegrityError, match="4096 bytes instead"):
        Workspace.open(tmp_path / "w")

    workspace.partition_path(1).unlink()
    with pytest.raises(IntegrityError, match="missing"):
        Workspace.open(tmp_path / "w")


def test_the_header_states_the_geometry(tmp_path: Path) -> None:
    create(tmp_path / "w", reuse_pools=False)

    header = json.loads((tmp_path / "w/metadata/workspace.json").read_text())
    assert (header["partition_size"], header["reuse_pools"]) == (SIZE // 4, False)


def test_a_file_is_replaced_wholly_or_not_at_all(tmp_path: Path) -> None:
    from catalytic.runtime.storage import replace_file

    target = tmp_path / "result"
    replace_file(Disk(), target, [b"old"])
    for step in range(1, 4):
        with pytest.raises(Crash):
            replace_file(FaultyStorage(step, crash), target, [b"brand", b"new"])
        assert target.read_bytes() in (b"old", b"brandnew")


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    folder = create(tmp_path / "w").metadata
    with WorkspaceLocks(folder):
        assert owner_pid(folder) == os.getpid()
        with pytest.raises(WorkspaceBusy, match=f"process {os.getpid()}"):
            WorkspaceLocks(folder)
    assert owner_pid(folder) is None


def test_a_new_owner_waits_for_the_last_writer_of_the_old_one(tmp_path: Path) -> None:
    folder = create(tmp_path / "w").metadata
    locks = WorkspaceLocks(folder)
    inherited = os.dup(locks.writers)  # what a worker holds; the lock belongs to the open file, not to the process
    locks.close()
    clock = iter(range(100))
    waited: list[float] = []

    with pytest.raises(WorkspaceBusy, match="still alive"):
        WorkspaceLocks(folder, clock=lambda: float(next(clock)), pause=waited.append)
    assert len(waited) >= 9

    WorkspaceLocks(folder, pause=lambda _: os.close(inherited)).close()
