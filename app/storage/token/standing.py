"""What a token rests on, as SQL: one rule, judged by every statement that checks, issues or renews one.

The application is active, the customer is enabled, and the approval is newer than the pair's last cut.
"""


def parties_of(row: str, *, alone: bool = False) -> str:
    """Joins application `a`, customer `c` and revocation `r` to a row. alone: it may belong to no customer."""
    return f"""JOIN application a ON a.id = {row}.application_id
{"LEFT JOIN" if alone else "JOIN"} customer c ON c.id = {row}.customer_id
{cut_of(row)}"""


def cut_of(row: str) -> str:
    """Joins revocation `r`, the last cut between the customer and the application of a row."""
    return f"LEFT JOIN revocation r ON r.customer_id = {row}.customer_id AND r.application_id = {row}.application_id"


def stands(row: str) -> str:
    """Whether all that a row rests on stands; its parties are joined."""
    return f"a.status = 'active' AND c.disabled_at IS NULL AND {is_newer_than_cut(row)}"


def is_newer_than_cut(row: str) -> str:
    return f"{row}.approved_at > coalesce(r.revoked_before, '-infinity')"
