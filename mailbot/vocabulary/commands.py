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
