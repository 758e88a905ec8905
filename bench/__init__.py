"""Load tests, each a program of its own: README.md says what each answers, and results/ holds the last full runs."""
