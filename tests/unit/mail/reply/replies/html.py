# ruff: noqa: E501 (bodies as programs write them, however long the line)
"""Replies in HTML, with the elements that each mail program puts around what it quotes."""

from __future__ import annotations

from tests.unit.mail.reply.replies import Case

ADDRESS = '<a href="mailto:support@helpdesk.example">support@helpdesk.example</a>'
OURS = (
    "<div><p>Yth. Bapak/Ibu,</p><p>Mohon kirimkan NPSN sekolah.</p><p>Bila <b>Kendala masih terjadi</b>, balas surel ini.</p>"
    "<p>Salam,<br>Sally (BOSP)</p></div>"
)
GMAIL_LEAD = f'<div dir="ltr" class="gmail_attr">Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) &lt;{ADDRESS}&gt; menulis:<br></div>'
GMAIL_STYLE = "margin:0px 0px 0px 0.8ex;border-left:1px solid rgb(204,204,204);padding-left:1ex"
GMAIL = f'<div class="gmail_quote gmail_quote_container">{GMAIL_LEAD}<blockquote class="gmail_quote" style="{GMAIL_STYLE}">{OURS}</blockquote></div>'
OUTLOOK_FIELDS = (
    "<b>Dari:</b> Sally (BOSP) &lt;support@helpdesk.example&gt;<br><b>Dikirim:</b> Senin, 03 November 2025 15.10<br>"
    "<b>Kepada:</b> sdn1@sekolah.example &lt;sdn1@sekolah.example&gt;<br><b>Subjek:</b> #12345 - Tidak bisa tutup BKU"
)

HTML: tuple[Case, ...] = (
    Case(
        "gmail-web",
        f'<div dir="ltr"><div>Selamat siang,</div><div><br></div><div>NPSN kami 20512345.</div></div><br>{GMAIL}',
        "Selamat siang,\n\nNPSN kami 20512345.",
        "html",
    ),
    Case(
        "gmail-web-signature",
        '<div dir="ltr">Sudah bisa.<div><br clear="all"></div><div><br></div><span class="gmail_signature_prefix">-- </span><br>'
        '<div dir="ltr" class="gmail_signature" data-smartmail="gmail_signature"><div dir="ltr">Operator SDN 1<br>0812 0000 0000'
        f"</div></div></div><br>{GMAIL}",
        "Sudah bisa.",
        "html",
        signature="-- Operator SDN 1 0812 0000 0000",
    ),
    Case(
        "gmail-android",
        '<div dir="auto">Baik bu</div><br><div class="gmail_quote gmail_quote_container"><div dir="ltr" class="gmail_attr">'
        f"Pada tanggal Sen, 3 Nov 2025 15.10, Sally (BOSP) &lt;{ADDRESS}&gt; menulis:<br></div>"
        f'<blockquote class="gmail_quote" style="margin:0 0 0 .8ex;border-left:1px #ccc solid;padding-left:1ex">{OURS}</blockquote></div>',
        "Baik bu",
        "html",
    ),
    Case(
        "gmail-android-old",
        '<p dir="ltr">Oke siap</p>\n<div class="gmail_quote">Pada 3 Nov 2025 15.10, &quot;Helpdesk&quot; &lt;support@helpdesk.example&gt; menulis:'
        f'<br type="attribution"><blockquote class="gmail_quote" style="{GMAIL_STYLE}">{OURS}</blockquote></div>',
        "Oke siap",
        "html",
    ),
    Case(
        "gmail-ios",
        '<div><div dir="auto">Ini fotonya</div></div><div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Pada Sen, 3 Nov 2025 '
        f'pukul 15.10 Sally (BOSP) &lt;{ADDRESS}&gt; menulis:<br></div><blockquote class="gmail_quote" style="{GMAIL_STYLE}">{OURS}'
        "</blockquote></div></div>",
        "Ini fotonya",
        "html",
    ),
    Case(
        "gmail-only-a-picture",
        f'<div dir="ltr"><img src="cid:ii_mhj1" width="300" height="400"><br></div><br>{GMAIL}',
        "[gambar]",
        "html",
    ),
    Case(
        "gmail-named-picture",
        f'<div dir="ltr"><img src="cid:ii_mhj1" alt="bukti.jpg" width="300" height="400"><br></div><br>{GMAIL}',
        "[bukti.jpg]",
        "html",
    ),
    Case(
        "gmail-inline",
        f'<div dir="ltr">Jawaban kami:<br><br><div class="gmail_quote">{GMAIL_LEAD}<blockquote class="gmail_quote" style="{GMAIL_STYLE}">'
        "<div>Yth. Bapak/Ibu,</div><div><br></div><div>Berapa NPSN sekolah?</div></blockquote><div><br></div><div>20512345</div>"
        f'<div> </div><blockquote class="gmail_quote" style="{GMAIL_STYLE}"><div>Versi ARKAS berapa?</div></blockquote><div>4.2</div>'
        f'<blockquote class="gmail_quote" style="{GMAIL_STYLE}"><div>Salam,<br>Sally</div></blockquote></div></div>',
        "Jawaban kami:\n\n> Berapa NPSN sekolah?\n\n20512345\n\n> Versi ARKAS berapa?\n\n4.2",
        "html",
    ),
    Case(
        "gmail-bottom",
        f'<div dir="ltr"><div class="gmail_quote">{GMAIL_LEAD}<blockquote class="gmail_quote" style="{GMAIL_STYLE}">{OURS}</blockquote>'
        "<div><br></div><div>Sudah saya kirim bu, terima kasih.</div></div></div>",
        "Sudah saya kirim bu, terima kasih.",
        "html",
    ),
    Case(
        "gmail-indent-is-no-quotation",
        '<div dir="ltr">Langkahnya:<br><blockquote style="margin:0 0 0 40px;border:none;padding:0px"><div>1. buka ARKAS</div>'
        f"<div>2. klik Tutup BKU</div></blockquote>Tetap gagal.</div><br>{GMAIL}",
        "Langkahnya:\n\n1. buka ARKAS\n2. klik Tutup BKU\n\nTetap gagal.",
        "html",
    ),
    Case(
        "gmail-unknown-language",
        f'<div dir="ltr">Sudah</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">Ing Senin, Sally nyerat:<br></div>'
        f'<blockquote class="gmail_quote" style="{GMAIL_STYLE}">{OURS}</blockquote></div>',
        "Sudah",
        "html",
    ),
    Case(
        "gmail-forward",
        '<div dir="ltr">Mohon dibantu<br><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">---------- Forwarded message ---------<br>'
        'Dari: <strong class="gmail_sendername" dir="auto">SDN 1</strong> <span dir="auto">&lt;sdn1@sekolah.example&gt;</span><br>'
        "Date: Sen, 3 Nov 2025 pukul 15.10<br>Subject: Tidak bisa tutup BKU<br>To: &lt;dinas@kab.example&gt;<br></div><br><br>"
        "BKU tidak bisa ditutup.</div></div>",
        "Mohon dibantu ---------- Forwarded message --------- Dari: SDN 1 <sdn1@sekolah.example> Date: Sen, 3 Nov 2025 pukul 15.10 "
        "Subject: Tidak bisa tutup BKU To: <dinas@kab.example> BKU tidak bisa ditutup.",
        "html",
        subject="Fwd: Tidak bisa tutup BKU",
    ),
    Case(
        "outlook-web",
        '<html><head><style type="text/css" style="display:none;">P {margin-top:0;margin-bottom:0;}</style></head><body dir="ltr">'
        '<div class="elementToProof" style="font-family: Aptos; font-size: 12pt;">Sudah kami perbarui.</div>'
        '<div id="appendonsend"></div><hr style="display:inline-block;width:98%" tabindex="-1"><div id="divRplyFwdMsg" dir="ltr">'
        f'<font face="Calibri, sans-serif" style="font-size:11pt" color="#000000">{OUTLOOK_FIELDS}</font><div>&nbsp;</div></div>{OURS}</body></html>',
        "Sudah kami perbarui.",
        "html",
    ),
    Case(
        "outlook-web-unknown-language",
        '<body><div class="elementToProof">Sudah.</div><div id="appendonsend"></div><hr tabindex="-1" style="display:inline-block; width:98%">'
        '<div id="x_divRplyFwdMsg" dir="ltr"><b>Saka:</b> Sally<br><b>Dina:</b> Senin<br></div>' + OURS + "</body>",
        "Sudah.",
        "html",
    ),
    Case(
        "outlook-web-signature",
        '<body><div class="elementToProof">Berkas terlampir.</div><div id="Signature" class="elementToProof"><div>Operator SDN 1</div></div>'
        f'<div id="appendonsend"></div><hr><div id="divRplyFwdMsg" dir="ltr">{OUTLOOK_FIELDS}</div>{OURS}</body>',
        "Berkas terlampir.",
        "html",
        signature="Operator SDN 1",
    ),
    Case(
        "outlook-desktop",
        '<div class="WordSection1"><p class="MsoNormal"><span>Dengan hormat,<o:p></o:p></span></p><p class="MsoNormal"><span>Masih sama.<o:p></o:p>'
        '</span></p><p class="MsoNormal"><o:p>&nbsp;</o:p></p><div><div style="border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0cm 0cm 0cm">'
        '<p class="MsoNormal"><b><span lang="EN-US">From:</span></b><span lang="EN-US"> Sally (BOSP) &lt;support@helpdesk.example&gt; <br>'
        "<b>Sent:</b> Monday, November 3, 2025 3:10 PM<br><b>To:</b> sdn1@sekolah.example<br><b>Subject:</b> #12345 - Tidak bisa<o:p></o:p></span></p>"
        f'</div></div><p class="MsoNormal"><o:p>&nbsp;</o:p></p>{OURS}</div>',
        "Dengan hormat,\nMasih sama.",
        "html",
    ),
    Case(
        "outlook-desktop-2010",
        "<div class=WordSection1><p class=MsoNormal>Terlampir.<o:p></o:p></p><div style='border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0in 0in 0in'>"
        "<p class=MsoNormal><b>Dari:</b> Sally [mailto:support@helpdesk.example] <br><b>Dikirim:</b> 03 Nopember 2025 15:10<br><b>Kepada:</b> sdn1@sekolah.example"
        f"<br><b>Perihal:</b> #12345<o:p></o:p></p></div>{OURS}</div>",
        "Terlampir.",
        "html",
    ),
    Case(
        "outlook-android",
        '<html><body><div dir="auto">Sudah saya kirim bu</div><div id="ms-outlook-mobile-body-separator-line" dir="auto"><br></div>'
        '<div id="ms-outlook-mobile-signature" dir="auto">Dapatkan <a href="https://aka.ms/AAb9ysg">Outlook untuk Android</a></div>'
        '<div id="mail-editor-reference-message-container" dir="auto"><hr style="display:inline-block;width:98%" tabindex="-1">'
        f'<div id="divRplyFwdMsg" style="font-size: 11pt;">{OUTLOOK_FIELDS}</div>{OURS}</div></body></html>',
        "Sudah saya kirim bu",
        "html",
        signature="Dapatkan Outlook untuk Android (https://aka.ms/AAb9ysg)",
    ),
    Case(
        "outlook-answer-typed-into-signature",
        '<body><div dir="auto"><br></div><div id="ms-outlook-mobile-body-separator-line" dir="auto"><br></div><div id="ms-outlook-mobile-signature" dir="auto">'
        '<div dir="auto">Selamat pagi bu,</div><div dir="auto">Sudah saya coba dan berhasil.</div></div>'
        f'<div id="mail-editor-reference-message-container"><hr><div id="divRplyFwdMsg">{OUTLOOK_FIELDS}</div>{OURS}</div></body>',
        "Selamat pagi bu,\nSudah saya coba dan berhasil.",
        "html",
    ),
    Case(
        "outlook-mac",
        '<body><div class="WordSection1"><p class="MsoNormal">Baik, kami tunggu.</p><div id="mail-editor-reference-message-container"><div><div>'
        '<div style="border:none;border-top:solid #B5C4DF 1.0pt;padding:3.0pt 0cm 0cm 0cm"><p class="MsoNormal"><b><span>From: </span></b><span>Sally '
        "&lt;support@helpdesk.example&gt;<br><b>Date: </b>Monday, 3 November 2025 at 15.10<br><b>To: </b>sdn1@sekolah.example<br><b>Subject: </b>#12345"
        f"</span></p></div>{OURS}</div></div></div></div></body>",
        "Baik, kami tunggu.",
        "html",
    ),
    Case(
        "yahoo-web",
        '<html><head></head><body><div class="ydp1a2b3cyahoo-style-wrap" style="font-family:Helvetica;font-size:13px;"><div dir="ltr" data-setdir="false">'
        'Masih belum bisa bu.</div><div><br></div></div><div id="ydp4d5eyahoo_quoted_4103215829" class="ydp4d5eyahoo_quoted"><div style="font-family:Helvetica">'
        f"<div>Pada Senin, 3 November 2025 pukul 15.10.00 WIB, Sally (BOSP) &lt;support@helpdesk.example&gt; menulis:</div><div><br></div>{OURS}</div></div></body></html>",
        "Masih belum bisa bu.",
        "html",
    ),
    Case(
        "yahoo-android",
        'Sudah bisa bu, terima kasih<br><br><div id="ymail_android_signature"><a id="ymail_android_signature_link" href="https://mail.onelink.me/1">'
        'Dikirim dari Yahoo Mail di Android</a></div> <br> <blockquote style="margin: 0 0 20px 0;"> <div style="font-family:Roboto, sans-serif; color:#6D00F6;"> '
        "<div>Pada Sen, 3 Nov 2025 pada 15:10, Sally (BOSP)</div><div>&lt;support@helpdesk.example&gt; menulis:</div> </div> "
        f'<div style="padding: 10px 0 0 20px; margin: 10px 0 0 0; border-left: 1px solid #6D00F6;"> {OURS} </div> </blockquote>',
        "Sudah bisa bu, terima kasih",
        "html",
    ),
    Case(
        "yahoo-android-answer-typed-into-signature",
        '<div id="ymail_android_signature">Belum bisa bu,</div><div id="ymail_android_signature">tombolnya tidak muncul.</div><br>'
        '<blockquote style="margin: 0 0 20px 0;"><div><div>Pada Sen, 3 Nov 2025 pada 15:10, Sally</div><div>&lt;support@helpdesk.example&gt; menulis:</div></div>'
        f"<div>{OURS}</div></blockquote>",
        "Belum bisa bu,\ntombolnya tidak muncul.",
        "html",
    ),
    Case(
        "apple-iphone",
        '<html><head></head><body dir="auto">Oke bu<br id="lineBreakAtBeginningOfSignature"><div dir="ltr">Dikirim dari iPhone saya</div><div dir="ltr"><br>'
        '<blockquote type="cite">Pada 3 Nov 2025, pukul 15.10, Sally (BOSP) &lt;support@helpdesk.example&gt; menulis:<br><br></blockquote></div>'
        f'<blockquote type="cite"><div dir="ltr">\ufeff{OURS}</div></blockquote></body></html>',
        "Oke bu",
        "html",
        signature="Dikirim dari iPhone saya",
    ),
    Case(
        "apple-mac",
        '<body style="overflow-wrap: break-word;">Terlampir bukti setornya.<br><div><br><blockquote type="cite"><div>Pada 3 Nov 2025, pukul 15.10, '
        'Sally &lt;support@helpdesk.example&gt; menulis:</div><br class="Apple-interchange-newline"><div>'
        + OURS
        + "</div></blockquote></div><br></body>",
        "Terlampir bukti setornya.",
        "html",
    ),
    Case(
        "samsung",
        '<html><head></head><body dir="auto">Sudah bu<div dir="auto"><br></div><div dir="auto"><br></div><div id="composer_signature" dir="auto">'
        '<div style="font-size:12px;color:#575757" dir="auto">Dikirim dari Galaxy saya</div></div><div dir="auto"><br></div><div><br></div>'
        '<div align="left" dir="auto" style="font-size:100%;color:#000000"><div>-------- Pesan asli --------</div><div>Dari: "Sally (BOSP)" '
        "&lt;support@helpdesk.example&gt; </div><div>Tgl: 03/11/25  15.10  (GMT+07:00) </div><div>Ke: sdn1@sekolah.example </div>"
        f"<div>Subjek: #12345 - Tidak bisa tutup BKU </div><div><br></div></div>{OURS}</body></html>",
        "Sudah bu",
        "html",
        signature="Dikirim dari Galaxy saya",
    ),
    Case(
        "thunderbird",
        '<html><body><p>Sudah saya coba, berhasil.</p><p><br></p><div class="moz-cite-prefix">Pada 03/11/2025 15.10, Sally (BOSP) menulis:<br></div>'
        f'<blockquote type="cite" cite="mid:abc@helpdesk.example">{OURS}</blockquote><p></p><div class="moz-signature">-- <br>Operator SDN 1</div></body></html>',
        "Sudah saya coba, berhasil.",
        "html",
        signature="-- Operator SDN 1",
    ),
    Case(
        "thunderbird-bottom",
        '<html><body><div class="moz-cite-prefix">Pada 03/11/2025 15.10, Sally (BOSP) menulis:<br></div>'
        f'<blockquote type="cite" cite="mid:abc@helpdesk.example">{OURS}</blockquote><p>Sudah berhasil, terima kasih.</p></body></html>',
        "Sudah berhasil, terima kasih.",
        "html",
    ),
    Case(
        "zoho",
        '<div style="font-family: Verdana; font-size: 10pt;"><div>Belum bisa.<br></div><div><br></div><div id="Zm-_Id_-Sgn" data-sigid="1"><div>Operator SDN 1</div>'
        '</div><br><div class="zmail_extra" style="font-family: Verdana; font-size: 10pt;"><div id="Zm-_Id_-Sgn1">---- Pada Sen, 03 Nov 2025 15:10:00 +0700 '
        f'<b>Sally &lt;support@helpdesk.example&gt;</b> menulis ----<br></div><br><blockquote id="blockquote_zmail" style="margin: 0px;"><div>{OURS}</div></blockquote></div></div>',
        "Belum bisa.",
        "html",
        signature="Operator SDN 1",
    ),
    Case(
        "proton",
        '<div style="font-family: Arial;">Sudah.</div><div class="protonmail_signature_block"><div class="protonmail_signature_block-user protonmail_signature_block-empty">'
        '</div><div class="protonmail_signature_block-proton">Sent with <a href="https://proton.me">Proton Mail</a> secure email.</div></div>'
        '<div class="protonmail_quote">Pada Senin, 3 November 2025 pukul 15.10, Sally &lt;support@helpdesk.example&gt; menulis:<br><br>'
        f'<blockquote class="protonmail_quote" type="cite">{OURS}</blockquote><br></div>',
        "Sudah.",
        "html",
    ),
    Case(
        "roundcube",
        '<html><body style="font-size: 10pt"><p>Kami sudah mencoba.</p><p id="reply-intro">Pada 2025-11-03 15:10, Sally (BOSP) menulis:</p>'
        f'<blockquote type="cite" style="padding: 0 0.4em; border-left: #1010ff 2px solid; margin: 0"><div>{OURS}</div></blockquote><div><br></div></body></html>',
        "Kami sudah mencoba.",
        "html",
    ),
    Case(
        "qq",
        '<div>Sudah bisa</div><div><br></div><div style="font-size: 12px;font-family: Arial Narrow;padding:2px 0 2px 0;">------------------&nbsp;Original&nbsp;------------------'
        '</div><div style="font-size: 12px;background:#efefef;padding:8px;"><div><b>From:</b>&nbsp;"Sally" &lt;support@helpdesk.example&gt;;</div><div><b>Date:</b>&nbsp;'
        f'Mon, Nov 3, 2025 03:10 PM</div><div><b>To:</b>&nbsp;"sdn1"&lt;sdn1@sekolah.example&gt;;</div><div><b>Subject:</b>&nbsp;#12345</div></div><div>{OURS}</div>',
        "Sudah bisa",
        "html",
    ),
    Case(
        "gmx",
        '<div style="font-family: Verdana;font-size: 12.0px;"><div>Masih gagal.</div><div>&nbsp;<div name="quote" style="margin:10px 5px 5px 10px; padding: 10px 0 10px 10px; '
        'border-left:2px solid #C3D9E5;"><div style="margin:0 0 10px 0;"><b>Gesendet:</b>&nbsp;Montag, 03. November 2025 um 15:10 Uhr<br/><b>Von:</b>&nbsp;Sally<br/>'
        f'<b>An:</b>&nbsp;sdn1@sekolah.example<br/></div><div name="quoted-content">{OURS}</div></div></div></div>',
        "Masih gagal.",
        "html",
    ),
    Case(
        "zimbra",
        '<div style="font-family: arial"><div>Terima kasih.</div><div><br></div><hr id="zwchr" data-marker="__DIVIDER__"><div data-marker="__HEADERS__"><b>Dari: </b>"Sally" '
        f'&lt;support@helpdesk.example&gt;<br><b>Ke: </b>sdn1@sekolah.example<br></div><div data-marker="__QUOTED_TEXT__">{OURS}</div></div>',
        "Terima kasih.",
        "html",
    ),
    Case(
        "spark",
        '<div name="messageBodySection"><div dir="auto">Siap bu.</div></div><div name="messageSignatureSection"><br><div>Dikirim dari Spark</div></div>'
        f'<div name="messageReplySection">Pada 3 Nov 2025 15.10 +0700, Sally &lt;support@helpdesk.example&gt;, menulis:<br><blockquote type="cite">{OURS}</blockquote></div>',
        "Siap bu.",
        "html",
    ),
    Case(
        "bordered-div-of-a-small-program",
        '<p>Sudah dikirim.</p><div style="color:#5f6368;border-left:2px solid #dadce0;padding-left:12px;margin-top:8px">Pada 03 Nov 2025 15:10, Sally '
        f"&lt;support@helpdesk.example&gt; menulis:<br>{OURS}</div>",
        "Sudah dikirim.",
        "html",
    ),
    Case(
        "a-box-of-ones-own",
        '<p>Berikut pesan galatnya:</p><div style="border-top:solid #B5C4DF 1.0pt"><p>Gagal menyimpan data</p></div><p>Mohon bantuan.</p>',
        "Berikut pesan galatnya:\nGagal menyimpan data\n\nMohon bantuan.",
        "html",
        subject="Galat",
    ),
    Case(
        "school-pastes-table-above-quotation",
        '<div dir="ltr">Rincian saldo:<table border="1"><tr><td>Bulan</td><td>Saldo</td></tr><tr><td>Oktober</td><td>100.000</td></tr></table>Mohon dicek.</div>'
        + GMAIL,
        "Rincian saldo: Bulan | Saldo Oktober | 100.000 Mohon dicek.",
        "html",
    ),
    Case(
        "all-quotation",
        GMAIL,
        "Pada Sen, 3 Nov 2025 pukul 15.10 Sally (BOSP) <support@helpdesk.example> menulis: > Yth. Bapak/Ibu, > > Mohon kirimkan NPSN sekolah. > > "
        "Bila Kendala masih terjadi, balas surel ini. > > Salam, > Sally (BOSP)",
        "html",
    ),
)
