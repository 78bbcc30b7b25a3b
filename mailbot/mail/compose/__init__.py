"""Writing outgoing mail: the same draft always gives the same bytes.

Way in: `composer.compose`, then `attachments.enclose` for a mail with files. `header_fields` and `encoded_words`
write the header, `streaming` encodes large files while they are sent.
"""
