// Small comforts; every page works without them.
"use strict";

const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// The theme: the system's, or the switch's. A cookie remembers it, so that the server's page has it at once.
function themes() {
  const button = document.getElementById("theme");
  const themes = ["", "dark", "light"];
  const names = { "": "System theme", dark: "Dark theme", light: "Light theme" };
  const show = () => {
    const theme = document.documentElement.dataset.theme || "";
    button.querySelector(".label").textContent = names[theme];
    button.title = `${names[theme]}: press for the next theme`;
  };
  button.hidden = false;
  button.addEventListener("click", () => {
    const now = document.documentElement.dataset.theme || "";
    const next = themes[(themes.indexOf(now) + 1) % themes.length];
    if (next) document.documentElement.dataset.theme = next;
    else delete document.documentElement.dataset.theme;
    const age = next ? 365 * 24 * 3600 : 0;
    document.cookie = `janitor_theme=${next}; path=/; max-age=${age}; samesite=strict`;
    show();
  });
  show();
}

// Durations and distances in words, as the server writes them (words.py).
function duration(seconds, short) {
  if (seconds < 60) return short || seconds >= 9.95 ? `${Math.floor(seconds)} s` : `${seconds.toFixed(1)} s`;
  for (const [unit, size, lesser, part] of [["d", 86400, "h", 3600], ["h", 3600, "min", 60], ["min", 60, "s", 1]]) {
    if (seconds >= size) {
      const rest = Math.floor((seconds % size) / part);
      return `${Math.floor(seconds / size)} ${unit}` + (rest && !short ? ` ${rest} ${lesser}` : "");
    }
  }
}

// A browser's clock may differ from the server's: all distances are counted from the server's.
const serverNow = Number(document.body.dataset.now) * 1000;
const started = performance.now();
const now = () => serverNow + (performance.now() - started);

function distances() {
  for (const element of all("time[data-ago]")) {
    const seconds = (now() - Date.parse(element.dateTime)) / 1000;
    const words = Math.abs(seconds) < 1.5 ? "now" : duration(Math.abs(seconds), true);
    element.textContent = words === "now" ? words : seconds > 0 ? `${words} ago` : `in ${words}`;
  }
  for (const element of all("time:not([data-local])")) {
    element.dataset.local = "";
    element.title += `, here ${new Date(element.dateTime).toLocaleString()}`;
  }
  const clock = document.getElementById("clock");
  if (clock) clock.textContent = duration(Math.max(0, (now() - Date.parse(clock.dataset.since)) / 1000));
}

// A form that asks first, and buttons that are pressed once.
function forms() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.ask && !window.confirm(form.dataset.ask)) {
      event.preventDefault();
      return;
    }
    if (form.method === "post") setTimeout(() => all("button", form).forEach((button) => (button.disabled = true)));
  });
  window.addEventListener("pageshow", () => all("form button[disabled]").forEach((button) => (button.disabled = false)));
  for (const select of all("form[method=get] select")) select.addEventListener("change", () => select.form.requestSubmit());
  for (const button of all("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  }
}

// The tab key stops once in a chart; the arrow keys lead to its other marks.
function charts() {
  document.addEventListener("keydown", (event) => {
    const chart = event.target.closest?.("svg:not(.graph)");
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!chart || !step) return;
    const marks = all("a", chart);
    const at = marks.indexOf(event.target.closest("a"));
    const next = marks[Math.min(marks.length - 1, Math.max(0, at + step))];
    if (at < 0 || !next) return;
    event.preventDefault();
    marks[at].setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
}

// In the graph a job shows its edges while somebody points at it, or while it has the focus.
function graphs() {
  const show = (event) => {
    const node = event.target.closest?.(".graph .node");
    if (!node && event.type === "focusin") return;
    for (const edge of all(".graph .lit")) edge.classList.remove("lit");
    if (!node) return;
    const name = CSS.escape(node.id.slice("node-".length));
    const edges = all(`.edge[data-from="${name}"], .edge[data-to="${name}"]`, node.closest("svg"));
    for (const edge of edges) {
      edge.classList.add("lit");
      // The first pieces of a long edge are drawn once, for all edges of their job.
      if (edge.dataset.from !== node.id.slice("node-".length)) {
        const from = CSS.escape(edge.dataset.from);
        all(`.edge[data-from="${from}"]:not([data-to])`, node.closest("svg")).forEach((one) => one.classList.add("lit"));
      }
    }
  };
  for (const name of ["pointerover", "focusin"]) document.addEventListener(name, show);
}

// Parts of a page that change by themselves. They are fetched when a job's state has changed, or the items that a page
// shows, and every 30 s.
function liveParts() {
  if (!document.querySelector("[data-live]")) return;
  let waiting = 0;
  let asked = 0;
  const refresh = async () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, SELDOM);
    asked = performance.now();
    if (document.hidden) return;
    let text;
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, redirect: "error" });
      if (!answer.ok) return;
      text = await answer.text();
    } catch {
      return;
    }
    replaceParts(new DOMParser().parseFromString(text, "text/html"));
  };
  const soon = () => {
    clearTimeout(waiting);
    // Many may watch, so they do not all ask at once. The server keeps answers for 1 s: they ask after that.
    waiting = setTimeout(refresh, Math.max(1100, OFTEN - (performance.now() - asked)) + 500 * Math.random());
  };
  waiting = setTimeout(refresh, SELDOM);
  let first = true;
  const shown = document.querySelector("[data-items]");
  whileSeen(() => {
    const source = new EventSource("/events");
    source.onopen = () => doubt(false);
    source.onerror = () => doubt(true);
    // The page already shows what the first event tells.
    source.addEventListener("jobs", () => (first ? (first = false) : soon()));
    // Pages about items change with these, too.
    if (!shown) return source;
    source.addEventListener("items", (event) => {
      const changed = JSON.parse(event.data).pipelines;
      if (!first && changed.some((name) => !shown.dataset.items || shown.dataset.items === name)) soon();
    });
    return source;
  });
}

// A page that is not kept up to date says so.
function doubt(isSo) {
  const shown = document.getElementById("doubt");
  if (!isSo) shown?.remove();
  if (!isSo || shown) return;
  const said = make("p", "flash wrong", undefined, { id: "doubt", role: "alert" });
  const at = new Date(now()).toISOString().slice(11, 19);
  said.append(make("span", "", `The daemon does not answer. This page shows the state at ${at} UTC, and is not kept up to date.`));
  document.getElementById("main").prepend(said);
}

// A browser opens few connections to one host: a hidden page keeps none.
function whileSeen(open) {
  let source = document.hidden ? null : open();
  const look = () => {
    if (document.hidden === !source) return;
    source?.close();
    source = document.hidden ? null : open();
  };
  document.addEventListener("visibilitychange", look);
  window.addEventListener("pagehide", () => source?.close());
}

const OFTEN = 3000;
const SELDOM = 30000;
const was = new WeakMap();

function replaceParts(page) {
  if (page.title) document.title = page.title;
  for (const part of all("[data-live]")) {
    const fresh = page.getElementById(part.id);
    if (fresh) replace(part, fresh);
  }
  distances();
}

// Puts the fresh part in the old part's place, if they differ; child by child, if both have the same children.
function replace(part, fresh) {
  const text = fresh.outerHTML;
  if (text === was.get(part)) return;
  const [old, next] = [[...part.children], [...fresh.children]];
  if (old.length && old.length === next.length && old.every((child, at) => child.id && child.id === next[at].id)) {
    old.forEach((child, at) => replace(child, next[at]));
    was.set(part, text);
    return;
  }
  const focus = part.contains(document.activeElement) ? document.activeElement : null;
  const copy = document.importNode(fresh, true);
  const heir = focus === part ? copy : focus && all("a, button, summary", copy).find((one) => named(one) === named(focus));
  // A part that somebody uses at this moment stays.
  if (part.querySelector("details[open]") || (focus && !heir)) return;
  was.set(copy, text);
  part.replaceWith(copy);
  heir?.focus();
}

const named = (element) => `${element.getAttribute("href") || element.form?.action} ${element.textContent}`;

// A run that goes on: its progress and its log are live, and the page is loaded again when the run has ended.
function liveRun() {
  const box = document.querySelector("[data-events]");
  if (!box) return;
  const list = box.querySelector("ol");
  const levels = ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
  const least = levels.indexOf(box.dataset.level);
  const sign = document.getElementById("live");
  let after = Number(box.dataset.after);
  box.scrollTop = box.scrollHeight;
  const say = (trouble) => {
    sign.classList.toggle("off", Boolean(trouble));
    sign.textContent = trouble ? `Running, as far as is known (${trouble})` : "Running";
  };
  const add = (lines) => {
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    for (const line of lines) {
      if (levels.includes(line.level) && levels.indexOf(line.level) < least) continue;
      document.getElementById("no-lines")?.remove();
      list.append(logLine(line));
    }
    while (list.childElementCount > 2000) list.firstElementChild.remove();
    if (atEnd) box.scrollTop = box.scrollHeight;
  };
  whileSeen(() => {
    const source = new EventSource(`${box.dataset.events}?after=${after}`);
    source.onopen = () => say("");
    source.onerror = () => say("the daemon does not answer");
    source.addEventListener("trouble", (event) => say(JSON.parse(event.data).error));
    source.addEventListener("log", (event) => {
      after = Number(event.lastEventId) || after;
      add(JSON.parse(event.data));
    });
    source.addEventListener("progress", (event) => {
      const part = JSON.parse(event.data);
      if (part) document.getElementById("progress").replaceChildren(tree(part));
    });
    source.addEventListener("end", () => {
      source.close();
      const said = document.querySelector(".flash")?.outerHTML;
      if (said) history.replaceState({ said }, "");
      location.reload();
    });
    return source;
  });
}

// The sentence that a run has begun stays when the page loads itself again; it is gone after that.
function saidBefore() {
  const said = history.state?.said;
  if (!said) return;
  history.replaceState(null, "");
  const flash = new DOMParser().parseFromString(said, "text/html").querySelector(".flash");
  if (flash && !document.querySelector(".flash")) document.getElementById("main").prepend(document.importNode(flash, true));
}

// As `logs/escapes.py` shows them: characters that steer a terminal or turn a text around.
const steering = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029\ufeff\ufff9-\ufffb]/g;
const escaped = (character) => {
  const code = character.charCodeAt(0).toString(16);
  return character === "\r" ? "\\r" : code.length < 3 ? `\\x${code.padStart(2, "0")}` : `\\u${code.padStart(4, "0")}`;
};
const visible = (text) => String(text).replace(steering, escaped);

function make(name, kind, text, attributes = {}) {
  const element = document.createElement(name);
  if (kind) element.className = kind;
  if (text !== undefined) element.textContent = visible(text);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, visible(value));
  return element;
}

function logLine(line) {
  const item = make("li", `l-${line.level}`);
  const at = new Date(line.at).toISOString();
  item.append(make("span", "at", at.slice(11, 23), { title: `${at.slice(0, 10)} ${at.slice(11, 23)} UTC, ${line.logger}` }));
  item.append(make("span", "level", line.level), make("span", "", line.message));
  if (line.file) item.append(make("span", "where", `${line.file}:${line.line}`));
  return item;
}

function tree(part) {
  const item = make("li");
  const name = part.name || "the whole run";
  if (part.name || part.done !== null) {
    const row = make("div", "part");
    row.append(make("span", "what", name));
    const share = part.share === null ? {} : { max: 1, value: part.share };
    row.append(part.done === null ? make("span") : make("progress", "", "", { "aria-label": name, ...share }));
    const amount = (value) => value.toLocaleString("en", { maximumFractionDigits: 3 });
    const of = part.total === null ? "" : ` of ${amount(part.total)}`;
    row.append(make("span", "amount", part.done === null ? "" : amount(part.done) + of), make("span", "said", part.note));
    item.append(row);
  }
  if (part.parts.length) {
    const below = make("ul");
    below.append(...part.parts.map(tree));
    item.append(below);
  }
  return item;
}

if (document.getElementById("theme")) themes();
forms();
charts();
if (document.querySelector(".graph")) graphs();
distances();
setInterval(distances, 1000);
saidBefore();
liveParts();
liveRun();
