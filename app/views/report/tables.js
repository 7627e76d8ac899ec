// The same figures as text: tables in pages, to be sorted by any column; a name chooses its task or buffer everywhere.

const PAGE = 25;

// `columns`: { title, value(k) to sort by, cell(k) to show, figure: to the right, first: descending first }.
class PagedTable {
  constructor(place, { caption, rows, columns, itemOf }) {
    Object.assign(this, { place, caption, rows, columns, itemOf, page: 0, by: 0, down: columns[0].first === true, shown: null });
  }
  order() {
    const { value } = this.columns[this.by], sign = this.down ? -1 : 1;
    const compare = (a, b) => {
      const p = value(a), q = value(b);
      if (p === q) return a - b;
      // What is not known comes last, whatever the direction.
      if (p === null || p === undefined) return 1;
      if (q === null || q === undefined) return -1;
      return (p < q ? -1 : 1) * sign;
    };
    const hits = state.hits && this.itemOf ? this.rows.filter((k) => this.hit(k)) : null;
    this.shown = (hits || this.rows).slice().sort(compare);
    this.filtered = hits !== null;
  }
  hit(k) {
    const item = this.itemOf(k);
    return item !== null && state.hits[item.kind].has(item.index);
  }
  pages() {
    return Math.max(1, Math.ceil(this.shown.length / PAGE));
  }
  render() {
    this.order();
    this.page = Math.min(this.page, this.pages() - 1);
    const from = this.page * PAGE;
    const listed = this.shown.slice(from, from + PAGE);
    const head = this.columns.map((column, k) =>
      element(
        "th",
        { scope: "col", class: column.figure ? "n" : "", "aria-sort": k === this.by ? (this.down ? "descending" : "ascending") : null },
        element("button", { type: "button", onclick: () => this.sort(k) }, column.title),
      ),
    );
    const body = listed.map((k) => {
      const item = this.itemOf && this.itemOf(k);
      const cells = this.columns.map((column) => element("td", { class: column.figure ? "n" : column.wrap ? "wrap" : "cut" }, column.cell(k)));
      return element("tr", { class: item && same(item, state.chosen) ? "chosen" : state.hits && item && this.hit(k) ? "hitrow" : "" }, ...cells);
    });
    const said = `${count(listed.length ? from + 1 : 0)} to ${count(from + listed.length)} of ${count(this.shown.length)}${this.filtered ? ` found, ${count(this.rows.length)} in all` : ""}`;
    this.place.replaceChildren(
      element(
        "div",
        { class: "scroll" },
        element("table", {}, element("caption", { class: "unseen" }, this.caption), element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)),
      ),
      element(
        "div",
        { class: "pager" },
        this.turner("\u2039 Previous", -1, this.page === 0),
        this.turner("Next \u203a", 1, this.page >= this.pages() - 1),
        element("span", { "aria-live": "polite" }, said),
      ),
    );
  }
  turner(said, step, disabled) {
    return element("button", { type: "button", disabled, onclick: () => this.turn(step, said) }, said);
  }
  turn(step, said) {
    this.page += step;
    this.render();
    // The button was made anew: whoever pressed it stays on it, or on the other one at the end.
    const buttons = Array.from(this.place.querySelectorAll(".pager button"));
    (buttons.find((button) => button.textContent === said && !button.disabled) || buttons.find((button) => !button.disabled) || buttons[0]).focus();
  }
  sort(k) {
    this.down = k === this.by ? !this.down : this.columns[k].first === true;
    this.by = k;
    this.page = 0;
    this.render();
    this.place.querySelectorAll("th button")[k].focus();
  }
  reveal(item) {
    const at = this.shown.findIndex((k) => same(this.itemOf(k), item));
    if (at >= 0) this.page = Math.floor(at / PAGE);
  }
}

// Tabs over tables, in the manner of the WAI-ARIA practices: arrows move between tabs.
const tabbed = (panel, label, entries) => {
  const list = element("div", { class: "tabs", role: "tablist", "aria-label": label });
  const body = element("div", { role: "tabpanel", tabindex: "-1" });
  const tabs = entries.map(({ title, key }, k) =>
    element("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": `panel-${label}`, tabindex: k ? "-1" : "0", onclick: () => open(k) }, title),
  );
  body.id = `panel-${label}`;
  const tables = entries.map(({ table }) => new PagedTable(body, table));
  let current = 0;
  const render = () => tables[current].render();
  const open = (k) => {
    current = k;
    tabs.forEach((tab, n) => {
      tab.setAttribute("aria-selected", String(n === k));
      tab.tabIndex = n === k ? 0 : -1;
    });
    body.setAttribute("aria-labelledby", tabs[k].id);
    render();
  };
  list.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const to = step ? (current + step + tabs.length) % tabs.length : event.key === "Home" ? 0 : event.key === "End" ? tabs.length - 1 : null;
    if (to === null) return;
    open(to);
    tabs[to].focus();
    event.preventDefault();
  });
  list.append(...tabs);
  panel.append(list, body);
  open(0);
  return {
    render,
    show: (item) => {
      const k = entries.findIndex(({ kind }) => kind === item.kind);
      if (k < 0) return;
      tables[k].order();
      tables[k].reveal(item);
      open(k);
    },
  };
};

const range = (n) => Array.from({ length: n }, (_, k) => k);
const partitionsOf = (b) => {
  const found = [];
  for (let k = 0; b < placedCount && k < buffers.where[b].length; k += 3) found.push(buffers.where[b][k]);
  return found;
};
const bytesOver = (b) => {
  let sum = 0;
  for (let k = 1; b < placedCount && k < buffers.over[b].length; k += 2) sum += buffers.over[b][k];
  return sum;
};
const written = (t) => tasks.out[t].reduce((sum, b) => sum + buffers.size[b], 0);
const alive = (b, value) => (b < placedCount ? value : null);
const figure = (title, value, shown, more = {}) => ({ title, value, cell: (k) => (value(k) === null || value(k) === undefined ? "\u2013" : shown(value(k))), figure: true, ...more });
const named = (title, names, kind) => ({ title, value: (k) => names[k], cell: (k) => pick({ kind, index: k }) });

const taskTable = () => ({
  caption: "Tasks",
  rows: range(taskCount),
  itemOf: (t) => ({ kind: "task", index: t }),
  columns: [
    figure("start", (t) => tasks.start[t], exactSeconds),
    named("task", taskName, "task"),
    figure("takes", (t) => tasks.end[t] - tasks.start[t], exactSeconds, { first: true }),
    figure("end", (t) => tasks.end[t], exactSeconds),
    figure("slack", (t) => tasks.slack[t], exactSeconds),
    { title: "track", value: (t) => tasks.tracks[t][0], cell: (t) => tasks.tracks[t].map((k) => `w${k}`).join(", ") },
    { title: "writes in", value: (t) => (tasks.at[t].length ? tasks.at[t][0] : null), cell: (t) => tasks.at[t].map((p) => `p${p}`).join(", ") || "\u2013" },
    figure("reads", (t) => tasks.in[t].length, count, { first: true }),
    figure("writes", written, size, { first: true }),
    { title: "critical", value: (t) => (inChain.has(t) ? inChain.get(t) : null), cell: (t) => (inChain.has(t) ? whyText(inChain.get(t)) : "\u2013") },
  ],
});

// Why a task of the chain did not start before.
const whyText = (k) => {
  const [, reason, via, gap] = data.chain[k];
  const what = via === null ? "" : cut(visible(via), 40);
  const said = {
    data: `reads ${what}`, after: "after the one before", load: `another reader loads ${what}`, reuse: `takes over bytes of ${what}`,
    exclusive: `writes in p${what}`, resource: `needs ${what}`, ceiling: "its bytes would exceed the ceiling", held: "nothing: planned so", start: "first",
  }[reason];
  return gap ? `${said}, ${time(gap)} after the one before` : said;
};

const FATES = { kept: "kept", exported: "exported", scratch: "scratch", input: "external input", "": "" };
const bufferTable = () => ({
  caption: "Buffers",
  rows: range(bufferCount),
  itemOf: (b) => ({ kind: "buffer", index: b }),
  columns: [
    figure("birth", (b) => alive(b, buffers.birth[b]), exactSeconds),
    named("buffer", bufferName, "buffer"),
    figure("size", (b) => buffers.size[b], size, { first: true }),
    figure("death", (b) => alive(b, buffers.death[b]), exactSeconds),
    { title: "pool", value: (b) => (buffers.pool[b] < 0 ? null : buffers.pool[b]), cell: (b) => (buffers.pool[b] < 0 ? "\u2013" : nameElement(poolName[buffers.pool[b]], 40)) },
    { title: "in", value: (b) => (b < placedCount ? buffers.where[b][0] : null), cell: (b) => partitionsOf(b).map((p) => `p${p}`).join(", ") || "outside" },
    figure("offset", (b) => (b < placedCount ? buffers.where[b][1] : null), count),
    { title: "written by", value: (b) => (buffers.writer[b] < 0 ? null : taskName[buffers.writer[b]]), cell: (b) => (buffers.writer[b] < 0 ? "\u2013" : pick({ kind: "task", index: buffers.writer[b] })) },
    figure("readers", (b) => readers[b].length, count, { first: true }),
    figure("reused bytes", (b) => alive(b, bytesOver(b)), size, { first: true }),
    { title: "then", value: (b) => buffers.fate[b], cell: (b) => FATES[buffers.fate[b]] || "released" },
  ],
});

const buildTables = () => {
  const shown = tabbed(byId("tables-panel"), "tables", [
    { title: `Tasks (${count(taskCount)})`, key: "tasks", kind: "task", table: taskTable() },
    { title: `Buffers (${count(bufferCount)})`, key: "buffers", kind: "buffer", table: bufferTable() },
  ]);
  views.push({ draw: () => undefined, chosen: (item) => (item ? shown.show(item) : shown.render()), sought: shown.render });
};

// -- the selection ------------------------------------------------------------------------------------------------

const MOST_LISTED = 8;
const listOf = (title, items, beside) => {
  if (!items.length) return [];
  const rows = items.slice(0, MOST_LISTED).map((item, k) => element("li", {}, pick(item, 26), element("span", {}, beside(item, k))));
  if (items.length > MOST_LISTED) rows.push(element("li", {}, element("span", {}, `and ${count(items.length - MOST_LISTED)} more`)));
  return [element("h4", {}, `${title} (${count(items.length)})`), element("ul", {}, ...rows)];
};
const factsOf = (pairs) =>
  element("dl", {}, ...pairs.filter(([, value]) => value !== null && value !== "").flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]));
const buffersOf = (numbers) => numbers.map((index) => ({ kind: "buffer", index }));
const tasksOf = (numbers) => numbers.map((index) => ({ kind: "task", index }));
const bySize = (numbers) => numbers.slice().sort((a, b) => buffers.size[b] - buffers.size[a] || a - b);

const taskDetails = (t) => [
  factsOf([
    ["Starts", time(tasks.start[t])],
    ["Takes", `${time(tasks.end[t] - tasks.start[t])}`],
    ["Ends", time(tasks.end[t])],
    ["Slack", time(tasks.slack[t])],
    ["Critical", inChain.has(t) ? `yes: ${whyText(inChain.get(t))}` : ""],
    ["Track", tasks.tracks[t].map((k) => `w${k}`).join(", ")],
    ["Writes in", tasks.at[t].map((p) => `p${p}`).join(", ")],
    ...(run ? runFacts(t) : []),
  ]),
  ...listOf("Reads", buffersOf(bySize(tasks.in[t])), (item) => size(buffers.size[item.index])),
  ...listOf("Writes", buffersOf(bySize(tasks.out[t])), (item) => size(buffers.size[item.index])),
];

const bufferDetails = (b) => {
  const placed = b < placedCount;
  const over = placed ? range(buffers.over[b].length / 2).map((k) => [buffers.over[b][2 * k], buffers.over[b][2 * k + 1]]) : [];
  const to = range(heirs[b].length / 2).map((k) => [heirs[b][2 * k], heirs[b][2 * k + 1]]);
  const most = (pairs) => pairs.sort((p, q) => q[1] - p[1] || p[0] - q[0]);
  return [
    factsOf([
      ["Size", `${size(buffers.size[b])} (${count(buffers.size[b])} bytes)`],
      ["Pool", placed ? nameElement(poolName[buffers.pool[b]], 80) : ""],
      ["Lies in", placed ? placeText(b) : "not in the workspace"],
      ["Lives", placed ? `${time(buffers.birth[b])} to ${time(buffers.death[b])}` : ""],
      ["Then", FATES[buffers.fate[b]] || (placed ? "released" : "")],
    ]),
    ...listOf("Written by", tasksOf(buffers.writer[b] < 0 ? [] : [buffers.writer[b]]), (item) => time(tasks.start[item.index])),
    ...listOf("Read by", tasksOf(readers[b]), (item) => time(tasks.start[item.index])),
    ...listOf("Takes over bytes of", buffersOf(most(over).map(([a]) => a)), (_, k) => size(over[k][1])),
    ...listOf("Its bytes go to", buffersOf(most(to).map(([a]) => a)), (_, k) => size(to[k][1])),
  ];
};

const KEYS = [
  [["/"], "find"], [["Tab"], "next chart"], [["\u2190", "\u2191", "\u2192", "\u2193"], "move the selection"], [["+", "\u2212", "0"], "zoom, show all"],
  [["Shift", "\u2190 \u2192"], "pan"], [["Enter"], "zoom to the selection"], [["Esc"], "clear"],
];
const keysElement = () =>
  element("ul", { class: "keys", "aria-label": "Keys" }, ...KEYS.map(([keys, said]) => element("li", {}, ...keys.map((key) => element("kbd", {}, key)), said)));

const showDetails = (item) => {
  byId("clear").hidden = !item;
  byId("details").parentElement.classList.toggle("idle", !item);
  if (!item) {
    byId("details").replaceChildren(
      element("div", {}, "Point at a task or a buffer, click to choose it, drag to pan, Ctrl and wheel to zoom; or find one by its name."),
      keysElement(),
    );
    return;
  }
  byId("details").replaceChildren(
    element("h4", {}, item.kind === "task" ? "Task" : "Buffer"),
    element("div", { class: "id" }, nameElement(nameOf(item), 2000)),
    ...(item.kind === "task" ? taskDetails(item.index) : bufferDetails(item.index)),
  );
};

const MOST_POOLS_NAMED = 16;
const showLegend = () => {
  const entry = (colour, said, hatched) => {
    const swatch = element("span", { class: "swatch" });
    swatch.style.background = hatched ? `repeating-linear-gradient(135deg, ${colour} 0 3px, ${colours["text-on-pool"]} 3px 4px)` : colour;
    return element("div", {}, swatch, said);
  };
  const word = (said) => element("span", { class: "word" }, said);
  const heading = (said) => element("h4", {}, said);
  const by = byId("colour").value, entries = [];
  if (by !== "pool") entries.push(heading("Tasks"));
  if (by === "chain") entries.push(entry(colours["task-critical"], word("critical chain")), entry(colours.task, word("others")));
  if (by === "slack") entries.push(entry(colours["task-critical"], word("no slack")), entry(colours.task, word("much slack")));
  if (by === "kind") {
    entries.push(...kinds.label.slice(0, KIND_COLOURS).map((name, k) => entry(kindColour(k), nameElement(name, 40))));
    if (kinds.label.length > KIND_COLOURS) entries.push(entry(kindColour(KIND_COLOURS), word(plural(kinds.label.length - KIND_COLOURS, "other kind"))));
  }
  if (data.pools.length) entries.push(heading(by === "pool" ? "Pools" : "Buffers, by pool"));
  entries.push(...data.pools.slice(0, MOST_POOLS_NAMED).map((_, k) => entry(poolColour(k), nameElement(poolName[k], 60), poolHatched(k))));
  if (data.pools.length > MOST_POOLS_NAMED) entries.push(element("div", {}, `and ${count(data.pools.length - MOST_POOLS_NAMED)} more`));
  byId("legend").replaceChildren(...entries);
  for (const swatch of document.querySelectorAll(".swatch[data-pool]")) {
    const pool = Number(swatch.dataset.pool);
    swatch.style.background = poolHatched(pool) ? `repeating-linear-gradient(135deg, ${poolColour(pool)} 0 3px, ${colours["text-on-pool"]} 3px 4px)` : poolColour(pool);
  }
};
