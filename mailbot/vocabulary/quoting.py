"""Words by which quotations, forwards, signatures and mail footers are recognised, in many languages.

`mail.reply.quote_start`, `mail.reply.signature` and `mail.reply.forward` say what has to stand around them. Keys of the
language tables are ISO 639-1 codes; they name the rule that matched ("attribution:id"). Compared without case.
"""

# Tables of words: as many as fit on a line.
# fmt: off

# Our own marker line, which the templates put above the text: Indonesian, then English.
MARKER_LINES = ("Tulis balasan Anda di atas garis ini", "Write your reply above this line")
# The marker lines of other desks and of our own older templates.
OTHER_MARKER_LINES = (
    "Balas di atas garis ini", "Reply above this line", "Please type your reply above this line",
    "Type your reply above this line", "Please reply above this line", "Harap balas di atas baris ini",
    "Silakan balas di atas garis ini", "Tulis balasan di atas garis ini",
)

# The verb of "On Monday, Sally wrote:". Longer forms before the shorter ones that they begin with.
WROTE = {
    "id": ("menulis",),
    "en": ("wrote", "writes"),
    "de": ("schrieb folgendes", "hat geschrieben", "schrieb"),
    "fr": ("a écrit", "a ecrit", "écrit"),
    "es": ("escribió", "escribio", "escribe"),
    "it": ("ha scritto", "scrive"),
    "pt": ("escreveu",),
    "nl": ("het volgende geschreven", "geschreven", "schreef"),
    "pl": ("napisał(a)", "napisał/a", "napisała", "napisał", "pisze", "nadesłał(a)", "nadesłał"),
    "ru": ("написал(а)", "написала", "написали", "написал", "пишет", "писал(а)", "писал"),
    "sv": ("skrev följande", "skrev"),
    "da": ("skrev følgende",),
    "nb": ("skrev følgende",),
    "fi": ("kirjoitti",),
    "cs": ("napsal(a)", "napsala", "napsal", "napísal(a)", "napísal"),
    "hu": ("ezt írta", "írta"),
    "tr": ("şunu yazdı", "şöyle yazdı", "yazdı"),
    "ja": ("さんは書きました", "は書きました", "が書きました", "のメール", "のメッセージ", "さんからのメール"),
    "zh": ("写道", "寫道", "写到", "寫到", "编写", "写信给你"),
    "ko": ("님이 작성", "작성하였습니다", "작성했습니다", "작성", "썼습니다", "씀"),
    "vi": ("đã viết", "viết"),
    "th": ("ได้เขียน", "เขียนว่า", "เขียน"),
    "ar": ("تمت كتابة ما يلي بواسطة", "كتبت", "كتب"),
    "he": ("כתב/ה", "כתבה", "כתבו", "כתב", "מאת"),
    "ro": ("a scris",),
    "uk": ("написав(-ла)", "написала", "написав", "пише", "писав"),
    "el": ("έγραψε",),
    "bg": ("написа",),
    "hr": ("napisao je", "je napisao/la", "je napisao", "je napisala", "napisao", "piše"),
    "sl": ("je napisal", "je napisala"),
    "lt": ("rašė",),
    "lv": ("rakstīja",),
    "et": ("kirjutas",),
    "ca": ("va escriure",),
    "fa": ("نوشت",),
    "hi": ("ने लिखा", "लिखा"),
}

# Languages where the author, or the date, may stand behind the verb: "Am 3.11.2025 um 15:10 schrieb Sally <…>:".
VERB_BEFORE_NAME = frozenset((
    "id", "de", "nl", "sv", "da", "nb", "ru", "uk", "hu", "fr", "en", "pt", "es", "it", "zh", "ro", "cs", "ar",
    "he",
))

# How an attribution begins where it does not begin with a day, a date or a name.
INTRODUCTIONS = (
    "Pada tanggal", "Pada hari", "Pada", "Tanggal", "Tgl", "On", "At", "Am", "Le", "El", "El día", "Il giorno",
    "Il", "In data", "Em", "No dia", "Op", "W dniu", "Dnia", "Den", "På", "Dne", "Dňa", "În data de", "În",
    "Pe data de", "Pe", "La data de", "La", "Vào lúc", "Vào", "Lúc", "เมื่อ", "ในวันที่", "วันที่", "في", "بتاريخ",
    "בתאריך", "ב-", "ביום", "Στις", "Την", "Στη", "在", "于", "於", "В", "Во", "От", "У", "Missatge de", "Dana",
    "Kell", "Nel giorno",
)

# Days, as short as they are written; a full name counts by its beginning.
DAYS = (
    "sen", "sel", "rab", "kam", "jum", "sab", "min", "ming", "ahad", "mon", "tue", "tues", "wed", "thu", "thur",
    "thurs", "fri", "sat", "sun", "mo", "di", "mi", "do", "don", "fr", "fre", "sa", "so", "mit", "die", "lun",
    "mar", "mer", "jeu", "ven", "sam", "dim", "mié", "mie", "jue", "vie", "sáb", "dom", "gio", "seg", "ter", "qua",
    "qui", "sex", "ma", "wo", "vr", "za", "zo", "pon", "wt", "śr", "czw", "pt", "sob", "niedz", "niedziela",
    "wtorek", "środa", "пн", "вт", "ср", "чт", "пт", "сб", "вс", "нд", "пон", "вто", "сре", "чет", "пят", "суб",
    "вос", "понед", "вівт", "сер", "п'ят", "нед", "mån", "man", "tis", "tir", "tirs", "ons", "tor", "tors", "lör",
    "lør", "sön", "søn", "ti", "ke", "to", "pe", "la", "su", "maan", "tiis", "kesk", "torst", "perj", "lauan",
    "sunn", "po", "út", "st", "čt", "pá", "ne", "pond", "úter", "stř", "čtv", "pát", "sobota", "neděle", "utorok",
    "streda", "hétfő", "kedd", "szerda", "csüt", "péntek", "szombat", "vasárnap", "sze", "cs", "szo", "pzt", "sal",
    "çar", "per", "cum", "cmt", "paz", "pazar", "joi", "vin", "sâm", "dum", "miercuri", "δευ", "τρί", "τετ", "πέμ",
    "παρ", "σάβ", "κυρ", "thứ", "cn", "วัน", "จ", "יום", "الاثنين", "الثلاثاء", "الأربعاء", "الخميس", "الجمعة",
    "السبت", "الأحد",
)

# Months by the beginnings of their names, January first; enough of each to tell it from the others.
MONTHS = (
    (
        "jan", "janv", "ene", "gen", "sty", "янв", "янва", "sij", "led", "tammi", "oca", "ian", "січ", "ιαν",
        "يناير", "ינו", "ม.ค", "มกราคม", "tháng 1",
    ),
    (
        "feb", "peb", "fév", "fev", "lut", "фев", "helmi", "úno", "şub", "лют", "φεβ", "فبراير", "פבר", "ก.พ",
        "กุมภา", "tháng 2",
    ),
    (
        "mar", "mär", "maa", "mrt", "mrz", "мар", "бер", "bře", "már", "μαρ", "مارس", "מרץ", "มี.ค", "มีนาคม",
        "tháng 3",
    ),
    (
        "apr", "avr", "abr", "kwi", "апр", "кві", "huhti", "dub", "ápr", "nis", "απρ", "أبريل", "אפר", "เม.ย",
        "เมษา", "tháng 4",
    ),
    (
        "may", "mei", "mai", "maj", "mag", "maio", "мая", "май", "тра", "touko", "kvě", "máj", "μαΐ", "مايو", "מאי",
        "พ.ค", "พฤษภา", "tháng 5",
    ),
    (
        "jun", "juin", "giu", "cze", "июн", "чер", "kesä", "čer", "jún", "haz", "ιου", "يونيو", "יוני", "มิ.ย",
        "มิถุนา", "tháng 6",
    ),
    (
        "jul", "juil", "lug", "lip", "июл", "лип", "heinä", "čvc", "červenc", "júl", "tem", "يوليو", "יולי", "ก.ค",
        "กรกฎา", "tháng 7",
    ),
    (
        "aug", "agu", "ags", "agt", "agus", "aoû", "ago", "sie", "авг", "сер", "elo", "srp", "ağu", "αυγ", "أغسطس",
        "אוג", "ส.ค", "สิงหา", "tháng 8",
    ),
    (
        "sep", "set", "wrz", "сен", "вер", "syys", "zář", "szept", "eyl", "σεπ", "سبتمبر", "ספט", "ก.ย", "กันยา",
        "tháng 9",
    ),
    (
        "oct", "okt", "ott", "out", "paź", "окт", "жов", "loka", "říj", "eki", "οκτ", "أكتوبر", "אוק", "ต.ค", "ตุลา",
        "tháng 10",
    ),
    ("nov", "nop", "lis", "ноя", "лис", "marras", "kas", "νοε", "نوفمبر", "נוב", "พ.ย", "พฤศจิ", "tháng 11"),
    (
        "dec", "des", "dez", "dic", "déc", "gru", "дек", "гру", "joulu", "pro", "ara", "δεκ", "ديسمبر", "דצמ",
        "ธ.ค", "ธันวา", "tháng 12",
    ),
)

# Names of the header lines that Outlook and others put above what they quote or forward.
HEADER_KEYS = {
    "from": (
        "From", "Dari", "Pengirim", "Daripada", "Von", "Absender", "De", "Expéditeur", "Da", "Mittente",
        "Remetente", "Van", "Afzender", "Od", "Nadawca", "От", "От кого", "Отправитель", "Від", "Від кого", "Från",
        "Avsändare", "Fra", "Afsender", "Avsender", "Lähettäjä", "Odesílatel", "Feladó", "Kimden", "Gönderen",
        "差出人", "送信者", "送信元", "发件人", "發件人", "寄件者", "寄件人", "보낸 사람", "보낸사람", "보낸이",
        "발신", "Từ", "Người gửi", "จาก", "من", "מאת", "De la", "Expeditor", "Από", "Remitente", "Saatja", "Šalje",
    ),
    "sent": (
        "Sent", "Date", "Sent at", "Date Sent", "Dikirim", "Terkirim", "Tanggal", "Tgl", "Tgl.", "Dikirim pada",
        "Waktu", "Dihantar", "Tarikh", "Gesendet", "Gesendet am", "Datum", "Envoyé", "Envoyé le", "Date d'envoi",
        "Enviado", "Enviado el", "Enviado em", "Enviada em", "Enviada", "Enviado a las", "Fecha", "Data",
        "Data de envio", "Inviato", "Inviato il", "Data invio", "Verzonden", "Verstuurd", "Wysłano", "Wysłane",
        "Data wysłania", "Отправлено", "Дата", "Дата отправки", "Skickat", "Sendt", "Dato", "Lähetetty",
        "Päivämäärä", "Päiväys", "Pvm", "Odesláno", "Odeslané", "Elküldve", "Küldve", "Küldés dátuma", "Dátum",
        "Gönderilme tarihi", "Gönderim tarihi", "Gönderilen", "Gönderildi", "Tarih", "送信日時", "日時", "日付",
        "送信", "发送时间", "發送時間", "发送日期", "日期", "时间", "寄件日期", "傳送日期", "보낸 날짜", "보낸날짜",
        "날짜", "보낸 시간", "Đã gửi", "Gửi lúc", "Ngày", "Ngày gửi", "วันที่", "ส่ง", "ส่งเมื่อ", "تاريخ الإرسال",
        "تم الإرسال", "التاريخ", "تاريخ", "أُرسلت", "נשלח", "תאריך", "Trimis", "Надіслано", "Στάλθηκε", "Ημερομηνία",
        "Saadetud", "Poslano",
    ),
    "to": (
        "To", "Kepada", "Kepada Yth", "Ke", "Untuk", "Penerima", "An", "Empfänger", "À", "A", "Destinataire",
        "Para", "Destinatario", "Destinatário", "Aan", "Ontvanger", "Do", "Adresat", "Кому", "Получатель", "До",
        "Till", "Til", "Vastaanottaja", "Komu", "Címzett", "Kime", "Alıcı", "宛先", "受信者", "收件人", "收件者",
        "받는 사람", "받는사람", "받는이", "수신", "Đến", "Tới", "Người nhận", "ถึง", "إلى", "אל", "Către", "Catre",
        "Προς", "Saaja", "Za",
    ),
    "cc": (
        "Cc", "Cci", "Bcc", "Kopie", "Kopia", "Copie", "Copie à", "Copia", "Kopi", "Копия", "Копія", "Kopio",
        "Másolatot kap", "Másolat", "Bilgi", "DW", "UDW", "抄送", "副本", "參照", "참조", "สำเนา", "نسخة",
        "نسخة إلى", "עותק", "Salinan", "Tembusan", "Κοιν", "Κοινοποίηση", "ส่งสำเนา",
    ),
    "subject": (
        "Subject", "Subjek", "Subyek", "Perkara", "Topik", "Judul", "Perihal", "Hal", "Betreff", "Objet", "Sujet",
        "Asunto", "Oggetto", "Assunto", "Onderwerp", "Temat", "Тема", "Ämne", "Emne", "Aihe", "Předmět", "Predmet",
        "Tárgy", "Konu", "件名", "主题", "主題", "主旨", "标题", "제목", "Chủ đề", "Tiêu đề", "หัวเรื่อง", "เรื่อง",
        "ชื่อเรื่อง", "الموضوع", "נושא", "Subiect", "Θέμα", "Teema",
    ),
    "other": (
        "Reply-To", "Reply To", "Balas ke", "Balas-Ke", "Antwort an", "Répondre à", "Responder a", "Rispondi a",
        "Organization", "Organisation", "Organisatie", "Organización", "Attachments", "Lampiran", "Anlagen",
        "Anhänge", "Pièces jointes", "Allegati", "Adjuntos", "Anexos", "Bijlagen", "Załączniki", "Вложения",
        "Bilagor", "Importance", "Kepentingan", "Priority", "Prioritas", "Wichtigkeit", "Priorität", "List-Post",
        "Newsgroups",
    ),
}

# The language of a sender field, where only one language uses that name.
FROM_LANGUAGES = {
    "id": ("Dari", "Pengirim"),
    "en": ("From",),
    "de": ("Von", "Absender"),
    "fr": ("Expéditeur",),
    "es": ("Remitente",),
    "it": ("Da", "Mittente"),
    "pt": ("Remetente",),
    "nl": ("Van", "Afzender"),
    "pl": ("Nadawca",),
    "ru": ("От", "Отправитель"),
    "uk": ("Від",),
    "sv": ("Från", "Avsändare"),
    "da": ("Afsender",),
    "nb": ("Avsender",),
    "fi": ("Lähettäjä",),
    "cs": ("Odesílatel",),
    "hu": ("Feladó",),
    "tr": ("Kimden", "Gönderen"),
    "ja": ("差出人", "送信者", "送信元"),
    "zh": ("发件人", "發件人", "寄件者", "寄件人"),
    "ko": ("보낸 사람", "보낸사람", "보낸이"),
    "vi": ("Từ", "Người gửi"),
    "th": ("จาก",),
    "ar": ("من",),
    "he": ("מאת",),
    "ro": ("De la", "Expeditor"),
    "el": ("Από",),
}

# "-----Original Message-----" of a reply.
ORIGINAL_MESSAGE = (
    "Original", "Original Message", "Replied Message", "Replied message", "回复的原邮件", "Original Appointment",
    "Original E-mail", "Original Email", "Original Mail", "Reply message", "Reply Message", "Pesan Asli",
    "Pesan asal", "Mesej asal", "Surat Asli", "Email asli", "Pesan balasan", "Pesan Sebelumnya",
    "Ursprüngliche Nachricht", "Original-Nachricht", "Originalnachricht", "Original Nachricht",
    "Ursprüngliche E-Mail", "Message d'origine", "Message d’origine", "Message original", "Mail original",
    "Message initial", "E-mail d'origine", "Mensaje original", "Mensaje Original", "Messaggio originale",
    "Messaggio Originale", "Mensagem original", "Mensagem Original", "Oorspronkelijk bericht",
    "Oorspronkelijk Bericht", "Origineel bericht", "Oorspronkelijke bericht", "Wiadomość oryginalna",
    "Oryginalna wiadomość", "Pierwotna wiadomość", "Wiadomość pierwotna", "Исходное сообщение", "Исходное письмо",
    "Оригинальное сообщение", "Оригінальне повідомлення", "Вихідне повідомлення", "Ursprungligt meddelande",
    "Originalmeddelande", "Oprindelig meddelelse", "Original meddelelse", "Oprindelig besked",
    "Opprinnelig melding", "Original melding", "Alkuperäinen viesti", "Původní zpráva", "Původní e-mail",
    "Pôvodná správa", "Eredeti üzenet", "Orijinal Mesaj", "Orijinal İleti", "Özgün İleti", "Özgün ileti",
    "元のメッセージ", "オリジナルメッセージ", "原始邮件", "原始郵件", "原邮件", "原文", "원본 메시지", "원본 메일",
    "원본메일", "Tin nhắn gốc", "Thư gốc", "ข้อความต้นฉบับ", "ข้อความเดิม", "الرسالة الأصلية", "رسالة أصلية",
    "הודעה מקורית", "Mesaj original", "Mesajul original", "Αρχικό μήνυμα", "Оригинално съобщение", "Izvorna poruka",
)

# The same for a forward, with the undashed forms ("Begin forwarded message:") of Apple Mail.
FORWARDED_MESSAGE = (
    "Forwarded message", "Forwarded Message", "Begin forwarded message", "Start of forwarded message",
    "Forwarded email", "Forwarded by", "Pesan yang diteruskan", "Pesan terusan", "Pesan diteruskan",
    "Mulai pesan yang diteruskan", "Mulai pesan terusan", "Awal pesan yang diteruskan", "Mulai meneruskan pesan",
    "Email terusan", "Email yang diteruskan", "Surat terusan", "Pesan yang Diteruskan", "Diteruskan",
    "Mesej dimajukan", "Weitergeleitete Nachricht", "Weitergeleitete E-Mail",
    "Anfang der weitergeleiteten Nachricht", "Anfang der weitergeleiteten E-Mail", "Message transféré",
    "Message transmis", "Début du message transféré", "Début du message réexpédié", "Mail transféré",
    "Message réexpédié", "Mensaje reenviado", "Inicio del mensaje reenviado", "Messaggio inoltrato",
    "Inizio messaggio inoltrato", "Mensagem encaminhada", "Mensagem reencaminhada",
    "Início da mensagem reencaminhada", "Início da mensagem encaminhada", "Doorgestuurd bericht",
    "Begin doorgestuurd bericht", "Wiadomość przekazana dalej", "Przekazana wiadomość", "Wiadomość przekazana",
    "Początek przekazywanej wiadomości", "Пересланное сообщение", "Пересылаемое сообщение",
    "Начало переадресованного сообщения", "Переслане повідомлення", "Vidarebefordrat meddelande",
    "Vidarebefordrat brev", "Vidarebefordrat mejl", "Videresendt meddelelse", "Videresendt besked",
    "Videresendt melding", "Start på videresendt besked", "Välitetty viesti", "Edelleenlähetetty viesti",
    "Přeposlaná zpráva", "Továbbított üzenet", "Továbbított levél", "Yönlendirilmiş ileti", "İletilen mesaj",
    "İletilmiş mesaj", "転送されたメッセージ", "転送メッセージ", "转发的邮件", "转发邮件信息", "已转发邮件",
    "轉寄郵件", "轉寄的郵件", "전달된 메시지", "전달된 메일", "Thư đã chuyển tiếp", "Tin nhắn đã chuyển tiếp",
    "ข้อความที่ส่งต่อ", "رسالة معاد توجيهها", "הודעה שהועברה", "Mesaj redirecționat", "Προωθημένο μήνυμα",
)

# Footers that phones and mail programs add. FOOTERS are conclusive by themselves; FOOTERS_OF_DEVICES count only with a
# name from DEVICES (people do write "Dikirim dari sekolah kemarin").
FOOTERS = (
    "Sent from my", "Sent from Mail for", "Sent from a mobile", "Sent from an Android", "Sent from Outlook",
    "Sent from Yahoo", "Sent with Proton", "Sent from Proton", "Sent via the Samsung", "Sent by my",
    "Get Outlook for", "Download Outlook for", "Dapatkan Outlook untuk", "Unduh Outlook untuk", "Bebas virus",
    "Virus-free", "Virenfrei", "Sans virus", "Powered by Telkomsel", "Yahoo Mail:", "Yahoo! Mail:",
    "Get the new Yahoo Mail", "Sent from Windows Mail", "Sent from Samsung", "Sent from Galaxy",
    "Gesendet von meinem", "Von meinem iPhone gesendet", "Von meinem iPad gesendet", "Outlook für",
    "Holen Sie sich Outlook für", "Envoyé de mon", "Envoyé depuis mon", "Envoyé à partir de",
    "Télécharger Outlook pour", "Obtenez Outlook pour", "Enviado desde mi", "Obtener Outlook para",
    "Enviado do meu", "Enviado a partir do meu", "Obter o Outlook para", "Obter Outlook para", "Inviato da iPhone",
    "Inviato da iPad", "Inviato dal mio", "Scarica Outlook per", "Ottieni Outlook per", "Verstuurd vanaf mijn",
    "Verzonden vanaf mijn", "Outlook voor", "Download Outlook voor", "Wysłane z mojego", "Wysłane z iPhone",
    "Wysłano z mojego", "Pobierz program Outlook", "Отправлено с моего", "Отправлено с iPhone", "Отправлено с iPad",
    "Отправлено из мобильной", "Отправлено из Почты", "Скачать Outlook", "Skickat från min", "Hämta Outlook för",
    "Sendt fra min", "Hent Outlook til", "Last ned Outlook", "Lähetetty iPhone", "Hanki Outlook", "Odesláno z mého",
    "Odesláno z iPhone", "Získat Outlook", "Az iPhone-omról küldve", "iPhone'umdan", "iPhone’umdan",
    "Android için Outlook", "iOS için Outlook", "Trimis de pe", "Descarcă Outlook", "Надіслано з мого",
    "Надіслано з iPhone", "Στάλθηκε από το", "iPhoneから送信", "iPadから送信", "发自我的", "發自我的", "從我的",
    "获取 Outlook", "获取Outlook", "取得 Outlook", "나의 iPhone에서", "내 iPhone에서", "내 Galaxy에서",
    "Android용 Outlook", "iOS용 Outlook", "Tải Outlook", "รับ Outlook", "أُرسلت من", "أرسلت من", "נשלח מה",
    "נשלח מ-iPhone", "This message was sent from my", "This email was sent from my",
    "Diese Nachricht wurde von meinem", "Sendt fra Outlook", "Diese E-Mail wurde von meinem",
    "Cet e-mail a été envoyé depuis", "Please excuse any typos", "Please excuse typos", "Please excuse my brevity",
    "Please excuse brevity", "Mohon maaf atas kesalahan ketik",
)
FOOTERS_OF_DEVICES = (
    "Enviado con", "Enviado mediante", "Verstuurd met", "ส่งจาก", "Đã gửi từ", "Được gửi từ", "مرسل من", "从我的",
    "Enviado de mi", "Sent from", "Sent via", "Sent with", "Sent using", "Sent by", "Dikirim dari", "Terkirim dari",
    "Dikirim melalui", "Dikirim lewat", "Dikirim dengan", "Dikirim menggunakan", "Dikirim via", "Terkirim melalui",
    "Terkirim lewat", "Kirim dari", "Dihantar dari", "Dihantar daripada", "Gesendet von", "Gesendet mit",
    "Gesendet über", "Von", "Envoyé depuis", "Envoyé avec", "Envoyé par", "Enviado desde", "Enviado do",
    "Enviado pelo", "Enviado por", "Enviado via", "Enviada do", "Inviato da", "Inviato con", "Inviato dal",
    "Verstuurd vanaf", "Verstuurd via", "Verzonden via", "Verzonden met", "Wysłane z", "Wysłano z", "Отправлено с",
    "Отправлено из", "Отправлено через", "Skickat från", "Skickat via", "Sendt fra", "Sendt via", "Lähetetty",
    "Odesláno z", "Odesláno ze", "Küldve", "Trimis din", "Trimis cu", "Надіслано з", "Надіслано із", "Gönderen:",
    "Composed with", "Written with", "Posted from", "Get", "Download", "Unduh", "Email sent from",
    "Message sent from", "Pesan ini dikirim dari", "Email ini dikirim dari", "Pesan dikirim dari",
)
# Languages that put the verb at the end: "Von Samsung-Mobilgerät gesendet", "iPhone'dan gönderildi".
FOOTER_ENDINGS = (
    "gesendet", "gönderildi", "küldve", "küldtem", "から送信", "からの送信", "发送", "發送", "傳送", "보냄",
    "에서 보냄", "ile gönderildi", "lähetetty", "から送信されました",
)
DEVICES = (
    "iphone", "ipad", "ipod", "macbook", "android", "samsung", "galaxy", "xiaomi", "redmi", "poco", "mi phone",
    "oppo", "vivo", "realme", "huawei", "honor", "infinix", "tecno", "itel", "asus", "zenfone", "lenovo", "nokia",
    "sony", "xperia", "motorola", "moto g", "oneplus", "pixel", "advan", "evercoss", "blackberry", "windows",
    "email untuk", "windows phone", "windows 10", "windows 11", "windows mail", "outlook", "yahoo", "gmail",
    "proton", "zoho", "aol", "mymail", "mail.ru", "yandex", "spark", "bluemail", "blue mail", "aqua mail", "nine",
    "k-9", "k9 mail", "fairemail", "typeapp", "thunderbird", "mailspring", "airmail", "superhuman", "ponsel",
    "handphone", "hp saya", "smartphone", "mobile", "mobilgerät", "tablet", "telepon", "gawai", "handheld",
    "cell phone", "palm", "treo", "htc", "lg mobile", "wireless", "mail app", "mail für", "mail for", "mail untuk",
    "icloud", "gmx", "web.de", "telekom mail", "my phone", "mobiltelefon", "téléphone", "celular", "telefone",
    "teléfono", "телефон", "mobil", "cellulare", "telefoon", "telefonu", "e-mail client", "roundcube", "tutanota",
    "tuta",
)

# How a legal notice below a signature begins.
DISCLAIMERS = (
    "CONFIDENTIALITY NOTICE", "CONFIDENTIALITY NOTE", "CONFIDENTIALITY STATEMENT", "CONFIDENTIALITY:",
    "CONFIDENTIAL:", "DISCLAIMER", "LEGAL NOTICE", "LEGAL DISCLAIMER", "PRIVILEGED AND CONFIDENTIAL",
    "PRIVACY NOTICE", "IMPORTANT NOTICE:", "PENAFIAN", "PERNYATAAN KERAHASIAAN", "PEMBERITAHUAN KERAHASIAAN",
    "PERINGATAN KERAHASIAAN", "CATATAN KERAHASIAAN", "This email and any", "This e-mail and any",
    "This message and any attach", "This email message and any", "This e-mail message and any",
    "This message contains confidential", "This email may contain confidential",
    "This e-mail may contain confidential", "This email is confidential", "This e-mail is confidential",
    "This message is confidential", "This communication is confidential", "This message is intended only",
    "This email is intended only", "This e-mail is intended only", "The information contained in this",
    "The information in this e-mail", "The information in this email", "The information transmitted",
    "The contents of this e-mail", "The contents of this email", "This transmission", "This electronic message",
    "If you are not the intended recipient", "If you have received this email in error",
    "If you received this email in error", "Please consider the environment", "Think before you print",
    "Before printing", "Email ini dan", "E-mail ini dan", "Surel ini dan", "Pesan ini dan lampiran",
    "Informasi dalam email ini", "Informasi yang terkandung dalam", "Email ini bersifat rahasia",
    "E-mail ini bersifat rahasia", "Pesan ini bersifat rahasia", "Email ini mungkin berisi", "Isi email ini",
    "Jika Anda bukan penerima", "Apabila Anda bukan penerima", "Email ini beserta", "Pesan elektronik ini",
    "Email ini hanya ditujukan", "Pesan ini hanya ditujukan", "Pikirkan sebelum mencetak", "Diese E-Mail enthält",
    "Diese Nachricht enthält", "Diese E-Mail und", "Der Inhalt dieser E-Mail", "Ce message et",
    "Ce message est confidentiel", "Ce courriel", "Ce message peut contenir", "Este mensaje y",
    "Este mensaje contiene", "Este correo electrónico", "Este mensaje se dirige", "Esta mensagem", "Este e-mail",
    "Questo messaggio", "Le informazioni contenute", "Dit bericht", "Dit e-mailbericht", "De informatie in dit",
    "Ta wiadomość", "Niniejsza wiadomość", "Это сообщение", "Данное сообщение",
)
# One of these must also be in the notice, so that a person's own "Email ini dan …" is not taken for one.
DISCLAIMER_WORDS = (
    "confiden", "rahasia", "disclaim", "penafian", "intended", "recipient", "penerima", "ditujukan", "privileg",
    "vertraulich", "riservat", "vertrouwelijk", "poufn", "конфиденц", "printing", "print", "mencetak", "unauthori",
    "prohibited", "strictly", "destinat",
)

# A cheap test for the start of a quotation, in the languages of automatic replies: how its line ends, and how the first
# line of a header block begins.
ATTRIBUTION_ENDS = (
    "menulis:", "wrote:", "writes:", "schrieb:", "a écrit :", "a écrit:", "escribió:", "escreveu:", "ha scritto:",
    "schreef:", "skrev:", "napisał:", "napisał(a):", "пишет:", "написал:", "写道：", "写道:", "さんは書きました:",
)
HEADER_BLOCK_STARTS = (
    "dari:", "dari :", "from:", "from :", "von:", "de:", "de :", "van:", "da:", "från:", "fra:", "kimden:", "от:",
    "发件人", "差出人", "寄件者", "보낸 사람",
)

# The name of an unnamed picture, put in brackets where a reply holds a picture and no word.
PICTURE = "gambar"
