"""All pipelines on one page: how each is, by a stated rule, and where to read on."""
