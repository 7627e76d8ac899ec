"""Every documented exit code is reached by some test of this folder; this page says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalytic.cli.exit_codes import EXIT_CODES

REACHED_BY = {
    0: "test_run.py::test_one_word_plans_creates_a_workspace_and_runs",
    1: "test_run.py::test_a_failed_task_is_named_with_its_next_step_and_the_rest_is_listed",
    2: "test_command_line.py::test_a_malformed_file_is_one_clear_message",
    3: "test_plan.py::test_a_target_out_of_reach_is_proved_and_the_remedies_work",
    4: "test_plan.py::test_a_target_missed_but_not_disproved_is_said_and_not_written",
    5: "test_run.py::test_damaged_bytes_are_found_by_verify_with_exit_5",
    6: "test_run.py::test_a_workspace_that_another_run_owns_is_busy",
    7: "test_run.py::test_a_run_is_cancelled_on_request_with_exit_7",
    8: "test_run.py::test_an_exported_file_is_not_replaced_unasked",
    9: "test_run.py::test_a_workspace_larger_than_the_disk_is_a_storage_error_now",
    130: "test_run.py::test_a_signal_ends_a_run_in_order_and_its_exit_code_names_it",
    143: "test_run.py::test_a_signal_ends_a_run_in_order_and_its_exit_code_names_it",
}


def test_every_documented_exit_code_has_its_test() -> None:
    assert REACHED_BY.keys() == EXIT_CODES.keys()


@pytest.mark.parametrize("test", sorted(set(REACHED_BY.values())))
def test_the_tests_named_here_exist(test: str) -> None:
    file, name = test.split("::")

    assert f"def {name}(" in (Path(__file__).parent / file).read_text(encoding="utf-8")
