"""Whether a database can hold the schema at all: its encoding, and where the names of a session lead."""

from dataclasses import dataclass

from app.storage.postgres.database import Statements


@dataclass(frozen=True, slots=True)
class Ground:
    """schema: the first of the search path that exists; empty where there is none."""

    database: str
    login: str
    encoding: str
    search_path: str
    schema: str


SELECT_GROUND = """
SELECT current_database()::text AS database, session_user::text AS login, current_setting('server_encoding') AS encoding,
       current_setting('search_path') AS search_path, coalesce(current_schema()::text, '') AS schema
"""


async def select_ground(statements: Statements) -> Ground:
    [row] = await statements.rows(SELECT_GROUND)
    return Ground(**row)


def unfit(ground: Ground) -> str | None:
    """What is wrong and what to do; None where nothing is."""
    if ground.encoding != "UTF8":
        return (
            f"the database {ground.database} has the encoding {ground.encoding}, which cannot hold every name: "
            f"CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0, and name that one in the address"
        )
    if ground.schema != "public":
        leads = f"leads to the schema {ground.schema}" if ground.schema else "leads nowhere"
        return (
            f"the search path of {ground.login} ({ground.search_path}) {leads} and not to public: "
            f'ALTER ROLE "{ground.login}" IN DATABASE "{ground.database}" SET search_path = public'
        )
    return None
