from __future__ import annotations

import copy
import tomllib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from ffn.errors import SettingsError
from ffn.nn import SGD, AdamW, Momentum
from ffn.settings.document import PipelineSettings, check_settings
from ffn.settings.optimizer_settings import OptimizerSearch
from ffn.tabular.csv.header import DELIMITERS
from tests.settings.test_service_settings import RULES as SERVICE_RULES

LEAST = {"data": {"source": "train.csv", "target": "species"}}


def settings(toml: str = "") -> PipelineSettings:
    document = copy.deepcopy(LEAST)
    for key, table in tomllib.loads(toml).items():
        document[key] = {**document.get(key, {}), **table} if isinstance(table, dict) else table
    return check_settings(document, "pipeline.toml")


def test_the_defaults_are_the_reference_run() -> None:
    found = settings()
    assert found.network.hidden_layers == (16, 4)
    assert (found.training.epochs, found.training.batch_size) == (150, 32)
    assert (found.training.networks, found.training.test_share) == (16, 0.2)
    candidates = found.optimizers.candidates()
    assert list(candidates) == ["sgd", "momentum", "adam", "adamw"]
    assert all(search.grows for search in candidates.values())
    for search in candidates.values():
        steps = np.diff(np.log10(search.rates))
        assert len(search.rates) == 6
        assert np.abs(steps - 0.5).max() < 0.03, "about a factor of 10^1/2 apart"
    # Momentum 0.9 sums ten gradients, so that its steps at a tenth of SGD's rates are as long.
    assert candidates["momentum"].rates == pytest.approx([r / 10 for r in candidates["sgd"].rates])
    assert candidates["momentum"].at(0.005) == Momentum(learning_rate=0.005, momentum=0.9)
    assert candidates["adamw"].at(0.005) == AdamW(weight_decay=0.01, decay_biases=False)


def test_a_learning_rate_may_be_a_number_a_list_or_auto() -> None:
    def search(value: str) -> OptimizerSearch:
        document = f"[optimizers.momentum]\nmomentum = 0.5\nlearning_rate = {value}"
        return settings(document).optimizers.candidates()["momentum"]

    one, several, auto = search("0.02"), search("[0.1, 0.001, 1]"), search('"auto"')
    assert (one.rates, one.grows) == ((0.02,), False)
    assert (several.rates, several.grows) == ((0.001, 0.1, 1), False)
    assert {type(rate) for rate in several.rates} == {float}, "TOML's 1 is recorded as 1.0"
    assert auto == search('"auto"')
    assert auto.grows
    assert {each.at(0.3) for each in (one, several, auto)} == {
        Momentum(learning_rate=0.3, momentum=0.5)
    }
    assert one.optimizer == one.at(0.02)


@pytest.mark.parametrize(("written", "meant"), [("true", "refitted"), ("false", "none")])
def test_settings_of_earlier_versions_say_ensemble_with_a_flag(written: str, meant: str) -> None:
    assert settings(f"[training]\nensemble = {written}").training.ensemble == meant


@pytest.mark.parametrize("name", ["iris", "penguins"])
def test_the_shipped_settings_are_valid(repository, name: str) -> None:
    path = repository / "data" / name / "pipeline.toml"
    found = check_settings(tomllib.loads(path.read_text("utf-8")), str(path))
    assert found.optimizers.candidates() == settings().optimizers.candidates()


def test_named_optimizers_alone_are_candidates_the_simplest_first() -> None:
    found = settings("[optimizers.adamw]\n[optimizers.sgd]\nlearning_rate = 1")
    assert list(found.optimizers.candidates()) == ["sgd", "adamw"]
    assert found.optimizers.candidates()["sgd"].at(1.0) == SGD(learning_rate=1.0)
    assert list(settings("[optimizers]").optimizers.candidates())[-1] == "adamw"


def test_missing_values_are_compared_trimmed() -> None:
    found = settings('[data]\nmissing_values = [" NA ", "\\t", "-9"]')
    assert found.data.missing_values == ("NA", "", "-9")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        settings().training.epochs = 3


def test_settings_recorded_before_features_existed_equal_the_default() -> None:
    assert "features" not in settings().of_training()
    default = settings('[features]\nnumbers = "standardised"\nbins = 16')
    assert default.of_training() == settings().of_training()
    piecewise = settings('[features]\nnumbers = "piecewise"').of_training()
    assert piecewise["features"] == {"numbers": "piecewise", "bins": 16}
    pooled = settings("[features]\nmost_categories = 30").of_training()["features"]
    assert pooled == {"numbers": "standardised", "bins": 16, "most_categories": 30}
    texts = settings("[features]\ntext_components = 8").of_training()["features"]
    assert texts == {"numbers": "standardised", "bins": 16, "text_components": 8}


def test_settings_recorded_before_splits_existed_equal_the_default() -> None:
    assert "split" not in settings().of_training()
    assert "split" not in settings("[split]").of_training()
    found = settings('[split]\ngroup = "customer"').of_training()["split"]
    assert found == {"group": "customer"}


def test_an_embargo_is_a_duration_or_a_number() -> None:
    def gap(written: str) -> float:
        return settings(f'[split]\ntime = "day"\nembargo = {written}').split.gap()

    assert (gap('"7d"'), gap("7"), gap("0.5")) == (7 * 86_400 * 10**6, 7, 0.5)
    assert settings('[split]\ntime = "day"').split.gap() == 0
    zoned = settings('[split]\ntime = "day"\ntime_format = "%d.%m.%Y %H:%M %z"')
    assert zoned.split.time_format == "%d.%m.%Y %H:%M %z"


def test_an_ensemble_of_resamples_is_refitted_under_time() -> None:
    text = '[training]\nensemble = "resamples"\n[split]\n'
    assert settings(text + 'group = "customer"').ensemble == "resamples"
    assert settings(text + 'time = "day"').ensemble == "refitted"
    assert settings('[split]\ntime = "day"').ensemble == "none"


CONTRACT = (
    "new_columns",
    "missing_columns",
    "changed_kinds",
    "new_classes",
    "vanished_classes",
    "class_shares",
    "missing_values",
)
RULES = [
    ("[decision]\ncost = 1", r'unknown key "decision\.cost"; .*Did you mean "costs"\?'),
    (
        "[decision.costs]\ngood = {bad = -1}",
        r'"decision\.costs\.good\.bad" is -1; it must be greater than or equal to 0\.',
    ),
    ("[decision]\ncosts = {good = 1}", r'"decision\.costs\.good" is 1; it must be a table\.'),
    (
        "[decision]\nthresholds = 0.2",
        r'"decision\.thresholds" is 0\.2; it must be "auto", or a table',
    ),
    (
        "[decision]\nthresholds = {bad = 1.0}",
        r'"decision\.thresholds": must be "auto", or a table of',
    ),
    (
        '[decision]\nthresholds = "auto"',
        r'thresholds = "auto" needs a metric that depends on labels',
    ),
    (
        '[decision]\nthresholds = "auto"\nmetric = "average_precision"',
        r'thresholds = "auto" needs a metric that depends on labels',
    ),
    (
        '[decision]\nmetric = "expected_cost"',
        r'metric = "expected_cost" needs costs: set costs, such as \{bad = \{good = 10\}\}',
    ),
    (
        '[decision]\nmetric = "accuracy"',
        r'"decision\.metric" is "accuracy"; it must be \'log_loss\', ',
    ),
    (
        '[decision]\nexchangeable = "yes"',
        r'"decision\.exchangeable" is "yes"; it must be true or false\.',
    ),
    ("[decision]\nlabel_sets = 1", r'"decision\.label_sets" is 1; it must be less than 1\.'),
    ("[gate]\nmetric_margin = 0", r'"gate\.metric_margin" is 0; it must be greater than 0\.'),
    ("[decision]\nabstain_below = 1", r'"decision\.abstain_below" is 1; it must be less than 1\.'),
    ("[split]\naudit = 'no'", r'"split\.audit" is "no"; it must be \'refuse\', \'warn\' or'),
    ("[split]\nignore = ['']", r'"split\.ignore\.0" is ""; it must not be empty'),
    ("[split]\ntime = ''", r'"split\.time" is ""; it must not be empty'),
    ("[split]\ngroup = 3", r'"split\.group" is 3; it must be text in quotes'),
    (
        "[split]\ntime = 'a'\ntime_format = '%d/%m'",
        r'"split\.time_format" is "%d/%m"; it must be a format with year, month and day',
    ),
    ("[split]\ntime_format = '%d/%m/%Y'", r'"split": time_format needs the column of the time'),
    ("[split]\nembargo = '7d'", r'"split": embargo needs the column of the time: add time ='),
    (
        "[split]\ntime = 'a'\nembargo = '7 days'",
        r'"split\.embargo.*" is "7 days"; it must be a whole number and a unit',
    ),
    ("[split]\ntime = 'a'\ngroup = 'a'", r'"split": time and group both name "a"'),
    (
        "[split]\ntest = '../t.csv'",
        r'"split\.test" is "\.\./t\.csv"; it must be a file in the folder',
    ),
    ("[split]\ntest = '/t.csv'", r'"split\.test" is "/t\.csv"; it must be a file in the folder'),
    ("[split]\ntset = 't.csv'", r'unknown key "split\.tset".*Did you mean "test"\?'),
    ("[trainig]", r'unknown key "trainig"; known here: data, .*Did you mean "training"\?'),
    ("[training]\nepoch = 3", r'unknown key "training\.epoch"; .*Did you mean "epochs"\?'),
    (
        "[network]\nlayers = [3]",
        r'unknown key "network\.layers"; known here: hidden_layers, student_layers\. Did you',
    ),
    ("[data]\ntraget = 'x'", r'unknown key "data\.traget"; .*Did you mean "target"\?'),
    ("[data]\nkeep = 'no'", r'"data\.keep" is "no"; it must be true or false\.'),
    ("[search]\ntrials = 0", r'"search\.trials" is 0; it must be greater than or equal to 1\.'),
    ("[search]\nrace = 'no'", r'"search\.race" is "no"; it must be true or false\.'),
    ("[optimizers.adamx]", r'unknown optimizer "optimizers\.adamx"; known here: sgd, momentum, '),
    ("[optimizers.rmsprop]", r'unknown optimizer "optimizers\.rmsprop"; .*adam, adamw\.$'),
    ("[optimizers.sgd]\nmomentum = 0.9", r'"optimizers\.sgd\.momentum"; known here: learning_rate'),
    ("[optimizers.adamw]\nlr = 1.0", r'unknown key "optimizers\.adamw\.lr"; known here: learning_'),
    ("[optimizers]\nsgd = 3", r'"optimizers\.sgd" is 3; it must be a table\.'),
    ("optimizers = ['sgd']", r'"optimizers" is \["sgd"\]; it must be a table\.'),
    ("[data]\nsource = ''", r'"data\.source" is ""; it must not be empty\.'),
    ("[data]\nsource = 3", r'"data\.source" is 3; it must be text in quotes\.'),
    ("[data]\ntarget = ['a']", r'"data\.target" is \["a"\]; it must be text in quotes\.'),
    ("[data]\nfeatures = 'a'", r'"data\.features" is "a"; it must be a list\.'),
    ("[data]\nfeatures = ['a', 3]", r'"data\.features\.1" is 3; it must be text in quotes\.'),
    ("[data]\nkinds = 'a'", r'"data\.kinds" is "a"; it must be a table\.'),
    ("[data.formats]\na = '12%'", r'"data\.formats\.a" is "12%"; it must be 1234\.5 as the column'),
    ("[data.kinds]\na = 'number'", r'"data\.kinds\.a" is "number"; it must be \'numeric\', '),
    ("[data]\nlabels = 'a'", r'"data\.labels" is "a"; it must be a table\.'),
    ("[data.labels]\na = 1", r'"data\.labels\.a" is 1; it must be text in quotes\.'),
    (
        "[data.labels]\na = 'b'\nb = 'c'",
        r'"data\.labels": must not read "a" as "b", which is itself read as "c"\.',
    ),
    ("[data]\nquery = ' '", r'"data\.query" is " "; it must be a SELECT\.'),
    ("[data]\nquery = 'SELECT 1'", r'"data": "query" needs a "source" such as "sqlite:///shop'),
    ("[data]\nsource = 'sqlite:///s.db'", r'"data": source is a database, so "query" must say'),
    ("[data]\nsource = 'oracle://a:b@c'", r'source": the address of a .*, and this one with "or'),
    ("[scoring]\ndatabase = 's.db'", r'"scoring\.database": the address of a database begins'),
    ("[scoring]\nquery = ''", r'"scoring\.query" is ""; it must not be empty\.'),
    ("[scoring]\nnew_by = ''", r'"scoring\.new_by" is ""; it must not be empty\.'),
    ("[scoring]\ntable = 'a b'", r'"scoring\.table" is "a b"; it must be the name of a table'),
    ("[data]\ndelimiter = 'ab'", r'"data\.delimiter" is "ab"; it must be one of "," ";" '),
    ("[data]\nencoding = 'utf-7'", r'"data\.encoding": encoding "utf-7" is not supported'),
    ("[data]\ndelimiter = '0'", r'"data\.delimiter" is "0"; it must be one of'),
    ("[data]\ndecimal = ';'", r'"data\.decimal" is ";"; it must be one of "\." ","\.'),
    ("[features]\nnumbers = 'bins'", r'"bins"; it must be \'standardised\' or \'piecewise\'\.'),
    ("[features]\nbins = 1", r'"features\.bins" is 1; it must be greater than or equal to 2\.'),
    ("[features]\nbins = 257", r'"features\.bins" is 257; it must be less than or equal to 256'),
    ("[features]\nmost_categories = 0", r'most_categories" is 0; it must be greater than or equa'),
    ("[features]\ntext_components = 0", r'text_components" is 0; it must be greater than or equ'),
    ("[features]\ntext_components = 257", r'text_components" is 257; it must be less than or eq'),
    ("[features]\ntext_components = 2.5", r'text_components" is 2\.5; it must be a whole number'),
    ("[data.kinds]\nx = 'texts'", r'kinds\.x" is "texts"; it must be .*\'text\'\.'),
    ("[network]\nhidden_layers = 16", r'"network\.hidden_layers" is 16; it must be a list\.'),
    ("[network]\nhidden_layers = [0]", r'"network\.hidden_layers\.0" is 0; it must be greater th'),
    ("[network]\nhidden_layers = [1.5]", r"is 1\.5; it must be a whole number\."),
    ("[network]\nhidden_layers = [1000000]", r"is 1000000; it must be less than or equal to 1000"),
    ("[training]\nepochs = 0", r'"training\.epochs" is 0; it must be greater than or equal to 1'),
    ("[training]\nepochs = 1.5", r'"training\.epochs" is 1\.5; it must be a whole number\.'),
    ("[training]\nepochs = '9'", r'"training\.epochs" is "9"; it must be a whole number\.'),
    ("[training]\nepochs = true", r'"training\.epochs" is true; it must be a whole number\.'),
    ("[training]\nbatch_size = 0", r'"training\.batch_size" is 0; it must be greater'),
    (
        "[training]\nnetworks = 1",
        r'"training\.networks" is 1; it must be greater than or equal to 2',
    ),
    ("[training]\ntest_share = 0", r'"training\.test_share" is 0; it must be greater than 0\.'),
    ("[training]\ntest_share = 1.0", r'"training\.test_share" is 1\.0; it must be less than 1\.'),
    ("[training]\nvalidation_share = nan", r'"training\.validation_share" is nan; it must be'),
    ("[training]\nseed = -1", r'"training\.seed" is -1; it must be greater than or equal to 0\.'),
    ("[training]\nseed = 9223372036854775808", r'"training\.seed" is 9223372036854775808; it must'),
    ("[training]\npatience = -1", r'"training\.patience" is -1; it must be greater'),
    ("[training]\nschedule = 'step'", r'is "step"; it must be \'constant\' or \'cosine\'\.'),
    (
        '[training]\nboosted_teachers = 2\nensemble = "resamples"',
        r'"training": boosted_teachers is 2, and only the student of ensemble = "distilled" learns',
    ),
    (
        '[training]\nboosted_teachers = 9\nnetworks = 8\nensemble = "distilled"',
        r'"training": boosted_teachers is 9: each is fitted on .* networks = 8 makes no more',
    ),
    ("[training]\nwarmup_epochs = 150", r'"training": warmup_epochs must be less than epochs, 150'),
    ("[training]\nclass_weight = 'auto'", r'is "auto"; it must be \'none\' or \'balanced\'\.'),
    ("[training]\ndtype = 'float16'", r'is "float16"; it must be \'float32\' or \'float64\'\.'),
    ("[training]\nensemble = 1", r"ensemble\" is 1; it must be 'none', 'refitted', 'resam"),
    ("[network]\nstudent_layers = [0]", r'"network\.student_layers\.0" is 0; it must be greater'),
    ("[training]\nmembers = 0", r'"training\.members" is 0; it must be greater than or equal to 1'),
    ("[training]\ntime_budget = '5 min'", r'"training\.time_budget"'),
    ("[training]\ndropout = 1.0", r'"training\.dropout" is 1\.0; it must be less than 1\.'),
    ("[training]\nlabel_smoothing = -0.1", r'"training\.label_smoothing" is -0\.1; it must be gre'),
    ("[training]\nseed = 1979-05-27", r'"training\.seed" is "1979-05-27"; it must be a whole num'),
    *(
        (
            f"[optimizers.sgd]\nlearning_rate = {wrong}",
            rf'learning_rate" is {found}; it must be a num',
        )
        for wrong, found in [
            ("-0.1", r"-0\.1"),
            ("0", "0"),
            ("inf", "inf"),
            ("nan", "nan"),
            ("true", "true"),
            ('"fast"', '"fast"'),
            ("[]", r"\[\]"),
            ("[0.1, -1]", r"\[0\.1, -1\]"),
            ('[0.1, "auto"]', r'\[0\.1, "auto"\]'),
        ]
    ),
    (
        "[optimizers.sgd]\nlearning_rate = [0.1, 0.1]",
        r'learning_rate" is \[0\.1, 0\.1\]; it must not name a rate twice',
    ),
    ("[optimizers.momentum]\nmomentum = 1", r'momentum\.momentum" is 1; it must be less than 1\.'),
    ("[optimizers.momentum]\nmomentum = -1", r'momentum\.momentum" is -1; it must be greater'),
    ("[optimizers.adam]\nbeta1 = 1.0", r'"optimizers\.adam\.beta1" is 1\.0; it must be less than'),
    ("[optimizers.adam]\nbeta2 = 2.0", r'"optimizers\.adam\.beta2" is 2\.0; it must be less than'),
    (
        "[optimizers.adam]\nepsilon = 0.0",
        r'"optimizers\.adam\.epsilon" is 0\.0; it must be greater',
    ),
    ("[optimizers.adamw]\nweight_decay = -1", r'weight_decay" is -1; it must be greater than or'),
    ("[optimizers.adamw]\ndecay_biases = 'no'", r'is "no"; it must be true or false\.'),
    (
        "[gate]\nmode = 'best'",
        r"is \"best\"; it must be 'better', 'not_worse', 'always' or 'never'",
    ),
    ("[gate]\nalpha = 0", r'"gate\.alpha" is 0; it must be greater than 0\.'),
    ("[gate]\nalpha = 0.6", r'"gate\.alpha" is 0\.6; it must be less than or equal to 0\.5'),
    ("[gate]\naccuracy_margin = 0", r'"gate\.accuracy_margin" is 0; it must be greater than 0'),
    ("[gate]\nlog_loss_margin = inf", r'"gate\.log_loss_margin" is inf; it must be a finite num'),
    ("[gate]\nclass_margin = -1", r'"gate\.class_margin" is -1; it must be greater than or equal'),
    ("[gate]\nsmall_holdout = 'promote'", r"it must be 'cross_validate' or 'keep'\."),
    ("[gate]\nbaseline = 'never'", r"it must be 'warn', 'refuse' or 'ignore'\."),
    ("[gate]\nmin_accuracy = 90", r'"gate\.min_accuracy" is 90; it must be less than or equal to'),
    ("[gate]\nmin_recall = -1", r'"gate\.min_recall" is -1; it must be greater than or equal to'),
    ("[gate]\nmin_auc = 1.5", r'"gate\.min_auc" is 1\.5; it must be less than or equal to 1'),
    (
        "[gate]\nmin_average_precision = -0.1",
        r'"gate\.min_average_precision" is -0\.1; it must be greater than or equal to 0',
    ),
    (
        '[gate]\nmin_balanced_accuracy = "high"',
        r'"gate\.min_balanced_accuracy" is "high"; it must be a ',
    ),
    ("[gate]\nmin_recalls = {a = 2}", r'"gate\.min_recalls\.a" is 2; it must be less than or eq'),
    ("[gate]\nmax_calibration_error = 2", r'"gate\.max_calibration_error" is 2; it must be less'),
    ("[scoring]\non_unknown = 'skip'", r'is "skip"; it must be \'score\' or \'reject\'\.'),
    ("[scoring]\nexplain = -1", r'"scoring\.explain" is -1; it must be greater than or equal to 0'),
    ("[scoring]\nexplain = true", r'"scoring\.explain" is true; it must be a whole number'),
    ("[scoring]\nmax_reject_rate = 2", r'"scoring\.max_reject_rate" is 2; it must be less than'),
    ("[drift]\npolicy = 'stop'", r"is \"stop\"; it must be 'warn', 'hold' or 'off'\."),
    ("[drift]\npsi = 0", r'"drift\.psi" is 0; it must be greater than 0\.'),
    ("[drift]\nmin_rows = 5", r'"drift\.min_rows" is 5; it must be greater than or equal to 20'),
    *(
        (f"[contract]\n{key} = 'no'", r"is \"no\"; it must be 'refuse', 'warn' or 'accept'\.")
        for key in CONTRACT
    ),
    ("[contract]\nshare_change = 0", r'"contract\.share_change" is 0; it must be greater than 0'),
    ("[gate]\nmargin = 0.1", r'unknown key "gate\.margin"; known here: mode, alpha, accuracy_marg'),
]


@pytest.mark.parametrize(("toml", "message"), RULES, ids=[rule[0] for rule in RULES])
def test_every_rule_says_what_was_found_and_what_it_must_be(toml: str, message: str) -> None:
    with pytest.raises(SettingsError, match=r"^pipeline\.toml: .*" + message):
        settings(toml)


def keys(model: Any, path: str = "") -> set[str]:
    """The dotted names of all values that can be set."""
    found = set()
    for name, value in model:
        inner = value if hasattr(type(value), "model_fields") else None
        found |= keys(inner, f"{path}{name}.") if inner else {path + name}
    return found


def test_no_setting_is_without_a_rule_above() -> None:
    everything = settings(
        "[optimizers.sgd]\n[optimizers.momentum]\n[optimizers.adam]\n[optimizers.adamw]"
    )
    free = {"data.exclude"}  # a list of any text, as features and missing_values are
    text = " ".join(toml for toml, _ in [*RULES, *SERVICE_RULES])
    assert {key for key in keys(everything) if key.rpartition(".")[2] not in text} == free


@pytest.mark.parametrize("key", ["source", "target"])
def test_what_is_needed_is_named(key: str) -> None:
    document = {"data": {k: v for k, v in LEAST["data"].items() if k != key}}
    with pytest.raises(SettingsError, match=rf'"data\.{key}" is missing\. Add it\.'):
        check_settings(document, "pipeline.toml")
    with pytest.raises(SettingsError, match=r'"data" is missing\. Add it\.'):
        check_settings({}, "pipeline.toml")


def test_a_misspelt_key_is_told_before_the_one_that_is_missing_for_it() -> None:
    with pytest.raises(SettingsError, match=r'"data\.tagret"; .*Did you mean "target"\?'):
        check_settings({"data": {"source": "t.csv", "tagret": "y"}}, "pipeline.toml")


@pytest.mark.parametrize("delimiter", DELIMITERS)
def test_every_delimiter_of_the_reader_can_be_set(delimiter: str) -> None:
    document = {"data": {**LEAST["data"], "delimiter": delimiter}}
    assert check_settings(document, "p").data.delimiter == delimiter


toml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
tables = st.sampled_from(["data", "network", "training", "optimizers", "optimizers.adamw"])


@given(tables, st.text(max_size=8) | st.sampled_from(["kinds", "epochs", "adam"]), toml_values)
def test_whatever_stands_there_gives_settings_or_one_line(table, key, value) -> None:
    document: dict[str, Any] = copy.deepcopy(LEAST)
    place = document
    for name in table.split("."):
        place = place.setdefault(name, {})
    place[key] = value
    refusal = ""
    try:
        check_settings(document, "pipeline.toml")
    except SettingsError as error:
        refusal = str(error)
    assert refusal.isprintable()
    assert len(refusal) < 700
