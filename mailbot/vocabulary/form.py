"""What the form says to somebody whose report can't be taken as it is."""

PROBLEMS = {
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
