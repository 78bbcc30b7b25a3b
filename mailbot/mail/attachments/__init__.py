"""Which attachments are passed on: policy, and what is inside archives.

Way in: `policy.screen`. `archives` inspects an archive of any format, `archive_formats` lists TAR, RAR and 7-Zip.
"""
