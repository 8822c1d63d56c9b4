"""Versions made again from their recorded data and settings, and what differs if they do."""
