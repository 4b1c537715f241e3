"""How the value of a name travels: as code, as data, or not at all."""
