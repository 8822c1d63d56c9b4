"""The pictures of the chapters, each drawn from what the blocks of its chapter computed."""

from examples.course.pictures.courses import batches
from examples.course.pictures.networks import borders, paths
from examples.course.pictures.signals import sizes, tangents

__all__ = ["PICTURES"]

PICTURES = {
    "01-learning.md": borders,
    "02-forward.md": paths,
    "03-start.md": sizes,
    "04-backward.md": tangents,
    "05-steps.md": batches,
}
