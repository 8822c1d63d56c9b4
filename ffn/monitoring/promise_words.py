"""Realised figures beside the promises that may apply, in words made of the figures."""

from __future__ import annotations

from ffn.evaluation.inference.statistics import Interval
from ffn.monitoring.promised_quality import Promise, PromisedQuality
from ffn.quantities import interval

__all__ = ["beside_promises", "is_below_all", "promised_losses"]


def is_below_all(realised: Interval, promised: PromisedQuality) -> bool:
    """Return whether an interval of realised accuracy ends below all promises that may apply.

    Parameters
    ----------
    realised
        Realised accuracy.
    promised
        What was promised of the version; where nothing is recorded, nothing is below it, nor where
        rows were weighted.
    """
    if promised.weighted:
        return False
    relations = [_relation(realised, one) for one in promised.applying]
    return bool(relations) and all(relation == "below" for relation in relations)


def beside_promises(realised: Interval, promised: PromisedQuality, *, shown: bool) -> str:
    """Return how a realised accuracy is to each promise that may apply, as clauses.

    Parameters
    ----------
    realised
        Realised accuracy.
    promised
        What was promised of the version.
    shown
        Whether accuracy is shown to be below the lowest of their bounds, in some period.
    """
    told = []
    for one in promised.applying:
        relation, figure = _relation(realised, one), ""
        if one.accuracy:
            figure = interval(one.accuracy)
            if shown and realised.value < one.accuracy.low:
                relation = "shown to be below"
        if one.kind == "group":
            told.append(f"; if they are of {one.whose}, {relation} the {figure} promised for those")
        elif one.kind == "held_out":
            told.append(f", {relation} the promised {figure}")
        else:
            aside = f" (held out {interval(promised.beside)})" if promised.beside else ""
            told.append(f", {relation} the {figure} promised for {one.whose}{aside}")
    return "".join(told)


def promised_losses(promised: PromisedQuality) -> str:
    """Return the log-losses of the promises that may apply, as a clause; empty if there are none.

    Parameters
    ----------
    promised
        What was promised of the version.
    """
    if promised.weighted:
        own = promised.log_loss
        return f", promised by weight {interval(own)}" if own else ""
    told = [
        interval(one.log_loss) + (f" for {one.whose}" if one.whose else "")
        for one in promised.applying
        if one.log_loss
    ]
    return f", promised {' and '.join(told)}" if told else ""


def _relation(realised: Interval, promise: Promise) -> str:
    """Return how an interval of realised accuracy is to that of a promise."""
    promised = promise.accuracy
    if promised is not None and realised.high < promised.low:
        return "below"
    if promised is not None and realised.low > promised.high:
        return "above"
    return "not shown to differ from"
