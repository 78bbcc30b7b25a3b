"""Words of an agent who is asked whether a held mail is theirs (lower case, whole words)."""

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
