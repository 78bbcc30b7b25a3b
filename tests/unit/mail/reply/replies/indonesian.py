# ruff: noqa: E501, W291, W293 (bodies as programs write them, however long the line)
"""Indonesian replies in plain text: what schools' phones and mail programs send."""

from __future__ import annotations

from tests.unit.mail.reply.replies import Case

OURS = """-- Tulis balasan Anda di atas garis ini / Write your reply above this line --

Yth. Bapak/Ibu,

Mohon kirimkan NPSN sekolah dan versi ARKAS yang dipakai.
Mohon lampirkan juga tangkapan layar pesan galatnya.

Salam,
Sally (BOSP)"""

QUOTED = "\n".join(f"> {line}".rstrip() for line in OURS.splitlines())

# Every one of these stands above `OURS`, marked or not, in the program's own way.
TEXTS: tuple[Case, ...] = (
    Case(
        "gmail-web",
        f"""Selamat siang, NPSN kami 20512345, versi ARKAS 4.2.

Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support+abc@helpdesk.example> menulis:

{QUOTED}
""",
        "Selamat siang, NPSN kami 20512345, versi ARKAS 4.2.",
    ),
    Case(
        "gmail-web-wrapped",
        f"""Sudah bisa, terima kasih.

Pada tanggal Sen, 3 Nov 2025 pukul 15.10 Helpdesk BOSP Kementerian Pendidikan <
support+abcdefghijklmnop@helpdesk.example> menulis:

{QUOTED}
""",
        "Sudah bisa, terima kasih.",
    ),
    Case(
        "gmail-web-wrapped-in-three",
        f"""Masih belum bisa pak.
Mohon bantuannya.

Pada Sen, 3 Nov 2025 pukul 15.10 Helpdesk Bantuan Operasional Satuan
Pendidikan
<support+abcdefghijklmnop@helpdesk.example> menulis:

{QUOTED}
""",
        "Masih belum bisa pak.\nMohon bantuannya.",
    ),
    Case(
        "gmail-android",
        f"""Baik pak, saya coba dulu

Pada tanggal Sen, 3 Nov 2025 15.10, Sally (BOSP) <support+abc@helpdesk.example> menulis:

{QUOTED}
""",
        "Baik pak, saya coba dulu",
    ),
    Case(
        "gmail-android-old",
        f"""Oke
Pada 3 Nov 2025 15.10, "Helpdesk BOSP" <support+abc@helpdesk.example> menulis:

{QUOTED}
""",
        "Oke",
    ),
    Case(
        "gmail-no-blank-line",
        f"Sudah\nPada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:\n{QUOTED}",
        "Sudah",
    ),
    Case(
        "gmail-crlf",
        f"Belum bisa, masih sama.\r\n\r\nPada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example>\r\nmenulis:"
        f"\r\n\r\n{QUOTED}\r\n".replace("\n", "\r\n").replace("\r\r", "\r"),
        "Belum bisa, masih sama.",
    ),
    Case(
        "gmail-no-break-spaces",
        f"Siap\u00a0Bu.\n\nPada Sen, 3 Nov 2025\u00a0pukul\u00a015.10\u202fSally (BOSP) <support@helpdesk.example> menulis:\n\n{QUOTED}",
        "Siap Bu.",
    ),
    Case(
        "gmail-without-address",
        f"Terima kasih banyak\n\nPada Sen, 3 Nov 2025 15.10, Helpdesk BOSP menulis:\n\n{QUOTED}",
        "Terima kasih banyak",
    ),
    Case(
        "gmail-thread-of-three",
        f"""Sudah saya kirim ulang ya Bu.

Pada Sel, 4 Nov 2025 pukul 08.02 Sally (BOSP) <support@helpdesk.example> menulis:

{QUOTED}
>
> Pada Sen, 3 Nov 2025 pukul 15.10 SDN 1 <sdn1@sekolah.example> menulis:
>
>> Tidak bisa tutup BKU bulan Oktober.
>>
""",
        "Sudah saya kirim ulang ya Bu.",
    ),
    Case(
        "yahoo-web",
        f"""Mohon maaf baru membalas. NPSN 20512345.

    Pada Senin, 3 November 2025 pukul 15.10.00 WIB, Sally (BOSP) <support@helpdesk.example> menulis:  
 
 {OURS}
""",
        "Mohon maaf baru membalas. NPSN 20512345.",
    ),
    Case(
        "yahoo-android-one-line",
        f"""Sudah bisa bu terima kasih

Dikirim dari Yahoo Mail di Android 
 
  Pada Sen, 3 Nov 2025 pada 15:10, Sally (BOSP)<support@helpdesk.example> menulis:   {" ".join(OURS.split())}
""",
        "Sudah bisa bu terima kasih",
        signature="Dikirim dari Yahoo Mail di Android",
    ),
    Case(
        "yahoo-android-link",
        f"""Belum bisa pak, tombolnya abu-abu.

Dikirim dari Yahoo Mail di Android
<https://mail.onelink.me/107872968?pid=nativeplacement>

Pada Sen, 3 Nov 2025 pada 15:10, Sally (BOSP)
<support@helpdesk.example> menulis:
{QUOTED}""",
        "Belum bisa pak, tombolnya abu-abu.",
    ),
    Case(
        "yahoo-english-attribution",
        f"Sudah normal\n\n    On Monday, November 3, 2025 at 03:10:00 PM GMT+7, Sally (BOSP) <support@helpdesk.example> wrote:  \n \n {OURS}",
        "Sudah normal",
    ),
    Case(
        "outlook-desktop",
        f"""Dengan hormat,

Terlampir tangkapan layar yang diminta.

Hormat kami,
Operator SDN 1 Sukamaju

Dari: Sally (BOSP) <support+abc@helpdesk.example>
Dikirim: Senin, 03 November 2025 15.10
Kepada: SDN 1 Sukamaju <sdn1@sekolah.example>
Subjek: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Dengan hormat,\n\nTerlampir tangkapan layar yang diminta.\n\nHormat kami,\nOperator SDN 1 Sukamaju",
    ),
    Case(
        "outlook-desktop-rule",
        f"""Sudah kami coba, hasilnya sama.

________________________________
Dari: Sally (BOSP) <support+abc@helpdesk.example>
Dikirim: Senin, 03 November 2025 15.10
Kepada: SDN 1 Sukamaju <sdn1@sekolah.example>
Subjek: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Sudah kami coba, hasilnya sama.",
    ),
    Case(
        "outlook-bold-asterisks",
        f"""Baik, ditunggu.

*Dari:* Sally (BOSP) <support@helpdesk.example>
*Dikirim:* 03 November 2025 15:10
*Kepada:* sdn1@sekolah.example
*Perihal:* #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Baik, ditunggu.",
    ),
    Case(
        "outlook-mobile",
        f"""Ini fotonya bu

Dapatkan Outlook untuk Android<https://aka.ms/AAb9ysg>
________________________________
Dari: Sally (BOSP) <support@helpdesk.example>
Terkirim: Senin, November 3, 2025 3:10:22 PM
Ke: sdn1@sekolah.example <sdn1@sekolah.example>
Subjek: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Ini fotonya bu",
        signature="Dapatkan Outlook untuk Android<https://aka.ms/AAb9ysg>",
    ),
    Case(
        "outlook-ios",
        f"""Sudah selesai, silakan ditutup tiketnya.

Dapatkan Outlook untuk iOS
Dari: Sally (BOSP) <support@helpdesk.example>
Dikirim: Monday, November 3, 2025 3:10:22 PM
Kepada: sdn1@sekolah.example <sdn1@sekolah.example>
Judul: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Sudah selesai, silakan ditutup tiketnya.",
    ),
    Case(
        "outlook-english-on-indonesian-phone",
        f"""Pak sudah dicoba tetap gagal

Get Outlook for Android<https://aka.ms/AAb9ysg>
________________________________
From: Sally (BOSP) <support@helpdesk.example>
Sent: Monday, November 3, 2025 3:10:22 PM
To: sdn1@sekolah.example <sdn1@sekolah.example>
Subject: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Pak sudah dicoba tetap gagal",
    ),
    Case(
        "outlook-pesan-asli",
        f"""Siap

-----Pesan Asli-----
Dari: Sally (BOSP) [mailto:support@helpdesk.example]
Dikirim: 03 November 2025 15:10
Kepada: sdn1@sekolah.example
Perihal: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Siap",
    ),
    Case(
        "outlook-header-with-long-recipients",
        f"""Mohon dicek kembali.

Dari: Sally (BOSP) <support@helpdesk.example>
Dikirim: Senin, 03 November 2025 15.10
Kepada: SDN 1 Sukamaju <sdn1@sekolah.example>; SDN 2 Sukamaju <sdn2@sekolah.example>;
SDN 3 Sukamaju <sdn3@sekolah.example>
Cc: dinas@kab.example
Subjek: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Mohon dicek kembali.",
    ),
    Case(
        "outlook-header-lines-apart",
        f"""Sudah ya Bu

Dari: Sally (BOSP) <support@helpdesk.example>

Dikirim: Senin, 03 November 2025 15.10

Kepada: sdn1@sekolah.example

Subjek: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Sudah ya Bu",
    ),
    Case(
        "samsung",
        f"""Ya bu sudah saya kirim

Dikirim dari Galaxy saya


-------- Pesan asli --------
Dari: "Sally (BOSP)" <support@helpdesk.example>
Tgl: 03/11/25  15.10  (GMT+07:00)
Ke: sdn1@sekolah.example
Subjek: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Ya bu sudah saya kirim",
        signature="Dikirim dari Galaxy saya",
    ),
    Case(
        "samsung-old",
        f"""Terimakasih

Dikirim dari ponsel cerdas Samsung Galaxy saya.
-------- Pesan asli --------Dari: Sally (BOSP) <support@helpdesk.example> Tanggal: 03/11/2025  15:10  (GMT+07:00) Kepada: sdn1@sekolah.example Subjek: #12345 - Tidak bisa tutup BKU
{OURS}
""",
        "Terimakasih",
    ),
    Case(
        "samsung-original-message",
        f"""Kendala masih terjadi

Terkirim dari Ponsel Samsung saya


-------- Original message --------
From: "Sally (BOSP)" <support@helpdesk.example>
Date: 03/11/2025 15:10 (GMT+07:00)
To: sdn1@sekolah.example
Subject: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Kendala masih terjadi",
    ),
    Case(
        "iphone",
        f"""Sudah bu, makasih

Dikirim dari iPhone saya

> Pada 3 Nov 2025, pukul 15.10, Sally (BOSP) <support@helpdesk.example> menulis:
>
> {OURS.splitlines()[2]}
>
> Mohon kirimkan NPSN sekolah.
""",
        "Sudah bu, makasih",
        signature="Dikirim dari iPhone saya",
    ),
    Case(
        "iphone-footer-below-attribution",
        f"""Oke siap

Dikirim dari iPhone saya

Pada 3 Nov 2025, pukul 15.10, Sally (BOSP) <support@helpdesk.example> menulis:

{QUOTED}
""",
        "Oke siap",
    ),
    Case(
        "apple-mail",
        f"""Baik Bu Sally, berikut datanya:

NPSN: 20512345
Versi: 4.2

> Pada 3 Nov 2025, pada 15.10, Sally (BOSP) <support@helpdesk.example> menulis:
>
{QUOTED}
""",
        "Baik Bu Sally, berikut datanya:\n\nNPSN: 20512345\nVersi: 4.2",
    ),
    Case(
        "thunderbird",
        f"Terlampir.\n\nPada 03/11/2025 15.10, Sally (BOSP) menulis:\n{QUOTED}\n",
        "Terlampir.",
    ),
    Case(
        "roundcube",
        f"Kami sudah mencoba langkah tersebut.\n\nPada 2025-11-03 15:10, Sally (BOSP) menulis:\n{QUOTED}\n",
        "Kami sudah mencoba langkah tersebut.",
    ),
    Case(
        "roundcube-english",
        f"Kami sudah mencoba langkah tersebut.\n\nOn 2025-11-03 15:10, Sally (BOSP) wrote:\n{QUOTED}\n",
        "Kami sudah mencoba langkah tersebut.",
    ),
    Case(
        "zoho",
        f"""Baik, terima kasih atas bantuannya.


Dikirim menggunakan Zoho Mail


---- Pada Sen, 03 Nov 2025 15:10:00 +0700 Sally (BOSP) <support@helpdesk.example> menulis ----

{OURS}
""",
        "Baik, terima kasih atas bantuannya.",
    ),
    Case(
        "zoho-english",
        f"Belum bisa\n\n\n\n---- On Mon, 03 Nov 2025 15:10:00 +0700 Sally (BOSP) <support@helpdesk.example> wrote ---\n\n{OURS}\n",
        "Belum bisa",
    ),
    Case(
        "k9",
        f'Sudah.\n\nPada 3 November 2025 15.10.22 WIB, "Sally (BOSP)" <support@helpdesk.example> menulis:\n{QUOTED}\n',
        "Sudah.",
    ),
    Case(
        "k9-with-footer",
        f"""Masih error.
-- 
Dikirim dari perangkat Android saya dengan K-9 Mail. Mohon maaf atas singkatnya.

Pada 3 November 2025 15.10.22 WIB, "Sally (BOSP)" <support@helpdesk.example> menulis:
{QUOTED}
""",
        "Masih error.",
    ),
    Case(
        "xiaomi",
        f"""Sudah saya update aplikasinya

Dikirim dari ponsel Xiaomi saya
Pada Sally (BOSP) <support@helpdesk.example>, 3 Nov 2025 15.10 menulis:

{OURS}
""",
        "Sudah saya update aplikasinya",
    ),
    Case(
        "oppo-footer",
        "Nanti saya kirim screenshotnya.\n\nDikirim dari OPPO A57 saya\n\n"
        f"Pada Sen, 3 Nov 2025 pukul 15.10 Sally <support@helpdesk.example> menulis:\n{QUOTED}",
        "Nanti saya kirim screenshotnya.",
    ),
    Case(
        "vivo-footer-and-no-quotation",
        "Assalamualaikum, akun dapodik kami tidak bisa login.\n\nTerkirim dari vivo smartphone saya",
        "Assalamualaikum, akun dapodik kami tidak bisa login.",
    ),
    Case(
        "only-marks-below",
        f"Sudah pak.\n\n{QUOTED}",
        "Sudah pak.",
    ),
    Case(
        "only-marks-without-spaces",
        "Sudah pak.\n\n" + QUOTED.replace("> ", ">"),
        "Sudah pak.",
    ),
    Case(
        "bars-for-marks",
        "Ya.\n\nPada Sen, 3 Nov 2025 pukul 15.10 Sally <support@helpdesk.example> menulis:\n\n"
        + QUOTED.replace(">", "|"),
        "Ya.",
    ),
    Case(
        "angles-for-marks",
        "Ya betul.\n\nPada Sen, 3 Nov 2025 pukul 15.10 Sally <support@helpdesk.example> menulis:\n\n"
        + QUOTED.replace(">", "»"),
        "Ya betul.",
    ),
    Case(
        "marker-in-unknown-program",
        f"Sudah kami perbaiki.\n\nSally (BOSP) pada 3/11/2025 15:10 :\n{OURS}",
        "Sudah kami perbaiki.",
    ),
    Case(
        "marker-wrapped-by-program",
        "Belum.\n\n-- Tulis balasan Anda di\natas garis ini / Write your\nreply above this line --\n\nYth. Bapak/Ibu,\n\nMohon kirim NPSN.",
        "Belum.",
    ),
    Case(
        "marker-decorated",
        "Belum.\n\n*-- **Tulis balasan Anda di atas garis ini** / Write your reply above this line --*\n\nYth. Bapak/Ibu",
        "Belum.",
    ),
    Case(
        "marker-of-older-template",
        "Belum.\n\n-- Balas di atas garis ini / Reply above this line --\n\nYth. Bapak/Ibu",
        "Belum.",
    ),
    Case(
        "signature-above-quotation",
        f"""Mohon dibantu kembali.

-- 
Operator SDN 1 Sukamaju
Jl. Merdeka 1

Pada Sen, 3 Nov 2025 pukul 15.10 Sally <support@helpdesk.example> menulis:

{QUOTED}
""",
        "Mohon dibantu kembali.",
        signature="-- \nOperator SDN 1 Sukamaju\nJl. Merdeka 1",
    ),
    Case(
        "signature-below-quotation",
        f"""Mohon dibantu kembali.

Pada Sen, 3 Nov 2025 pukul 15.10 Sally <support@helpdesk.example> menulis:

{QUOTED}

-- 
Operator SDN 1 Sukamaju
""",
        "Mohon dibantu kembali.",
    ),
    Case(
        "closing-and-school-stay",
        f"""Sudah kami lakukan, tetapi saldo masih minus.

Terima kasih
SDN 1 Sukamaju
NPSN 20512345
HP 0812 0000 0000

Pada Sen, 3 Nov 2025 pukul 15.10 Sally <support@helpdesk.example> menulis:

{QUOTED}
""",
        "Sudah kami lakukan, tetapi saldo masih minus.\n\nTerima kasih\nSDN 1 Sukamaju\nNPSN 20512345\nHP 0812 0000 0000",
    ),
    Case(
        "notice-below-signature",
        f"""Terlampir berkasnya.

Salam,
Acha

PENAFIAN: Email ini dan lampirannya bersifat rahasia dan hanya ditujukan kepada penerima yang dimaksud.
Jika Anda bukan penerima yang dimaksud, mohon hapus email ini.

Dari: Sally (BOSP) <support@helpdesk.example>
Dikirim: Senin, 03 November 2025 15.10
Kepada: sdn1@sekolah.example
Subjek: #12345 - Tidak bisa tutup BKU

{OURS}
""",
        "Terlampir berkasnya.\n\nSalam,\nAcha",
    ),
    Case(
        "bottom-posting",
        f"""Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:

{QUOTED}

NPSN kami 20512345, versinya 4.2.
Terima kasih.
""",
        "NPSN kami 20512345, versinya 4.2.\nTerima kasih.",
    ),
    Case(
        "bottom-posting-with-footer",
        f"""Pada 3 Nov 2025, pukul 15.10, Sally (BOSP) <support@helpdesk.example> menulis:

{QUOTED}

Sudah saya lampirkan bu.

Dikirim dari iPhone saya
""",
        "Sudah saya lampirkan bu.",
    ),
    Case(
        "words-above-and-below",
        f"""Selamat pagi,

Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:

{QUOTED}

Berikut tangkapan layarnya.
""",
        "Selamat pagi,\n\nBerikut tangkapan layarnya.",
    ),
    Case(
        "inline",
        """Berikut jawaban kami.

Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:

> Yth. Bapak/Ibu,
>
> Berapa NPSN sekolah?

20512345

> Versi ARKAS berapa?

4.2

> Salam,
> Sally (BOSP)
""",
        "Berikut jawaban kami.\n\n> Berapa NPSN sekolah?\n\n20512345\n\n> Versi ARKAS berapa?\n\n4.2",
    ),
    Case(
        "inline-without-empty-lines",
        """Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:
> Berapa NPSN sekolah?
20512345
> Versi ARKAS berapa?
versi 4.2
> Sudah mencoba masuk ulang?
sudah, tetap sama
>
> Salam,
> Sally""",
        "> Berapa NPSN sekolah?\n20512345\n> Versi ARKAS berapa?\nversi 4.2\n> Sudah mencoba masuk ulang?\nsudah, tetap sama",
    ),
    Case(
        "question-quoted-by-hand",
        "> Versi ARKAS berapa?\n\nVersi 4.2 bu",
        "> Versi ARKAS berapa?\n\nVersi 4.2 bu",
    ),
    Case(
        "innocent-pada-tanggal",
        "Kronologinya begini.\n\nPada tanggal 3 bendahara menulis:\n- saldo bank 5.000.000\n- saldo tunai 250.000\n\nMohon arahannya.",
        "Kronologinya begini.\n\nPada tanggal 3 bendahara menulis:\n- saldo bank 5.000.000\n- saldo tunai 250.000\n\nMohon arahannya.",
        subject="Saldo tidak sama",
    ),
    Case(
        "innocent-full-date",
        "Pada tanggal 3 November 2025 pukul 10.00 bendahara kami menulis:\n1. saldo awal\n2. saldo akhir\nMohon dicek.",
        "Pada tanggal 3 November 2025 pukul 10.00 bendahara kami menulis:\n1. saldo awal\n2. saldo akhir\nMohon dicek.",
        subject="Saldo tidak sama",
    ),
    Case(
        "innocent-list-with-dari",
        "Berikut rincian transfer:\n\nDari: Rekening BOS SDN 1\nKe: Toko Buku Maju\nTanggal: 3 November 2025\nJumlah: 1.500.000\n\nMengapa tidak muncul?",
        "Berikut rincian transfer:\n\nDari: Rekening BOS SDN 1\nKe: Toko Buku Maju\nTanggal: 3 November 2025\nJumlah: 1.500.000\n\nMengapa tidak muncul?",
        subject="Transfer",
    ),
    Case(
        "innocent-letter",
        "Dari: Kepala SDN 1 Sukamaju\nKepada: Helpdesk BOSP\nPerihal: Permohonan reset akun\nTanggal: 3 November 2025\n\nDengan ini kami memohon reset.",
        "Dari: Kepala SDN 1 Sukamaju\nKepada: Helpdesk BOSP\nPerihal: Permohonan reset akun\nTanggal: 3 November 2025\n\nDengan ini kami memohon reset.",
        subject="Permohonan",
    ),
    Case(
        "innocent-dikirim-dari",
        "Berkasnya sudah dikirim minggu lalu.\n\nDikirim dari kantor dinas, belum ada balasan sampai hari ini.",
        "Berkasnya sudah dikirim minggu lalu.\n\nDikirim dari kantor dinas, belum ada balasan sampai hari ini.",
        subject="Berkas",
    ),
    Case(
        "innocent-steps-with-angles",
        "Langkah yang sudah saya lakukan:\n> buka ARKAS\n> pilih Penatausahaan\n> klik Tutup BKU",
        "Langkah yang sudah saya lakukan:\n> buka ARKAS\n> pilih Penatausahaan\n> klik Tutup BKU",
        subject="Tidak bisa tutup BKU",
    ),
    Case(
        "innocent-table-with-bars",
        "Datanya:\n\n| Bulan | Saldo |\n| Oktober | 100 |\n| November | 200 |",
        "Datanya:\n\n| Bulan | Saldo |\n| Oktober | 100 |\n| November | 200 |",
        subject="Saldo",
    ),
    Case(
        "innocent-drawn-lines",
        "Data sekolah\n-------------\nNama: SDN 1\nNPSN: 20512345\n=============\nMohon dibantu",
        "Data sekolah\n-------------\nNama: SDN 1\nNPSN: 20512345\n=============\nMohon dibantu",
        subject="Akun",
    ),
    Case(
        "all-quotation",
        f"Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:\n\n{QUOTED}",
        f"Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:\n\n{QUOTED}",
    ),
    Case(
        "one-emoji",
        f"👍\n\nPada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis:\n\n{QUOTED}",
        "👍",
    ),
    Case(
        "forward",
        """Mohon bantuan untuk sekolah ini.

---------- Forwarded message ---------
Dari: SDN 1 Sukamaju <sdn1@sekolah.example>
Date: Sen, 3 Nov 2025 pukul 15.10
Subject: Tidak bisa tutup BKU
To: <dinas@kab.example>


BKU bulan Oktober tidak bisa ditutup.
""",
        """Mohon bantuan untuk sekolah ini.

---------- Forwarded message ---------
Dari: SDN 1 Sukamaju <sdn1@sekolah.example>
Date: Sen, 3 Nov 2025 pukul 15.10
Subject: Tidak bisa tutup BKU
To: <dinas@kab.example>


BKU bulan Oktober tidak bisa ditutup.""",
        subject="Fwd: Tidak bisa tutup BKU",
    ),
    Case(
        "forward-outlook",
        "Mohon ditindaklanjuti.\n\nDari: SDN 1 <sdn1@sekolah.example>\nDikirim: Senin, 03 November 2025 15.10\n"
        "Kepada: dinas@kab.example\nSubjek: Tidak bisa tutup BKU\n\nBKU tidak bisa ditutup.",
        "Mohon ditindaklanjuti.\n\nDari: SDN 1 <sdn1@sekolah.example>\nDikirim: Senin, 03 November 2025 15.10\n"
        "Kepada: dinas@kab.example\nSubjek: Tidak bisa tutup BKU\n\nBKU tidak bisa ditutup.",
        subject="TRS: Tidak bisa tutup BKU",
    ),
    Case(
        "quoted-forward-in-reply",
        """Sudah kami terima.

Pada Sen, 3 Nov 2025 pukul 15.10 Dinas <dinas@kab.example> menulis:

> ---------- Forwarded message ---------
> Dari: SDN 1 <sdn1@sekolah.example>
> BKU tidak bisa ditutup.
""",
        "Sudah kami terima.",
    ),
    Case(
        "ours-without-any-mark",
        f"Sudah bisa bu\n\n{OURS.partition(chr(10))[2].strip()}",
        "Sudah bisa bu",
        sent=(OURS,),
    ),
    Case(
        "answers-inside-unmarked-quotation",
        """Jawaban di bawah.

Dari: Sally (BOSP) <support@helpdesk.example>
Dikirim: Senin, 03 November 2025 15.10
Kepada: sdn1@sekolah.example
Subjek: #12345 - Tidak bisa tutup BKU

Yth. Bapak/Ibu,

Mohon kirimkan NPSN sekolah dan versi ARKAS yang dipakai.
NPSN 20512345 dan versinya 4.2
Mohon lampirkan juga tangkapan layar pesan galatnya.

Salam,
Sally (BOSP)
""",
        "Jawaban di bawah.\n\n> Mohon kirimkan NPSN sekolah dan versi ARKAS yang dipakai.\nNPSN 20512345 dan versinya 4.2",
        sent=(OURS,),
    ),
    Case(
        "bottom-posting-without-marks",
        f"""Dari: Sally (BOSP) <support@helpdesk.example>
Dikirim: Senin, 03 November 2025 15.10
Kepada: sdn1@sekolah.example
Subjek: #12345 - Tidak bisa tutup BKU

{OURS}

Sudah bisa, terima kasih banyak bu
""",
        "Sudah bisa, terima kasih banyak bu",
        sent=(OURS,),
    ),
    Case(
        "attribution-glued-to-words",
        f"Sudah bisa pak, terima kasih Pada Sen, 3 Nov 2025 pukul 15.10 Sally <support@helpdesk.example> menulis:\n{QUOTED}",
        "Sudah bisa pak, terima kasih",
    ),
    Case(
        "indihome-webmail-pesan-asli",
        f"Mohon maaf baru dibalas\n\n----- Pesan Asli -----\nDari: Sally (BOSP) <support@helpdesk.example>\n"
        f"Kepada: sdn1@sekolah.example\nTerkirim: Mon, 03 Nov 2025 15:10:00 +0700 (WIB)\nPerihal: #12345\n\n{OURS}",
        "Mohon maaf baru dibalas",
    ),
    Case(
        "facts-in-table-above-quotation",
        f"Bulan | Saldo\nOktober | 100\n\nMohon dicek.\n\nPada Sen, 3 Nov 2025 15.10, Sally <support@helpdesk.example> menulis:\n{QUOTED}",
        "Bulan | Saldo\nOktober | 100\n\nMohon dicek.",
    ),
    Case(
        "agent-commands-stay",
        f"#selesai\nSilakan masuk ulang.\n\n-- \nSally\n\nPada Sen, 3 Nov 2025 pukul 15.10 Helpdesk <support@helpdesk.example> menulis:\n{QUOTED}",
        "#selesai\nSilakan masuk ulang.",
    ),
    Case(
        "word-of-marker-in-ones-own-line",
        f"#selesai\nSilakan masuk ulang.\n-- \nSally\nPada Sen, 3 Nov 2025 pukul 15.10 Helpdesk <support@helpdesk.example> menulis:\n{QUOTED}",
        "#selesai\nSilakan masuk ulang.",
    ),
    Case(
        "attribution-halves-apart",
        f"Sudah.\n\nPada Sen, 3 Nov 2025 pukul 15.10 Helpdesk BOSP Kementerian <\n\nsupport@helpdesk.example> menulis:\n\n{QUOTED}",
        "Sudah.",
    ),
    Case(
        "antivirus-footer",
        "Baik pak\n\n<https://www.avast.example/sig-email?utm_medium=email>\nBebas virus.www.avast.example\n<https://www.avast.example/sig-email>\n"
        "<#DAB4FAD8-2DD7-40BB-A1B8-4E2AA1F9FDF2>",
        "Baik pak",
    ),
    Case(
        "author-before-verb-and-date",
        f"Baik\n\nSally <support@helpdesk.example> menulis pada Sen, 3 Nov 2025 15.10:\n\n{OURS}",
        "Baik",
    ),
    Case(
        "marks-of-direction",
        "\u200eSudah\n\n\u200ePada Sen, 3 Nov 2025 15.10, Sally <support@helpdesk.example> menulis:\n"
        + QUOTED.replace("> ", "\u200e> "),
        "\u200eSudah",
    ),
)
