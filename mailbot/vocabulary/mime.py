"""Names and numbers of MIME: charsets, media types, file extensions, magic bytes, header fields.

Sources: the IANA registries of character sets and media types, the WHATWG Encoding Standard §4.2 (labels), and the
specifications of the file formats for their magic bytes.
"""

# Label (lower case, without punctuation) → Python codec. Where a label means a superset in practice, the superset is
# given (WHATWG Encoding §4.2). Other labels are unknown: a sender must not choose among Python's codecs.
CHARSETS: dict[str, str] = {
    # ASCII and Latin-1 are Windows-1252 in practice
    "ascii": "cp1252", "usascii": "cp1252", "ansix341968": "cp1252", "ansix34": "cp1252", "us": "cp1252",
    "iso646us": "cp1252", "7bit": "cp1252", "8bit": "cp1252", "unknown8bit": "cp1252", "unknown": "cp1252",
    "xunknown": "cp1252", "none": "cp1252", "default": "cp1252", "xuserdefined": "cp1252",
    "iso88591": "cp1252", "latin1": "cp1252", "l1": "cp1252", "iso8859": "cp1252", "isoir100": "cp1252",
    "windows1252": "cp1252", "cp1252": "cp1252", "xcp1252": "cp1252", "win1252": "cp1252", "ansi": "cp1252",
    # Unicode
    "utf8": "utf-8", "utf8mb4": "utf-8", "utf8bom": "utf-8", "xutf8": "utf-8", "unicode11utf8": "utf-8",
    "cp65001": "utf-8", "windows65001": "utf-8", "unicode": "utf-16", "ucs2": "utf-16", "iso10646ucs2": "utf-16",
    "utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be", "utf32": "utf-32", "utf32le": "utf-32-le",
    "utf32be": "utf-32-be",
    # ISO 8859
    "iso88592": "iso8859-2", "latin2": "iso8859-2", "l2": "iso8859-2", "iso88593": "iso8859-3", "latin3": "iso8859-3",
    "iso88594": "iso8859-4", "latin4": "iso8859-4", "iso88595": "iso8859-5", "cyrillic": "iso8859-5",
    "iso88596": "iso8859-6", "arabic": "iso8859-6", "iso88596i": "iso8859-6", "iso88596e": "iso8859-6",
    "asmo708": "iso8859-6", "iso88597": "iso8859-7", "greek": "iso8859-7", "iso88598": "iso8859-8",
    "iso88598i": "iso8859-8", "iso88598e": "iso8859-8", "hebrew": "iso8859-8", "visual": "iso8859-8",
    "iso88599": "cp1254", "latin5": "cp1254", "l5": "cp1254", "iso885910": "iso8859-10", "latin6": "iso8859-10",
    "iso885911": "cp874", "tis620": "cp874", "iso885913": "iso8859-13", "latin7": "iso8859-13",
    "iso885914": "iso8859-14", "latin8": "iso8859-14", "iso885915": "iso8859-15", "latin9": "iso8859-15",
    "latin0": "iso8859-15", "l9": "iso8859-15", "iso885916": "iso8859-16", "latin10": "iso8859-16",
    # Windows and DOS
    "windows1250": "cp1250", "cp1250": "cp1250", "xcp1250": "cp1250", "windows1251": "cp1251", "cp1251": "cp1251",
    "xcp1251": "cp1251", "win1251": "cp1251", "windows1253": "cp1253", "cp1253": "cp1253", "windows1254": "cp1254",
    "cp1254": "cp1254", "windows1255": "cp1255", "cp1255": "cp1255", "windows1256": "cp1256", "cp1256": "cp1256",
    "windows1257": "cp1257", "cp1257": "cp1257", "windows1258": "cp1258", "cp1258": "cp1258", "windows874": "cp874",
    "cp874": "cp874", "dos874": "cp874", "ibm437": "cp437", "cp437": "cp437", "ibm850": "cp850", "cp850": "cp850",
    "ibm852": "cp852", "cp852": "cp852", "ibm855": "cp855", "cp855": "cp855", "ibm858": "cp858", "cp858": "cp858",
    "ibm862": "cp862", "cp862": "cp862", "ibm866": "cp866", "cp866": "cp866", "ibm720": "cp720", "ibm737": "cp737",
    "ibm775": "cp775", "ibm857": "cp857", "ibm864": "cp864", "ibm869": "cp869",
    # Cyrillic and others of one byte
    "koi8r": "koi8-r", "koi8": "koi8-r", "koi8u": "koi8-u", "koi8ru": "koi8-u", "koi8t": "koi8-t",
    "xmaccyrillic": "mac-cyrillic", "maccyrillic": "mac-cyrillic", "xmacukrainian": "mac-cyrillic",
    "macintosh": "mac-roman", "mac": "mac-roman", "macroman": "mac-roman", "xmacroman": "mac-roman",
    "applemacintosh": "mac-roman", "xmacce": "mac-latin2", "maccentraleurope": "mac-latin2",
    "xmacgreek": "mac-greek", "xmacturkish": "mac-turkish", "xmacicelandic": "mac-iceland", "hproman8": "hp-roman8",
    "ptcp154": "ptcp154", "kz1048": "kz1048", "viscii": "cp1258",
    # Chinese
    "gb2312": "gb18030", "gb231280": "gb18030", "gbk": "gb18030", "xgbk": "gb18030", "gb18030": "gb18030",
    "cp936": "gb18030", "ms936": "gb18030", "windows936": "gb18030", "euccn": "gb18030", "xeuccn": "gb18030",
    "chinese": "gb18030", "csgb2312": "gb18030", "hz": "hz", "hzgb2312": "hz", "hzgb": "hz",
    "big5": "cp950", "cnbig5": "cp950", "xxbig5": "cp950", "csbig5": "cp950", "big5tw": "cp950", "cp950": "cp950",
    "windows950": "cp950", "big5hkscs": "big5hkscs",
    # Japanese
    "iso2022jp": "iso2022-jp", "csiso2022jp": "iso2022-jp", "iso2022jp1": "iso2022-jp", "iso2022jp2": "iso2022-jp-2",
    "iso2022jp3": "iso2022-jp-3", "iso2022jp2004": "iso2022-jp-2004", "iso2022jpext": "iso2022-jp-ext",
    "iso2022jpms": "iso2022-jp", "cp50220": "iso2022-jp", "cp50221": "iso2022-jp", "jis": "iso2022-jp",
    "shiftjis": "cp932", "xsjis": "cp932", "sjis": "cp932", "mskanji": "cp932", "csshiftjis": "cp932",
    "windows31j": "cp932", "cp932": "cp932", "ms932": "cp932", "eucjp": "euc-jp", "xeucjp": "euc-jp", "ujis": "euc-jp",
    # Korean
    "euckr": "cp949", "ksc56011987": "cp949", "ksc5601": "cp949", "ksc56011989": "cp949", "ksc56011992": "cp949",
    "korean": "cp949", "uhc": "cp949", "cp949": "cp949", "windows949": "cp949", "ms949": "cp949", "johab": "johab",
    "iso2022kr": "iso2022-kr",
}  # fmt: skip

# UTF-7 can hide any markup from a filter: never decoded (RFC 2152; WHATWG Encoding has removed it).
REFUSED_CHARSETS = frozenset(("utf7", "unicode11utf7", "unicode20utf7", "csunicode11utf7", "imap4utf7", "xutf7"))

# Seven-bit charsets that shift by escape sequences: their bytes look like ASCII (RFC 1468, RFC 1557, RFC 1843).
SHIFTING_CODECS = frozenset(
    ("iso2022-jp", "iso2022-jp-2", "iso2022-jp-3", "iso2022-jp-2004", "iso2022-jp-ext", "iso2022-kr", "hz")
)

# Fields by which a line is recognised as part of a header after junk.
KNOWN_FIELDS = frozenset((
    "bcc", "cc", "content-disposition", "content-id", "content-transfer-encoding", "content-type", "date",
    "delivered-to", "dkim-signature", "from", "in-reply-to", "list-id", "message-id", "mime-version", "received",
    "references", "reply-to", "return-path", "sender", "subject", "to", "x-mailer", "x-original-to",
))  # fmt: skip

# Fields allowed once only (RFC 5322 §3.6); a second one is a defect, and possibly an attack.
SINGLE_FIELDS = (
    "from", "sender", "reply-to", "to", "cc", "subject", "date", "message-id", "in-reply-to", "references",
    "content-type", "content-transfer-encoding", "mime-version",
)  # fmt: skip

# Fields besides To and Cc that name a recipient.
HIDDEN_RECIPIENT_FIELDS = (
    "bcc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-delivered-to", "apparently-to",
)  # fmt: skip

# Renderings of the same text for a watch, an app or an old program: not attachments.
ALTERNATIVE_RENDERINGS = frozenset((
    "text/x-amp-html", "text/watch-html", "text/x-watch-html", "text/enriched", "text/richtext",
))  # fmt: skip

# The machine-readable part of a report → the report's type (RFC 3464, RFC 6533, RFC 8098, RFC 5965).
REPORT_PARTS = {
    "message/delivery-status": "delivery-status",
    "message/global-delivery-status": "delivery-status",
    "message/disposition-notification": "disposition-notification",
    "message/global-disposition-notification": "disposition-notification",
    "message/feedback-report": "feedback-report",
}
REPORT_HEADERS = frozenset(("text/rfc822-headers", "text/rfc822-header", "message/global-headers"))

# Whole mails inside a mail (RFC 2046 §5.2.1, RFC 6532 §3.7; message/news is obsolete, with the same format).
NESTED_TYPES = frozenset(("message/rfc822", "message/global", "message/news", "message/rfc2822"))

# Signatures and wrappers of S/MIME (RFC 8551) and PGP (RFC 3156): kept, but not attachments of the sender.
SIGNATURE_TYPES = frozenset((
    "application/pkcs7-signature", "application/x-pkcs7-signature", "application/pgp-signature",
    "application/pgp-encrypted", "application/pgp-keys",
))  # fmt: skip
SMIME_TYPES = frozenset(("application/pkcs7-mime", "application/x-pkcs7-mime"))
TNEF_TYPES = frozenset(("application/ms-tnef", "application/vnd.ms-tnef"))

# Unregistered names for text types.
TEXT_ALIASES = {
    "application/plain": "text/plain", "text/x-plain": "text/plain", "plain/text": "text/plain",
    "text/ascii": "text/plain", "text/text": "text/plain", "text/unknown": "text/plain",
    "text/htm": "text/html", "text/x-html": "text/html",
}  # fmt: skip

# Magic bytes → media type, the most specific first: (offset, bytes, type).
MAGIC: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", "application/zip"),
    (0, b"PK\x05\x06", "application/zip"),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (0, b"Rar!\x1a\x07", "application/vnd.rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (0, b"\x1f\x8b\x08", "application/gzip"),
    (0, b"BZh", "application/x-bzip2"),
    (0, b"\xfd7zXZ\x00", "application/x-xz"),
    (0, b"\x7fELF", "application/x-executable"),
    (0, b"\xcf\xfa\xed\xfe", "application/x-mach-binary"),
    (0, b"\xca\xfe\xba\xbe", "application/java-vm"),
    (0, b"{\\rtf", "application/rtf"),
    (0, b"II*\x00", "image/tiff"),
    (0, b"MM\x00*", "image/tiff"),
    (0, b"8BPS", "image/vnd.adobe.photoshop"),
    (0, b"\x00\x00\x01\x00", "image/vnd.microsoft.icon"),
    (0, b"ID3", "audio/mpeg"),
    (0, b"OggS", "audio/ogg"),
    (0, b"fLaC", "audio/flac"),
    (0, b"#!AMR", "audio/amr"),
    (0, b"\x1aE\xdf\xa3", "video/x-matroska"),
    (0, b"\x78\x9f\x3e\x22", "application/ms-tnef"),
    (0, b"SQLite format 3\x00", "application/vnd.sqlite3"),
    (0, b"MSCF", "application/vnd.ms-cab-compressed"),
    (0, b"%!PS-Adobe", "application/postscript"),
)

# ISO base media files (ISO/IEC 14496-12 §4.3) by their brand, at offset 8 after "ftyp".
BRANDS = {
    b"heic": "image/heic", b"heix": "image/heic", b"hevc": "image/heic", b"heim": "image/heic", b"heis": "image/heic",
    b"mif1": "image/heif", b"msf1": "image/heif", b"avif": "image/avif", b"avis": "image/avif",
    b"qt  ": "video/quicktime", b"M4A ": "audio/mp4", b"M4B ": "audio/mp4", b"3gp4": "video/3gpp",
    b"3gp5": "video/3gpp", b"3gp6": "video/3gpp", b"3g2a": "video/3gpp2",
}  # fmt: skip
RIFF = {b"WEBP": "image/webp", b"WAVE": "audio/wav", b"AVI ": "video/x-msvideo"}

# File extension → media type; the first extension of a type is the one for a file without a name.
EXTENSIONS: dict[str, str] = {
    "jpg": "image/jpeg", "jpeg": "image/jpeg", "jpe": "image/jpeg", "jfif": "image/jpeg", "png": "image/png",
    "gif": "image/gif", "webp": "image/webp", "heic": "image/heic", "heif": "image/heif", "avif": "image/avif",
    "bmp": "image/bmp", "tif": "image/tiff", "tiff": "image/tiff", "svg": "image/svg+xml",
    "ico": "image/vnd.microsoft.icon", "psd": "image/vnd.adobe.photoshop",
    "pdf": "application/pdf", "txt": "text/plain", "log": "text/plain", "csv": "text/csv", "html": "text/html",
    "htm": "text/html", "xml": "application/xml", "json": "application/json", "rtf": "application/rtf",
    "ics": "text/calendar", "vcf": "text/vcard", "md": "text/markdown", "css": "text/css", "sql": "application/sql",
    "eml": "message/rfc822", "msg": "application/vnd.ms-outlook", "p7s": "application/pkcs7-signature",
    "p7m": "application/pkcs7-mime", "tnef": "application/ms-tnef",
    "doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "docm": "application/vnd.ms-word.document.macroenabled.12",
    "xlsm": "application/vnd.ms-excel.sheet.macroenabled.12",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "odt": "application/vnd.oasis.opendocument.text", "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation", "epub": "application/epub+zip",
    "zip": "application/zip", "rar": "application/vnd.rar", "7z": "application/x-7z-compressed",
    "gz": "application/gzip", "tgz": "application/gzip", "bz2": "application/x-bzip2", "xz": "application/x-xz",
    "tar": "application/x-tar", "jar": "application/java-archive", "apk": "application/vnd.android.package-archive",
    "mp3": "audio/mpeg", "m4a": "audio/mp4", "ogg": "audio/ogg", "opus": "audio/ogg", "oga": "audio/ogg",
    "wav": "audio/wav", "amr": "audio/amr", "flac": "audio/flac", "mp4": "video/mp4", "m4v": "video/mp4",
    "mov": "video/quicktime", "3gp": "video/3gpp", "avi": "video/x-msvideo", "mkv": "video/x-matroska",
    "webm": "video/webm", "exe": "application/x-msdownload", "dll": "application/x-msdownload",
    "bin": "application/octet-stream", "db": "application/octet-stream",
}  # fmt: skip

# Document type of a ZIP file, by the names of its entries (ECMA-376 part 2; OpenDocument 1.3 part 2 §3.3).
ZIP_FOLDERS = {
    b"word/": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    b"xl/": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    b"ppt/": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    b"META-INF/MANIFEST.MF": "application/java-archive",
    b"AndroidManifest.xml": "application/vnd.android.package-archive",
}

# File names that Windows reserves for devices, with any extension.
DEVICE_NAMES = frozenset(
    ["con", "prn", "aux", "nul", "conin$", "conout$"]
    + [f"{port}{number}" for port in ("com", "lpt") for number in range(10)]
)

# The name of an unnamed file: "lampiran-1.jpg".
UNNAMED = "lampiran"
# The name of an attached mail that has neither name nor subject.
UNNAMED_MAIL = "pesan"
