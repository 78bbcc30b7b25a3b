"""Names of days, months, time zones and spans of time, as they are written in mail. Monday and January come first."""

DAYS = {
    "id": ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}

MONTHS = {
    "id": (
        "Januari", "Februari", "Maret", "April", "Mei", "Juni",
        "Juli", "Agustus", "September", "Oktober", "November", "Desember",
    ),
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
}  # fmt: skip

# Between the day and the hour: "Senin, 24 November 2025 pukul 08:00 WIB".
AT_HOUR = {"id": "pukul", "en": "at"}

# The three Indonesian time zones by IANA name, old links included; other zones use their own abbreviation.
ZONES = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Ujung_Pandang": "WITA",
    "Asia/Jayapura": "WIT",
}

# Spans of time: days as the schools know them ("2x24 jam"), other spans in the largest unit that fits.
SPANS = {
    "id": {"days": "{n}x24 jam", "hours": "{n} jam", "minutes": "{n} menit", "seconds": "{n} detik"},
    "en": {"days": "{n}x24 hours", "hours": "{n} hours", "minutes": "{n} minutes", "seconds": "{n} seconds"},
}

# Appended to a span that is counted in service hours.
OF_SERVICE = {"id": " layanan", "en": " of service time"}

# The words of opening hours: "Senin sampai Jumat, 08:00–17:00 WIB".
THROUGH = {"id": "sampai", "en": "to"}
AND = {"id": "dan", "en": "and"}
EXCEPT_HOLIDAYS = {"id": ", kecuali hari libur dan cuti bersama", "en": ", except public holidays"}
