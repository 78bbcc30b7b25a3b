"""Phrases of bounces (non-delivery reports written in prose), and of people who write about one.

All in lower case, with single spaces and straight apostrophes. Indonesian and English first, then the languages of the
mail systems that schools and their partners use. A phrase is one piece of evidence: `mail.classify.bounce_evidence`
weighs it.
"""

# Tables of words: as many as fit on a line.
# fmt: off

# Parts of the subject of a bounce.
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

# Reports of success and read receipts, whose subjects have the same words.
NO_BOUNCE_SUBJECTS = (
    "(success)", "(relay", "(relayed)", "success notif", "delivery successful", "(berhasil)", "read receipt",
)

# Statements that a mail was not delivered, or not yet.
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

# Reasons of a server's refusal: people quote these too, so they weigh less.
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

# Announces the returned mail.
RETURNED = (
    "original message", "original mail", "returned message", "copy of the message", "copy of your message",
    "below this line is a copy", "copy of the original", "this is a copy", "text of your message", "message header",
    "headers of the message", "header of the original", "headers of the original", "unsent message",
    "attached message", "enclosed message", "message follows", "your message reads", "message contains",
    "message that you sent", "the message contents", "text of the original", "pesan asli", "pesan asal",
    "mensaje original", "message d'origine", "ursprüngliche nachricht", "原信", "原文", "オリジナル", "исходное",
    "копия",
)

# Delivery is delayed and will be retried.
DELAYED = (
    "delay", "will be retried", "being retried", "not yet been delivered", "warning message only",
    "will continue to try", "continue trying", "will keep trying", "still trying", "temporary failure report",
    "only a warning", "is a warning", "kept in the queue", "do not need to resend", "no need to resend",
    "has been postponed", "deferred", "tertunda", "akan dicoba lagi", "wird weiterhin versucht", "retardé",
    "retrasad", "atrasad", "задерж", "遅延", "延迟", "延遲",
)

# How people begin a mail; a mail system without a name of its own comes to the point.
GREETINGS = (
    "yth", "kepada", "selamat", "assalam", "halo", "hai", "hallo", "mohon", "tolong", "pak", "bu ", "bapak", "ibu",
    "min", "admin", "maaf", "dear", "hi ", "hi,", "hello", "good ", "saya", "kami", "i ", "we ", "my ",
)

# First persons: a mail system without a name never uses them in its first lines.
MYSELF = (
    " saya ", " kami ", " aku ", " i ", " i'm ", " i've ", " my ", " we ", " our ", " me ", " anyone ", " ich ",
    " je ",
)
