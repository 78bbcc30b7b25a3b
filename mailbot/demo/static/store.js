// What the page knows: the server's state, what is chosen on the page, and who wants to hear of changes.

import { get, post } from "./dom.js";
import { remember, remembered } from "./i18n.js";

export const page = {
  state: null,        // /api/state
  story: [],          // /api/story
  person: remembered("mailbot-person", "sdn1"),
  thread: null,       // id of the open conversation
  view: "mail",       // phone: "mail" | "desk"
};

const listeners = [];
export const onChange = (listener) => listeners.push(listener);
export const changed = () => { if (page.state) for (const listener of listeners) listener(); };

let received = 0;
let loading = null;
let again = false;

// Get the state; calls that come while one is under way are joined into one more.
export async function load() {
  if (loading) { again = true; return loading; }
  loading = (async () => {
    do {
      again = false;
      const state = await get("/api/state");
      received = performance.now();
      page.state = state;
    } while (again);
  })();
  try { await loading; } finally { loading = null; }
  changed();
}

// The simulated moment, between two looks at the server too.
export function now() {
  const { now: then, speed } = page.state.clock;
  return new Date(Date.parse(then) + (performance.now() - received) * speed);
}

export const person = (key = page.person) => page.state.people.find((one) => one.key === key);
export const threads = (key = page.person) => page.state.boxes[key] || [];
export const openThread = () => threads().find((thread) => thread.letters.some((letter) => letter.id === page.thread));
export const unread = (key) => threads(key).reduce((sum, thread) => sum + thread.letters.filter((letter) => !letter.read).length, 0);
export const allLetters = () => Object.entries(page.state.boxes)
  .flatMap(([key, box]) => box.flatMap((thread) => thread.letters.map((letter) => ({ ...letter, person: key }))))
  .sort((a, b) => a.id - b.id);

export function choosePerson(key) {
  if (page.person === key) return;
  page.person = key;
  page.thread = null;
  remember("mailbot-person", key);
  changed();
}

// Open the conversation of a letter (any letter of it), and count what is in it as read.
// `stay`: on a phone the other part of the page stays in sight.
export function openLetter(key, id, stay = false) {
  if (key !== page.person) { page.person = key; remember("mailbot-person", key); }
  page.thread = id;
  if (!stay) page.view = "mail";
  document.body.dataset.reading = id ? "yes" : "no";
  changed();
  const fresh = (openThread()?.letters || []).filter((letter) => !letter.read).map((letter) => letter.id);
  if (fresh.length) post("/api/read", { letters: fresh }).catch(() => {});
}

export function closeThread() {
  page.thread = null;
  document.body.dataset.reading = "no";
  changed();
}

export function go(view) {
  page.view = view;
  changed();
}
