"""Phrases of automatic replies, ticket acknowledgements and challenge-response systems.

All in lower case, with single spaces and straight apostrophes. Indonesian and English first, then the languages of the
mail systems that schools and their partners use. A phrase is one hint among others: `mail.classify.auto_reply` gives it
its weight, `mail.classify.rules` decides.
"""

# Tables of words: as many as fit on a line.
# fmt: off

# How the subject of a vacation reply starts.
AUTO_SUBJECTS = (
    # Indonesian, Malay
    "balasan otomatis", "jawaban otomatis", "balas otomatis", "jawab otomatis", "pesan otomatis", "email otomatis",
    "respon otomatis", "respons otomatis", "pemberitahuan otomatis", "tanggapan otomatis", "autorespon",
    "di luar kantor", "diluar kantor", "sedang di luar kantor", "tidak di kantor", "tidak berada di kantor",
    "sedang cuti", "dalam cuti", "masa cuti", "cuti", "sedang dinas luar", "dinas luar", "jawapan automatik",
    "balasan automatik",
    # English
    "auto", "autoreply", "auto reply", "auto-reply", "automatic reply", "automated reply", "automatic response",
    "automated response", "automatic message", "automated message", "auto response", "auto-response", "autoresponse",
    "autoresponder", "auto responder", "auto-responder", "automatische", "out of office", "out of the office",
    "out-of-office", "ooo", "oof", "away from my mail", "away from the office", "away from office", "on vacation",
    "vacation", "vacation reply", "vacation response", "vacation notice", "vacation message", "on leave",
    "annual leave", "on holiday", "i am away", "i'm away", "i am out of", "i'm out of", "i am on leave", "absence",
    "currently away", "no longer with", "no longer at",
    # German, French, Spanish, Portuguese, Italian, Dutch
    "automatische antwort", "abwesenheitsnotiz", "abwesenheit", "abwesend", "nicht im büro", "urlaub",
    "réponse automatique", "reponse automatique", "message d'absence", "absence du bureau", "absent du bureau",
    "absent", "en congé", "respuesta automática", "respuesta automatica", "fuera de la oficina", "fuera de oficina",
    "ausente", "de vacaciones", "resposta automática", "resposta automatica", "ausência", "fora do escritório",
    "férias", "risposta automatica", "fuori sede", "fuori ufficio", "assente", "risposta non al computer", "in ferie",
    "automatisch antwoord", "automatische antwoord", "afwezig", "afwezigheid", "niet op kantoor", "met vakantie",
    # Nordic, Slavic, Hungarian, Turkish, Greek
    "autosvar", "automatisk svar", "automatiskt svar", "frånvaro", "fravær", "fraværende", "ikke på kontoret",
    "automaattinen vastaus", "poissa", "automatická odpověď", "automatické odpovědi", "mimo kancelář",
    "autoodpowiedź", "odpowiedź automatyczna", "automatyczna odpowiedź", "poza biurem", "nieobecność", "автоответ",
    "автоматический ответ", "автоматична відповідь", "вне офиса", "отпуск", "automatikus válasz", "házon kívül",
    "otomatik yanıt", "otomatik cevap", "ofis dışında", "αυτόματη απάντηση", "εκτός γραφείου",
    # Japanese, Chinese, Korean, Arabic, Hebrew, Vietnamese, Thai
    "自動返信", "自動応答", "自動回答", "不在通知", "不在", "外出中", "自动回复", "自動回覆", "自动答复", "休假",
    "不在办公室", "자동 회신", "자동회신", "자동 응답", "자동응답", "부재중", "رد تلقائي", "תשובה אוטומטית",
    "מענה אוטומטי", "trả lời tự động", "ตอบกลับอัตโนมัติ",
)
# How the subject of a ticket system or of a challenge starts.
SYSTEM_SUBJECTS = (
    "ticket received", "[ticket", "ticket created", "new ticket created", "your ticket",
    "your request has been received", "request received", "your request", "case created", "your case", "case opened",
    "we have received", "we've received", "we received your", "thank you for contacting", "thanks for contacting",
    "thank you for your email", "thank you for your e-mail", "thank you for your message",
    "thank you for your inquiry", "support ticket", "acknowledgement", "acknowledgment", "confirmation of receipt",
    "message received", "email received", "laporan anda telah", "laporan anda sudah", "tiket anda telah",
    "tiket baru", "permintaan anda telah", "terima kasih telah menghubungi", "terima kasih sudah menghubungi",
    "terimakasih telah menghubungi", "email anda telah kami terima", "pesan anda telah", "konfirmasi penerimaan",
    "please confirm your message", "please confirm your email", "please confirm that", "confirm your email to",
    "confirm your message", "confirmation required", "confirmation request", "action required: confirm", "[boxbe]",
    "your message to", "your email to", "sender verification", "verify your email", "verification required",
    "verification request", "awaiting your confirmation", "request for confirmation", "verifikasi pengirim",
    "gracias por contactar", "merci de votre message", "accusé de réception", "eingangsbestätigung",
    "empfangsbestätigung",
)
# A machine says in its first lines that it is one.
I_AM_A_MACHINE = (
    # Indonesian
    "ini adalah balasan otomatis", "ini merupakan balasan otomatis", "ini balasan otomatis",
    "ini adalah jawaban otomatis", "ini merupakan jawaban otomatis", "ini adalah pesan otomatis",
    "ini pesan otomatis", "ini merupakan pesan otomatis", "ini adalah email otomatis", "ini adalah e-mail otomatis",
    "ini adalah respon otomatis", "ini adalah respons otomatis", "dikirim secara otomatis", "dikirim otomatis",
    "dibuat secara otomatis", "dihasilkan secara otomatis", "terkirim secara otomatis", "dijawab secara otomatis",
    "dibalas secara otomatis", "email ini otomatis", "jangan membalas email ini", "jangan membalas pesan ini",
    "jangan balas email ini", "jangan balas pesan ini", "tidak membalas email ini", "tidak membalas pesan ini",
    "tidak perlu membalas email ini", "tidak perlu dibalas",
    # English
    "this is an automated", "this is an automatic", "this is an auto", "this is a system generated",
    "this is a system-generated", "this email is automatically", "this e-mail is automatically",
    "this message is automatically", "this message was automatically", "this email was automatically",
    "automatically generated", "generated automatically", "created automatically", "sent automatically",
    "auto-generated", "autogenerated", "unattended mailbox", "not monitored", "unmonitored", "do not reply to this",
    "don't reply to this", "do not respond to this", "please do not reply", "vacation program", "vacation message",
    "requires confirmation before it", "confirm that you are", "not a spammer", "to deliver your message",
    "awaits moderator approval", "being held until", "one-time verification", "prove that you are",
    # other languages
    "automatisch generiert", "automatisch erstellt", "automatisch versandt", "dies ist eine automatische",
    "ceci est un message automatique", "ceci est une réponse automatique", "généré automatiquement",
    "envoyé automatiquement", "es una respuesta automática", "es un mensaje automático", "generado automáticamente",
    "é uma resposta automática", "é uma mensagem automática", "gerada automaticamente", "è una risposta automatica",
    "è un messaggio automatico", "generato automaticamente", "dit is een automatisch", "automatisch gegenereerd",
    "är ett automatiskt", "er et automatisk", "skickats automatiskt", "je automatická odpověď", "jest automatyczna",
    "wygenerowana automatycznie", "это автоматический ответ", "создано автоматически", "отправлено автоматически",
    "otomatik olarak", "otomatik bir", "είναι αυτόματη", "自動的に", "自動送信", "自動で", "自动发送", "系统自动",
    "자동으로", "자동 발송",
)
# Default texts of ticket systems.
TICKET_SYSTEMS = (
    "has been received and is being reviewed by our",  # Zendesk
    "a request for support has been created and assigned",  # osTicket
    "automatically generated in response to the creation of",  # Request Tracker
    "just created this request",  # Jira Service Management
    "powered by jira service management", "delivered by zendesk", "automatically generated by glpi",
    "your ticket number is",  # OTRS, OTOBO, Znuny
    "nomor tiket anda adalah", "tiket anda telah dibuat dengan nomor",
)
# A headline above such a text: counts at the very start and with punctuation after it ("*** Auto reply ***").
MACHINE_HEADLINES = (
    "please type your reply above this line", "type your reply above this line", "please reply above this line",
    "reply above this line", "ketik balasan anda di atas baris ini", "harap ketik balasan anda di atas baris ini",
    "balasan otomatis", "jawaban otomatis", "pesan otomatis", "email otomatis", "respon otomatis", "respons otomatis",
    "automated response", "automated reply", "automated message", "automatic reply", "automatic response",
    "auto-reply", "auto reply", "autoreply", "autoresponse", "auto-response", "auto response", "autoresponder",
    "auto-responder", "out of office", "out of the office", "automatische antwort", "abwesenheitsnotiz",
    "réponse automatique", "message automatique", "respuesta automática", "mensaje automático", "resposta automática",
    "mensagem automática", "risposta automatica", "messaggio automatico", "automatisch antwoord", "automatisk svar",
    "automatiskt svar", "autosvar", "automatická odpověď", "odpowiedź automatyczna", "wiadomość automatyczna",
    "автоматический ответ", "автоответ", "otomatik yanıt", "αυτόματη απάντηση", "自動返信", "自動応答", "自动回复",
    "自動回覆", "자동 응답", "자동응답", "자동 회신", "رد تلقائي", "trả lời tự động",
)

# Every phrase of I_AM_A_MACHINE, TICKET_SYSTEMS and MACHINE_HEADLINES contains one of these: a cheap test first.
MACHINE_STEMS = (
    "being reviewed by our", "request for support", "this request", "jira service", "by zendesk", "ticket number",
    "nomor tiket anda", "tiket anda telah", "ketik balasan", "otomat", "automa", "automá", "an auto", "auto-",
    "auto ", "autog", "autor", "autos", "autoodp", "system", "membalas", "balas ", "dibalas", "reply", "respond",
    "respon", "monitored", "unattended", "vacation", "confirm", "spammer", "your message", "moderator", "held until",
    "one-time", "prove that", "out of", "abwesen", "avtom", "автомат", "автоответ", "αυτόματη", "自動", "自动",
    "자동", "تلقائي", "tự động", "jangan balas",
)
