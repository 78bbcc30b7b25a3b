"""Kinds of files that a desk may refuse to pass on: the values of `[attachments] refuse`, and their extensions.

Chosen after what Gmail and Outlook refuse and after the malware seen in Indonesia (docs/developer/attachments.md has
the reasons). An extension belongs to one kind.
"""

# Kind → extensions, lower case, without the dot.
KINDS: dict[str, frozenset[str]] = {
    # Run or installed by a double click, or by a tap on a phone.
    "programs": frozenset((
        "exe", "com", "scr", "pif", "cpl", "dll", "ocx", "sys", "drv", "vxd", "ex", "ex_", "msi", "msp", "mst", "msix",
        "msixbundle", "appx", "appxbundle", "appinstaller", "apk", "apks", "apkm", "xapk", "aab", "jar", "jnlp",
        "class", "cab", "deb", "rpm", "pkg", "mpkg", "appimage", "gadget", "air", "ipa", "elf", "lib", "xll", "wll",
    )),
    # Text that Windows or an Office program executes.
    "scripts": frozenset((
        "bat", "cmd", "js", "jse", "mjs", "vb", "vbs", "vbe", "ws", "wsf", "wsh", "wsc", "sct", "ps1", "ps1xml", "ps2",
        "ps2xml", "psc1", "psc2", "psm1", "msh", "msh1", "msh2", "mshxml", "hta", "reg", "inf", "ins", "isp", "nsh",
        "iqy", "rqy", "oqy", "dqy", "mde", "ade", "adp", "accde", "mda", "mdz", "scpt", "applescript", "command",
        "workflow", "terminal", "action",
    )),
    # Files that point at a program, or make Windows start one.
    "shortcuts": frozenset((
        "lnk", "url", "scf", "desktop", "shb", "shs", "library-ms", "searchconnector-ms", "search-ms",
        "settingcontent-ms", "appref-ms", "application", "website", "rdp", "msc", "chm", "hlp", "theme", "themepack",
        "diagcab", "diagcfg", "diagpack", "appcontent-ms", "xbap", "vsto", "osd", "wcx",
    )),
    # Files opened from one have lost the mark of the web, at which Windows would ask.
    "disk_images": frozenset(("iso", "img", "vhd", "vhdx", "vmdk", "dmg", "udf", "nrg", "wim", "sparseimage", "toast")),
    # Office documents with macros. Schools send them: refused only where the admin says so.
    "macros": frozenset((
        "docm", "dotm", "xlsm", "xltm", "xlam", "xla", "pptm", "potm", "ppsm", "ppam", "ppa", "sldm",
    )),
    # Web pages: they can imitate a log-in page without any program.
    "pages": frozenset(("html", "htm", "xhtml", "xht", "shtml", "mht", "mhtml", "svg", "svgz", "hte")),
    # Archives with a password: the names can be read, the content cannot.
    "encrypted": frozenset(),
    # Archives that cannot be listed: damaged, hidden names, nested too deep, unsupported formats.
    "unreadable": frozenset(("ace", "arj", "lzh", "lha", "arc", "zoo", "uha", "alz", "egg", "wsz", "xip", "sit", "sitx"
    )),
    # Archives that would fill the disk when unpacked.
    "bombs": frozenset(),
}  # fmt: skip

# Infected according to clamd, or not scanned because clamd did not answer: not values of the configuration.
INFECTED = "infected"
UNSCANNED = "unscanned"
# A mail of the desk itself, attached to an agent's answer: it contains what only agents may see.
OWN_MAIL = "own_mail"

DEFAULT: tuple[str, ...] = ("programs", "scripts", "shortcuts", "disk_images", "unreadable", "bombs")

# Media type, as `mail.mime.filetype` detects it → kind.
TYPES: dict[str, str] = {
    "application/x-msdownload": "programs",
    "application/x-executable": "programs",
    "application/x-mach-binary": "programs",
    "application/java-vm": "programs",
    "application/java-archive": "programs",
    "application/vnd.android.package-archive": "programs",
    "application/x-msi": "programs",
    "application/vnd.ms-cab-compressed": "programs",
    "text/html": "pages",
    "image/svg+xml": "pages",
    "application/xhtml+xml": "pages",
}

# Magic bytes that `mail.mime.filetype` does not know: (offset, bytes, kind). A negative offset counts from the end.
SIGNS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "shortcuts"),  # MS-SHLLINK §2.1
    (0, b"ITSF\x03\x00\x00\x00", "shortcuts"),  # compiled HTML help
    (0x8001, b"CD001", "disk_images"),  # ISO 9660, ECMA-119 §8
    (0x8001, b"BEA01", "disk_images"),  # UDF, ECMA-167
    (0, b"vhdxfile", "disk_images"),
    (0, b"conectix", "disk_images"),
    (-512, b"conectix", "disk_images"),
    (-512, b"koly", "disk_images"),
    (0, b"KDMV", "disk_images"),
    (0, b"dex\n03", "programs"),  # Dalvik
    (0, b"REGEDIT4", "scripts"),
    (0, b"Windows Registry Editor", "scripts"),
    (0, b"\xff\xfeW\x00i\x00n\x00d\x00o\x00w\x00s\x00 \x00R\x00e\x00g\x00i\x00s\x00t\x00r\x00y\x00", "scripts"),
)

# Names of the macros in an Office document (ZIP), and their mark in an OLE file.
MACRO_PARTS = ("vbaproject.bin", "vbadata.xml")
MACRO_SIGN = b"_\x00V\x00B\x00A\x00_\x00P\x00R\x00O\x00J\x00E\x00C\x00T\x00"

# Extensions of archives; other files inside an archive are judged by their names alone.
ARCHIVES = frozenset((
    "zip", "zipx", "7z", "rar", "tar", "gz", "tgz", "bz2", "tbz", "tbz2", "xz", "txz", "lzma", "tlz", "cbz", "cbr",
))  # fmt: skip

# Documents in ZIP format: their entries are parts of the document, not files for a person.
DOCUMENTS = frozenset((
    "docx", "dotx", "xlsx", "xltx", "pptx", "potx", "ppsx", "odt", "ods", "odp", "odg", "ott", "ots", "otp", "epub",
    "docm", "dotm", "xlsm", "xltm", "xlsb", "pptm", "potm", "ppsm", "vsdx", "kmz", "3mf", "xps", "oxps", "pages",
    "numbers", "key",
))  # fmt: skip
