"""Stands before the package of this name while tests run: that one compiles a grammar whenever it is imported.

jsonschema imports it for the formats ``iri`` and ``iri-reference``, which no schema here has, and does without it
when it cannot. A second for every server and every notebook run from a shell is minutes of a whole run.
"""

raise ImportError("left out while tests run: it takes a second to import")
