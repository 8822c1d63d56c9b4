"""The verbs of the command line, one a module: ``add`` declares its options, ``run`` obeys them.

Modules here import what a verb needs when it runs, so that ``ffn --help`` is quick.
"""
