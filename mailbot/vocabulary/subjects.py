"""Words of subject lines: prefixes of replies and forwards, names for a ticket, and numbers that are not its number."""

# Tables of words: as many as fit on a line.
# fmt: off

# Before the colon, compared without case: Indonesian and English first, then the other languages of mail clients.
REPLY_PREFIXES = (
    "re", "bls", "balas", "balasan", "membalas",
    # German, Dutch, Nordic, Finnish, Polish, Italian, Turkish
    "aw", "antw", "sv", "vs", "odp", "rif", "res", "ynt",
    # other languages
    "vá", "atb", "ats", "отв", "ответ", "на", "απ", "σχετ", "回复", "回覆", "答复", "返信", "답장", "회신", "رد",
    "השב",
)
FORWARD_PREFIXES = (
    "fwd", "fw", "trs", "terusan", "teruskan", "diteruskan",
    # other languages
    "wg", "tr", "rv", "enc", "pd", "vb", "vl", "doorst", "i̇lt", "ilt", "tov", "továbbítás", "пер", "пересл", "πρθ",
    "轉寄", "转发", "轉發", "転送", "전달", "הועבר", "إعادة توجيه",
)

# What a mail gateway puts before the subject, in brackets.
GATEWAY_LABELS = ("external", "ext", "eksternal", "external email", "external sender", "spam?", "suspected spam")

TICKET_WORDS = frozenset((
    "tiket", "tiketnya", "ticket", "tickets", "tikets", "tket", "tkt", "tikect", "tikett", "ticketnya", "tiked",
))
# These mean a ticket only together with a number word or "#": "laporan 2024" is a report about the year 2024.
REPORT_WORDS = frozenset((
    "laporan", "laporannya", "pengaduan", "aduan", "keluhan", "kasus", "case", "report", "request", "permintaan",
))
NUMBER_WORDS = frozenset(("no", "nomor", "nomer", "nmr", "nmor", "nomornya", "number", "num", "nr", "id", "kode"))
# Words allowed between the ticket word and its number.
FILLERS = frozenset((
    "saya", "kami", "sy", "sekolah", "lama", "sebelumnya", "tersebut", "dengan", "dgn", "my", "our", "the", "your",
    "anda", "is", "adalah", "yaitu", "yang", "yg",
))
# A number right after one of these is not a ticket's.
OTHER_NUMBERS = frozenset((
    "nisn", "nik", "nip", "nuptk", "npwp", "nipd", "nss", "hp", "wa", "whatsapp", "telp", "tlp", "telepon", "telpon",
    "phone", "rekening", "rek", "rp", "idr", "tahun", "thn", "tgl", "code", "versi", "version", "ver", "v", "surat",
    "invoice", "faktur", "kwitansi", "kuitansi", "nota", "po", "spk", "sk", "pasal", "halaman", "poin", "point",
    "langkah", "windows", "pin", "otp", "item",
))
# The same, but only with a number word beside it: "kode error #10021"; "masih error #12345" ends with a ticket.
FAULT_WORDS = frozenset(("error", "eror", "galat"))
# The eight-digit number of a school: with this word in the subject, eight digits are the school's.
SCHOOL_NUMBER = "npsn"
# Units: before one of these a number is a quantity.
COUNTED = frozenset((
    "hari", "jam", "menit", "minggu", "bulan", "tahun", "kali", "x", "orang", "siswa", "guru", "rupiah", "ribu",
    "juta", "persen", "days", "day", "hours", "hour", "weeks", "times", "pm", "am", "wib", "wita", "wit",
))
# Join a second number to the first: "tiket 12345 dan 12346".
JOINERS = frozenset((",", "/", "&", "+", "dan", "and", "serta"))

STATUS = "status"

# Placeholders in a ticket's public title for a link, and for a telephone number or another long number.
LINK_WORDS = {"id": "tautan", "en": "link"}
NUMBER_PLACE_WORDS = {"id": "nomor", "en": "number"}
# Top-level domains by which a word with dots is taken for a link without its "https://".
ENDINGS = frozenset(
    " ".join(
        (
            "ai app asia bet biz blog bond br buzz cam cc cfd cfo click cloud club cn co com cool cyou de dev edu",
            "eu finance fr fun gd gg gle gov help host icu id in info ink io ir is it jp kr life link live loan",
            "ltd ly me men mobi mom monster my name net network news ng nl one online org page ph pics pl plus",
            "porn press pro promo pt pub pw quest rest review rocks ru run sale sbs se sg shop site skin social",
            "space store stream su support surf team tech tel tk to today tokyo top trade tv uk us uz vc vip vn",
            "wang wiki win work world ws xin xyz zip zone",
        )
    ).split()
)
