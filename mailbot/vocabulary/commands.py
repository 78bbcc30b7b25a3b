"""Words of agents' commands, of quarantine commands and of confirmations, in Indonesian and English."""

# Tables of words: as many as fit on a line.
# fmt: off

# Word → verb (a value of `ticket.command_parser.Verb`). All words work for everybody, in upper and lower case.
VERBS = {
    "selesai": "solve",
    "solved": "solve",
    "solve": "solve",
    "tutup": "solve",
    "close": "solve",
    "tunggu": "wait",
    "pending": "wait",
    "proses": "proceed",
    "open": "proceed",
    "catatan": "note",
    "note": "note",
    "ambil": "take",
    "take": "take",
    "oper": "assign",
    "assign": "assign",
    "gabung": "merge",
    "merge": "merge",
    "prioritas": "priority",
    "priority": "priority",
    "tag": "tag",
    "tags": "tag",
    "pelapor": "requester",
    "requester": "requester",
    "spam": "spam",
    "makro": "macro",
    "macro": "macro",
    "program": "program",
    "bantuan": "help",
    "help": "help",
}

# The words that an error suggests, for each verb, Indonesian first.
SUGGESTED = (
    "selesai", "solved", "tunggu", "pending", "proses", "open", "catatan", "note", "ambil", "take", "oper", "assign",
    "gabung", "merge", "prioritas", "priority", "tag", "pelapor", "requester", "spam", "makro", "macro", "program",
    "bantuan", "help",
)

# Ignored before an argument: "#gabung ke tiket #12001", "#oper kepada budi@…".
FILLERS = frozenset(("ke", "kepada", "dengan", "into", "to", "with", "tiket", "ticket", "no", "no.", "nomor"))

# "#gabung 12001 paksa": merge although the requesters differ.
FORCE = frozenset(("paksa", "force"))

# As the first word of an answer to a confirmation request: confirmed, whatever follows ("ya, tidak apa-apa").
YES = frozenset(
    ("ya", "iya", "y", "yes", "yep", "betul", "benar", "ok", "oke", "okay", "konfirmasi", "confirm", "confirmed")
)

# Anywhere in the first line: denied.
NO = frozenset((
    "bukan", "tidak", "tdk", "nggak", "enggak", "gak", "ga", "tak", "jangan", "palsu", "penipuan", "no", "not",
    "nope", "never", "don't", "dont", "didn't", "didnt", "wasn't", "wasnt", "isn't", "isnt", "fake", "forged",
    "phishing",
))

# Word → verb (a value of `ticket.quarantine.QuarantineVerb`); the first word of each language is the one shown.
QUARANTINE_VERBS = {
    "lepas": "release",
    "release": "release",
    "lepaskan": "release",
    "loloskan": "release",
    "hapus": "discard",
    "discard": "discard",
    "buang": "discard",
    "delete": "discard",
    "drop": "discard",
}

# "lepas semua": every mail of the list.
ALL_OF_LIST = frozenset(("semua", "semuanya", "seluruhnya", "all", "everything"))

# Ignored: "lepas email nomor 3 dan 5 ya".
QUARANTINE_FILLERS = frozenset((
    "dan", "and", "&", "nomor", "no", "nr", "number", "numbers", "email", "mail", "mails", "surel", "surat", "juga",
    "also", "ya", "please", "saja", "mohon",
))

# Between the ends of a range, besides a dash: "lepas 1 sampai 3".
THROUGH = ("s/d", "s.d.", "sd", "sampai", "hingga", "to", "through", "until")

# The argument of `#prioritas` → the stored value.
PRIORITY_VALUES = {
    "low": "low",
    "normal": "normal",
    "high": "high",
    "urgent": "urgent",
    "rendah": "low",
    "tinggi": "high",
    "mendesak": "urgent",
}
