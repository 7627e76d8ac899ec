// The report as it lies in the page, names made visible, figures written for people, and the one state of all views.

const data = JSON.parse(document.getElementById("data").textContent);
const tasks = data.tasks, buffers = data.buffers, run = data.run;
const taskCount = tasks.id.length, bufferCount = buffers.id.length, placedCount = buffers.birth.length;
const byId = (id) => document.getElementById(id);

// -- names --------------------------------------------------------------------------------------------------------

// Characters that cannot be seen, or that change what stands beside them, are spelled out, as in the rest of the page.
const UNSEEN = /[\p{C}\p{Zl}\p{Zp}]|(?! )\p{Zs}/gu;
const SHORT = { "\t": "\\t", "\n": "\\n", "\r": "\\r" };
const spelled = (c) => {
  if (SHORT[c]) return SHORT[c];
  const code = c.codePointAt(0);
  if (code > 0xffff) return "\\U" + code.toString(16).padStart(8, "0");
  return code > 0xff ? "\\u" + code.toString(16).padStart(4, "0") : "\\x" + code.toString(16).padStart(2, "0");
};
const visible = (name) => name.replace(UNSEEN, spelled);
const taskName = tasks.id.map(visible), bufferName = buffers.id.map(visible), poolName = data.pools.map(visible);

// Both ends of a name tell more than its beginning alone.
const cut = (name, most) => {
  if (name.length <= most) return name;
  const letters = Array.from(name);
  if (letters.length <= most) return name;
  const tail = Math.floor((most - 1) * 0.6);
  return letters.slice(0, most - 1 - tail).join("") + "\u2026" + letters.slice(letters.length - tail).join("");
};

// What all names of a workflow begin with tells nothing in a chart: labels leave it out.
const commonStart = (names) => {
  if (names.length < 2) return 0;
  let length = names[0].length;
  for (const name of names) {
    let k = 0;
    while (k < length && name[k] === names[0][k]) k += 1;
    length = k;
    if (length < 6) return 0;
  }
  const stop = Math.max(...[".", ":", "/", "_", "-"].map((c) => names[0].lastIndexOf(c, length - 1)));
  return stop >= 5 ? stop + 1 : 0;
};
const commonEnd = (names) => {
  if (names.length < 2) return 0;
  const first = names[0];
  let length = first.length;
  for (const name of names) {
    let k = 0;
    while (k < length && name[name.length - 1 - k] === first[first.length - 1 - k]) k += 1;
    length = k;
  }
  const from = first.slice(first.length - length).search(/[._:/-]/);
  return from < 0 ? 0 : length - from;
};
// Names without what all of them begin and end with, up to the next separator.
const distinct = (names) => {
  const start = commonStart(names);
  const rest = names.map((name) => name.slice(start));
  const end = commonEnd(rest);
  const bare = rest.map((name) => name.slice(0, name.length - end));
  return bare.every((name) => /[\p{L}\p{N}]/u.test(name)) ? bare : names;
};
const taskLabel = distinct(taskName);

// Tasks are of one kind when their names differ in digits only. Kinds stand by the time they take in all.
const kinds = (() => {
  const number = new Map(), names = [], total = [], of = [];
  tasks.id.forEach((id, t) => {
    const key = id.replace(/[0-9]+/g, "*");
    if (!number.has(key)) {
      number.set(key, names.length);
      names.push(visible(key));
      total.push(0);
    }
    of.push(number.get(key));
    total[of[t]] += tasks.end[t] - tasks.start[t];
  });
  const order = names.map((_, k) => k).sort((a, b) => total[b] - total[a] || a - b);
  const rank = [];
  order.forEach((k, place) => (rank[k] = place));
  const label = distinct(names);
  return { of: of.map((k) => rank[k]), label: order.map((k) => label[k]) };
})();

// -- figures ------------------------------------------------------------------------------------------------------

const count = (n) => n.toLocaleString("en-US");
const plural = (n, noun) => `${count(n)} ${noun}${n === 1 ? "" : "s"}`;
const trimmed = (text) => (text.includes(".") ? text.replace(/0+$/, "").replace(/\.$/, "") : text);

const size = (bytes) => {
  for (const [unit, factor] of [["TB", 1e12], ["GB", 1e9], ["MB", 1e6], ["kB", 1e3]]) {
    if (bytes >= factor) {
      const number = bytes / factor;
      return trimmed(number.toFixed(number < 10 ? 2 : number < 100 ? 1 : 0)) + unit;
    }
  }
  return `${bytes}B`;
};

// A moment or duration in milliseconds: exact below a minute, in two units above. `step` tells what differences matter.
const time = (ms, step = 0) => {
  const sign = ms < 0 ? "-" : "";
  const whole = Math.abs(ms);
  if (whole < 60000) {
    const decimals = step >= 1000 ? 0 : step >= 100 ? 1 : step >= 10 ? 2 : whole < 10000 || step ? 3 : 2;
    return sign + trimmed((whole / 1000).toFixed(decimals)) + "s";
  }
  const seconds = Math.round(whole / 1000);
  const d = Math.floor(seconds / 86400), h = Math.floor(seconds / 3600) % 24, m = Math.floor(seconds / 60) % 60, s = seconds % 60;
  const two = (n) => String(n).padStart(2, "0");
  if (d) return `${sign}${d}d` + (step >= 864e5 ? "" : ` ${two(h)}h`) + (step && step < 36e5 ? ` ${two(m)}m` : "");
  if (h) return `${sign}${h}h` + (step >= 36e5 ? "" : ` ${two(m)}m`) + (step && step < 6e4 ? ` ${two(s)}s` : "");
  return `${sign}${m}m` + (step >= 6e4 ? "" : ` ${two(s)}s`);
};
const exactSeconds = (ms) => (ms / 1000).toLocaleString("en-US", { maximumFractionDigits: 3 }) + "s";

// Round steps of time: 1, 2, 5 times a power of ten below a minute, then what clocks have.
const TIME_STEPS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 2e3, 5e3, 1e4, 3e4, 6e4, 12e4, 3e5, 6e5, 18e5, 36e5, 72e5, 216e5, 432e5, 864e5];
const timeStep = (span, most) => {
  const rough = span / Math.max(1, most);
  const known = TIME_STEPS.find((step) => step >= rough);
  return known || Math.pow(10, Math.ceil(Math.log10(rough / 864e5))) * 864e5;
};
const roundStep = (span, most) => {
  const rough = Math.max(1, span / Math.max(1, most));
  const power = Math.pow(10, Math.floor(Math.log10(rough)));
  return [1, 2, 5, 10].map((m) => m * power).find((step) => step >= rough);
};

// -- relations ----------------------------------------------------------------------------------------------------

const readers = Array.from({ length: bufferCount }, () => []);
tasks.in.forEach((names, t) => names.forEach((b) => readers[b].push(t)));
// Who takes over whose bytes: `heirs` is the inverse of `buffers.over`.
const heirs = Array.from({ length: bufferCount }, () => []);
for (let b = 0; b < placedCount; b += 1) {
  const over = buffers.over[b];
  for (let k = 0; k < over.length; k += 2) heirs[over[k]].push(b, over[k + 1]);
}
const inChain = new Map(data.chain.map((link, k) => [link[0], k]));
const before = Array.from({ length: taskCount }, () => []), after = Array.from({ length: taskCount }, () => []);
for (const [a, b] of data.graph.tasks.edges) {
  after[a].push(b);
  before[b].push(a);
}

// -- state --------------------------------------------------------------------------------------------------------

// One selection for all views: { kind: "task" or "buffer", index }. `near`: what has to do with it. `hits`: what is sought.
const state = { chosen: null, near: null, hits: null, hover: null, from: 0, until: Math.max(1, data.makespan) };
const views = [];
let due = false;

const draw = () => {
  due = false;
  for (const view of views) view.draw();
};
const invalidate = () => {
  if (due) return;
  due = true;
  requestAnimationFrame(draw);
};

const same = (a, b) => a === b || (a && b && a.kind === b.kind && a.index === b.index);
const nameOf = (item) => (item.kind === "task" ? taskName : bufferName)[item.index];

const nearTo = (item) => {
  const found = { task: new Set(), buffer: new Set() };
  if (item.kind === "task") {
    for (const b of tasks.in[item.index].concat(tasks.out[item.index])) found.buffer.add(b);
    for (const t of before[item.index].concat(after[item.index])) found.task.add(t);
  } else {
    if (buffers.writer[item.index] >= 0) found.task.add(buffers.writer[item.index]);
    for (const t of readers[item.index]) found.task.add(t);
  }
  return found;
};

const say = (text) => {
  byId("said").textContent = text;
};

const choose = (item, { reveal = false } = {}) => {
  state.chosen = item;
  state.near = item && nearTo(item);
  if (item && reveal) for (const view of views) if (view.reveal) view.reveal(item);
  for (const view of views) if (view.chosen) view.chosen(item);
  if (item) say(`${item.kind} ${cut(nameOf(item), 120)} selected. ${spoken(item)}`);
  invalidate();
};

const spoken = (item) => {
  if (item.kind === "task") return `From ${time(tasks.start[item.index])} to ${time(tasks.end[item.index])}.`;
  if (item.index >= placedCount) return `${size(buffers.size[item.index])}, outside the workspace.`;
  return `${size(buffers.size[item.index])}, from ${time(buffers.birth[item.index])} to ${time(buffers.death[item.index])}.`;
};

// How an item is drawn: 2 chosen, 1 near it or found, 0 as always, -1 stepped back because others are meant.
const emphasis = (kind, index) => {
  const { chosen, near, hits, hover } = state;
  if (chosen && chosen.kind === kind && chosen.index === index) return 2;
  if (hits) return hits[kind].has(index) ? 1 : hits.near[kind].has(index) ? 0 : -1;
  if (chosen) return near[kind].has(index) ? 1 : -1;
  return hover && hover.kind === kind && hover.index === index ? 1 : 0;
};

// -- elements -----------------------------------------------------------------------------------------------------

// Text enters the page as text only: nothing here ever parses a name as HTML.
const element = (tag, attributes = {}, ...children) => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "class") made.className = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
};
const nameElement = (name, most = 44) => element("bdi", {}, cut(name, most));
const pick = (item, most = 44) =>
  element(
    "button",
    { type: "button", class: "pick", title: cut(nameOf(item), 400), onclick: () => choose(item, { reveal: true }) },
    nameElement(nameOf(item), most),
  );

// -- colours ------------------------------------------------------------------------------------------------------

const POOL_COLOURS = 8, TINTS = 3;
const colours = {};
const channel = (hex, k) => parseInt(hex.slice(1 + 2 * k, 3 + 2 * k), 16);
const mixed = (a, b, share) =>
  "#" + [0, 1, 2].map((k) => Math.round(channel(a, k) * (1 - share) + channel(b, k) * share).toString(16).padStart(2, "0")).join("");

const readColours = () => {
  const style = getComputedStyle(document.documentElement);
  const names = ["paper", "panel", "ink", "soft", "line", "faint", "accent", "critical", "good", "bad", "hit", "task", "task-critical", "task-load", "task-good", "task-bad", "text-on-pool"];
  for (const name of names) colours[name] = style.getPropertyValue(`--${name}`).trim();
  const dark = style.colorScheme.includes("dark");
  colours.pools = Array.from({ length: POOL_COLOURS }, (_, k) => {
    const colour = style.getPropertyValue(`--pool-${k}`).trim();
    // Neighbours of one pool differ in lightness, so that each can be seen.
    return [colour, mixed(colour, dark ? "#000000" : "#ffffff", 0.26), mixed(colour, dark ? "#ffffff" : "#000000", 0.1)];
  });
};
const poolColour = (pool, tint = 0) => (pool < 0 ? colours["task-load"] : colours.pools[pool % POOL_COLOURS][tint % TINTS]);
// Pools beyond the eighth share a colour with an earlier one and are hatched.
const poolHatched = (pool) => pool >= POOL_COLOURS;

// A tint for each buffer, other than that of the buffers it touches when it is born, while there is one.
const tints = (() => {
  const tint = new Uint8Array(bufferCount);
  const lines = new Map();
  for (let b = 0; b < placedCount; b += 1) {
    const where = buffers.where[b];
    const taken = [0, 0, 0];
    for (let k = 0; k < where.length; k += 3) {
      const line = lines.get(where[k]) || [];
      const low = where[k + 1], high = low + where[k + 2];
      const kept = [];
      for (const other of line) {
        if (other.high >= low && other.low <= high) taken[tint[other.buffer]] += buffers.pool[other.buffer] === buffers.pool[b] ? 1 : 0;
        // What is overwritten is nobody's neighbour any more.
        if (other.high <= low || other.low >= high) kept.push(other);
      }
      kept.push({ low, high, buffer: b });
      lines.set(where[k], kept);
    }
    tint[b] = taken.indexOf(Math.min(...taken));
  }
  return tint;
})();
