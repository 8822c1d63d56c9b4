"""What is said of a student and its teachers."""

from __future__ import annotations

from ffn.distillation.student import STUDENT_FIGURE_ROWS, Student
from ffn.quantities import counted, percent

__all__ = ["learnt_from", "teachers_in_words"]


def teachers_in_words(student: Student) -> str:
    """Return how many of what taught a student: "8 networks and 4 models of boosted trees"."""
    networks = counted(student.teachers, "network")
    if not student.share:
        return networks
    return f"{networks} and {counted(student.boosted, 'model')} of boosted trees"


def learnt_from(student: Student) -> str:
    """Say what a student learnt, from what, and how well; begins with the verb.

    Parameters
    ----------
    student
        The student.
    """
    made = f" and {student.made:,} made from them" if student.made else ""
    many = student.rows + student.made > STUDENT_FIGURE_ROWS
    alike = percent(float(student.history.train_accuracy[-1, 0]))
    judged = f"{STUDENT_FIGURE_ROWS:,} of them" if many else "them"
    shares = (
        f" (weights {percent(1 - student.share)} and {percent(student.share)}, which had the "
        "lowest log-loss on validation rows)"
        if student.share
        else ""
    )
    left_out = (
        f"; {counted(student.boosted, 'model')} of boosted trees did not teach it, because "
        "validation rows gave them less than 1 % of the answer"
        if student.boosted and not student.share
        else ""
    )
    return (
        f"learnt the averaged probabilities of {teachers_in_words(student)}{shares} from "
        f"{counted(student.rows, 'training row')}{made}, in "
        f"{counted(int(student.history.epochs_run[0]), 'epoch')}; it finds the same class most "
        f"probable as they do in {alike} of {judged}{left_out}"
    )
