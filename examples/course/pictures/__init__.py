"""The pictures of the chapters, each drawn from what the blocks of its chapter computed."""

from examples.course.pictures.costs import mistakes, steps
from examples.course.pictures.courses import batches, parting, races, valleys
from examples.course.pictures.networks import borders, paths
from examples.course.pictures.signals import sizes, tangents

__all__ = ["PICTURES"]

PICTURES = {
    "01-learning.md": borders,
    "02-forward.md": paths,
    "03-start.md": sizes,
    "04-backward.md": tangents,
    "05-steps.md": batches,
    "06-optimizers.md": races,
    "07-rates.md": valleys,
    "08-by-heart.md": parting,
    "09-pipeline.md": steps,
    "10-mistakes.md": mistakes,
}
