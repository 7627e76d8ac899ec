"""Configurations: the options of ``plan`` in TOML, and every mistake at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalytic.app.study.configuration import OPTIONS, default_configuration, load_configurations, parse_configuration
from catalytic.cli.commands.plan import command as plan_command
from catalytic.solver.errors import InputError
from catalytic.solver.plan import Objective
from catalytic.solver.problem import Isolation


def read(text: str) -> dict[str, object]:
    return dict(parse_configuration(text.encode(), "A.toml", name="A", time_limit_s=7.0).options)


def mistakes(text: str) -> dict[str, str]:
    with pytest.raises(InputError) as refused:
        read(text)
    return {m.path: f"{m.found} / {m.allowed} / {m.hint}" for m in refused.value.mistakes}


def test_every_key_is_an_option_of_plan() -> None:
    """Spelled exactly as there; what plan has beyond are files, formats, and what a batch decides."""
    words = {word.removeprefix("--") for parameter in plan_command.params for word in parameter.opts}

    assert set(OPTIONS) <= words
    assert words - set(OPTIONS) == {
        "problem", "-o", "output", "workspace", "seed", "what-if", "pareto", "points", "strategy", "json",
        "best-effort",
    }  # fmt: skip


def test_options_become_shape_and_search() -> None:
    text = """
    objective = "makespan"
    reuse-factor = 0.8
    size = "2GB"
    partitions = 4
    isolation = "shared"
    inputs = "lazy"
    threads = 3
    time-limit = 2.5
    deterministic = true
    integrity = false
    """
    configuration = parse_configuration(text.encode(), "A.toml", name="A", time_limit_s=7.0)
    shape, search = configuration.shape(), configuration.search(5)

    assert (shape.size, shape.partitions, shape.isolation, shape.workers) == (2 * 10**9, 4, Isolation.SHARED, None)
    assert shape.inputs is not None
    assert shape.inputs.value == "lazy"
    assert (search.objective, search.target, search.integrity) == (Objective.MAKESPAN, 0.8, False)
    assert (search.budget.time_limit_s, search.budget.workers, search.budget.seed) == (2.5, 3, 5)
    assert search.budget.deterministic


def test_what_is_left_out_has_the_defaults_of_plan_and_one_thread() -> None:
    assert read("") == dict(default_configuration(7.0).options)
    assert read("")["time-limit"] == 7.0
    assert read("")["threads"] == 1
    assert read("deterministic = true")["threads"] == 2


def test_a_digest_is_of_what_is_meant() -> None:
    def digest(text: str, name: str = "A", limit: float = 7.0) -> str:
        return parse_configuration(text.encode(), "A.toml", name=name, time_limit_s=limit).digest

    assert digest('size = "1GB"') == digest("# one gigabyte\nsize = 1000000000\ntime-limit = 7", "B")
    assert digest('size = "1GB"') != digest('size = "2GB"')
    assert digest("") != digest("", limit=8.0)


def test_every_mistake_of_a_file_is_told_with_place_found_and_allowed() -> None:
    told = mistakes(
        """
        objectve = "reuse"
        reuse_factor = 0.5
        seed = 3
        size = "10 parsecs"
        partitions = 0
        workers = true
        alignment = 100
        inputs = "lazzy"
        time-limit = -1
        deterministic = "yes"
        """
    )

    assert set(told) == {
        "objectve", "reuse_factor", "seed", "size", "partitions", "workers", "alignment", "inputs", "time-limit",
        "deterministic",
    }  # fmt: skip
    assert "did you mean 'objective'?" in told["objectve"]
    assert "did you mean 'reuse-factor'?" in told["reuse_factor"]
    assert "--seeds" in told["seed"]
    assert "'10 parsecs' / an integer of bytes" in told["size"]
    assert "did you mean 'lazy'?" in told["inputs"]
    assert "'yes' / true or false" in told["deterministic"]


@pytest.mark.parametrize("value", ["1", "1.0", "-0.1", "nan", "inf", '"0.5"', "true"])
def test_a_reuse_factor_is_a_number_below_one(value: str) -> None:
    assert set(mistakes(f"reuse-factor = {value}")) == {"reuse-factor"}


@pytest.mark.parametrize(
    "text",
    [
        b"size = ",
        b"\xff\xfe",
        b"size = 1\nsize = 2",
        b"[plan]\nsize = 1",
        pytest.param(b"size = " + b"[" * 100_000, id="nested"),
        pytest.param(b"size = " + b"9" * 5000, id="digits"),
    ],
)
def test_what_is_no_toml_of_options_is_refused(text: bytes) -> None:
    with pytest.raises(InputError):
        parse_configuration(text, "A.toml", name="A", time_limit_s=1.0)


def test_the_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    for name, text in (("a.toml", "sise = 1"), ("b.toml", "threads = 0"), ("good.toml", "")):
        (tmp_path / name).write_text(text)
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "good.toml").write_text("")

    with pytest.raises(InputError) as refused:
        load_configurations([*sorted(tmp_path.rglob("*.toml")), tmp_path / "none.toml"], 1.0)

    told = str(refused.value)
    for part in ("a.toml, sise", "b.toml, threads", "the name 'good'", "none.toml"):
        assert part in told


def test_words_say_the_options_as_a_command_line_that_plan_accepts() -> None:
    """Parsed by the real command, they give the options again."""
    text = 'objective = "makespan"\nreuse-factor = 0.25\nsize = 1500000001\nworkers = 2\nintegrity = false\n'
    configuration = parse_configuration(text.encode(), "A.toml", name="A", time_limit_s=2.5)

    context = plan_command.make_context("plan", [__file__, *configuration.words()])

    assert context.params["objective"] == "makespan"
    assert context.params["target"] == 0.25
    assert context.params["size"] == 1500000001
    assert (context.params["workers"], context.params["threads"]) == (2, 1)
    assert context.params["time_limit_s"] == 2.5
    assert context.params["integrity"] is False
    assert context.params["deterministic"] is False


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse_configuration(b"\xef\xbb\xbfworkers = 2", "A.toml", name="A", time_limit_s=1.0).options["workers"] == 2


def test_a_reuse_factor_loses_no_digit_on_the_command_line() -> None:
    """Rounded, the factor below would be 1, which nothing can have."""
    text = b"reuse-factor = 0.99999999999999"
    configuration = parse_configuration(text, "A.toml", name="A", time_limit_s=1.0)

    context = plan_command.make_context("plan", [__file__, *configuration.words()])

    assert context.params["target"] == configuration.search(0).target


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "\udcff.toml"
    path.write_text("workers = 2")

    with pytest.raises(InputError, match="allowed a name in UTF-8"):
        load_configurations([path], 1.0)
