"""The whole corpus."""

from tests.door.corpus import bodies, fields, starts, upgrades

CORPUS = (*upgrades.ATTACKS, *starts.ATTACKS, *bodies.ATTACKS, *fields.ATTACKS)
