"""A replacement for the package of this name while tests run, since that compiles a grammar at each import.

jsonschema imports the package for the formats ``iri`` and ``iri-reference``, which no schema here uses, and works
without it. The import takes a second for each server and each notebook that runs from a shell, which adds up to
minutes.
"""

raise ImportError("rfc3987_syntax is not imported while tests run, since that takes a second")
