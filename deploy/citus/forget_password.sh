# The image's entry point reads this at its first start, into its own shell, so it must not be executable.
# It would hand the superuser's password to the server, which would sign in to the others with it under every name.
unset PGPASSWORD
