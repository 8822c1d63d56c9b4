"""Runs of the service in a work pool of Prefect, whose workers may be on other machines."""
