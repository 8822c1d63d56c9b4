"""Label sets with guaranteed coverage: split conformal prediction, class by class."""
