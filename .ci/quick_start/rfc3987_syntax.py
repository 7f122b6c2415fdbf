"""A stand-in for the package rfc3987-syntax while tests run. It cannot be imported, which saves time.

jsonschema imports the real package for the formats ``iri`` and ``iri-reference``, which no schema here uses, and works
without it. The real package compiles a grammar at each import. That takes a second for each server and each notebook
that runs from a shell, which adds up to minutes.
"""

raise ImportError("rfc3987_syntax is not imported while tests run, since that takes a second")
