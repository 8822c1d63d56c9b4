"""The verbs of the command line, one per module: ``add`` declares options, ``run`` executes.

A verb imports what it needs only when it runs, so that ``ffn --help`` is fast.
"""
