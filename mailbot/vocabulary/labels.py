"""Words for people where a template or a command shows a value: roles, priorities, kinds of mail, statuses, errors."""

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

# Why a file was withheld. Keys: `vocabulary.refused_files.KINDS`.
WITHHELD_FILE = {
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


# Which auto-reply limit was exceeded, for the log. Keys: `ticket.auto_reply_limits.Limit`.
WITHHELD_AUTO_REPLY = {
    "sender": "[inbound] max_auto_replies_per_sender is reached",
    "ticket": "[inbound] max_auto_replies_per_ticket is reached",
    "echo": "the sender, whom the desk never wrote to, answers mail that went to others",
    "alike": "[inbound] max_auto_replies_alike is reached: new senders with the same words, each right after our mail",
    "domain": "[inbound] max_auto_replies_per_domain is reached: new senders of one domain, each right after our mail",
    "rally": "new senders from everywhere, each right after our mail, at the pace of a machine",
    "spread": "the same words came from thousands of senders",
    "overall": "[inbound] max_auto_replies is reached",
}


# Why a command was refused, for the command line. Keys: `ticket.command_parser.Fault`; `{found}` is what was written,
# `{possible}` the valid choices. The mail to an agent has its own template.
COMMAND_ERRORS = {
    "unknown": "{found} is no command. Possible: {possible}",
    "missing_argument": "{found} needs something behind it. Possible: {possible}",
    "bad_argument": "{found} can't be used here. Possible: {possible}",
    "surplus_argument": "{found} takes nothing (more) behind it.",
    "conflict": "{found} contradicts another command of the same mail.",
    "needs_ticket": "{found} needs a ticket.",
    "needs_words": "There is nothing to write: the text is empty.",
    "no_such_agent": "{found} is no agent of this desk. Agents are: {possible}",
    "no_such_ticket": "There is no ticket #{found}.",
    "same_ticket": "#{found} is the same ticket, or already leads here.",
    "other_requester": "#{found} is another requester's ticket. If you are sure: {possible}",
    "already_closed": "The ticket is closed and never reopened. A reply of the requester opens a follow-up.",
    "already_merged": "The ticket was merged already: #{found}. {possible}",
    "no_such_macro": "There is no macro {found}.",
    "refused_file": "{found} is of a kind that the desk does not pass on.",
    "infected_file": "A virus was found in {found}.",
    "unscanned_file": "{found} can't be looked through for viruses now.",
    "own_mail": "{found} is a notification of the desk, which only agents may see.",
    "two_tickets": "The mail names two tickets: {found} and {possible}.",
}


# Errors of the web form, by field.
FORM_ERRORS = {
    "id": {
        "email": "Alamat email belum benar: tulis alamat yang lengkap, misalnya nama@gmail.com.",
        "perihal": "Perihal belum diisi, atau lebih dari 200 huruf.",
        "detail": "Detail Permasalahan belum diisi, atau lebih dari 20.000 huruf.",
        "too_large": "Lampiran terlalu besar: perkecil, atau kirim sebagian lewat email.",
        "later": "Laporan belum dapat disimpan saat ini. Mohon dicoba lagi beberapa menit lagi.",
    },
    "en": {
        "email": "The e-mail address is not right: write it in full, such as name@gmail.com.",
        "perihal": "The subject is empty, or longer than 200 characters.",
        "detail": "The details are empty, or longer than 20,000 characters.",
        "too_large": "The attachments are too large: make them smaller, or send a part of them by mail.",
        "later": "The report can't be stored just now. Please try again in a few minutes.",
    },
}


# Statuses in the exact words of the public guide that requesters already know.
STATUSES = {
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


STATUS_EXPLANATIONS = {
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
