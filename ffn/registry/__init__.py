"""The model registry: numbered versions, the production pointer, and the history of promotions."""
