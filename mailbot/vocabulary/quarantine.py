"""The words of a lead's orders on mail in quarantine, Indonesian and English. Words only."""

# word → what is to be done (the value of `core.quarantine_orders.Verb`); the first of each language is the one shown
VERBS = {
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
ALL = frozenset(("semua", "semuanya", "seluruhnya", "all", "everything"))

# say nothing: "lepas email nomor 3 dan 5 ya"
FILLERS = frozenset(
    (
        *("dan", "and", "&", "nomor", "no", "nr", "number", "numbers", "email", "mail", "mails", "surel", "surat"),
        *("juga", "also", "ya", "please", "saja", "mohon"),
    )
)

# between the ends of a range, besides a dash: "lepas 1 sampai 3"
THROUGH = ("s/d", "s.d.", "sd", "sampai", "hingga", "to", "through", "until")
