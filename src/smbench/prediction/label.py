"""How far a model can be trusted, in the words that every prediction carries."""

UNGRADED = "ungraded: emulated as written"
