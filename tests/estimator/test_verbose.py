"""``verbose`` prints losses that the history has, and changes nothing that is learnt."""

from __future__ import annotations

import re

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.preprocessing import StandardScaler

from ffn import FFNClassifier

X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X)


@pytest.mark.parametrize("more", [{}, {"early_stopping": True, "patience": 30}])
def test_the_losses_are_those_of_the_history(
    capsys: pytest.CaptureFixture[str], more: dict[str, object]
) -> None:
    settings = {"epochs": 30, "n_networks": 3, "random_state": 0, **more}
    quiet = FFNClassifier(**settings).fit(X, Y)
    assert capsys.readouterr().out == ""
    told = FFNClassifier(**settings, verbose=True).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    np.testing.assert_array_equal(told.network_.parameters, quiet.network_.parameters)
    assert 1 <= len(lines) <= 10
    pattern = r"epoch (\d+) of 30: training loss ([\d.]+)"
    pattern += r", validation loss ([\d.]+)" if more else ""
    found = [re.fullmatch(pattern, line) for line in lines]
    assert all(found), lines
    for one in found:
        assert one is not None
        epoch = int(one[1]) - 1
        assert float(one[2]) == pytest.approx(quiet.history_.train_loss[epoch].mean(), abs=1e-6)
        if more:
            validation = quiet.history_.validation_loss[epoch].mean()
            assert float(one[3]) == pytest.approx(validation, abs=1e-6)
    assert found[-1] is not None
    assert found[-1][1] == "30"


def test_what_is_no_flag_is_refused() -> None:
    with pytest.raises(ValueError, match=r'verbose is "2"; expected True or False\.'):
        FFNClassifier(verbose=2).fit(X, Y)
