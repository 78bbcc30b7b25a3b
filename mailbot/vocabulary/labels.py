"""Words for people where a template shows a value: roles, priorities, kinds of mail."""

ROLES = {
    "id": {"requester": "pelapor", "participant": "peserta", "agent": "petugas", "system": "otomatis"},
    "en": {"requester": "requester", "participant": "participant", "agent": "agent", "system": "automatic"},
}

PRIORITIES = {
    "id": {"low": "rendah", "normal": "normal", "high": "tinggi", "urgent": "mendesak"},
    "en": {"low": "low", "normal": "normal", "high": "high", "urgent": "urgent"},
}

KINDS = {
    "id": {
        "answer": "jawaban petugas",
        "acknowledgement": "konfirmasi penerimaan laporan",
        "reminder": "pengingat",
        "closure": "pemberitahuan penutupan tiket",
        "notification": "notifikasi petugas",
        "status": "jawaban status tiket",
        "notice": "pemberitahuan",
    },
    "en": {
        "answer": "an agent's answer",
        "acknowledgement": "acknowledgement of a report",
        "reminder": "reminder",
        "closure": "closure notice",
        "notification": "notification to an agent",
        "status": "answer about a ticket's status",
        "notice": "notice",
    },
}

# Why a file was not passed on, by the kinds of vocabulary.refused_files.
HELD = {
    "id": {
        "programs": "program atau aplikasi",
        "scripts": "skrip yang dapat dijalankan",
        "shortcuts": "pintasan yang dapat membuka program",
        "disk_images": "citra disk",
        "macros": "dokumen dengan makro",
        "pages": "halaman web (HTML/SVG)",
        "encrypted": "arsip dengan kata sandi",
        "unreadable": "arsip yang isinya tidak dapat diperiksa",
        "bombs": "arsip yang mengembang di luar batas",
        "infected": "virus ditemukan",
        "unscanned": "belum dipindai karena pemindai virus tidak menjawab",
    },
    "en": {
        "programs": "a program",
        "scripts": "a script that can be run",
        "shortcuts": "a shortcut that can open programs",
        "disk_images": "a disk image",
        "macros": "a document with macros",
        "pages": "a web page (HTML/SVG)",
        "encrypted": "an archive with a password",
        "unreadable": "an archive that can't be looked into",
        "bombs": "an archive that would unpack beyond all bounds",
        "infected": "a virus was found",
        "unscanned": "not scanned, because the virus scanner does not answer",
    },
}
