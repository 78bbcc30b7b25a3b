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
