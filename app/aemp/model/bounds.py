"""Length bounds of documents, addresses and header fields; each is checked before work that could grow faster."""

# Documents
LARGEST_DOCUMENT = (
    32 * 1024 * 1024
)  # bytes: 20,000 machines; the parsed tree takes about ten times that in memory
DEEPEST_JSON = 32  # objects and lists inside each other; what providers send has ten
LONGEST_INTEGER = 30  # digits; Python's own refusal of thousands of them is a bare ValueError
LONGEST_TEXT = 255  # of a value in a document
LONGEST_FIGURE = 100  # a double written out by a decimal library has fifty-five digits
LONGEST_UNIT = 100  # with the space around it
LONGEST_LINK = 8 * 1024
LONGEST_ELEMENT_NAME = 80  # of an unknown element, as its rejection repeats it
MEBIBYTE = 1024 * 1024
# It counts for each mebibyte begun. One of readings has about as many. To name all that is wrong with a mebibyte of anything else takes seconds,
# and an answer of forty times its size.
MOST_REJECTIONS = 20_000

# A machine's name. Composing accents takes a time that grows with the square of their number.
LONGEST_IDENTIFIER = 255
MOST_NAMED = 3  # machines that one error repeats

# Addresses
LONGEST_SEGMENT = (
    12 * LONGEST_IDENTIFIER
)  # undecoded: a character is four bytes at most, a byte three characters
MOST_SEGMENTS = 12  # no form of address has as many
LONGEST_PAGE = 9  # digits; no fleet has a page beyond, and int() on endless digits is an attack

# Lists in header fields. RFC 9110 section 5.4 has a longer one refused: a proxy may have read what we would leave out.
MOST_PARTS = 200  # members of one list and their parameters; browsers send about ten
