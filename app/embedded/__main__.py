"""Entry point of the keeper process."""

from app.embedded.keeper import main

main()
