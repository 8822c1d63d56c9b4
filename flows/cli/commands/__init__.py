"""The verbs of the command line, one per module.

``add(verbs, parents)`` declares a verb and its options, ``run(options)`` executes it and returns
the exit code. A verb imports what it needs only when it runs, so that ``ffn --help`` is fast.
"""
