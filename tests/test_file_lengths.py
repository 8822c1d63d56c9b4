"""Source files are short; a longer one has its reason here."""

from __future__ import annotations

from pathlib import Path

from tests.helpers.checkout import tracked

MOST_LINES = 300
# Longer files and the reason each may be.
LONG_FILES = {
    "ffn/estimator/classifier.py": "one class; half is the docstring and the constructor",
    "ffn/pipelines/retraining.py": "one sequence, and what its parts give to each other",
    "ffn/reports/retraining_page.py": "one page, a function for each of its sections",
    "ffn/reports/status_page.py": "one page: what is read for it, and how it is said",
    "ffn/scoring/model.py": "one class: all that a loaded model answers",
    "ffn/tabular/csv/reader.py": "one class, whose state all of its methods move on",
    "ffn/training/partition.py": "two parts, and how they are written and read",
    "ffn/training/steps.py": "one function for each step, and what it returns",
    "fuzz/mixed/columns.py": "two thirds are cells to draw from, beside what draws them",
    "fuzz/mixed/typed_ways.py": "one table in each container, and one comparison for all",
    "fuzz/oracle.py": "one reading of a file, which must not lean on other code",
    "tests/bundles/test_bundle_forged.py": "every array that could be forged, and how",
    "tests/estimator/test_classifier.py": "every promise of that one class",
    "tests/flows/cli/test_cli_init.py": "every promise of one command",
    "tests/flows/cli/test_cli_score.py": "every promise of one command",
    "tests/flows/test_prefect_flows.py": "one server, which takes seconds to start, for all",
    "tests/nn/test_training_course.py": "every option of one function",
    "tests/profiling/test_table_profile.py": "every finding of one function",
    "tests/reports/test_retrain_markdown.py": "every section of one report",
    "tests/settings/test_settings.py": "every bound of every setting, with its message",
    "tests/test_architecture.py": "the rules, each with a breach that it has to find",
}


def test_source_files_are_short(repository: Path) -> None:
    lines = {
        path.relative_to(repository).as_posix(): path.read_bytes().count(b"\n")
        for path in tracked(repository)
        if path.suffix == ".py"
    }
    assert "ffn/__init__.py" in lines
    long = {name for name, count in lines.items() if count > MOST_LINES}
    assert long == set(LONG_FILES), "split these, or give the reason in LONG_FILES"
