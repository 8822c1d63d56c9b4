"""The record of predictions and of the labels that came later, and how both are taken up."""
