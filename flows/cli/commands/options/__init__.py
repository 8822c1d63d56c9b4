"""Options that several verbs have, or that belong together."""
