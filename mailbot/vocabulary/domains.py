"""Domains that many unrelated people share, and the domain suffixes below which each domain has its own owner."""

# Anybody can get an address here, so the domain does not identify an organisation. belajar.id: the schools' accounts.
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

# Registered to schools, universities and offices against documents: no attacker has hundreds of them to rotate through.
HOME_SUFFIXES = frozenset({"sch.id", "ac.id", "go.id", "desa.id", "mil.id", "ponpes.id", "belajar.id"})

# Second-level labels of country domains that belong to the registry, not to an owner ("co.id", "com.my", "gov.sg").
REGISTRY_LABELS = frozenset(
    {
        "ac", "biz", "co", "com", "desa", "edu", "go", "gob", "gov", "gouv", "govt", "gub", "info", "ltd", "mil", "my",
        "ne", "net", "nom", "or", "org", "plc", "ponpes", "sch", "school", "web",
    }
)  # fmt: skip

# Mail systems that deliver "a.b@" and "ab@" to the same mailbox.
DOTLESS = frozenset({"gmail.com", "googlemail.com"})
