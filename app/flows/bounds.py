"""Length bounds of what people write; each is checked before work that could grow faster than its input."""

LONGEST_EMAIL = 254  # RFC 5321 section 4.5.3.1.3
LONGEST_PERSON = 120
LONGEST_REASON = 500
LONGEST_REPORT = 1000
LONGEST_ASKING = 280  # what the asker of the manual route tells the customer
LONGEST_LINE = 64 * 1024  # bytes, of an import
LONGEST_FORMER_ID = 255
LONGEST_MESSAGE = 1000  # to a reviewer, and back
LONGEST_SCOPE_REASON = 280
