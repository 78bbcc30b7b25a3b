"""What machines write: bounces, automatic replies, acknowledgements of ticket systems, challenges. Words only.

All lower case, spaces single, apostrophes straight. Indonesian and English first, then the languages of the mail
systems that schools and their partners use. A phrase here is a *sign*: what signs together prove is decided in
`core.bounce_signs` and `core.classify`.
"""

# --- Senders ---------------------------------------------------------------------------------------------------------

# Local parts that only a mail system writes from; dots, dashes, underscores and spaces removed.
DAEMONS = frozenset((
    "mailerdaemon", "maildaemon", "mailerdeamon", "mdaemon", "maildeliverysystem", "maildeliverysubsystem",
    "maildelivery", "mailersystem", "mailsystem", "postoffice", "mmdf", "uucp", "internetmaildelivery",
))
# Display names of mail systems, removed of everything but letters.
DAEMON_NAMES = frozenset((
    "mailerdaemon", "maildeliverysystem", "maildeliverysubsystem", "maildeliveryservice", "mailadministrator",
    "deliverysubsystem", "systemadministrator", "postmaster", "mailsystem", "internetmaildelivery", "mailserver",
    "microsoftoutlook", "mailersystem", "jetmailsystem", "messagedeliverysystem", "emaildeliverysystem",
    "mailarchitectmailserver", "pmdfemailinterconnect",
))
# People stand behind these at times ("postmaster@sekolah.sch.id"), so they are half a sign.
POSTMASTERS = frozenset(("postmaster", "poostmaster", "postmaster1", "mailadm", "mailmaster"))
# Starts and ends of local parts that send and don't read; separators removed.
AUTOMATIC_STARTS = (
    "noreply", "donotreply", "dontreply", "neverreply", "notreply", "noresponse", "janganbalas", "tidakdibalas",
    "bounce", "autoreply", "autoresponse", "autoresponder", "autorespond", "automated", "automail", "automatic",
    "otomatis", "notification", "notifikasi", "notify", "notifier", "newsletter", "mailman", "listserv", "majordomo",
    "mailerdaemon", "maildaemon", "prvs=", "srs0=", "srs1=", "owner-", "ndr", "dsn", "cron", "daemon", "wwwdata",
    "alert", "vacation", "unattended", "robot", "mailbot", "feedbackloop",
)
AUTOMATIC_ENDS = (
    "noreply", "donotreply", "-bounces", "-bounce", "-owner", "-request", "-noreply", "autoreply", "-daemon",
    "notifications", "-notify", "-alerts",
)
AUTOMATIC = frozenset((
    "root", "nobody", "apache", "www", "httpd", "sympa", "ezmlm", "postmaster", "mailer", "smtp", "mta", "imss",
    "fbl", "updates", "system", "sys", "bot", "robot", "server", "www-data",
))
# A list manager speaks for itself from these; a post to the list has its author in From.
LIST_MANAGERS = (
    "-admin", "-owner", "-request", "-bounces", "-help", "-ctl", "listserv", "majordomo", "mailman", "owner-",
)

# Programmes on a mail's way; they write only where something went wrong. Starts of local parts, separators removed.
GATEWAYS = (
    "interscan", "symantec", "antivirus", "virusscan", "mailmarshal", "mailsweeper", "mailgateway", "mailgate",
    "mailgw", "inetgw", "smtpgw", "smtpgateway", "mailfilter", "spamfilter", "surfcontrol", "barracuda", "ironport",
    "mimecast", "mailguard", "mailscanner", "amavis", "microsoftexchange", "imss", "mailrouter", "smtpserver",
    "mailserver",
)
# People, or the machines that they named after themselves.
ADMINS = ("admin", "administrator", "sysadmin", "mailadmin", "systemadmin", "itadmin", "hostmaster", "webmaster", "mms")

# --- Bounces ---------------------------------------------------------------------------------------------------------

BOUNCE_SUBJECTS = (
    # Indonesian
    "tidak terkirim", "tidak dapat dikirim", "gagal terkirim", "gagal dikirim", "pengiriman gagal",
    "pengiriman tertunda", "tidak dapat disampaikan", "pesan dikembalikan", "pemberitahuan status pengiriman",
    "kegagalan pengiriman",
    # English
    "undeliver", "not deliver", "not be deliver", "unable to deliver", "deliverable", "delivery status",
    "delivery notif", "delivery fail", "delivery has", "delivery report", "delivery error", "delivery problem",
    "delivery warning", "delivery delay", "delivery incomplete", "delivery information",
    "delivery confirmation failure", "mail delivery", "message delivery", "non-delivery", "nondelivery",
    "non delivery", "failure notice", "failure notif", "failure deliv", "failed mail", "failed message",
    "failed deliver", "mail fail", "message fail", "mail error", "mail system error", "message error",
    "returned mail", "returned message", "returned email", "returned e-mail", "return to sender",
    "returned to sender", "returning message", "returning to sender", "mail returned", "message returned",
    "not be sent", "could not send", "couldn't be sent", "cannot send", "not sent", "delayed mail", "message delay",
    "mail delay", "has been delayed", "is delayed", "delayed 2", "delayed 4", "you sent blocked", "message blocked",
    "mail blocked", "rejected", "refused", "mail status", "message status", "transfer fail", "transport fail",
    "processing error", "user unknown", "unknown user", "unknown recipient", "user not known", "mailbox full",
    "mailbox is full", "over quota", "quota exceeded", "nameserver error", "bounce", "bad address", "invalid address",
    "problem delivering", "error sending", "trouble sending", "problems delivering", "trouble delivering",
    "error delivering", "ndn:", "ndr:", "dsn:", "not member", "not a member", "loop alert", "cannot accept",
    "unroutable", "unrouteable", "message undeliv",
    # German, French, Spanish, Portuguese, Italian, Dutch
    "unzustellbar", "nicht zugestellt", "nicht zustellbar", "zustellung fehlgeschlagen", "fehlgeschlagene zustellung",
    "non remis", "non délivr", "non delivr", "non distribu", "échec de", "echec de", "retour à l'expéditeur",
    "utilisateur non", "utilisateur inconnu", "no se puede entregar", "no entregado", "no se pudo entregar",
    "error de entrega", "fallo de entrega", "correo devuelto", "mensaje devuelto", "não entregue", "nao entregue",
    "não é possível entregar", "falha na entrega", "falha de entrega", "mancato recapito", "mancata consegna",
    "non recapitabile", "non recapitato", "impossibile recapitare", "onbestelbaar", "niet bezorgd", "niet afgeleverd",
    "kan niet worden bezorgd",
    # Nordic, Slavic, Hungarian, Turkish, Greek
    "kan ikke leveres", "kunne ikke leveres", "kan inte levereras", "kunde inte levereras", "ej levererbar",
    "går inte att leverera", "nie można dostarczyć", "niedostarczon", "nie dostarczono", "nedoručiteln",
    "nelze doručit", "не доставлен", "недоставлен", "недоставка", "ошибка доставки", "kézbesíthetetlen",
    "teslim edilemedi", "iletilemedi", "δεν παραδόθηκε", "αδυναμία παράδοσης",
    # Japanese, Chinese, Korean, Arabic, Hebrew, Vietnamese, Thai
    "メールエラー", "配信不能", "未配信", "配信エラー", "送信エラー", "配送エラー", "配信に失敗", "送信に失敗",
    "配信できません", "送信できません", "エラーメール", "退信", "退回", "投递失败", "投遞失敗", "无法投递",
    "無法投遞", "无法送达", "無法送達", "未送达", "未传递", "发送失败", "未能送达", "반송", "배달되지", "전송 실패",
    "전송실패", "발송실패", "발송 실패", "تعذر", "لم يتم تسليم", "לא ניתן למסור", "không gửi được", "không thể gửi",
    "ไม่สามารถส่ง",
)
# A report that all went well, or that somebody read it, has the same words in its subject.
NO_BOUNCE_SUBJECTS = (
    "(success)", "(relay", "(relayed)", "success notif", "delivery successful", "(berhasil)", "read receipt",
)

# Statements that a mail did not arrive, or not yet.
NOT_DELIVERED = (
    # Indonesian
    "tidak terkirim", "tidak dapat dikirim", "tidak bisa dikirim", "gagal dikirim", "gagal terkirim",
    "gagal mengirim", "pengiriman gagal", "pengiriman pesan gagal", "tidak dapat disampaikan", "tidak dapat diantar",
    "belum terkirim", "dikembalikan ke pengirim", "dikembalikan kepada pengirim", "pengiriman tertunda",
    "pesan diblokir", "pesan ditolak",
    # English
    "not be delivered", "n't be delivered", "not delivered", "n't delivered", "not been delivered",
    "not yet been delivered", "not be sent", "unable to deliver", "unable to be delivered", "able to deliver",
    "could not deliver", "couldn't deliver", "cannot deliver", "can't deliver", "failed to deliver", "failed deliver",
    "not be completed", "did not reach", "didn't reach", "not reached the following", "could not be reached",
    "could not be forwarded", "delivery to the following", "delivery to these recipients", "delivery failed",
    "delevery to the following", "delivery has failed", "delivery failure", "delivery of the following",
    "delivery of email to", "delivery problems", "delivery errors", "delivery error", "fatal error", "fatal delivery",
    "failed permanently", "permanent error", "permanent failure", "undeliverable", "undelivered",
    "returned to sender", "returned to you", "message returned", "has been returned", "is being returned",
    "was returned", "returned mail", "returned below", "returned message", "bounce message", "bounced",
    "was rejected", "been rejected", "is rejected", "automatically rejected", "rejected your message", "rejected by",
    "was refused", "been refused", "refused by", "message you sent was blocked", "was blocked", "been blocked",
    "not a member", "not member", "duplicated message-id", "may not have permission to post",
    "group you tried to contact", "not allowed to post", "is delayed", "been delayed", "delayed for",
    "will be retried", "still being retried", "has been postponed", "being retried", "kept in the queue",
    "delivery attempts", "failed after", "too many hops", "transcript of session", "failure reasons",
    "failed recipient", "failed address", "error detail", "reason for failure",
    "diagnostic information for administrators", "non-delivery report", "mail delivery software",
    "delivery status notification", "qmail-send program", "returned because", "no valid recipients",
    "error processing", "error during delivery", "error while being processed", "error was detected while processing",
    "could not be processed", "was not accepted", "not be accepted", "not accepted for delivery", "unable to accept",
    "does not accept mail", "doesn't accept", "not accepting mail", "not accepting messages", "is no longer valid",
    "no longer available", "invalid final delivery", "undeliverable to", "following addresses had",
    "trouble delivering", "aborted after", "delivery was aborted", "following recipients cannot be reached",
    "problem with the e-mail address", "does not have a mailbox", "encountered an error", "exceeded maximum delivery",
    "couldn't find", "wasn't found at", "because the address couldn", "could not be found",
    "due to the following error", "exceeds the maximum", "exceeded the maximum", "too large to", "we could not send",
    "sorry, your message",
    # German, French, Spanish, Portuguese, Italian, Dutch
    "nicht zugestellt", "unzustellbar", "nicht zustellbar", "zustellung fehlgeschlagen", "nicht ausgeliefert",
    "konnte nicht übermittelt", "zurückgewiesen", "annahme verweigert", "n'a pas pu être", "n'a pas pu etre",
    "n'a pas été remis", "n'a pu être", "non remis", "échec de la remise", "échec de remise",
    "impossible de remettre", "impossible de délivrer", "retourné à l'expéditeur", "no se pudo entregar",
    "no pudo ser entregado", "no ha podido ser entregado", "no se ha podido entregar", "no se puede entregar",
    "no ha podido entregar", "devuelto al remitente", "não pôde ser entregue", "não foi entregue",
    "não foi possível entregar", "não pode ser entregue", "nao pode ser", "nao foi possivel", "falha na entrega",
    "non è stato possibile", "non è stato recapitato", "non e' stato", "impossibile recapitare", "mancata consegna",
    "mancato recapito", "non può essere recapitato", "niet worden bezorgd", "niet worden afgeleverd", "niet bezorgd",
    "niet afgeleverd",
    # Nordic, Slavic, Hungarian, Turkish, Greek
    "inte levereras", "ikke leveres", "ikke leveret", "inte leverera", "nie można dostarczyć",
    "nie została dostarczona", "nie mogła zostać", "nie dostarczono", "nelze doručit", "nebyla doručena",
    "не может быть доставлено", "не доставлено", "не удалось доставить", "не было доставлено", "невозможно доставить",
    "ошибка доставки", "не могла быть доставлена", "nem kézbesíthető", "nem sikerült kézbesíteni", "teslim edilemedi",
    "iletilemedi", "δεν ήταν δυνατή η παράδοση",
    # Japanese, Chinese, Korean, Arabic, Hebrew, Vietnamese, Thai
    "送信できません", "配信できません", "配送できません", "送信出来", "配信出来", "届けられません",
    "お届けできません", "届きません", "配信に失敗", "送信に失敗", "配送に失敗", "受信できません", "宛先不明",
    "存在しません", "見つかりません", "一杯のため", "无法投递", "無法投遞", "无法送达", "無法送達", "无法发送",
    "無法傳送", "投递失败", "發送失敗", "发送失败", "退信", "被退回", "未能送达", "未能投递", "不能投递", "无法到达",
    "邮件无法", "拒收", "전달할 수 없", "전달되지", "배달되지", "배달할 수 없", "보낼 수 없", "전송하지 못", "반송",
    "تعذر تسليم", "لم يتم تسليم", "לא ניתן היה למסור", "không thể gửi", "không gửi được", "ไม่สามารถส่ง",
)
# Why a server refused: people quote these too, so they weigh less.
REFUSALS = (
    "requested action not taken", "requested mail action", "user unknown", "unknown user", "unknown recipient",
    "unknown local", "no such user", "no such recipient", "no such mailbox", "no mailbox here", "mailbox is full",
    "mailbox full", "mailbox unavailable", "over quota", "quota exceeded", "quota violation", "quotaexceeded",
    "does not exist", "doesn't exist", "doesn't have a", "does not have a", "invalid recipient",
    "recipient address rejected", "sender address rejected", "recipient rejected", "address rejected",
    "not listed in", "user not found", "user not known", "account disabled", "account is disabled",
    "account has been disabled", "unrouteable", "unroutable", "host unknown", "host not found", "domain not found",
    "name service error", "connection refused", "connection timed out", "relay access denied", "relaying denied",
    "mail loop", "temporary failure", "access denied", "reverse dns", "tidak ditemukan", "kotak masuk penerima penuh",
)
# The mail that came back follows.
RETURNED = (
    "original message", "original mail", "returned message", "copy of the message", "copy of your message",
    "below this line is a copy", "copy of the original", "this is a copy", "text of your message", "message header",
    "headers of the message", "header of the original", "headers of the original", "unsent message",
    "attached message", "enclosed message", "message follows", "your message reads", "message contains",
    "message that you sent", "the message contents", "text of the original", "pesan asli", "pesan asal",
    "mensaje original", "message d'origine", "ursprüngliche nachricht", "原信", "原文", "オリジナル", "исходное",
    "копия",
)
# Not yet, but perhaps later.
DELAYED = (
    "delay", "will be retried", "being retried", "not yet been delivered", "warning message only",
    "will continue to try", "continue trying", "will keep trying", "still trying", "temporary failure report",
    "only a warning", "is a warning", "kept in the queue", "do not need to resend", "no need to resend",
    "has been postponed", "deferred", "tertunda", "akan dicoba lagi", "wird weiterhin versucht", "retardé",
    "retrasad", "atrasad", "задерж", "遅延", "延迟", "延遲",
)

# How people begin; a mail system that has no name of its own comes to the point.
GREETINGS = (
    "yth", "kepada", "selamat", "assalam", "halo", "hai", "hallo", "mohon", "tolong", "pak", "bu ", "bapak", "ibu",
    "min", "admin", "maaf", "dear", "hi ", "hi,", "hello", "good ", "saya", "kami", "i ", "we ", "my ",
)

# Whom a mail system that has no name never speaks of in its first lines.
MYSELF = (
    " saya ", " kami ", " aku ", " i ", " i'm ", " i've ", " my ", " we ", " our ", " me ", " anyone ", " ich ",
    " je ",
)

# --- Automatic replies -----------------------------------------------------------------------------------------------

# Start of a subject that a vacation programme makes.
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
# Start of a subject that a ticket system or a challenge makes.
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
# A machine says of itself that it is one, in its first lines.
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
    # others
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
# A headline of its own above such a text: counts at the very start and with a mark after it ("*** Auto reply ***").
MACHINE_HEADLINES = (
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
# What the reader of an absence note learns; people write it by hand as well.
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
    # others
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
# Every phrase of I_AM_A_MACHINE and MACHINE_HEADLINES has one of these in it: a quick look before the long one.
MACHINE_STEMS = (
    "otomat", "automa", "automá", "an auto", "auto-", "auto ", "autog", "autor", "autos", "autoodp", "system",
    "membalas", "balas ", "dibalas", "reply", "respond", "respon", "monitored", "unattended", "vacation", "confirm",
    "spammer", "your message", "moderator", "held until", "one-time", "prove that", "out of", "abwesen", "avtom",
    "автомат", "автоответ", "αυτόματη", "自動", "自动", "자동", "تلقائي", "tự động", "jangan balas",
)
# A line that ends so, or begins so, introduces somebody else's text ("Pada … Sally menulis:", "Dari: Sally").
QUOTE_ENDS = (
    "menulis:", "wrote:", "writes:", "schrieb:", "a écrit :", "a écrit:", "escribió:", "escreveu:", "ha scritto:",
    "schreef:", "skrev:", "napisał:", "napisał(a):", "пишет:", "написал:", "写道：", "写道:", "さんは書きました:",
)
HEADER_BLOCKS = (
    "dari:", "dari :", "from:", "from :", "von:", "de:", "de :", "van:", "da:", "från:", "fra:", "kimden:", "от:",
    "发件人", "差出人", "寄件者", "보낸 사람",
)

# --- Absence: until when ---------------------------------------------------------------------------------------------

# The next day of work follows.
BACK_ON = (
    "kembali bekerja", "kembali masuk kerja", "kembali masuk kantor", "kembali masuk", "masuk kembali",
    "kembali ke kantor", "kembali aktif", "aktif kembali", "kembali bertugas", "akan kembali", "kembali lagi",
    "kembali", "will be back in the office", "will be back", "be back in the office", "back in the office",
    "back at work", "back at my desk", "will return to the office", "will return", "returning to the office",
    "returning", "return to work", "i return", "return date", "be back", "back",
)
# The last day of the absence follows.
AWAY_UNTIL = ("sampai dengan", "sampai", "hingga", "s/d", "s.d.", "s.d", "sd", "until", "till", "through", "thru", "to")
# May stand between those and the date.
DATE_FILLERS = (
    "pada", "tanggal", "tgl", "hari", "di", "mulai", "on", "the", "of", "from", "work", "in", "office", "sekitar",
    "around", "bekerja", "kerja", "masuk", "ke", "kantor", "sekolah", "aktif", "bertugas", "lagi", "to", "my", "desk",
    ":", "-", ",", "=", ".",
)
SHORT_MONTHS = {
    "jan": 1, "feb": 2, "peb": 2, "mar": 3, "apr": 4, "may": 5, "mei": 5, "jun": 6, "jul": 7, "aug": 8, "agu": 8,
    "ags": 8, "agt": 8, "sep": 9, "sept": 9, "oct": 10, "okt": 10, "nov": 11, "nop": 11, "dec": 12, "des": 12,
}
SPELT_DAYS = ("jum'at", "ahad", "minggu ini")
NEAR_DAYS = ("minggu depan", "pekan depan", "bulan depan", "next week", "next month", "besok", "lusa", "tomorrow")
SPELT_MONTHS = {"pebruari": 2, "nopember": 11}
