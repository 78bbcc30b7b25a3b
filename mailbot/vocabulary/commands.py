"""The words of an agent's commands, Indonesian and English, and what each takes. Words only."""

# word → verb (the value of `core.commands.Verb`). The first word of each pair is shown to Indonesians, the second to
# others; both work for everybody, in any case.
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

# The word of each verb that an error suggests, Indonesian first.
SUGGESTED = (
    "selesai",
    "solved",
    "tunggu",
    "pending",
    "proses",
    "open",
    "catatan",
    "note",
    "ambil",
    "take",
    "oper",
    "assign",
    "gabung",
    "merge",
    "prioritas",
    "priority",
    "tag",
    "pelapor",
    "requester",
    "spam",
    "makro",
    "macro",
    "program",
    "bantuan",
    "help",
)

# May stand before an argument and says nothing: "#gabung ke tiket #12001", "#oper kepada budi@…".
FILLERS = frozenset(("ke", "kepada", "dengan", "into", "to", "with", "tiket", "ticket", "no", "no.", "nomor"))

# "#gabung 12001 paksa": merge although the requesters differ.
FORCE = frozenset(("paksa", "force"))


# As the first word, it is theirs whatever follows ("ya, tidak apa-apa").
YES = frozenset(
    ("ya", "iya", "y", "yes", "yep", "betul", "benar", "ok", "oke", "okay", "konfirmasi", "confirm", "confirmed")
)


# Anywhere in the first line, it is not.
NO = frozenset(
    (
        "bukan", "tidak", "tdk", "nggak", "enggak", "gak", "ga", "tak", "jangan", "palsu", "penipuan", "no", "not",
        "nope", "never", "don't", "dont", "didn't", "didnt", "wasn't", "wasnt", "isn't", "isnt", "fake", "forged",
        "phishing",
    )
)  # fmt: skip


# word → what is to be done (the value of `core.quarantine_orders.Verb`); the first of each language is the one shown
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


# "lepas semua": every mail of the list
ALL_OF_LIST = frozenset(("semua", "semuanya", "seluruhnya", "all", "everything"))


# say nothing: "lepas email nomor 3 dan 5 ya"
QUARANTINE_FILLERS = frozenset(
    (
        *("dan", "and", "&", "nomor", "no", "nr", "number", "numbers", "email", "mail", "mails", "surel", "surat"),
        *("juga", "also", "ya", "please", "saja", "mohon"),
    )
)


# between the ends of a range, besides a dash: "lepas 1 sampai 3"
THROUGH = ("s/d", "s.d.", "sd", "sampai", "hingga", "to", "through", "until")

# The argument of `#prioritas`, to the stored value.
PRIORITY_VALUES = {
    "low": "low",
    "normal": "normal",
    "high": "high",
    "urgent": "urgent",
    "rendah": "low",
    "tinggi": "high",
    "mendesak": "urgent",
}
