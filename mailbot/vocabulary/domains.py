"""Words: domains under which very many unrelated people have their mail, and how far up a domain is one owner's."""

from __future__ import annotations

# Anybody gets an address here, so the domain says nothing about who writes. Schools of the service: belajar.id.
SHARED_DOMAINS = frozenset(
    {
        "gmail.com", "googlemail.com", "belajar.id", "madrasah.kemenag.go.id",
        "yahoo.com", "yahoo.co.id", "yahoo.co.uk", "ymail.com", "rocketmail.com", "myyahoo.com", "aol.com",
        "outlook.com", "outlook.co.id", "hotmail.com", "hotmail.co.id", "hotmail.co.uk", "live.com", "live.co.id",
        "msn.com", "windowslive.com",
        "icloud.com", "me.com", "mac.com", "privaterelay.appleid.com",
        "proton.me", "protonmail.com", "pm.me", "zoho.com", "zohomail.com", "gmx.com", "gmx.net", "gmx.de", "web.de",
        "mail.com", "email.com", "yandex.com", "yandex.ru", "mail.ru", "fastmail.com", "tutanota.com", "tuta.com",
        "qq.com", "163.com", "126.com", "naver.com", "duck.com", "hey.com",
        "telkom.net", "plasa.com", "telkomsel.com", "indosat.net.id", "cbn.net.id", "indo.net.id",
    }
)  # fmt: skip

# Registered to schools, universities and offices against papers: nobody has them by the hundred to change between.
HOME_SUFFIXES = frozenset({"sch.id", "ac.id", "go.id", "desa.id", "mil.id", "ponpes.id", "belajar.id"})

# The second label of a country's domain that is a registry's, not an owner's ("co.id", "com.my", "gov.sg").
REGISTRY_LABELS = frozenset(
    {
        "ac", "biz", "co", "com", "desa", "edu", "go", "gob", "gov", "gouv", "govt", "gub", "info", "ltd", "mil", "my",
        "ne", "net", "nom", "or", "org", "plc", "ponpes", "sch", "school", "web",
    }
)  # fmt: skip

# Mail systems that deliver "a.b@" and "ab@" to the same mailbox.
DOTLESS = frozenset({"gmail.com", "googlemail.com"})


LOOKALIKES = {
    "0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "3": "e", "5": "s", "$": "s", "@": "@",
    # Cyrillic
    "а": "a", "в": "b", "е": "e", "ѕ": "s", "і": "l", "ј": "j", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p",
    "с": "c", "т": "t", "у": "y", "х": "x", "ԁ": "d", "ԛ": "q", "ԝ": "w", "ӏ": "l", "һ": "h", "ɡ": "g",
    # Greek
    "α": "a", "ε": "e", "η": "n", "ι": "l", "κ": "k", "ν": "v", "ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x",
    # Latin letters that NFKD leaves as they are
    "ı": "l", "ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ɑ": "a", "ⅼ": "l",
}  # fmt: skip
