"""Join labels to predictions in the record, and count what became of each row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ffn.errors import DataError, one_line, quote
from ffn.monitoring.record.delivery import Delivery, LabelRow, place_of
from ffn.monitoring.record.outcome_record import OutcomeRecord
from ffn.scoring.rows.suffixes import UNITS

__all__ = ["join_rows", "take_labels"]


def take_labels(
    record: OutcomeRecord, rows: Sequence[LabelRow], found: Delivery, at: float
) -> Delivery:
    """Add the labels to the record, join them to predictions, and complete the counts.

    Parameters
    ----------
    record
        The record, open for changes.
    rows, found
        Result of `read_labels`.
    at
        When the labels came, in seconds since 1970. Only earlier predictions are joined.

    Raises
    ------
    DataError
        An id already has another label.
    """
    connection = record.connection
    connection.execute(
        "INSERT OR IGNORE INTO deliveries (sha256, name, at, rows) VALUES (?, ?, ?, ?)",
        (found.sha256, found.name, at, found.rows),
    )
    (delivery,) = connection.execute(
        "SELECT delivery FROM deliveries WHERE sha256 = ?", (found.sha256,)
    ).fetchone()
    new: list[LabelRow] = []
    for one in rows:
        code = record.class_code(one.label)
        there = connection.execute(
            "SELECT labels.class, name, row, line FROM labels JOIN deliveries USING (delivery) "
            "WHERE id = ?",
            (one.id,),
        ).fetchone()
        if there is None:
            new.append(one)
            connection.execute(
                "INSERT INTO labels VALUES (?, ?, ?, ?, ?)",
                (one.id, code, delivery, one.row, one.line),
            )
        elif there[0] == code:
            found.known += 1
        else:
            before = record.class_names()[there[0]]
            raise DataError(
                f"{found.name}: {quote(one.shown)} has the label {quote(one.label)} in "
                f"{one.place}, and {one_line(there[1])} gave it {quote(before)} in "
                f"{place_of(there[2], there[3])}. Correct the file; nothing of it was taken up."
            )
    join_rows(record, delivery=delivery)
    _count(record, {one.id: one.label for one in new}, delivery, found)
    return found


def _count(record: OutcomeRecord, new: dict[bytes, str], delivery: int, found: Delivery) -> None:
    """Count what became of new labels, by their ids."""
    fates = record.connection.execute(
        "SELECT labels.id, count(predictions.id), coalesce(sum(scorings.at > deliveries.at), 0), "
        "(SELECT count(*) FROM joined JOIN scorings AS s USING (scoring) "
        " WHERE joined.id = labels.id AND NOT s.beside) "
        "FROM labels JOIN deliveries USING (delivery) "
        "LEFT JOIN (predictions JOIN scorings ON scorings.scoring = predictions.scoring "
        " AND NOT scorings.beside) ON predictions.id = labels.id "
        "WHERE labels.delivery = ? GROUP BY labels.id",
        (delivery,),
    )
    unknown: Counter[str] = Counter()
    for one, scored, late, joined in fates.fetchall():
        if one not in new:
            continue
        if joined:
            found.joined += 1
        elif not scored:
            found.unscored += 1
        elif late == scored:
            found.late += 1
        else:
            found.trained_on += 1
    for label, count in record.connection.execute(
        "SELECT name, count(*) FROM labels JOIN classes USING (class) WHERE delivery = ? "
        "AND EXISTS (SELECT 1 FROM joined JOIN scorings USING (scoring) WHERE "
        " joined.id = labels.id AND NOT beside AND NOT EXISTS (SELECT 1 FROM classes_of WHERE "
        " classes_of.scoring = joined.scoring AND classes_of.class = labels.class)) GROUP BY name",
        (delivery,),
    ):
        unknown[label] = count
    found.unknown_labels = dict(sorted(unknown.items())) if new else {}
    found.classes = record.known_classes()
    (found.waiting,) = record.connection.execute(
        "SELECT count(DISTINCT id) FROM predictions JOIN scorings USING (scoring) "
        "WHERE NOT beside AND NOT EXISTS (SELECT 1 FROM labels WHERE labels.id = predictions.id)"
    ).fetchone()


def join_rows(
    record: OutcomeRecord, *, delivery: int | None = None, scoring: int | None = None
) -> int:
    """Join the labels of a file, or the predictions of a table, and return how many rows are new.

    Each model is judged once by each row: by its latest prediction before the label came. A row
    that it was trained on is left out.

    Parameters
    ----------
    record
        The record, open for changes.
    delivery
        Number of the file of labels; None, the default, for all.
    scoring
        Number of the scored table; None, the default, for all.
    """
    connection = record.connection
    pairs = connection.execute(
        "SELECT labels.id, model, predictions.scoring, labels.class, predicted, "
        "predictions.confidence, shares FROM labels JOIN deliveries USING (delivery) "
        "JOIN predictions ON predictions.id = labels.id "
        "JOIN scorings ON scorings.scoring = predictions.scoring "
        "WHERE scorings.at <= deliveries.at AND NOT known "
        "AND labels.delivery = coalesce(:delivery, labels.delivery) "
        "AND predictions.scoring = coalesce(:scoring, predictions.scoring) "
        "ORDER BY labels.delivery, labels.row, model, scorings.at DESC, scorings.scoring DESC",
        {"delivery": delivery, "scoring": scoring},
    ).fetchall()
    places: dict[int, dict[int, int]] = {}
    added = 0
    for one, model, scored, label, predicted, confidence, shares in pairs:
        if scored not in places:
            places[scored] = dict(
                connection.execute(
                    "SELECT class, place FROM classes_of WHERE scoring = ?", (scored,)
                )
            )
        truth = _truth(places[scored], label, predicted, confidence, shares)
        added += connection.execute(
            "INSERT OR IGNORE INTO joined (id, model, scoring, class, predicted, confidence, truth)"
            " VALUES (?, ?, ?, ?, ?, ?, ?)",
            (one, model, scored, label, predicted, confidence, truth),
        ).rowcount
    return added


def _truth(
    places: dict[int, int], label: int, predicted: int, confidence: int, shares: bytes | None
) -> int | None:
    """Return the probability of the true label in units of 1/10,000; None if it is not known."""
    if label not in places:
        return 0
    if label == predicted:
        return confidence
    if shares is not None:
        place = 2 * places[label]
        return int.from_bytes(shares[place : place + 2], "little")
    return UNITS - confidence if len(places) == 2 else None
