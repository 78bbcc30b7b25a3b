// The page's words, Indonesian and English, and how times are written. No logic of the desk.

const WORDS = {
  id: {
    skip: "Langsung ke isi surat", clock: "Jam simulasi", speed: "Kecepatan jam", people: "Kotak surat", parts: "Bagian halaman",
    mail: "Surat", tickets: "Tiket", tickets_tour: "Tiket & tur", traffic: "Lalu lintas surat", reading: "Isi surat", desk: "Meja layanan",
    compose: "Tulis", close: "Tutup", to: "Kepada", subject: "Subjek", text: "Isi", send: "Kirim", attach: "Lampirkan", suggestions: "Saran isi",
    jump: "+6 jam", jump_title: "Lompat 6 jam ke depan", language_title: "Switch to English", theme: "Terang atau gelap",
    restart_title: "Mulai lagi dari kosong", restart_sure: "Mulai lagi dari kosong? Semua surat dan tiket demo ini hilang.",
    pause: "Jeda", real: "1×", minute: "1 mnt → 1 dtk", six: "6 jam → 6 dtk",
    school: "Sekolah", agent: "Petugas", no_mail: "Belum ada surat.", no_mail_hint_school: "Tulis laporan ke helpdesk, atau mulai turnya.",
    no_mail_hint_agent: "Pemberitahuan datang begitu ada laporan.", choose: "Pilih satu percakapan untuk membacanya.",
    choose_hint: "Keempat kotak surat ini milik dua sekolah dan dua petugas. Yang di antaranya adalah mailbot yang sebenarnya.",
    me: "saya", to_whom: "kepada", html: "Tampilan", plain: "Teks", headers: "Kepala surat", raw: "Mentah", view_as: "Tampilkan sebagai",
    reply: "Balas", reply_all: "Balas semua", away: "Balas otomatis (cuti)", away_title: "Balasan robot yang menandai dirinya sendiri: mailbot tidak menjawabnya",
    back: "Kembali", new_mail: "Surat baru", sending: "Mengirim…", sent: "Terkirim",
    quoted: "Surat yang dibalas ikut dikutip di bawahnya, seperti di Gmail.", remove: "Hapus lampiran", too_large: "Lampiran lebih dari 25 MB.",
    no_tickets: "Belum ada tiket.", inbox: "masuk", processed: "diproses", quarantine: "karantina",
    follow_up_of: "lanjutan", followed_by: "dilanjutkan", no_agent: "belum ada petugas", due: "segera", timer_reminder: "Pengingat", timer_close: "Tertutup", in: "dalam",
    requester: "Pelapor", agent_label: "Petugas", opened: "Dibuka", status: "Status", history: "Riwayat", closed_at: "Ditutup", participants: "Peserta", reminders: "Pengingat terkirim",
    tour: "Tur", start: "Mulai tur", next: "Berikutnya", previous: "Sebelumnya", step_of: (n, m) => `Langkah ${n} dari ${m}`,
    tour_title: "Satu tiket, dari lahir sampai selesai", tour_intro: "Dua belas langkah. Setiap langkah mengirim surat sungguhan melalui mailbot, lalu menjelaskan apa yang baru saja terjadi. Anda boleh menyela kapan saja: semua surat bisa dibaca dan dibalas.",
    doing: "Sedang berlangsung…", upcoming: "Berikutnya:", tour_done: "Tur selesai. Sekarang giliran Anda: tulis sebagai sekolah, jawab sebagai petugas.", tour_failed: "Langkah ini tidak terjadi:", try_again: "Coba lagi", show_mail: "Lihat surat",
    new_for: (who) => `Surat baru: ${who}`, lost: "Hubungan ke demo terputus. Mencoba lagi…", failed: "Tidak berhasil",
    kinds: { acknowledgement: "konfirmasi", answer: "jawaban", closure: "penutupan", notice: "kabar", notification: "pemberitahuan", reminder: "pengingat", status: "status",
      report: "laporan", reply: "balasan", note: "catatan", bounce: "tidak sampai", auto_reply: "balasan otomatis" },
    states: { queued: "Dalam Antrean", in_progress: "Sedang ditangani petugas", waiting: "Menunggu balasan pelapor", closed: "Sudah Selesai" },
    reasons: { solved: "diselesaikan petugas", no_reply: "tanpa balasan", merged: "digabung", spam: "spam" },
    suggest_school: [["Laporan", "Selamat pagi Bapak/Ibu,\n\nBKU bulan Oktober tidak bisa ditutup. Mohon bantuannya.\n\nTerima kasih."]],
    suggest_school_reply: [["Kendala masih terjadi", "Kendala masih terjadi"], ["Terima kasih", "Terima kasih banyak, sudah bisa."], ["NPSN", "Berikut NPSN sekolah kami: 20512345"]],
    suggest_agent_reply: [["#selesai", "#selesai\nSudah kami perbaiki, silakan dicoba kembali."], ["#catatan", "#catatan\nSudah dicek, menunggu tim teknis."], ["#ambil", "#ambil"], ["#prioritas tinggi", "#prioritas tinggi"], ["#bantuan", "#bantuan"], ["Tanya NPSN", "Boleh infokan NPSN sekolah Bapak/Ibu?"]],
    command_hint: "Baris pertama yang diawali # adalah perintah.", report_subject: "Tidak bisa tutup BKU", system: "mailbot",
  },
  en: {
    skip: "Skip to the mail", clock: "Simulated clock", speed: "Speed of the clock", people: "Mailboxes", parts: "Parts of the page",
    mail: "Mail", tickets: "Tickets", tickets_tour: "Tickets & tour", traffic: "Mail in transit", reading: "The mail", desk: "The desk",
    compose: "Write", close: "Close", to: "To", subject: "Subject", text: "Text", send: "Send", attach: "Attach", suggestions: "Suggestions",
    jump: "+6 h", jump_title: "Jump 6 hours ahead", language_title: "Ganti ke bahasa Indonesia", theme: "Light or dark",
    restart_title: "Start again from nothing", restart_sure: "Start again from nothing? All mail and tickets of this demo are lost.",
    pause: "Pause", real: "1×", minute: "1 min → 1 s", six: "6 h → 6 s",
    school: "School", agent: "Agent", no_mail: "No mail yet.", no_mail_hint_school: "Write a report to the helpdesk, or start the tour.",
    no_mail_hint_agent: "A notification comes as soon as there is a report.", choose: "Choose a conversation to read it.",
    choose_hint: "These four mailboxes belong to two schools and two agents. What stands between them is the real mailbot.",
    me: "me", to_whom: "to", html: "Rendered", plain: "Text", headers: "Headers", raw: "Raw", view_as: "Show as",
    reply: "Reply", reply_all: "Reply all", away: "Automatic reply (away)", away_title: "A robot's reply that says so itself: mailbot does not answer it",
    back: "Back", new_mail: "New mail", sending: "Sending…", sent: "Sent",
    quoted: "The mail that you answer is quoted below, as Gmail does it.", remove: "Remove attachment", too_large: "Attachments are over 25 MB.",
    no_tickets: "No tickets yet.", inbox: "in", processed: "processed", quarantine: "quarantine",
    follow_up_of: "follows", followed_by: "continued in", no_agent: "no agent yet", due: "now", timer_reminder: "Reminder", timer_close: "Closes", in: "in",
    requester: "Requester", agent_label: "Agent", opened: "Opened", status: "Status", history: "History", closed_at: "Closed", participants: "Participants", reminders: "Reminders sent",
    tour: "Tour", start: "Start the tour", next: "Next", previous: "Previous", step_of: (n, m) => `Step ${n} of ${m}`,
    tour_title: "One ticket's whole life", tour_intro: "Twelve steps. Each sends real mail through mailbot and then explains what has just happened. Step in whenever you like: every mail can be read and answered.",
    doing: "Happening…", upcoming: "Next:", tour_done: "The tour is over. Your turn: write as a school, answer as an agent.", tour_failed: "This step did not happen:", try_again: "Try again", show_mail: "Show the mail",
    new_for: (who) => `New mail: ${who}`, lost: "The demo can't be reached. Trying again…", failed: "That did not work",
    kinds: { acknowledgement: "acknowledgement", answer: "answer", closure: "closure", notice: "notice", notification: "notification", reminder: "reminder", status: "status",
      report: "report", reply: "reply", note: "note", bounce: "bounced", auto_reply: "automatic reply" },
    states: { queued: "In the queue", in_progress: "Being handled by an agent", waiting: "Waiting for the requester", closed: "Closed" },
    reasons: { solved: "solved by the agent", no_reply: "no reply", merged: "merged", spam: "spam" },
    command_hint: "A first line that begins with # is a command.", report_subject: "Tidak bisa tutup BKU", system: "mailbot",
  },
};
// What schools and agents write stays Indonesian: it is their language.
for (const name of ["suggest_school", "suggest_school_reply", "suggest_agent_reply"]) WORDS.en[name] = WORDS.id[name];

const remembered = (name, otherwise) => {
  try { return localStorage.getItem(name) || otherwise; } catch { return otherwise; }  // storage may be switched off
};
export const remember = (name, value) => {
  try { localStorage.setItem(name, value); } catch { /* then it is forgotten with the tab */ }
};
export { remembered };

let language = remembered("mailbot-language", "id");

export const lang = () => language;
export const t = (name) => WORDS[language][name];

export function setLanguage(next) {
  language = next;
  remember("mailbot-language", next);
  translatePage();
}

export function translatePage() {
  document.documentElement.lang = language;
  for (const node of document.querySelectorAll("[data-i18n]")) node.textContent = t(node.dataset.i18n);
  for (const node of document.querySelectorAll("[data-i18n-label]")) node.setAttribute("aria-label", t(node.dataset.i18nLabel));
  for (const node of document.querySelectorAll("[data-i18n-title]")) node.title = t(node.dataset.i18nTitle);
  document.getElementById("language").textContent = language === "id" ? "EN" : "ID";
}

const format = (options) => {
  const made = {};
  return (when) => (made[language] ??= new Intl.DateTimeFormat(language === "id" ? "id-ID" : "en-GB", { timeZone: "Asia/Jakarta", ...options })).format(when);
};
export const day = format({ weekday: "long", day: "numeric", month: "short", year: "numeric" });
export const clockTime = format({ hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
export const shortTime = format({ hour: "2-digit", minute: "2-digit", hour12: false });
export const shortDay = format({ weekday: "short", day: "numeric", month: "short" });
export const fullTime = format({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });

// In a list: the hour of today's mail, the day of an older one.
export const listTime = (when, now) => (shortDay(when) === shortDay(now) ? shortTime(when) : shortDay(when));

export function span(milliseconds) {
  const minutes = Math.max(0, Math.round(milliseconds / 60000));
  const [d, h, m] = [Math.floor(minutes / 1440), Math.floor(minutes / 60) % 24, minutes % 60];
  const [du, hu, mu] = language === "id" ? ["hr", "jam", "mnt"] : ["d", "h", "min"];
  if (d) return `${d} ${du} ${h} ${hu}`;
  return h ? `${h} ${hu} ${m} ${mu}` : `${m} ${mu}`;
}

export const size = (bytes) => (bytes < 1024 ? `${bytes} B` : bytes < 1048576 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1048576).toFixed(1)} MB`);
