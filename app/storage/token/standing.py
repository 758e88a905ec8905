"""What a token rests on, as SQL: one rule, judged by every statement that checks, issues or renews one.

The application is active, the customer is enabled, and their connection stands: it has not ended, and the approval is
newer than its last cut. Without the row of a connection nothing stands.
"""


def parties_of(row: str, *, alone: bool = False) -> str:
    """Joins application `a`, customer `c` and connection `k` to a row. alone: it may belong to no customer."""
    join = "LEFT JOIN" if alone else "JOIN"
    return f"""JOIN application a ON a.id = {row}.application_id
{join} customer c ON c.id = {row}.customer_id
{join} {connection_of(row)}"""


def connection_of(row: str) -> str:
    """What joins connection `k`, between the customer and the application of a row."""
    return f"connection k ON k.customer_id = {row}.customer_id AND k.application_id = {row}.application_id"


def stands(row: str, *, alone: bool = False) -> str:
    """Whether all that a row rests on stands; its parties are joined. alone: it may belong to no customer."""
    connected = f"({row}.customer_id IS NULL OR {is_connected(row)})" if alone else is_connected(row)
    return f"a.status = 'active' AND c.disabled_at IS NULL AND {connected}"


def is_connected(row: str) -> str:
    """Whether connection `k`, which is joined, stands for what was approved at `approved_at`. Without one it is false."""
    return f"({is_newer_than_cut(row)} AND {HAS_NOT_ENDED})"


def is_newer_than_cut(row: str) -> str:
    """Null, which is as good as false, where no connection is joined."""
    return f"k.application_id IS NOT NULL AND {row}.approved_at > coalesce(k.cut_at, '-infinity')"


HAS_NOT_ENDED = "coalesce(k.ends_at, 'infinity') > clock_timestamp()"

# When connection `k` was cut or ended last. Null where it never was: an end that is still to come is none.
ENDED_AT = "greatest(k.cut_at, CASE WHEN k.ends_at <= clock_timestamp() THEN k.ends_at END)"
