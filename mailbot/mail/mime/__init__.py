"""Reading MIME: a mail's bytes as a frozen value, whatever the bytes are.

Way in: `parser.parse_message`. `html_to_text` turns HTML into readable text; `minimal_parser` reads a header when the
parser itself fails.
"""
