"""Texts on problems of the desk, for admins: title, finding and remedy, in both languages.

Keys are codes of `mailbot.monitoring.conditions`; `title.NAME` is the name of the condition alone. `{…}` are the
condition's values.
"""

WORDS: dict[str, dict[str, tuple[str, str]]] = {
    "id": {
        "title.hanging": ("mailbot tidak bergerak", ""),
        "title.database": ("basis data tidak dapat dipakai", ""),
        "title.disk": ("ruang disk hampir habis", ""),
        "title.inbox_login": ("server IMAP menolak login", ""),
        "title.inbox": ("email masuk tidak terbaca", ""),
        "title.lmtp": ("pintu LMTP tidak terbuka", ""),
        "title.outbox_login": ("server SMTP menolak login", ""),
        "title.outbox": ("email keluar tidak terkirim", ""),
        "title.outbox_old": ("email keluar menumpuk", ""),
        "title.canary": ("email percobaan tidak kembali", ""),
        "title.quarantine": ("banyak email masuk karantina", ""),
        "title.automatic": ("banyak sekali email otomatis", ""),
        "title.scanner": ("pemindai virus tidak menjawab", ""),
        "title.certificate": ("sertifikat TLS hampir habis", ""),
        "hanging": (
            "Bagian mailbot ini tidak bergerak lagi: {names}.",
            "Mulai ulang: systemctl restart mailbot. Simpan log sebelumnya (journalctl -u mailbot), itu berguna untuk "
            "mencari penyebabnya.",
        ),
        "database": (
            "Basis data tidak dapat dipakai: {reason}",
            "Periksa server basis data atau disk tempat data_dir berada, lalu jalankan: mailbot db check. Setelah "
            "pulih, mailbot melanjutkan sendiri.",
        ),
        "disk": (
            "Di {folder} hanya tersisa {free}.",
            "Kosongkan ruang, atau perbesar disk. Jika penuh, mailbot tidak dapat menyimpan email; email tetap "
            "menunggu di kotak masuk.",
        ),
        "disk.inodes": (
            "Di {folder} hanya tersisa {inodes} inode (jumlah berkas).",
            "Hapus berkas kecil yang tidak terpakai di sistem berkas itu. Jika habis, mailbot tidak dapat menyimpan "
            "apa pun.",
        ),
        "login.token": (
            "Server {server} menolak token. {reason}",
            "Biasanya pemilik kotak surat perlu memberi izin (consent) lagi, lalu simpan token barunya: [{section}] "
            "token_file atau token_command. Ini bukan gangguan jaringan: menunggu saja tidak membantu.",
        ),
        "login.password": (
            "Server {server} menolak nama pengguna atau kata sandi. {reason}",
            "Perbaiki [{section}] username dan password, lalu: systemctl reload mailbot. Menunggu saja tidak membantu.",
        ),
        "inbox": (
            "Kotak masuk tidak dapat dibaca. {reason}",
            "Periksa server IMAP dan jaringannya. Email tetap aman di server itu; mailbot mencoba terus dan membacanya "
            "begitu tersambung.",
        ),
        "inbox.silent": (
            "Sudah lama kotak masuk tidak selesai dibaca, walaupun tidak ada pesan kesalahan.",
            "Periksa log (journalctl -u mailbot) dan server IMAP: mungkin sangat lambat. Jika perlu: systemctl restart "
            "mailbot.",
        ),
        "lmtp": (
            "mailbot tidak dapat menerima email melalui LMTP. {reason}",
            "Periksa [lmtp] listen: mungkin program lain memakai alamat itu. Email tetap menunggu di server email yang "
            "mengirimkannya; mailbot mencoba terus.",
        ),
        "outbox": (
            "Email tidak dapat dikirim. {reason}",
            "Periksa server SMTP dan jaringannya. Email yang menunggu tidak hilang: lihat dengan mailbot outbox list. "
            "Setelah server pulih, mailbot mengirimnya sendiri.",
        ),
        "outbox_old": (
            "{count} email menunggu dan sejak itu tidak ada satu pun yang terkirim.",
            "Lihat alasan server dengan: mailbot outbox list. Setelah diperbaiki: mailbot outbox retry.",
        ),
        "outbox_old.due": (
            "{count} email menunggu dan tidak diambil untuk dikirim.",
            "Periksa log dan [smtp] max_per_minute. Jika perlu: systemctl restart mailbot.",
        ),
        "canary": (
            "Email percobaan yang dikirim mailbot kepada dirinya sendiri belum kembali.",
            "Email mungkin hilang di antara SMTP dan kotak masuk: periksa penerusan (forward), filter spam, dan "
            "antrean server email untuk alamat helpdesk.",
        ),
        "canary.unsent": (
            "Email percobaan tidak diterima server SMTP: {reason}",
            "Periksa server SMTP: ia menolak email ke alamat helpdesk sendiri.",
        ),
        "quarantine": (
            "{count} email masuk karantina dalam 24 jam; {held} email menunggu diperiksa.",
            "Periksa dengan: mailbot quarantine list. Jika penyebabnya kesalahan mailbot, laporkan beserta "
            "traceback-nya.",
        ),
        "automatic": (
            "Dalam satu jam terakhir mailbot menulis {count} email otomatis. Yang terbanyak: {alike}.",
            "Mungkin gangguan yang menimpa banyak sekolah, mungkin program yang membalas setiap email. Lihat dengan: "
            "mailbot ticket list. Batasnya ada di [inbound] max_auto_replies; tidak ada yang ditahan sebelum itu.",
        ),
        "scanner": (
            "Lampiran tidak dapat dipindai. {reason}",
            "Jalankan pemindai: systemctl start clamav-daemon, atau perbaiki [attachments] clamd. Isi email tetap "
            "diteruskan; lampiran yang tertahan dapat diambil dengan: mailbot ticket files N --to FOLDER.",
        ),
        "certificate": (
            "Sertifikat TLS server {server} berakhir pada {ends}.",
            "Minta pengelola server memperbaruinya. Sesudah tanggal itu mailbot tidak dapat tersambung.",
        ),
    },
    "en": {
        "title.hanging": ("mailbot hangs", ""),
        "title.database": ("the database can't be used", ""),
        "title.disk": ("the disk is nearly full", ""),
        "title.inbox_login": ("the IMAP server refuses the log-in", ""),
        "title.inbox": ("incoming mail is not read", ""),
        "title.lmtp": ("the LMTP door is not open", ""),
        "title.outbox_login": ("the SMTP server refuses the log-in", ""),
        "title.outbox": ("outgoing mail is not sent", ""),
        "title.outbox_old": ("outgoing mail piles up", ""),
        "title.canary": ("the test mail does not come back", ""),
        "title.quarantine": ("much mail goes into quarantine", ""),
        "title.automatic": ("very much automatic mail", ""),
        "title.scanner": ("the virus scanner does not answer", ""),
        "title.certificate": ("a TLS certificate is about to end", ""),
        "hanging": (
            "These parts of mailbot show no life: {names}.",
            "Restart it: systemctl restart mailbot. Keep the log from before (journalctl -u mailbot): it helps to find "
            "the cause.",
        ),
        "database": (
            "The database can't be used: {reason}",
            "Look at the database server, or at the disk that data_dir is on, then run: mailbot db check. mailbot goes "
            "on by itself when it is back.",
        ),
        "disk": (
            "Only {free} are left in {folder}.",
            "Make room, or enlarge the disk. When it is full, mailbot can store no mail; it then stays in the inbox.",
        ),
        "disk.inodes": (
            "Only {inodes} inodes (number of files) are left in {folder}.",
            "Delete small files that nobody needs on that file system. Without inodes mailbot can store nothing.",
        ),
        "login.token": (
            "The {server} server refuses the token. {reason}",
            "Usually the owner of the mailbox has to consent again; then store the new token: [{section}] token_file "
            "or token_command. This is no fault of the network: waiting alone mends nothing.",
        ),
        "login.password": (
            "The {server} server refuses user name or password. {reason}",
            "Correct [{section}] username and password, then: systemctl reload mailbot. Waiting alone mends nothing.",
        ),
        "inbox": (
            "The inbox can't be read. {reason}",
            "Look at the IMAP server and the network to it. Mail is safe on that server; mailbot goes on trying and "
            "reads it when it is connected.",
        ),
        "inbox.silent": (
            "No whole turn through the inbox for long, although nothing reports an error.",
            "Look at the log (journalctl -u mailbot) and at the IMAP server: it may be very slow. If need be: "
            "systemctl restart mailbot.",
        ),
        "lmtp": (
            "No mail can be taken in by LMTP. {reason}",
            "Look at [lmtp] listen: another program may have that address. Mail waits at the server that delivers it; "
            "mailbot keeps trying.",
        ),
        "outbox": (
            "Mail can't be sent. {reason}",
            "Look at the SMTP server and the network to it. What waits is not lost: see mailbot outbox list. mailbot "
            "sends it by itself when the server is back.",
        ),
        "outbox_old": (
            "Mail waits ({count}), and none has left since the oldest of it was queued.",
            "See what the server says: mailbot outbox list. When it is mended: mailbot outbox retry.",
        ),
        "outbox_old.due": (
            "Mail waits ({count}) and is not taken up to be sent.",
            "Look at the log and at [smtp] max_per_minute. If need be: systemctl restart mailbot.",
        ),
        "canary": (
            "The test mail that mailbot sent to itself has not come back.",
            "Mail may be lost between SMTP and the inbox: look at forwarding, at the spam filter and at the mail "
            "server's queue for the desk's address.",
        ),
        "canary.unsent": (
            "The SMTP server does not take the test mail: {reason}",
            "Look at the SMTP server: it refuses mail to the desk's own address.",
        ),
        "quarantine": (
            "{count} mails went into quarantine within 24 hours; {held} wait for a person.",
            "Look at them: mailbot quarantine list. Where mailbot itself is at fault, report it with the traceback.",
        ),
        "automatic": (
            "Within the last hour mailbot wrote {count} automatic mails. Most of them: {alike}.",
            "A fault that hits many schools perhaps, perhaps a program that answers each mail. Look: mailbot ticket "
            "list. The cap is [inbound] max_auto_replies; nothing is withheld by this warning.",
        ),
        "scanner": (
            "Files can't be scanned. {reason}",
            "Start the scanner: systemctl start clamav-daemon, or mend [attachments] clamd. The words of mail go on; "
            "files that were held back can be had by: mailbot ticket files N --to FOLDER.",
        ),
        "certificate": (
            "The TLS certificate of the {server} server ends at {ends}.",
            "Have the server's admin renew it. After that moment mailbot can't connect.",
        ),
    },
}
