"""Classes of words for `mail.intent`: solved, broken, thanks, questions, requests, news.

The words are in the normalised form of `vocabulary.spellings`; classes overlap only where a comment says so.
"""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOT = _words("tidak belum bukan tanpa jangan")
DONE = _words("sudah telah akhirnya alhamdulillah sekarang ternyata kembali barusan langsung has have been finally")
STILL = _words("masih tetap")
AGAIN = _words("lagi kembali terus ulang")

# Good on its own: "normal", "beres pak".
FINE = _words(
    "berhasil normal lancar beres selesai tuntas teratasi diatasi terselesaikan diselesaikan terpecahkan sukses"
    " aman pulih membaik berfungsi done clear sembuh sempurna puas tertangani terlayani"
)
# Good only after "sudah": "menu sudah muncul"; alone they mean nothing.
FINE_IF_DONE = _words(
    "bisa dapat tampil muncul keluar terbaca terbuka masuk sinkron tersinkron tersinkronisasi tersimpan benar betul"
    " bener sesuai cocok jelas paham terbantu membantu terbantukan terupdate valid tervalidasi tertutup ditutup"
    " baik bagus tersedia diperbaiki ditangani dibantu terjawab dijawab dijelaskan terima diterima diarahkan"
    " ditemukan ketemu hijau terverifikasi diverifikasi disetujui approved terkoneksi terhubung konek terdaftar"
    " terinstall tutup cair aktif terisi lengkap sip terkendali ngisi ok terlihat kelihatan terdownload terunduh"
    " diunduh terupload terunggah klik lunas oke mantap klop balance approve tembus nongol kawa diunduh"
    " ijo disahkan padhang jadi terkirim terbit siap cepat"
)
# What a solved problem does: "kendala sudah teratasi", "errornya hilang".
OVER = _words(
    "selesai teratasi diatasi beres tuntas terselesaikan diselesaikan terpecahkan aman normal lancar pulih"
    " ditangani diperbaiki hilang terjawab sembuh done sukses berhasil tertangani clear"
)
# What a present problem does: "muncul lagi"; after "tidak" it is solved.
APPEAR = _words("muncul terjadi tampil keluar terulang timbul nongol kambuh kumat ditemukan terlihat")

# Names of a problem, and states that are a problem.
PROBLEM = _words("error kendala masalah keluhan gangguan kesalahan kegagalan bug hambatan")
BAD = _words(
    "gagal bermasalah terkendala rusak macet lambat loading crash salah ditolak hilang kosong sulit percuma buntu"
    " kacau parah invalid dobel ganda double duplikat minus selisih terblokir diblokir terkunci timeout down putus"
    " terputus logout kambuh kumat terulang kurang kecewa marah aneh negatif lockdown expired kadaluarsa"
    " kedaluwarsa loop looping berputar muter mental ngeblank sebagian separuh setengah parsial lockout tidakbisa"
    " mati stop stopped"
)
# A past to which "sudah bisa" itself may belong: "kemarin sudah bisa" says nothing about today.
LONG_PAST = _words("tadi kemarin sempat sebelumnya awalnya semula tadinya dulu yesterday earlier previously")
# After these a problem is only mentioned: "terima kasih atas penyelesaian masalah kami".
TOPIC = _words(
    "atas penyelesaian solusi penanganan mengatasi menyelesaikan membantu tentang terkait mengenai perihal soal"
    " laporan bantuan tiket penjelasan"
)
NO_PROGRESS = _words("perubahan hasil hasilnya efek reaksi solusi perbaikan pengaruh bedanya beda perbedaan")

THANKS = _words("terimakasih berterimakasih")
PRAISE = _words(
    "mantap keren hebat top great awesome excellent perfect nice good puas salut jempol terbantu membantu senang"
    " gbu bless best"
)
ACKNOWLEDGED = _words("samasama ok siap baik noted setuju diterima copy dimengerti dicatat fine")

ASKS = _words(
    "mohon tolong minta harap bantu dibantu boleh perlu butuh ingin mau hendak bagaimana apakah apa kenapa kapan"
    " dimana mana berapa siapa cara gimana bisakah could would need want segera jelaskan infokan informasikan"
    " kabari beritahu beri berikan kasih petunjuk arahkan pencerahan bertanya tanya pertanyaan menanyakan"
    " ditanyakan konfirmasi solusinya selain berapalama sampaimana wanted questions question ask asking adakah"
    " sudahkah bolehkah tindaklanjuti usul saran masukan keberatan komplain protes bingung ulangi diberikan"
)
# Permission: with a word for closing and one for the ticket it means that the case is done ("tiket silakan ditutup").
PERMITS = _words("silakan silahkan boleh bisa dapat mohon tolong harap please")
# "Tidak" turns these into something good; "belum hilang", "tidak sama" and the like stay bad.
GOOD_WITHOUT = _words(
    "error kendala masalah keluhan gangguan kesalahan bug hambatan gagal bermasalah terkendala rusak macet lambat"
    " loading crash ditolak sulit minus dobel ganda double selisih terblokir diblokir timeout logout putus"
    " kegagalan"
)
# "Belum dibalas" asks for the status.
NO_REPLY = _words(
    "dibalas direspon direspons ditanggapi dijawab diproses ditindaklanjuti ditindak dikonfirmasi dihubungi"
    " dikerjakan dicek diperiksa ditangani membalas menjawab"
)
UNDERWAY = _words("proses diproses dalam tunggu dikerjakan ditangani antre antri antrean antrian pending")
# "Belum sempat", "tidak tahu": news, not a problem.
NO_PROBLEM = _words("paham sempat tahu tau yakin ingat lama sadar kepikiran menyangka punya memiliki mempunyai")
# Something remains.
REST = _words(
    "tinggal sisa sisanya selebihnya lainnya lain baru sementara kadang kadangkadang sesekali belakangan bagian"
    " beda berbeda"
)
# Words beside a one-word answer: "sudah pak", "iya sudah".
BESIDE_ANSWER = _words(
    "sudah telah ya alhamdulillah semua semuanya baik ok siap terimakasih salam nya deh kok lah nih pagi siang sore"
    " malam halo selamat admin bapak ibu kakak mas mbak kang bang om tante ini itu juga saya kami"
)
# Skipped between "tidak" or "masih" and the word that it refers to.
SKIPPED = _words(
    "lagi juga pernah kunjung begitu saya kami pun akan mau ya bapak ibu kakak mas mbak admin nya ini itu sudah"
    " sama sekali saja terlalu terus sering suka bang kang di yang dari banyak deh nih dong sih lah kok kita semua"
    " hari sekarang anda aplikasi"
)
# No request after "sudah", "telah" or thanks: "terima kasih sudah dibantu".
GIVEN = _words(
    "bantu dibantu beri berikan kasih arahkan jelaskan infokan informasikan solusinya pencerahan petunjuk arahan"
    " cara diberikan"
)
# "Ingin mengucapkan terima kasih" is no request.
SAYING = _words("mengucapkan ucapkan sampaikan menyampaikan bilang berterimakasih ucapin say haturkan")

# "Sangat jelas", "cepat sekali" praise.
PRAISED_WITH_VERY = _words("jelas baik bagus cepat paham membantu ramah responsif sabar")
# The status of the case.
STATUS_NOUNS = _words(
    "progres kelanjutan kelanjutannya perkembangan perkembangannya tindaklanjut status statusnya estimasi eta"
    " sampaimana berapalama kabar kabarnya update lanjutan nasib lama"
)
STATUS_ALWAYS = _words("sampaimana berapalama tunggu eta")
RESPONSES = _words(
    "balasan tanggapan respon respons response jawaban kabar info informasi konfirmasi kejelasan tindaklanjut"
    " kelanjutan update progres penyelesaian solusi penjelasan feedback pemberitahuan kepastian penanganan reaksi"
    " menghubungi menjawab merespon membalas"
)
HANDLED = _words(
    "dibalas direspon direspons ditanggapi dijawab diproses ditindaklanjuti ditindak dikonfirmasi dihubungi"
    " dikerjakan dicek diperiksa diperbaiki ditangani selesai diselesaikan bisa proses"
)
PROGRAMS = _words("aplikasi arkas versi data dapodik system sistem manual markas rkas sipd software windows os profil")

# What a case may be about; says nothing about its outcome.
OBJECTS = _words(
    "bku rkas arkas kertas kerja penganggaran penatausahaan pelaporan transaksi saldo siswa guru murid rekening"
    " dana salur penyaluran pajak bulan tahun tahap menu tombol halaman akun password sandi user username aplikasi"
    " web website server data dapodik sistem versi laptop komputer hp internet jaringan sinkronisasi verifikasi"
    " validasi pengajuan cetak nota kuitansi kas tunai bunga anggaran belanja realisasi januari februari maret"
    " april mei juni juli agustus september oktober november desember okt nov des jan feb mar apr jun jul agu sep"
    " pembukaan penutupan pencairan pencatatan penerimaan pengeluaran barang jasa kegiatan book account page button"
    " app application school system email pesan pengisian fitur layar tampilan simpan dashboard dasbor beranda form"
    " formulir faktur token kode aktivasi printer ekspor impor lpj spj bukti nota"
)
# The ending "-kah" makes a question.
ASKING = _words(
    "bisakah apakah adakah sudahkah bolehkah masihkah dapatkah benarkah haruskah perlukah mungkinkah kapankah"
    " dimanakah siapakah berapakah manakah bagaimanakah belumkah"
)
# In an unknown word these show that two words were run together ("kasihtidak").
GLUED = ("tidak", "belum", "masih", "gagal", "error", "kendala", "masalah", "tapi", "gabisa", "nihil")

# What was sent, tried or will be done: says nothing about the outcome.
SENDS = _words(
    "terlampir berikut kirim dikirim screenshot tangkapan foto gambar video bukti file berkas dokumen link tautan"
)
TRIES = _words(
    "coba dicoba cek dicek update instal install restart ikuti lakukan dilakukan praktekkan jalankan laksanakan"
    " hapus login download unduh klik buka sesuai ulang terapkan ikutin proses sync sinkronkan"
)
LATER = _words("akan nanti besok lusa bakal dulu menyusul segera rencana will sedang")
DOUBT = _words(
    "seharusnya harusnya mestinya katanya kayaknya sepertinya nampaknya mungkin ragu belumtentu dinyatakan dianggap"
    " dibilang bilang disebut tertulis keterangan seakan seolah entah rasanya kelihatannya sekiranya should seems"
    " supposedly"
)
IF = _words("kalau")
REPORTS_BACK = _words(
    "hubungi kabari lapor laporkan kontak email tanya infokan sampaikan wa chat mengabari melapor bertanya"
)
WISH = _words("semoga")
# These begin a subordinate clause, in which "selesai" is no outcome: "setelah selesai update".
WHILE = _words("setelah sesudah saat ketika waktu sejak pas after when sebelum sewaktu selama karena")
PURPOSE = _words("agar supaya biar untuk sampai hingga demi until")
PAST = _words("kemarin tadi sebelumnya awalnya semula sempat tadinya dulu earlier previously pagi ternyata yesterday")
BUT = _words("tapi")
CLOSES = _words("ditutup tutup diakhiri")
CASE = _words("tiket laporan aduan kasus pengaduan")

# Courtesy, forms of address, and words without a meaning of their own.
GREETS = _words(
    "salam selamat halo hai hi hello hallo dear yth kepada assalamualaikum assalamu'alaikum assalam aslmkm ass hey"
)
HONORIFIC = _words(
    "bapak ibu kakak mas mbak admin bang abang mr saudara sdr sdri kang uda uni om tante petugas operator cs"
)
NEUTRAL = _words(
    "salam selamat halo hai hi hello hallo dear yth kepada assalamualaikum assalamu alaikum assalam waalaikumsalam"
    " wassalam wr wb wassalamualaikum aslmkm hey pagi siang sore malam morning afternoon bapak ibu kakak mas mbak"
    " admin bang abang saudara kang om tante petugas helpdesk bosp bos pusat tim team cs rekan semua semuanya"
    " sekalian hormat horm regards best sincerely tertanda ttd an saya kami anda beliau ini itu tersebut nya yang"
    " dan di ke dari dengan untuk pada atas oleh sebagai juga saja ya deh nih dong sih lah kok toh kan loh lho pun"
    " sekali banyak sebanyak banyaknya sebesar besarnya lagi sudah telah alhamdulillah akhirnya sekarang ternyata"
    " kembali tadi langsung barusan nah wah oh ooh oalah owalah walah ooo oo oiya hehe hehehe haha hihi"
    " wkwk wkwkwk amin aamiin tuhan allah swt"
    " maaf permisi mengganggu merepotkan atensi perhatian perhatiannya kerjasama kerjasamanya bantuan bantuannya"
    " info infonya informasi informasinya penjelasan penjelasannya arahan arahannya respon responnya respons"
    " responsnya tanggapan tanggapannya jawaban jawabannya balasan balasannya pencerahannya solusi solusinya"
    " layanan pelayanan pelayanannya dukungan support supportnya cepat cepatnya fast gercep ramah sabar"
    " kesabarannya waktu waktunya sehat selalu sukses berkah barokah lancar jaya bermanfaat kebaikan kebaikannya"
    " dibalas amal the a to is are was now and of at all everything done for your help today hari bisa"
    " tolong-menolong kerja keras kerjanya hal masalah-masalah segala segalanya luar dalam semangat salut gan sis"
    " bro boss guys mantab ucapkan ucapan sekolah kita begitu there here then than these those with from by or as"
    " been be am so much do does did get got just up out about into over more some any every each other who it's i'm"
    " i've we've he she they his her their u ur pls much has have akun tiket laporan nomor langkah bku arkas in"
    " this that it its memberkati lalu sekian demikian diucapkan berkat"
)
SIGNATURE = _words(
    "sd sdn sdit sds sdk smp smpn smpit smps sma sman smas smk smkn smks slb slbn mi min mts mtsn ma man tk tkn"
    " paud kb ra pkbm skb upt uptd negeri swasta islam terpadu muhammadiyah operator bendahara bend kepala kepsek"
    " ks guru staf staff tata usaha tu kabupaten kab kota kecamatan kec desa kel kelurahan provinsi prov jalan jl"
    " npsn nip nuptk hp wa telp tlp telepon email s.pd m.pd spd mpd se st skom amd dra drs ir h hj dinas pendidikan"
    " korwil bos bosp sekolah yayasan al ni"
)

# Take back a part of what was said: "bisa sebentar", "yang ini baru bisa". In no thanks.
RESTRICTS = _words("sebentar sejenak doang kah entah nyaris hampir minus apalah")
# After these "saja" narrows nothing: "itu saja", "tutup saja".
ONLY_THAT = _words("itu ini begitu sekian ditutup tutup sama santai")
# A number after one of these counts nothing: "SDN 1", "tahap 2", "tahun 2025".
SERIES = _words(
    "tahap bulan tahun tanggal tgl versi no nomor tiket januari februari maret april mei juni juli agustus"
    " september oktober november desember pukul jam"
)
INTERJECTIONS = _words("ooo oo oiya hehe oalah owalah walah oh ooh ah wah nah oke ok ternyata alhamdulillah syukurlah")
# "BKU sudah terkunci" is how its closing is seen.
LOCKED_WHEN_DONE = _words("bku rkas kertas buku pembukuan")
# Further words of courtesy, and what success is told with; none of them can say that something is wrong.
COURTESY = _words(
    # praise and blessings
    "lot bunch loads million quick prompt perfectly great god bless kesehatan keselamatan keberkahan rezeki panjang"
    " umur lelah lillah menjadi makin semakin tambah jaga berkati memang pokoknya syukurlah puji markotop"
    # regional and Arabic thanks
    " sanget khairan khairon katsiran katsiron katsiira jazaakumullahu barakallah barakallahu fiikum syukurillah wa"
    " alhamdulillahirabbilalamin sembah matur hatur mangga bantosanana ngrepoti sewu"
    # forms of address
    " bpk pk horas daeng ndan komandan suhu bli teman rekan"
    # success
    " ada terkirim terbaru tuntas plong properly fully completely totally finally now again log in"
    # how one was helped
    " dibantuin dibantunya melayani kinerja ngadepin menghadapi gaptek gampang mudah dipahami jelas lengkap ramah"
    " hangat takzim kedepannya"
    # small words
    " di e be neh tuh ah wah iya gw ulun ambo kita kami usah perlu sendiri dengan sejauh"
    # an own slip: "ternyata saya salah ketik"
    " ketik tulis input isi pilih tekan baca"
)
# Given names that are typed small after "pak", "bu", "kak".
NAMES = _words(
    "sally budi siti dewi sri agus eko dwi tri adi andi ani ratna rina rini nur nurul ahmad muhammad abdul hasan husein"
    " fatimah aisyah wati yanti yani endang joko wahyu bambang hendra indra rudi dedi dede asep ujang cecep iwan irwan"
    " yusuf ibrahim ismail umar ali rahmat hidayat rizki fajar putri putra ayu made ketut wayan nyoman komang gede"
    " yohanes maria kristina agnes yosef paulus petrus lina linda lia mega novi nova dian dina dini desi diah fitri"
    " fitria galih hadi heri heru imam jaya kartika kurnia lestari maya nanda nia nina oki pipit rahma reni riko"
    " ririn rosa sari santi susi susanti sinta tina titin tono toni tuti udin umi vera vina wawan wulan yeni yudi yuli"
    " yuni zainal zahra acha"
)

EMOJI_GOOD = frozenset("👍🙏👌✅😊🙂😀😁😃😄🥰😍❤💕🤝👏💪🎉☺😇🤗💯🌹🌟⭐✨🔥🫡🫶😘🤩😉🥳✔☑🆗💐")
EMOJI_BAD = frozenset("👎❌😡😠🤬😤😞😩😫🤦💔😒🙄⛔🚫😖😣❎")
EMOJI_OPEN = frozenset("😭😢🥲😥😰😓😔😕🤔❓❔😅🙁☹😟")

# Words to which a typing mistake is corrected; others are too similar to words that people mean.
MISTYPED = _words(
    "belum sudah tidak masih tetap error gagal kendala masalah bermasalah muncul berhasil selesai normal lancar"
    " beres teratasi terselesaikan terimakasih terima kasih makasih mohon tolong minta bantu dibantu bantuan"
    " bagaimana kenapa kapan apakah kelanjutan progres perkembangan status terjadi kembali sekarang alhamdulillah"
    " rusak hilang sebagian thanks solved working resolved tindaklanjut laporan perubahan tanggapan balasan dibalas"
    " diproses ditindaklanjuti screenshot terlampir lampiran tetapi namun mungkin sepertinya seharusnya semoga"
    " sebelumnya dicoba mencoba ditutup ditolak lambat kosong percuma informasi penjelasan kerjasama berfungsi"
    " bisakah bantuannya"
)
# Real words, names and places that differ from one of those by one letter.
NOT_TYPOS = _words(
    "adalah adapun banyu bantul belut beras berus bolong cinta colong fasih formal gagah gagak gagap gagas gamal"
    " gatal gilang gosong halang hambat hantu hidang kafan kanan kapal kapas kapak kasir kasim kawan kelapa kendali"
    " kendal kendara kolong korong lambai langgar lantar lanjar lolong ludah majalah makalah mantu mapan masif"
    " masin masing minat minta mungkir norma pancar papan paskah pekarang peres pinta pohon polong rambat rujak"
    " rusuk sebarang semarang silang statis sunah surah tatap tegap tekap telaah telap terap terapi teratai tetas"
    " tinta todong tindak bilang their other there where these those three"
)

EMOJI = EMOJI_GOOD | EMOJI_BAD | EMOJI_OPEN
# Every class: the known words.
ALL = (
    NOT, OBJECTS, DONE, STILL, AGAIN, FINE, FINE_IF_DONE, OVER, APPEAR, PROBLEM, BAD, TOPIC, NO_PROGRESS, THANKS,
    PRAISE, ACKNOWLEDGED, ASKS, PERMITS, GOOD_WITHOUT, NO_REPLY, UNDERWAY, NO_PROBLEM, REST, BESIDE_ANSWER, SKIPPED,
    GIVEN, SAYING, STATUS_NOUNS, STATUS_ALWAYS, RESPONSES, HANDLED, PROGRAMS, SENDS, TRIES, LATER, DOUBT, IF,
    REPORTS_BACK, WISH, WHILE, PURPOSE, PAST, BUT, CLOSES, CASE, GREETS, HONORIFIC, NEUTRAL, SIGNATURE,
)  # fmt: skip
