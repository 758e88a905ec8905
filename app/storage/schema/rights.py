"""The rights that the migrations grant to the service: which of them are missing, and the statement that grants them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from app.storage.postgres.database import Statements

_COMMENT = re.compile(r"--[^\n]*+")
_PART = re.compile(r"[^,()]++(?:\([^()]*+\))?+")
_PRIVILEGE = re.compile(r"(?P<name>\w++)\s*+(?:\((?P<columns>[^)]*+)\))?+")
_KINDS = ("FUNCTION", "SCHEMA")


@dataclass(frozen=True, slots=True)
class Right:
    """One right of one role, and the statement of the migrations that grants it. column: empty for a whole object."""

    role: str
    privilege: str
    kind: str
    object: str
    column: str
    statement: str

    def __str__(self) -> str:
        of_column = f" of {self.column}" if self.column else ""
        return f"{self.role} lacks {self.privilege}{of_column} on {self.object}"


def granted_rights(sql: str) -> Iterator[Right]:
    for statement in _COMMENT.sub("", sql).split(";"):
        # At the beginning of a line: what a block builds as text is outside the schema. Roles are granted without ON.
        _, begins, grant = f"\n{statement}".rpartition("\nGRANT ")
        privileges, on, given = " ".join(grant.split()).partition(" ON ")
        if begins and on:
            objects, _, roles = given.partition(" TO ")
            yield from _rights(privileges, objects, roles)


def _rights(privileges: str, objects: str, roles: str) -> Iterator[Right]:
    statement = f"GRANT {privileges} ON {objects} TO {roles};"
    kind, _, named = objects.partition(" ")
    kind, objects = (kind.lower(), named) if kind in _KINDS else ("table", objects)
    for role, name, text in product(_parts(roles), _parts(objects), _parts(privileges)):
        privilege = _PRIVILEGE.fullmatch(text)
        assert privilege is not None  # noqa: S101  # a test reads every statement there is
        for column in _parts(privilege["columns"] or "") or [""]:
            yield Right(role, privilege["name"], kind, name, column, statement)


def _parts(text: str) -> list[str]:
    """What stands between commas, but for those in parentheses."""
    return [part.strip() for part in _PART.findall(text)]


# What a later migration dropped is not asked for. A role that is missing has another remedy.
SELECT_MISSING_RIGHTS = """
SELECT place FROM (
    SELECT place, CASE kind
        WHEN 'schema' THEN has_schema_privilege(role, object, privilege)
        WHEN 'function' THEN has_function_privilege(role, to_regprocedure('public.' || object), privilege)
        WHEN 'column' THEN has_column_privilege(role, to_regclass('public.' || object), part, privilege)
        ELSE has_table_privilege(role, to_regclass('public.' || object), privilege) END AS held
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[]) WITH ORDINALITY
         AS asked(role, privilege, kind, object, part, place)
    WHERE to_regrole(role) IS NOT NULL
) AS judged WHERE NOT held ORDER BY place
"""


async def select_missing_rights(statements: Statements, rights: Sequence[Right]) -> tuple[Right, ...]:
    rows = await statements.rows(
        SELECT_MISSING_RIGHTS,
        [right.role for right in rights],
        [right.privilege for right in rights],
        ["column" if right.column else right.kind for right in rights],
        [right.object for right in rights],
        [right.column for right in rights],
    )
    return tuple(rights[row["place"] - 1] for row in rows)
