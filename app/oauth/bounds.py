"""Length bounds of input to the OAuth rules; each is checked before work that could grow faster than its input."""

# Forms and queries. A page's form brings a larger bound of its own.
LARGEST_FORM = 16 * 1024  # bytes
MOST_FIELDS = 100

# Header fields. RFC 9110 section 5.4 has a longer one refused: a proxy may have read what we would leave out.
LONGEST_AUTHORIZATION = 8 * 1024  # characters
LONGEST_CONTENT_TYPE = 255
MOST_ACCEPT_PARTS = 200  # media ranges and their parameters; browsers send about ten

# Values of a request
LONGEST_STATE = 2048  # bytes of UTF-8
LONGEST_SCOPE = 1000
LONGEST_DETAILS = 8 * 1024  # bytes of authorization details; a link of that many holds fewer
MOST_NAMED = 300  # machines that they name
LONGEST_NAMED = 255  # characters of an identifier, as long as a machine's may be
MOST_LISTED = 100  # machines that an answer names
LONGEST_ASSERTION_HEADER = 1024  # bytes, as the next
LONGEST_ASSERTION_CLAIMS = 4096
# Bytes of a request that is remembered because it comes again; twenty thousand of them are kept.
LONGEST_REMEMBERED = 1024

# Bounds of a registration
LONGEST_NAME = 120
# Before it is composed: a letter with three accents is four characters then.
LONGEST_UNCOMPOSED_NAME = 4 * LONGEST_NAME
LONGEST_URI = 2000
MOST_REDIRECT_URIS = 20
LONGEST_WORD = 64  # a scope or a grant
