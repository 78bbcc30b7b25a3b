"""Phrases of out-of-office replies: that somebody is away, until when, and the dates in them. All in lower case."""

# Tables of words: as many as fit on a line.
# fmt: off

# Statements of an absence note; people write them by hand as well.
I_AM_AWAY = (
    # Indonesian
    "saya sedang cuti", "sedang cuti", "sedang menjalani cuti", "saya cuti", "dalam masa cuti",
    "sedang tidak berada di", "tidak berada di kantor", "tidak berada di tempat", "sedang di luar kantor",
    "sedang berada di luar", "di luar kantor", "sedang dinas luar", "sedang tidak di kantor", "akan kembali pada",
    "kembali bekerja", "kembali masuk", "masuk kembali", "kembali ke kantor", "akses email terbatas",
    "akses terbatas ke email", "keperluan mendesak", "hal yang mendesak", "untuk keperluan penting",
    "akan membalas setelah", "akan kami balas", "akan saya balas", "jam operasional kami", "akan segera kami",
    "akan kami tindaklanjuti", "telah kami terima", "sudah kami terima", "telah diterima dan",
    # English
    "i am out of", "i'm out of", "i will be out of", "i'll be out of", "am currently out", "i am away", "i'm away",
    "i will be away", "i am currently away", "i am on leave", "i'm on leave", "on annual leave", "on maternity leave",
    "on parental leave", "on vacation", "i am on holiday", "i'm on holiday", "out of the office", "out of office",
    "away from my", "limited access to", "no access to", "not have access to", "without access to",
    "will not be reading", "will be back", "back in the office", "return to the office", "returning on",
    "upon my return", "when i return", "on my return", "urgent matter", "for urgent", "if urgent", "in urgent cases",
    "immediate assistance", "no longer work", "no longer with", "no longer employed", "has left the company",
    "left the organisation", "left the organization", "has been received and", "ticket has been", "ticket number is",
    "case number is", "we will get back to you", "we'll get back to you", "will respond as soon as",
    "will reply as soon as", "will be in touch", "one of our", "have received your", "thank you for contacting",
    # other languages
    "bin ich nicht im", "ich bin derzeit", "ich bin bis", "ich bin vom", "nicht im büro", "nicht im hause",
    "im urlaub", "bin ich wieder", "abwesend", "je suis absent", "actuellement absent", "je serai absent", "en congé",
    "de retour le", "estoy fuera", "estaré fuera", "fuera de la oficina", "fuera de oficina", "de vacaciones",
    "estarei ausente", "estou ausente", "de férias", "fora do escritório", "sono assente", "sarò assente", "in ferie",
    "fuori ufficio", "ben ik afwezig", "ik ben afwezig", "niet aanwezig", "met vakantie", "jag är på semester",
    "är tillbaka", "er ikke på kontoret", "er tilbage", "jestem nieobecny", "przebywam na urlopie", "nie ma mnie",
    "я в отпуске", "буду в отпуске", "в отпуске", "отсутствую", "szabadságon", "házon kívül", "ofis dışında",
    "izindeyim", "gracias por contactar", "tendrás noticias", "不在にして", "休暇", "外出して", "休假", "不在办公室",
    "출장", "휴가", "부재중",
)

# Before the date of return.
BACK_ON = (
    "kembali bekerja", "kembali masuk kerja", "kembali masuk kantor", "kembali masuk", "masuk kembali",
    "kembali ke kantor", "kembali aktif", "aktif kembali", "kembali bertugas", "akan kembali", "kembali lagi",
    "kembali", "will be back in the office", "will be back", "be back in the office", "back in the office",
    "back at work", "back at my desk", "will return to the office", "will return", "returning to the office",
    "returning", "return to work", "i return", "return date", "be back", "back",
)

# Before the last day of the absence.
AWAY_UNTIL = ("sampai dengan", "sampai", "hingga", "s/d", "s.d.", "s.d", "sd", "until", "till", "through", "thru", "to")

# Words allowed between those and the date.
DATE_FILLERS = (
    "pada", "tanggal", "tgl", "hari", "di", "mulai", "on", "the", "of", "from", "work", "in", "office", "sekitar",
    "around", "bekerja", "kerja", "masuk", "ke", "kantor", "sekolah", "aktif", "bertugas", "lagi", "to", "my", "desk",
    ":", "-", ",", "=", ".",
)

# Months and days in spellings that `vocabulary.dates` does not have.
SHORT_MONTHS = {
    "jan": 1, "feb": 2, "peb": 2, "mar": 3, "apr": 4, "may": 5, "mei": 5, "jun": 6, "jul": 7, "aug": 8, "agu": 8,
    "ags": 8, "agt": 8, "sep": 9, "sept": 9, "oct": 10, "okt": 10, "nov": 11, "nop": 11, "dec": 12, "des": 12,
}
SPELT_MONTHS = {"pebruari": 2, "nopember": 11}
SPELT_DAYS = ("jum'at", "ahad", "minggu ini")
NEAR_DAYS = ("minggu depan", "pekan depan", "bulan depan", "next week", "next month", "besok", "lusa", "tomorrow")
