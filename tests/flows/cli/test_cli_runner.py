"""``ffn retrain`` with ``--runner`` and addresses: what is refused before anything begins."""

from __future__ import annotations

import sys

import pytest

from tests.helpers.command_line import listing

DIRECT = ("--direct", "--root")


@pytest.mark.parametrize(
    "options",
    [
        ("--runner", "dask"),
        ("--dask-address", "tcp://127.0.0.1:1"),
        ("--ray-address", "auto"),
        ("--workers", "2"),
    ],
)
def test_a_direct_run_takes_no_cluster(ffn, root, options):
    done = ffn("retrain", "iris", *DIRECT, root, *options)
    assert (done.code, done.out) == (2, "")
    assert "say where Prefect's tasks run and cannot be used with --direct" in done.err


@pytest.mark.parametrize(("kind", "package"), [("dask", "distributed"), ("ray", "ray")])
@pytest.mark.parametrize("by", ["option", "address", "settings"])
def test_an_extra_that_is_not_installed_is_one_line(ffn, root, monkeypatch, kind, package, by):
    monkeypatch.setitem(sys.modules, package, None)
    before = listing(root)
    given = {
        "option": ("--runner", kind),
        "address": (f"--{kind}-address", "tcp://127.0.0.1:1" if kind == "dask" else "auto"),
        "settings": (),
    }
    if by == "settings":
        settings = root / "data/iris/pipeline.toml"
        settings.write_text(settings.read_text() + f'\n[runner]\nkind = "{kind}"\n')
        before = listing(root)
    assert ffn("retrain", "iris", *given[by], "--root", root).refusal == (
        f"--runner {kind} needs the package {package}, which is not installed. Install it: "
        f"pip install 'ffn-pipeline[{kind}]'"
    )
    assert listing(root) == before


def test_a_direct_run_does_not_ask_for_the_cluster_of_the_settings(ffn, root):
    settings = root / "data/iris/pipeline.toml"
    settings.write_text(settings.read_text() + '\n[runner]\nkind = "dask"\n')
    assert ffn("retrain", "iris", *DIRECT, root).code == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--dask-address", "scheduler"), 'is "scheduler"; it must be the address of a Dask'),
        (("--ray-address", "ray://a:1"), 'is "ray://a:1"; it must be the address of a Ray'),
        (
            ("--runner", "ray", "--dask-address", "tcp://a:1"),
            "goes with --runner dask, not",
        ),
        (("--workers", "99999"), "it must be less than or equal to 1024"),
    ],
)
def test_options_of_the_runner_are_refused_in_one_line(ffn, root, options, told):
    assert told in ffn("retrain", "iris", *options, "--root", root).refusal
