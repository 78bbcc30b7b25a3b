"""HTML of mail: what a person reads of it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailbot.mail.mime.html_bounds import bounded, parse_html
from mailbot.mail.mime.html_to_text import html_to_text, node_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        # lines and paragraphs
        ("<p>satu <b>dua</b>!</p><p>tiga<br>empat</p>", "satu dua!\n\ntiga\nempat"),
        ("<div>satu</div><div><br></div><div>dua</div>", "satu\n\ndua"),
        ("<div>satu<br></div><div>dua</div>", "satu\ndua"),
        ("satu<br><br>dua", "satu\n\ndua"),
        ("satu\n  dua&nbsp;&nbsp;tiga", "satu dua  tiga"),
        ("<p class=MsoNormal>satu</p><p class=MsoNormal>&nbsp;</p><p class=MsoNormal>dua</p>", "satu\n\ndua"),
        ('<p style="margin:0">satu</p><p style="margin:0">dua</p>', "satu\ndua"),
        ("<b>te</b>bal <i>mi</i><i>ring</i>", "tebal miring"),
        ("a\ud800\x00b", "a?b"),
        ("<h1>Judul</h1>isi<h2>Bab</h2>", "Judul\n\nisi\n\nBab"),
        ("a<hr>b", "a\n\n--------------------\n\nb"),
        ("a\u200bb\ufeff &shy;c", "ab c"),
        # lists
        ("<ul><li>satu<li>dua</ul>", "- satu\n- dua"),
        ("<ol start=3><li>tiga</li><li>empat<br>lanjut</li></ol>", "3. tiga\n4. empat\n   lanjut"),
        ("<ul><li>a<ol><li>b</ol><li><p>c</p></ul>", "- a\n  1. b\n- c"),
        ("<ul><li></li><li>a</li></ul>", "- a"),
        ("<dl><dt>kata<dd>arti</dl>", "kata\n  arti"),
        # tables
        ("<table><tr><th>No<th>Nama<tr><td>1<td>Budi</table>", "No | Nama\n1 | Budi"),
        ("<table><tr><td>1<td><td>9<tr><td>2<td>b<td></table>", "1 |  | 9\n2 | b"),
        ("<table><tr><td><p>Kas</p><td><p>5.000</p></table>sesudah", "Kas | 5.000\n\nsesudah"),
        ("<table><tr><td>a<br>b<br>c<br>d<td>kanan</table>", "a\nb\nc\nd\n\nkanan"),
        ("<table><tr><td>luar<td><table><tr><td>x<td>y</table></table>", "luar | x | y"),
        ("<td>lepas</td>", "lepas"),
        # links and pictures
        ('<a href="https://x.id/bantuan">panduan</a>', "panduan (https://x.id/bantuan)"),
        ('<a href="https://www.x.id/">x.id</a>', "x.id"),
        ('lihat <a href="https://x.id/a">panduan </a>ini', "lihat panduan (https://x.id/a) ini"),
        ('<a href="https://x.id/a">https://x.id/a</a>', "https://x.id/a"),
        ('<a href="mailto:a@x.id">a@x.id</a> <a href="mailto:b@x.id">Budi</a>', "a@x.id Budi (b@x.id)"),
        ('<a href="javascript:x()">klik</a> <a href="#atas">atas</a> <a>kosong</a>', "klik atas kosong"),
        ('<a href="https://x.id/"><img src="https://x.id/logo.png"></a>', ""),
        ('foto: <img src="cid:1" alt="image.png">', "foto: [image.png]"),
        ('<img alt="😀" src="https://mail.example/1f600.png"> oke', "😀 oke"),
        ('<img src="https://x.id/p.gif" width="1" height="1" alt="pixel">isi', "isi"),
        # preformatted
        ("<pre>a\n  b\n\nc</pre>", "a\n  b\n\nc"),
        ('<div style="white-space: pre-wrap">a\n  b</div>', "a\n  b"),
        # quotation
        ("jawab<blockquote type=cite><p>a</p><p>b</p></blockquote>", "jawab\n\n> a\n>\n> b"),
        ('<blockquote style="margin:0 0 0 40px;border:none">menjorok</blockquote>', "  menjorok"),
        # what nobody sees
        ("<head><title>t</title><style>p{}</style></head><script>x()</script><p>isi</p>", "isi"),
        ('<div style="display:none">cuplikan</div><span hidden>x</span>isi', "isi"),
        ("<!-- komentar -->isi<!--[if mso]>Word<![endif]-->", "isi"),
        ("<div style='display:none'>satu-satunya</div>", "satu-satunya"),
        # odd input
        ("", ""),
        (" \n ", ""),
        ("teks biasa & < tanda", "teks biasa & < tanda"),
        ("a\x00b\ud800c", "ab?c"),
        ("<p>tak ditutup <b>sama <i>sekali", "tak ditutup sama sekali"),
        ("&lt;b&gt; &amp;amp; &#128512;", "<b> &amp; 😀"),
        ("<![CDATA[x]]>isi", "isi"),
    ],
)
def test_words_of_html(html: str, text: str) -> None:
    assert html_to_text(html) == text


@pytest.mark.parametrize("tag", ["div", "blockquote", "span", "table><tr><td", "ul><li", "font", "b", "center"])
def test_deep_nesting_keeps_the_words(tag: str) -> None:
    start = time.process_time()
    assert "di dasar" in html_to_text(f"<{tag}>" * 20_000 + "di dasar")
    assert time.process_time() - start < 5


def test_a_huge_page_keeps_its_end() -> None:
    text = html_to_text("<p>baris</p>" * 100_000 + "<p>akhir &amp; tutup</p>")
    assert text.startswith("baris\n\nbaris")
    assert text.endswith("akhir & tutup")


def test_attributes_without_end_are_dropped_not_the_words() -> None:
    page = "<div " + " ".join(f"a{n}=1" for n in range(20_000)) + "><p>isi</p></div>"
    assert len(bounded(page)) < 100
    assert html_to_text(page) == "isi"


def test_a_page_of_a_real_program_is_left_as_it_is() -> None:
    page = "<html><body>" + '<div class="x"><p style="a">isi</p></div>' * 3000 + "</body></html>"
    assert bounded(page) == page


def test_text_of_one_node() -> None:
    tree = parse_html("<div id=a><p>satu</p><ul><li>dua</ul></div><div>tiga</div>")
    node = tree.css_first("#a")
    assert node is not None
    assert node_to_text(node) == "satu\n\n- dua"
    cell = parse_html("<table><tr><td>a<td>b</table>").css_first("td")
    assert cell is not None
    assert node_to_text(cell) == "a"


TAGS = st.sampled_from(
    ["p", "div", "br", "b", "a", "table", "tr", "td", "ul", "ol", "li", "blockquote", "pre", "h1", "span", "img", "hr",
     "style", "script", "font"]
)  # fmt: skip
PIECES = st.one_of(
    st.text(max_size=20),
    TAGS.map(lambda tag: f"<{tag}>"),
    TAGS.map(lambda tag: f"</{tag}>"),
    st.sampled_from(["<a href=https://x>", "<p style=display:none>", "<img src=cid:a alt=x>", "<!--", "-->", "&"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=60).map("".join))
def test_any_html_gives_clean_text(html: str) -> None:
    text = html_to_text(html)
    assert "\x00" not in text
    assert "\n\n\n" not in text
    assert text == text.rstrip()
    text.encode()


def test_long_and_preformatted_words_of_html_are_all_there() -> None:
    words = "kata panjang " * 40_000
    assert html_to_text(f"<p>{words}</p>").split() == words.split()
    kept = "a  b\r\nc\n\n  d"
    assert html_to_text(f"<pre>{kept}</pre>") == "a  b\nc\n\n  d"
    assert html_to_text("") == ""
