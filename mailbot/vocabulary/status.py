"""What a person sees of a ticket's status, to the letter of the public guide that the schools know."""

WORDS = {
    "id": {
        "queued": "Dalam Antrean",
        "in_progress": "Sedang Diproses *sedang ditangani oleh petugas",
        "waiting": "Sedang Diproses *menunggu balasan dari pelapor",
        "closed": "Sudah Selesai",
    },
    "en": {
        "queued": "In the queue",
        "in_progress": "In progress *being handled by an agent",
        "waiting": "In progress *waiting for your reply",
        "closed": "Closed",
    },
}

EXPLANATIONS = {
    "id": {
        "queued": "Laporan Anda telah diterima dan sedang menunggu untuk diproses oleh petugas",
        "in_progress": "Laporan Anda sedang ditindaklanjuti oleh petugas",
        "waiting": (
            "Laporan Anda sedang ditindaklanjuti oleh petugas namun memerlukan informasi lanjutan dari Anda, "
            "silakan cek email kembali. Tiket akan tertutup secara otomatis jika dalam 2x24 jam tidak mendapat balasan."
        ),
        "closed": "Laporan telah ditangani dan tiket ditutup",
    },
    "en": {
        "queued": "Your report has been received and is waiting for an agent",
        "in_progress": "An agent is working on your report",
        "waiting": (
            "An agent is working on your report and needs more information from you, please check your e-mail. "
            "The ticket closes by itself if there is no reply within 2x24 hours."
        ),
        "closed": "The report has been handled and the ticket is closed",
    },
}

PRIORITIES = {
    "low": "low",
    "normal": "normal",
    "high": "high",
    "urgent": "urgent",
    "rendah": "low",
    "tinggi": "high",
    "mendesak": "urgent",
}
