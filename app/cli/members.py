"""The option that names the account a verb is about."""

from typing import Annotated

import typer

Customer = Annotated[
    str, typer.Option("--customer", metavar="EMAIL", help="Somebody who signs in for the account.")
]
