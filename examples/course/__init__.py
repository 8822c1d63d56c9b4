"""What keeps the course in ``docs/learn`` true: its blocks are run, and all else is compared.

A chapter is Markdown. This package runs its Python, compares what is printed with what the page
shows, prints its equations from the lines of code beside them, finds its excerpts in the source,
and looks for every other number of the page among those that its blocks print.
"""
