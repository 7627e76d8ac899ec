// What must precede what, in layers from left to right. Large graphs begin as an overview: one box for tasks of a kind.

const inPath = new Set(data.path);
const pathEdges = new Set(data.path.slice(1).map((t, k) => `${data.path[k]} ${t}`));
const MOST_AROUND = 120, MOST_DRAWN_REUSE = 1200;

// A drawing: boxes in a plane, each for one task or several, and edges between them by number.
const FACE = {
  task: { w: 150, h: 24, columnStep: 206, rowStep: 33 },
  kind: { w: 180, h: 40, columnStep: 232, rowStep: 58 },
};

const boxed = (face, column, row, label, members, edges, weights) => {
  const { w, h, columnStep, rowStep } = face;
  const boxes = column.map((c, k) => ({ x: c * columnStep, y: (row[k] / data.grid) * rowStep, label: label(k), tasks: members(k) }));
  const paths = edges.map((edge, k) => {
    const [a, b] = edge;
    const points = [boxes[a].x + w, boxes[a].y + h / 2];
    for (let i = 2; i < edge.length; i += 2) {
      const x = edge[i] * columnStep, y = (edge[i + 1] / data.grid) * rowStep + h / 2;
      points.push(x, y, x + w, y);
    }
    points.push(boxes[b].x, boxes[b].y + h / 2);
    return { a, b, points, weight: weights ? weights[k] : 1 };
  });
  const boxOf = new Map();
  boxes.forEach((box, k) => box.tasks.forEach((t) => boxOf.set(t, k)));
  const width = boxes.reduce((most, box) => Math.max(most, box.x + w), w);
  const height = boxes.reduce((most, box) => Math.max(most, box.y + h), h);
  return { face, boxes, paths, boxOf, width, height };
};

const wholeGraph = () => {
  const g = data.graph.tasks;
  return boxed(FACE.task, g.column, g.row, (t) => taskLabel[t], (t) => [t], g.edges, null);
};
const kindGraph = () => {
  const g = data.graph.overview;
  const label = distinct(g.name.map(visible));
  return boxed(FACE.kind, g.column, g.row, (k) => label[k], (k) => g.tasks[k], g.edges, g.weight);
};

// What lies two steps around a task, in layers of its own.
const around = (t) => {
  const depth = new Map([[t, 0]]);
  const grow = (links) => {
    let edge = [t];
    for (let step = 1; step <= 2; step += 1) {
      const next = [];
      for (const a of edge) for (const b of links[a]) if (!depth.has(b) && depth.size < MOST_AROUND) {
        depth.set(b, step);
        next.push(b);
      }
      edge = next;
    }
  };
  grow(before);
  grow(after);
  const chosen = Array.from(depth.keys()).sort((a, b) => a - b);
  const position = new Map(chosen.map((k, n) => [k, n]));
  const edges = [];
  for (const a of chosen) for (const b of after[a]) if (position.has(b)) edges.push([a, b]);
  const layer = new Map(chosen.map((k) => [k, 0]));
  // Tasks stand by their starts, so every predecessor comes first.
  for (const [a, b] of edges.sort((p, q) => p[1] - q[1] || p[0] - q[0])) layer.set(b, Math.max(layer.get(b), layer.get(a) + 1));
  for (const a of chosen) {
    const next = after[a].filter((b) => position.has(b)).map((b) => layer.get(b));
    if (next.length && !before[a].some((b) => position.has(b))) layer.set(a, Math.min(...next) - 1);
  }
  const columns = new Map();
  for (const a of chosen) columns.set(layer.get(a), [...(columns.get(layer.get(a)) || []), a]);
  const row = new Map();
  for (const members of columns.values()) {
    members.sort((a, b) => data.graph.tasks.row[a] - data.graph.tasks.row[b] || a - b);
    members.forEach((a, k) => row.set(a, (k - (members.length - 1) / 2) * data.grid));
  }
  const least = Math.min(...row.values());
  // A long edge passes each layer between where no box stands, as near to its straight line as can be.
  const routed = ([a, b]) => {
    const points = [position.get(a), position.get(b)], from = layer.get(a), to = layer.get(b);
    for (let at = from + 1; at < to; at += 1) {
      const straight = row.get(a) + ((row.get(b) - row.get(a)) * (at - from)) / (to - from);
      const boxes = (columns.get(at) || []).map((k) => row.get(k));
      const free = (y) => boxes.every((other) => Math.abs(other - y) >= data.grid / 2);
      const places = [straight, ...boxes.flatMap((y) => [y - data.grid / 2, y + data.grid / 2])].filter(free);
      points.push(at, places.reduce((best, y) => (Math.abs(y - straight) < Math.abs(best - straight) ? y : best), places[0]) - least);
    }
    return points;
  };
  return boxed(
    FACE.task, chosen.map((a) => layer.get(a)), chosen.map((a) => row.get(a) - least), (k) => taskLabel[chosen[k]], (k) => [chosen[k]], edges.map(routed), null,
  );
};

// An overview of very many layers shows no more than all tasks do.
const MOST_LAYERS = 24;
const firstMode = data.graph.overview && data.graph.overview.columns <= MOST_LAYERS ? "kinds" : "tasks";
const graph = { mode: firstMode, drawn: null, of: null, sx: 1, sy: 1, dx: 0, dy: 0, fitted: false, hover: null };
const anchorTask = () => {
  const { chosen } = state;
  if (!chosen) return null;
  if (chosen.kind === "task") return chosen.index;
  return buffers.writer[chosen.index] >= 0 ? buffers.writer[chosen.index] : readers[chosen.index].length ? readers[chosen.index][0] : null;
};
const currentGraph = () => {
  const of = graph.mode === "around" ? anchorTask() : null;
  if (graph.drawn && graph.drawnMode === graph.mode && graph.of === of) return graph.drawn;
  graph.drawn = graph.mode === "kinds" ? kindGraph() : graph.mode === "tasks" ? wholeGraph() : of === null ? null : around(of);
  graph.drawnMode = graph.mode;
  graph.of = of;
  graph.fitted = false;
  return graph.drawn;
};

const GRAPH_MARGIN = 20, MOST_STRETCH = 2.5;
// Both directions fill their room, each by its own scale: boxes may be flat or narrow, within reason.
const fitGraph = () => {
  const drawn = currentGraph(), { sheet } = graph;
  if (!drawn || !sheet.width) return;
  const sx = Math.min(1.15, (sheet.width - 2 * GRAPH_MARGIN) / drawn.width), sy = Math.min(1.15, (sheet.height - 2 * GRAPH_MARGIN) / drawn.height);
  graph.sx = Math.min(sx, MOST_STRETCH * sy);
  graph.sy = Math.min(sy, MOST_STRETCH * sx);
  graph.dx = (sheet.width - drawn.width * graph.sx) / 2;
  graph.dy = (sheet.height - drawn.height * graph.sy) / 2;
  graph.fitted = true;
};
const LARGEST = 2.5;
const zoomGraph = (factor, x = graph.sheet.width / 2, y = graph.sheet.height / 2) => {
  const most = Math.max(graph.sx, graph.sy) * factor;
  const by = most > LARGEST ? (factor * LARGEST) / most : Math.min(graph.sx, graph.sy) * factor < 0.01 ? 1 : factor;
  graph.dx = x - (x - graph.dx) * by;
  graph.dy = y - (y - graph.dy) * by;
  graph.sx *= by;
  graph.sy *= by;
  invalidate();
};
const graphHeight = () => {
  const drawn = currentGraph();
  if (!drawn) return 120;
  const wide = Math.max(200, byId("graph-panel").clientWidth - 26) - 2 * GRAPH_MARGIN;
  const natural = drawn.height * Math.min(1.15, wide / drawn.width) + 2 * GRAPH_MARGIN;
  return Math.round(Math.max(150, Math.min(560, natural)));
};

const boxWeight = (box) => {
  let most = state.chosen || state.hits ? -1 : 0;
  for (const t of box.tasks) {
    const weight = emphasis("task", t);
    if (weight > most) most = weight;
    if (most === 2) break;
  }
  return most;
};
const boxTime = (box) => box.tasks.reduce((sum, t) => sum + tasks.end[t] - tasks.start[t], 0);

const drawGraph = (pen) => {
  const drawn = currentGraph();
  if (!drawn) {
    pen.text("Choose a task or a buffer to see what lies around it.", pen.width / 2, pen.height / 2, { px: 13, colour: colours.soft, align: "center" });
    return;
  }
  if (!graph.fitted) fitGraph();
  const { sx, sy, dx, dy } = graph, { face, boxes, paths } = drawn;
  const placed = (points) => points.map((value, k) => (k % 2 ? value * sy + dy : value * sx + dx));
  const seen = ({ points }) => {
    const x0 = points[0] * sx + dx, x1 = points[points.length - 2] * sx + dx;
    if (Math.max(x0, x1) < 0 || Math.min(x0, x1) > pen.width) return false;
    let low = Infinity, high = -Infinity;
    for (let k = 1; k < points.length; k += 2) {
      low = Math.min(low, points[k]);
      high = Math.max(high, points[k]);
    }
    return high * sy + dy >= 0 && low * sy + dy <= pen.height;
  };
  const anchor = anchorTask(), anchorBox = anchor === null ? undefined : drawn.boxOf.get(anchor);
  const visiblePaths = paths.filter(seen);
  const plain = [], strong = [], critical = [];
  for (const path of visiblePaths) {
    const points = placed(path.points);
    if (anchorBox !== undefined && (path.a === anchorBox || path.b === anchorBox)) strong.push(points);
    else if (onPath(drawn, path)) critical.push(points);
    else plain.push([points, path.weight]);
  }
  const many = visiblePaths.length;
  const quiet = state.chosen || state.hits ? 0.5 : 1;
  // Where lines lie on lines they add up.
  const alpha = Math.max(0.022, 0.8 * Math.min(1, 150 / Math.max(1, many)) ** 1.1) * quiet;
  if (face === FACE.kind)
    for (const [points, weight] of plain) pen.curves([points], colours.soft, { width: 1 + Math.log10(weight), alpha: 0.55 * quiet });
  else if (sx < 0.2) pen.lines(plain.map(([points]) => points), colours.ink, { alpha });
  else pen.curves(plain.map(([points]) => points), colours.soft, { alpha });
  if (byId("graph-reuse").checked) drawGraphReuse(pen, drawn);
  pen.curves(critical, colours.critical, { width: Math.max(1.25, 2 * Math.min(1, sy * 1.5)), alpha: Math.max(0.6, quiet) });
  pen.curves(strong, colours.ink, { width: 1.5 });
  const later = [];
  for (const box of boxes) {
    const x = box.x * sx + dx, y = box.y * sy + dy;
    if (x > pen.width || y > pen.height || x + face.w * sx < 0 || y + face.h * sy < 0) continue;
    const weight = boxWeight(box);
    if (weight > 0) later.push([box, x, y, weight]);
    else drawBox(pen, face, box, x, y, weight);
  }
  later.sort((a, b) => a[3] - b[3]);
  for (const [box, x, y, weight] of later) drawBox(pen, face, box, x, y, weight);
};

const onPath = (drawn, { a, b }) => {
  const from = drawn.boxes[a].tasks, to = drawn.boxes[b].tasks;
  if (from.length === 1 && to.length === 1) return pathEdges.has(`${from[0]} ${to[0]}`);
  for (let k = 1; k < data.path.length; k += 1)
    if (drawn.boxOf.get(data.path[k - 1]) === a && drawn.boxOf.get(data.path[k]) === b) return true;
  return false;
};

const drawBox = (pen, face, box, x, y, weight) => {
  const w = Math.max(1.5, face.w * graph.sx), h = Math.max(1.5, face.h * graph.sy);
  const critical = box.tasks.some((t) => inPath.has(t));
  const alpha = weight < 0 ? 0.35 : 1;
  // Solid below, so that edges do not shine through a box that has stepped back.
  if (alpha < 1) pen.rect(x, y, w, h, colours.panel);
  pen.rect(x, y, w, h, critical ? colours["task-critical"] : colours.task, alpha);
  if (critical && h >= 7) pen.rect(x, y + h - 2, w, 2, colours.critical, alpha);
  if (weight > 0) {
    const colour = weight === 2 || !state.hits ? colours.ink : colours.hit;
    pen.frame(x, y, w, h, colour, weight === 2 ? 2 : state.hits ? 1.75 : 1.25);
  }
  const ink = { colour: colours["text-on-pool"], alpha: weight < 0 ? 0.6 : 1 };
  const px = h >= 26 && face === FACE.task ? 12 : 11;
  if (face === FACE.task) {
    if (h < 12) return;
    const said = fitting(box.label, w - 10, px);
    if (said) pen.text(said, x + 5, y + h / 2, { ...ink, px });
    return;
  }
  if (h < 12) return;
  const two = h >= 30;
  const times = box.tasks.length > 1 ? ` \u00d7 ${count(box.tasks.length)}` : "";
  const both = fitting(box.label, w - 12 - widthOf(times, px, 600), px, 600);
  const said = both ? both + times : fitting(box.label, w - 8, px, 600) || (widthOf(times, px, 600) < w - 4 ? times.trim() : "");
  if (said) pen.text(said, x + 6, y + (two ? h * 0.32 : h / 2), { ...ink, px, weight: 600 });
  if (!two) return;
  const hits = state.hits ? box.tasks.reduce((sum, t) => sum + (state.hits.task.has(t) ? 1 : 0), 0) : 0;
  const second = hits ? `${count(hits)} found` : `${time(boxTime(box))} in all`;
  pen.text(fitting(second, w - 12, px), x + 6, y + h * 0.7, { ...ink, px });
};

const drawGraphReuse = (pen, drawn) => {
  const { sx, sy, dx, dy } = graph, { face, boxes } = drawn, found = new Map();
  const chosen = state.chosen;
  for (let b = 0; b < placedCount; b += 1)
    for (let k = 0; k < buffers.over[b].length; k += 2) {
      const a = buffers.over[b][k];
      const users = readers[a].length ? readers[a] : [buffers.writer[a]];
      const last = users.reduce((best, t) => (t >= 0 && (best < 0 || tasks.end[t] > tasks.end[best]) ? t : best), -1);
      const next = buffers.writer[b];
      if (last < 0 || next < 0 || last === next) continue;
      const mine = chosen && (chosen.kind === "buffer" ? chosen.index === a || chosen.index === b : chosen.index === last || chosen.index === next);
      if (chosen && !mine) continue;
      const from = drawn.boxOf.get(last), to = drawn.boxOf.get(next);
      if (from === undefined || to === undefined || from === to) continue;
      found.set(`${from} ${to}`, (found.get(`${from} ${to}`) || 0) + buffers.over[b][k + 1]);
    }
  const largest = Array.from(found).sort((p, q) => q[1] - p[1]).slice(0, MOST_DRAWN_REUSE);
  const paths = largest.map(([pair]) => {
    const [from, to] = pair.split(" ").map(Number);
    const middle = (box) => [(box.x + face.w / 2) * sx + dx, (box.y + face.h / 2) * sy + dy];
    return [...middle(boxes[from]), ...middle(boxes[to])];
  });
  pen.lines(paths, colours.critical, { dash: [4, 3], alpha: paths.length > 200 ? 0.35 : 0.75 });
};

const graphAt = (x, y) => {
  const drawn = currentGraph();
  if (!drawn) return null;
  const { sx, sy, dx, dy } = graph, { face } = drawn;
  const inX = (box) => x >= box.x * sx + dx - 2 && x <= (box.x + face.w) * sx + dx + 2;
  const inY = (box) => y >= box.y * sy + dy - 2 && y <= (box.y + face.h) * sy + dy + 2;
  const k = drawn.boxes.findIndex((box) => inX(box) && inY(box));
  return k < 0 ? null : k;
};

const chooseBox = (k) => {
  const box = currentGraph().boxes[k];
  const kept = state.chosen && state.chosen.kind === "task" && box.tasks.includes(state.chosen.index);
  choose(kept ? state.chosen : { kind: "task", index: box.tasks[0] }, { reveal: true });
};

const revealBox = (item) => {
  const drawn = currentGraph(), anchor = anchorTask();
  if (!drawn || anchor === null || !graph.sheet.width) return;
  const k = drawn.boxOf.get(anchor);
  if (k === undefined) return;
  const box = drawn.boxes[k], { face } = drawn;
  const x = (box.x + face.w / 2) * graph.sx + graph.dx, y = (box.y + face.h / 2) * graph.sy + graph.dy;
  if (x > 20 && x < graph.sheet.width - 20 && y > 10 && y < graph.sheet.height - 10) return;
  graph.dx += graph.sheet.width / 2 - x;
  graph.dy += graph.sheet.height / 2 - y;
};

const graphStep = (key) => {
  const drawn = currentGraph();
  if (!drawn || !drawn.boxes.length) return null;
  const anchor = anchorTask(), at = anchor === null ? undefined : drawn.boxOf.get(anchor);
  if (key === "End") return drawn.boxes.length - 1;
  if (at === undefined || key === "Home") return 0;
  const here = drawn.boxes[at];
  const closest = (candidates) =>
    candidates.length ? candidates.reduce((best, k) => (Math.abs(drawn.boxes[k].y - here.y) < Math.abs(drawn.boxes[best].y - here.y) ? k : best)) : null;
  if (key === "ArrowRight") return closest(drawn.paths.filter(({ a }) => a === at).map(({ b }) => b));
  if (key === "ArrowLeft") return closest(drawn.paths.filter(({ b }) => b === at).map(({ a }) => a));
  const column = drawn.boxes.map((box, k) => k).filter((k) => drawn.boxes[k].x === here.x && (key === "ArrowUp" ? drawn.boxes[k].y < here.y : drawn.boxes[k].y > here.y));
  return closest(column);
};

const buildGraph = () => {
  const kinds = data.graph.overview ? data.graph.overview.name.length : 0;
  const canvas = element("canvas", {
    id: "graph-chart", tabindex: "0", role: "application", "aria-roledescription": "chart",
    "aria-label": `Graph of ${plural(taskCount, "task")} and ${plural(data.graph.tasks.edges.length, "edge")}. Left goes to a predecessor, right to a successor, up and down to neighbours; plus and minus zoom, shift and arrows pan, Escape clears the selection.`,
  });
  const note = element("p", { class: "hint" });
  byId("graph-panel").append(canvas, note);
  const sheet = (graph.sheet = new Sheet(canvas, drawGraph));
  graph.note = note;
  const modes = [["tasks", "all tasks"], ["around", "around the selection"]];
  if (kinds) modes.unshift(["kinds", "kinds of tasks"]);
  const select = byId("graph-mode");
  select.replaceChildren(...modes.map(([value, said]) => element("option", { value }, said)));
  select.value = graph.mode;
  select.addEventListener("change", () => {
    graph.mode = select.value;
    graph.fitted = false;
    invalidate();
  });
  views.push({
    draw: () => {
      const height = graphHeight();
      if (sheet.height !== height || canvas.clientWidth !== sheet.width) graph.fitted = false;
      sheet.height = height;
      sheet.draw();
      note.textContent = graphNote();
    },
    reveal: revealBox,
  });
  steerGraph(canvas);
  for (const [id, act] of [["graph-in", () => zoomGraph(1.4)], ["graph-out", () => zoomGraph(1 / 1.4)], ["graph-all", () => { graph.fitted = false; invalidate(); }]])
    byId(id).addEventListener("click", act);
  byId("graph-reuse").addEventListener("change", invalidate);
};

const graphNote = () => {
  const length = data.path.reduce((sum, t) => sum + tasks.end[t] - tasks.start[t], 0);
  const said = `Critical path: ${plural(data.path.length, "task")}, ${time(length)} (orange, with a bar below). No plan is shorter, however many workers there are.`;
  if (graph.mode === "kinds") return `${said} One box for tasks of one layer whose names differ in digits only; a click chooses its first task.`;
  if (graph.mode === "around") return `${said} Shown: at most ${MOST_AROUND} tasks within two steps.`;
  return said;
};

const steerGraph = (canvas) => {
  let press = null;
  canvas.style.touchAction = "none";
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    press = { x: event.clientX, y: event.clientY, dx: graph.dx, dy: graph.dy, dragged: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (press) {
      const x = event.clientX - press.x, y = event.clientY - press.y;
      press.dragged = press.dragged || Math.abs(x) + Math.abs(y) > 4;
      if (press.dragged) {
        graph.dx = press.dx + x;
        graph.dy = press.dy + y;
        hideTip();
        invalidate();
      }
      return;
    }
    const k = graphAt(event.offsetX, event.offsetY);
    if (k === null) return leave();
    const box = currentGraph().boxes[k];
    const item = box.tasks.length === 1 ? { kind: "task", index: box.tasks[0] } : null;
    if (!same(item, state.hover)) {
      state.hover = item;
      invalidate();
    }
    if (item) showTip(event, item);
    else {
      tip.replaceChildren(element("strong", {}, nameElement(box.label, 200)), element("div", {}, `${plural(box.tasks.length, "task")}, ${time(boxTime(box))} in all`));
      placeTip(event);
    }
    return undefined;
  });
  const leave = () => {
    hideTip();
    if (state.hover) {
      state.hover = null;
      invalidate();
    }
  };
  canvas.addEventListener("pointerleave", leave);
  canvas.addEventListener("pointercancel", () => {
    press = null;
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = press && !press.dragged;
    press = null;
    if (!clicked) return;
    const k = graphAt(event.offsetX, event.offsetY);
    if (k === null) choose(null);
    else chooseBox(k);
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey && !event.metaKey) return;
      event.preventDefault();
      hideTip();
      zoomGraph(Math.exp(-event.deltaY * 0.004), event.offsetX, event.offsetY);
    },
    { passive: false },
  );
  canvas.addEventListener("keydown", (event) => {
    const { key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (key === "+" || key === "=") zoomGraph(1.4);
    else if (key === "-" || key === "_") zoomGraph(1 / 1.4);
    else if (key === "0") {
      graph.fitted = false;
      invalidate();
    } else if (ARROWS.includes(key) && event.shiftKey) {
      graph.dx += { ArrowLeft: 60, ArrowRight: -60 }[key] || 0;
      graph.dy += { ArrowUp: 60, ArrowDown: -60 }[key] || 0;
      invalidate();
    } else if (ARROWS.includes(key) || key === "Home" || key === "End") {
      const k = graphStep(key);
      if (k !== null && k !== undefined) chooseBox(k);
    } else return;
    event.preventDefault();
  });
};
