// Search, theme, keys of the whole page; then everything is built and drawn once.

const MOST_FOUND = 10;
// A name is found by what it is and by what is shown of it.
const sought = (ids, shown) => ids.map((id, k) => (id === shown[k] ? id : `${id}\n${shown[k]}`).toLowerCase());
const soughtTasks = sought(tasks.id, taskName), soughtBuffers = sought(buffers.id, bufferName);
const search = { input: byId("search"), list: byId("found"), items: [], at: -1 };

const seek = (text) => {
  const wanted = text.trim().toLowerCase();
  if (!wanted) {
    state.hits = null;
    search.items = [];
  } else {
    const among = (names) => new Set(range(names.length).filter((k) => names[k].includes(wanted)));
    state.hits = { task: among(soughtTasks), buffer: among(soughtBuffers), near: { task: new Set(), buffer: new Set() } };
    // What a found task writes, and who writes a found buffer, do not step back.
    for (const t of state.hits.task) for (const b of tasks.out[t]) state.hits.near.buffer.add(b);
    for (const b of state.hits.buffer) if (buffers.writer[b] >= 0) state.hits.near.task.add(buffers.writer[b]);
    search.items = tasksOf(Array.from(state.hits.task)).slice(0, MOST_FOUND / 2);
    search.items.push(...buffersOf(Array.from(state.hits.buffer)).slice(0, MOST_FOUND - search.items.length));
  }
  search.at = -1;
  const total = state.hits ? state.hits.task.size + state.hits.buffer.size : 0;
  byId("count").textContent = state.hits ? `${count(total)} found` : "";
  showFound(total);
  for (const view of views) if (view.sought) view.sought();
  invalidate();
};

const showFound = (total) => {
  const entries = search.items.map((item, k) =>
    element(
      "li",
      { role: "option", id: `found-${k}`, "aria-selected": "false", onpointerdown: (event) => { event.preventDefault(); take(k); } },
      element("span", {}, item.kind), nameElement(nameOf(item), 36),
    ),
  );
  if (total > search.items.length) entries.push(element("li", { class: "more", role: "presentation" }, `and ${count(total - search.items.length)} more, all highlighted`));
  search.list.replaceChildren(...entries);
  const open = entries.length > 0;
  search.list.hidden = !open;
  search.input.setAttribute("aria-expanded", String(open));
  search.input.removeAttribute("aria-activedescendant");
};
const closeFound = () => {
  search.list.hidden = true;
  search.input.setAttribute("aria-expanded", "false");
};
const take = (k) => {
  if (!search.items[k]) return;
  closeFound();
  choose(search.items[k], { reveal: true });
};
const moveFound = (step) => {
  if (!search.items.length) return;
  search.list.hidden = false;
  search.at = (search.at + step + search.items.length) % search.items.length;
  Array.from(search.list.children).forEach((entry, k) => entry.setAttribute("aria-selected", String(k === search.at)));
  search.input.setAttribute("aria-activedescendant", `found-${search.at}`);
};

const buildSearch = () => {
  search.input.addEventListener("input", () => seek(search.input.value));
  search.input.addEventListener("focus", () => state.hits && search.items.length && showFound(state.hits.task.size + state.hits.buffer.size));
  search.input.addEventListener("blur", closeFound);
  search.input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") moveFound(event.key === "ArrowDown" ? 1 : -1);
    else if (event.key === "Enter") take(Math.max(0, search.at));
    else if (event.key === "Escape") {
      event.stopPropagation();
      if (!search.list.hidden && search.at >= 0) closeFound();
      else {
        search.input.value = "";
        seek("");
        search.input.blur();
      }
    } else return;
    event.preventDefault();
  });
};

// -- light and dark -----------------------------------------------------------------------------------------------

const THEMES = { auto: "as the system has them", light: "light", dark: "dark" };
const setTheme = (theme) => {
  document.documentElement.dataset.theme = theme;
  byId("theme").textContent = theme[0].toUpperCase() + theme.slice(1);
  byId("theme").setAttribute("aria-label", `Colours: ${THEMES[theme]}`);
  repaint();
};
const repaint = () => {
  readColours();
  showLegend();
  invalidate();
};
const buildTheme = () => {
  const order = Object.keys(THEMES);
  byId("theme").addEventListener("click", () => setTheme(order[(order.indexOf(document.documentElement.dataset.theme) + 1) % order.length]));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  // Paper is white: drawn anew before printing, and again after.
  let kept = null;
  window.addEventListener("beforeprint", () => {
    kept = document.documentElement.dataset.theme;
    document.documentElement.dataset.theme = "light";
    readColours();
    showLegend();
    draw();
  });
  window.addEventListener("afterprint", () => kept && setTheme(kept));
};

// -- all ----------------------------------------------------------------------------------------------------------

const pageKeys = (event) => {
  const typing = event.target instanceof HTMLInputElement && event.target.type === "search";
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    search.input.focus();
    search.input.select();
    event.preventDefault();
  } else if (event.key === "Escape") {
    hideTip();
    if (state.chosen) choose(null);
    else if (state.hits) {
      search.input.value = "";
      seek("");
    }
  }
};

const build = () => {
  readColours();
  buildBands();
  buildGraph();
  buildTables();
  buildRun();
  buildSearch();
  buildTheme();
  for (const [id, act] of [["zoom-in", () => zoomTime(0.5)], ["zoom-out", () => zoomTime(2)], ["zoom-all", () => setSpan(0, END)], ["clear", () => choose(null)]])
    byId(id).addEventListener("click", act);
  byId("colour").addEventListener("change", repaint);
  byId("partition").addEventListener("change", invalidate);
  byId("reuse").addEventListener("change", invalidate);
  const charts = () => ["gantt", "live", "map"].map((name) => bandSheets[name]);
  byId("timeline-svg").addEventListener("click", () => saveSvg(charts(), "timeline"));
  byId("timeline-png").addEventListener("click", () => savePng(charts(), "timeline"));
  byId("graph-svg").addEventListener("click", () => saveSvg([{ title: "", sheet: graph.sheet }], "graph"));
  byId("graph-png").addEventListener("click", () => savePng([{ title: "", sheet: graph.sheet }], "graph"));
  for (const button of document.querySelectorAll(".pick[data-task], .pick[data-buffer]")) {
    const kind = button.dataset.task === undefined ? "buffer" : "task";
    button.addEventListener("click", () => choose({ kind, index: Number(button.dataset[kind]) }, { reveal: true }));
  }
  views.push({ draw: () => undefined, chosen: showDetails });
  document.addEventListener("keydown", pageKeys);
  new ResizeObserver(invalidate).observe(byId("bands"));
  showLegend();
  showDetails(null);
  draw();
  document.documentElement.dataset.ready = "yes";
};
build();
