"""The lab's script, run by Node, against ``ffn.nn.reference``; and what the page may load."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import subprocess
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from examples.course.flowers import iris
from examples.course.lab import lab_run
from ffn.nn import OPTIMIZERS, reference

PAGE = (Path(__file__).parents[2] / "docs/learn/lab.html").read_text("utf-8")
(SCRIPT,) = re.findall(r'<script id="network">\n(.*?)</script>', PAGE, re.DOTALL)
# A usual run, a noisy one, one at each optimizer's own rate, one that begins with zeros; epochs.
SETTINGS = [
    ({"rate": 0.005, "scale": 1, "batch": 32, "seed": 3, "own": 0}, 150),
    ({"rate": 0.01, "scale": 0.3, "batch": 4, "seed": 99, "own": 0}, 15),
    ({"rate": 0.005, "scale": 1, "batch": 32, "seed": 7, "own": 1}, 60),
    ({"rate": 0.005, "scale": 0, "batch": 32, "seed": 1, "own": 0}, 30),
]


def node(code: str) -> Any:
    """Return the JSON that Node prints when it runs the lab's script and then ``code``."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    done = subprocess.run(
        ["node", "-"], input=SCRIPT + code, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def courses() -> list[dict[str, Any]]:
    """Of each of SETTINGS, by optimizer: rates, losses and parameters; and the NumPy lines."""
    return node(
        f"""
        const told = {json.dumps(SETTINGS)}.map(([settings, epochs]) => {{
          const runs = begin(settings);
          for (const run of Object.values(runs))
            while (run.losses.length <= epochs) run.losses.push(run.course.next().value);
          const of = take => Object.fromEntries(Object.keys(runs).map(name => [name, take(name)]));
          return {{
            rates: of(name => rateOf(settings, name)),
            losses: of(name => runs[name].losses),
            parameters: of(name => runs[name].parameters),
            lines: numpyLines(settings, epochs),
          }};
        }});
        console.log(JSON.stringify(told));
        """
    )


@pytest.mark.parametrize(("number", "name"), list(product(range(len(SETTINGS)), OPTIMIZERS)))
def test_the_page_learns_as_the_reference_does(
    courses: list[dict[str, Any]], number: int, name: str
) -> None:
    (settings, epochs), found = SETTINGS[number], courses[number]
    x, labels, network, orders = lab_run(
        seed=int(settings["seed"]), scale=settings["scale"], epochs=epochs
    )
    begun = reference.mean_loss(reference.forward(network, x)[-1], labels)
    losses = reference.train(
        network,
        getattr(reference, name),
        found["rates"][name],
        x,
        labels,
        orders,
        int(settings["batch"]),
    )
    np.testing.assert_allclose(found["losses"][name], [begun, *losses], rtol=0, atol=1e-12)
    for theirs, ours in zip(found["parameters"][name], network, strict=True):
        np.testing.assert_allclose(theirs, np.atleast_2d(ours), rtol=0, atol=1e-12)


def test_rates_are_one_for_all_or_each_optimizers_own(courses: list[dict[str, Any]]) -> None:
    assert set(courses[0]["rates"].values()) == {0.005}
    assert len(set(courses[2]["rates"].values())) > 1


@pytest.mark.parametrize("number", range(len(SETTINGS)))
def test_the_numpy_lines_of_the_page_print_its_losses(
    courses: list[dict[str, Any]], number: int
) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(courses[number]["lines"], "the lab's lines", "exec"), {})
    shown = {name: f"{losses[-1]:.10f}" for name, losses in courses[number]["losses"].items()}
    assert dict(line.split() for line in printed.getvalue().splitlines()) == shown


def test_the_petals_of_the_page_are_those_of_the_table() -> None:
    flowers, labels = iris()
    (digits,) = re.findall(r'const ITEMS = "(\d{600})";', PAGE)
    petals = [[int(digits[i : i + 2]), int(digits[i + 2 : i + 4])] for i in range(0, 600, 4)]
    np.testing.assert_array_equal(np.array(petals) / 10, flowers[:, 2:])
    np.testing.assert_array_equal(labels, np.arange(150) // 50)


def test_an_address_is_read_whole_or_complained_of() -> None:
    read = node(
        """
        const full = "#rate=0.1&scale=0&batch=1&seed=7&own=0";
        const addresses = ["", full, "#rate=7&colour=1", "#seed="];
        const again = readAddress(writeAddress({ ...DEFAULTS, batch: 8, own: 1 })).settings;
        console.log(JSON.stringify([...addresses.map(readAddress), again]));
        """
    )
    default = {"rate": 0.005, "scale": 1, "batch": 32, "seed": 3, "own": 0}
    assert read[0] == {"settings": default, "problems": []}
    assert read[1]["settings"] == {"rate": 0.1, "scale": 0, "batch": 1, "seed": 7, "own": 0}
    assert read[1]["problems"] == []
    assert read[2]["settings"] == default
    assert read[2]["problems"][0].startswith("rate=7: not one of 0.0001, ")
    assert read[2]["problems"][1] == "colour is no setting"
    assert read[3] == {
        "settings": default,
        "problems": ["seed=: not one of 0 to 99; 3 is used"],
    }
    assert read[4] == {**default, "batch": 8, "own": 1}


def test_the_page_is_small_and_loads_nothing() -> None:
    assert len(PAGE.encode()) <= 20_000
    assert re.findall(r"https?:|//\w|@import|url\(|import\(|fetch\(", PAGE) == []
    assert "default-src 'none'" in PAGE
    links = re.findall(r'(?:src|href)="([^"]*)"', PAGE)
    assert links == ["data:,"]
