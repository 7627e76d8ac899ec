// Three pictures over one time axis: who runs (Gantt), how much is alive, and where it lies. They zoom and pan together.

const LEFT = 68, RIGHT = 12, AXIS = 20, LEAST_SPAN = 2;
const END = Math.max(1, data.makespan);

const xOf = (t, width, from = state.from, until = state.until) => LEFT + ((t - from) / (until - from)) * (width - LEFT - RIGHT);
const timeAt = (x, width) => state.from + ((x - LEFT) / Math.max(1, width - LEFT - RIGHT)) * (state.until - state.from);

const setSpan = (from, until) => {
  const span = Math.min(END, Math.max(LEAST_SPAN, until - from));
  const begin = Math.min(Math.max(0, from), END - span);
  state.from = begin;
  state.until = begin + span;
  invalidate();
};
const zoomTime = (factor, at = (state.from + state.until) / 2) =>
  setSpan(at - (at - state.from) * factor, at + (state.until - at) * factor);
const panTime = (share) => {
  const step = (state.until - state.from) * share;
  setSpan(state.from + step, state.until + step);
};
const spanOf = (item) => {
  if (item.kind === "task") return [tasks.start[item.index], tasks.end[item.index]];
  return item.index < placedCount ? [buffers.birth[item.index], buffers.death[item.index]] : null;
};
const revealTime = (item) => {
  const span = spanOf(item);
  if (!span || (span[1] > state.from && span[0] < state.until)) return;
  const room = Math.max(state.until - state.from, (span[1] - span[0]) * 1.2);
  setSpan((span[0] + span[1] - room) / 2, (span[0] + span[1] + room) / 2);
};
const zoomTo = (item) => {
  const span = spanOf(item);
  if (span) setSpan(span[0] - (span[1] - span[0]) * 0.75, span[1] + (span[1] - span[0]) * 0.75);
};

const timeAxis = (pen, y, bottom, from, until) => {
  const step = timeStep(until - from, Math.max(2, (pen.width - LEFT - RIGHT) / 110));
  const scale = (t) => xOf(t, pen.width, from, until);
  const grid = [];
  for (let t = Math.ceil(from / step) * step; t <= until; t += step) {
    const x = scale(t);
    grid.push([x, y + 15, x, bottom]);
    const label = time(t, step), half = widthOf(label, 11) / 2;
    pen.text(label, Math.min(Math.max(x, LEFT - 8 + half), pen.width - half - 2), y + 7, { colour: colours.soft, align: "center" });
  }
  pen.lines(grid, colours.line, { alpha: 0.9 });
};

// -- Gantt --------------------------------------------------------------------------------------------------------

const rowHeight = (rows) => Math.max(2, Math.min(26, Math.floor(Math.min(420, 26 * rows) / rows)));

// Seven kinds have a colour of their own; the others, which take less time, share one.
const KIND_COLOURS = 7;
// The first pool's colour comes last: most plans have one pool, and a kind is no pool.
const kindColour = (rank) => (rank < KIND_COLOURS ? colours.pools[(rank + 1) % KIND_COLOURS][0] : colours.pools[KIND_COLOURS][0]);

// What tells most at first sight: the chain, unless nearly every task is in it.
const firstColouring = () => (data.chain.length > 0.6 * taskCount && kinds.label.length > 1 && kinds.label.length < taskCount / 2 ? "kind" : "chain");

// The colour of a task, by what was asked.
const taskColour = (t) => {
  const by = byId("colour").value;
  if (by === "pool") {
    const written = tasks.out[t].find((b) => b < placedCount);
    return written === undefined ? colours["task-load"] : poolColour(buffers.pool[written]);
  }
  if (by === "kind") return kindColour(kinds.of[t]);
  if (by === "slack") {
    const share = data.makespan ? tasks.slack[t] / data.makespan : 0;
    return mixed(colours["task-critical"], colours.task, Math.min(1, Math.sqrt(share) * 2));
  }
  return inChain.has(t) ? colours["task-critical"] : colours.task;
};

// Boxes in rows, for the plan and for the run. `box(k)`: { row, from, until, ... }; rows hold numbers of boxes in order.
const drawBoxes = (pen, top, height, numbers, scale, { spanFrom, spanUntil, box, shade, label, weightOf, mark }) => {
  const inner = height > 6 ? height - 3 : height > 3 ? height - 1 : height;
  let covered = -Infinity;
  const later = [];
  const paint = (k, x, w, weight) => {
    const alpha = weight < 0 ? 0.28 : 1;
    pen.rect(x, top, w, inner, shade(k), alpha);
    if (mark && inner >= 8 && w >= 3) mark(pen, k, x, top, w, inner, alpha);
    if (inner >= 11) {
      const said = fitting(label(k), w - 8, 11);
      if (said) pen.text(said, x + 4, top + inner / 2 + 0.5, { colour: colours["text-on-pool"], alpha: weight < 0 ? 0.5 : 1 });
    }
    if (weight > 0) {
      const colour = weight === 2 ? colours.ink : state.hits ? colours.hit : colours.ink;
      const line = weight === 2 ? 2 : state.hits ? 1.75 : 1;
      pen.frame(x - line / 2, top - line / 2, Math.max(w, 2) + line, inner + line, colour, line);
    }
  };
  for (const k of numbers) {
    const { from, until } = box(k);
    if (until <= spanFrom || from >= spanUntil) continue;
    const x = Math.max(LEFT - 1, scale(from)), right = Math.min(scale(until), pen.width - RIGHT + 1);
    const weight = weightOf(k);
    const w = right - x;
    if (weight > 0) {
      later.push([k, x, Math.max(w, 2), weight]);
      continue;
    }
    // What is thinner than a pixel and lies on what is drawn already would change nothing.
    if (w < 0.75 && right <= covered) continue;
    paint(k, x, Math.max(w > 4 ? w - 1 : w, 0.75), weight);
    covered = Math.max(covered, x + 0.75);
  }
  for (const [k, x, w, weight] of later) paint(k, x, w, weight);
};

const trackTasks = Array.from({ length: data.trackCount }, () => []);
tasks.tracks.forEach((own, t) => own.forEach((track) => trackTasks[track].push(t)));

const drawGantt = (pen) => {
  const height = rowHeight(Math.max(1, data.trackCount));
  timeAxis(pen, 0, pen.height, state.from, state.until);
  const chain = byId("colour").value === "chain";
  trackTasks.forEach((numbers, track) => {
    const top = AXIS + 4 + track * height;
    if (height >= 11 || track % Math.ceil(12 / height) === 0)
      pen.text(`w${track}`, LEFT - 10, top + Math.max(height, 4) / 2 - 1, { colour: colours.soft, align: "right" });
    pen.clipped(LEFT - 1, top - 2, pen.width - LEFT - RIGHT + 2, height + 3, () =>
      drawBoxes(pen, top, height, numbers, (t) => xOf(t, pen.width), {
        spanFrom: state.from,
        spanUntil: state.until,
        box: (t) => ({ from: tasks.start[t], until: tasks.end[t] }),
        shade: taskColour,
        label: (t) => taskLabel[t],
        weightOf: (t) => emphasis("task", t),
        // Not by colour alone: a bar below the tasks of the chain.
        mark: (p, t, x, y, w, h, alpha) => chain && inChain.has(t) && p.rect(x, y + h - 2, w, 2, colours.critical, alpha),
      }),
    );
  });
};

const nearest = (numbers, t, slack, from, until) => {
  let best = null, distance = slack;
  for (const k of numbers) {
    if (from(k) - slack > t) break;
    const away = t < from(k) ? from(k) - t : t >= until(k) ? t - until(k) : 0;
    if (away === 0) return k;
    if (away < distance) [best, distance] = [k, away];
  }
  return best;
};

const ganttAt = (x, y, sheet) => {
  const track = Math.floor((y - AXIS - 4) / rowHeight(Math.max(1, data.trackCount)));
  if (!trackTasks[track] || x < LEFT - 3) return null;
  const slack = (3 / Math.max(1, sheet.width - LEFT - RIGHT)) * (state.until - state.from);
  const t = nearest(trackTasks[track], timeAt(x, sheet.width), slack, (k) => tasks.start[k], (k) => tasks.end[k]);
  return t === null ? null : { kind: "task", index: t };
};

const ganttStep = (key) => {
  const chosen = state.chosen && state.chosen.kind === "task" ? state.chosen.index : null;
  if (key === "End") return taskCount - 1;
  if (chosen === null || key === "Home") {
    const first = tasks.start.findIndex((_, t) => key === "Home" || (tasks.end[t] > state.from && tasks.start[t] < state.until));
    return first < 0 ? null : first;
  }
  const track = tasks.tracks[chosen][0];
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const line = trackTasks[track];
    return line[line.indexOf(chosen) + (key === "ArrowLeft" ? -1 : 1)];
  }
  const line = trackTasks[track + (key === "ArrowUp" ? -1 : 1)];
  if (!line) return null;
  const middle = (tasks.start[chosen] + tasks.end[chosen]) / 2;
  const away = (t) => Math.max(tasks.start[t] - middle, middle - tasks.end[t], 0);
  return line.reduce((best, t) => (away(t) < away(best) ? t : best), line[0]);
};

// -- live bytes ---------------------------------------------------------------------------------------------------

const live = (() => {
  const stacked = data.pools.length <= 24 ? Math.max(1, data.pools.length) : 1;
  const changes = [];
  const add = (moment, pool, bytes) => changes.push([moment, stacked === 1 ? 0 : pool, bytes]);
  for (let b = 0; b < placedCount; b += 1) {
    add(buffers.birth[b], buffers.pool[b], buffers.size[b]);
    add(buffers.death[b], buffers.pool[b], -buffers.size[b]);
  }
  for (const [output, source, bytes] of data.shared) {
    add(buffers.birth[output], buffers.pool[output], -bytes);
    add(Math.min(buffers.death[source], buffers.death[output]), buffers.pool[output], bytes);
  }
  changes.sort((a, b) => a[0] - b[0]);
  const moments = [0], values = [new Float64Array(stacked)];
  for (const [moment, pool, bytes] of changes) {
    if (moment > moments[moments.length - 1]) {
      moments.push(moment);
      values.push(values[values.length - 1].slice());
    }
    values[values.length - 1][pool] += bytes;
  }
  const totals = values.map((row) => row.reduce((sum, value) => sum + value, 0));
  return { stacked, moments, values, totals, peak: totals.reduce((a, b) => Math.max(a, b), 0) };
})();

const liveAt = (t) => {
  let low = 0, high = live.moments.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (live.moments[middle] <= t) low = middle;
    else high = middle - 1;
  }
  return low;
};

const liveTop = () => {
  const top = Math.max(1, data.footprint, live.peak);
  return (data.ceiling <= 1.35 * top ? Math.max(top, data.ceiling) : top) * 1.18;
};

// One point per pixel column: of the steps that share it, the fullest.
const liveColumns = (width, from, until) => {
  const columns = [];
  const first = liveAt(from);
  let at = -1;
  for (let k = first; k < live.moments.length && live.moments[k] < until; k += 1) {
    const x = Math.max(LEFT, xOf(live.moments[k], width, from, until));
    const column = Math.floor(x * 2);
    if (column === at && live.totals[k] <= live.totals[columns[columns.length - 1].step]) {
      columns[columns.length - 1].last = k;
      continue;
    }
    if (column === at) columns[columns.length - 1].step = k;
    else columns.push({ x, step: k });
    columns[columns.length - 1].last = k;
    at = column;
  }
  return columns;
};

const liveArea = (pen, from, until, top, bottom, high, plain) => {
  const columns = liveColumns(pen.width, from, until);
  if (!columns.length) return;
  const right = xOf(Math.min(until, END), pen.width, from, until);
  const y = (bytes) => bottom - (bytes / high) * (bottom - top);
  const base = new Float64Array(columns.length);
  for (let pool = 0; pool < (plain ? 1 : live.stacked); pool += 1) {
    const upper = [], lower = [];
    let some = false;
    columns.forEach(({ x, step }, k) => {
      const next = k + 1 < columns.length ? columns[k + 1].x : right;
      const value = plain ? live.totals[step] : live.values[step][pool];
      some = some || value > 0;
      upper.push(x, y(base[k] + value), next, y(base[k] + value));
      lower.push(x, y(base[k]), next, y(base[k]));
      base[k] += value;
    });
    if (!some) continue;
    const back = [];
    for (let k = lower.length - 2; k >= 0; k -= 2) back.push(lower[k], lower[k + 1]);
    pen.area(upper.concat(back), plain ? colours.task : live.stacked === 1 && data.pools.length > 1 ? colours.task : poolColour(pool), plain ? 0.8 : 1);
  }
};

const drawLive = (pen) => {
  const top = 4, bottom = pen.height - 4, high = liveTop();
  const y = (bytes) => bottom - (bytes / high) * (bottom - top);
  const step = roundStep(high, 3);
  const grid = [];
  for (let bytes = 0; bytes <= high; bytes += step) {
    grid.push([LEFT, y(bytes), pen.width - RIGHT, y(bytes)]);
    pen.text(size(bytes), LEFT - 8, Math.max(6, y(bytes)), { colour: colours.soft, align: "right" });
  }
  pen.lines(grid, colours.line);
  pen.clipped(LEFT, 0, pen.width - LEFT - RIGHT, pen.height, () => liveArea(pen, state.from, state.until, top, bottom, high, false));
  const marks = [];
  if (data.ceiling <= high) marks.push({ bytes: data.ceiling, said: data.target === null ? "capacity" : "ceiling", colour: colours.bad, dash: [] });
  if (placedCount) marks.push({ bytes: data.footprint, said: "footprint", colour: colours.ink, dash: [] });
  if (data.least !== null && placedCount) marks.push({ bytes: data.least, said: "least of any plan", colour: colours.ink, dash: [5, 4] });
  marks.sort((p, q) => q.bytes - p.bytes);
  // Above its line; beside the one before where two lines lie close, which they often do.
  let free = pen.width - RIGHT, level = -Infinity;
  for (const { bytes, said, colour, dash } of marks) {
    pen.lines([[LEFT, y(bytes), pen.width - RIGHT, y(bytes)]], colour, { dash, width: 1.25 });
    if (y(bytes) - 9 - level > 15) {
      level = y(bytes) - 9;
      free = pen.width - RIGHT;
    }
    const label = `${said} ${size(bytes)}`, wide = widthOf(label, 11);
    pen.text(label, free, level, { colour, align: "right", halo: true });
    pen.lines([[free - wide - 24, level, free - wide - 5, level]], colour, { dash, width: 1.25 });
    free -= wide + 44;
  }
};

// -- memory map ---------------------------------------------------------------------------------------------------

const GAP = 10, MOST_LINES = 16;
const usedPartitions = data.heights.map((_, p) => p).filter((p) => data.heights[p] > 0);
const partitionBuffers = new Map(usedPartitions.map((p) => [p, []]));
for (let b = 0; b < placedCount; b += 1) {
  const where = buffers.where[b];
  for (let k = 0; k < where.length; k += 3) partitionBuffers.get(where[k]).push({ buffer: b, low: where[k + 1], high: where[k + 1] + where[k + 2] });
}

// What the choice of partitions offers: all, or groups of them when there are many, and each alone.
const partitionChoices = (() => {
  const choices = [];
  if (usedPartitions.length <= MOST_LINES) choices.push({ said: "all", shown: usedPartitions });
  else
    for (let k = 0; k < usedPartitions.length; k += MOST_LINES) {
      const shown = usedPartitions.slice(k, k + MOST_LINES);
      choices.push({ said: `p${shown[0]} to p${shown[shown.length - 1]}`, shown });
    }
  if (usedPartitions.length > 1) for (const p of usedPartitions) choices.push({ said: `p${p}`, shown: [p] });
  return choices;
})();

const shownPartitions = () => (partitionChoices[Number(byId("partition").value)] || partitionChoices[0] || { shown: [] }).shown;

// Address lines below each other, as high as they are used.
const addressLines = () => {
  const shown = shownPartitions();
  const all = shown.reduce((sum, p) => sum + data.heights[p], 0);
  const room = shown.length <= 1 ? 420 : Math.min(680, Math.max(360, 70 * shown.length));
  let top = 4;
  return shown.map((p) => {
    const height = Math.max(34, Math.round((room * data.heights[p]) / all));
    const line = { partition: p, top, height, high: data.heights[p] };
    top += height + GAP;
    return line;
  });
};
const mapHeight = () => {
  const lines = addressLines();
  return lines.length ? lines[lines.length - 1].top + lines[lines.length - 1].height + 6 : 30;
};
const yIn = (line, address) => line.top + line.height - (address / line.high) * line.height;

const drawMap = (pen) => {
  const lines = addressLines();
  if (!lines.length) pen.text("nothing is placed in the workspace", LEFT, 15, { colour: colours.soft });
  for (const line of lines) {
    pen.rect(LEFT, line.top, pen.width - LEFT - RIGHT, line.height, colours.faint);
    pen.text(`p${line.partition}`, 4, line.top + 7, { weight: 600 });
    const step = roundStep(line.high, Math.max(1, line.height / 42));
    for (let address = 0; address <= line.high; address += step) {
      const y = yIn(line, address);
      pen.lines([[LEFT - 4, y, LEFT, y]], colours.soft);
      pen.text(size(address), LEFT - 8, Math.max(line.top + 5, Math.min(y, line.top + line.height - 4)), { colour: colours.soft, align: "right", px: 10 });
    }
    pen.clipped(LEFT, line.top - 1, pen.width - LEFT - RIGHT, line.height + 2, () => drawLine(pen, line));
  }
  drawReuse(pen, lines);
};

const drawLine = (pen, line) => {
  const scale = (t) => xOf(t, pen.width);
  const later = [];
  const paint = ({ buffer, low, high }, weight) => {
    const x = Math.max(LEFT - 2, scale(buffers.birth[buffer])), right = Math.min(scale(buffers.death[buffer]), pen.width);
    const top = yIn(line, high), bottom = yIn(line, low);
    const w = right - x, h = bottom - top;
    const alpha = weight < 0 ? 0.22 : 1;
    const inset = w > 3 && h > 3 ? 0.75 : 0;
    const width = Math.max(weight > 0 ? 1.5 : 0.3, w - inset), height = Math.max(weight > 0 ? 1.5 : 0.3, h - inset);
    pen.rect(x, top, width, height, poolColour(buffers.pool[buffer], tints[buffer]), alpha);
    if (poolHatched(buffers.pool[buffer]) && w > 6 && h > 6) pen.hatch(x, top, width, height, colours["text-on-pool"], 0.3 * alpha);
    if (h >= 13) {
      const said = fitting(bufferName[buffer], w - 8, 11);
      if (said) pen.text(said, Math.max(x, LEFT) + 4, top + h / 2, { colour: colours["text-on-pool"], alpha: weight < 0 ? 0.45 : 1 });
    }
    if (weight > 0) {
      const colour = weight === 2 || !state.hits ? colours.ink : colours.hit;
      const thick = weight === 2 ? 2 : state.hits ? 1.75 : 1;
      pen.frame(x + thick / 2 - 0.5, top + thick / 2 - 0.5, Math.max(1, width - thick + 1), Math.max(1, height - thick + 1), colour, thick);
    }
  };
  for (const place of partitionBuffers.get(line.partition)) {
    const b = place.buffer;
    if (buffers.death[b] <= state.from || buffers.birth[b] >= state.until) continue;
    const weight = emphasis("buffer", b);
    if (weight > 0) later.push([place, weight]);
    else paint(place, weight);
  }
  later.sort((a, b) => a[1] - b[1]);
  for (const [place, weight] of later) paint(place, weight);
};

// Where the bytes of `b` come from and go to: [earlier owner, later owner, bytes].
const reuseOf = (b) => {
  const found = [];
  if (b >= placedCount) return found;
  for (let k = 0; k < buffers.over[b].length; k += 2) found.push([buffers.over[b][k], b, buffers.over[b][k + 1]]);
  for (let k = 0; k < heirs[b].length; k += 2) found.push([b, heirs[b][k], heirs[b][k + 1]]);
  return found;
};
const MOST_EDGES = 1500;
const drawReuse = (pen, lines) => {
  const all = byId("reuse").checked, chosen = state.chosen && state.chosen.kind === "buffer" ? state.chosen.index : null;
  if (!all && chosen === null) return;
  const shown = new Map(lines.map((line) => [line.partition, line]));
  const pairs = [];
  if (chosen !== null) pairs.push(...reuseOf(chosen));
  else
    for (let b = 0; b < placedCount; b += 1)
      for (let k = 0; k < buffers.over[b].length; k += 2) {
        const a = buffers.over[b][k];
        if (buffers.birth[b] >= state.from && buffers.death[a] <= state.until && (buffers.death[a] >= state.from || buffers.birth[b] <= state.until))
          pairs.push([a, b, buffers.over[b][k + 1]]);
      }
  pairs.sort((p, q) => q[2] - p[2]);
  const paths = [], heads = [];
  for (const [a, b] of pairs.slice(0, MOST_EDGES)) {
    const end = meeting(a, b, shown);
    if (!end) continue;
    const x0 = Math.min(xOf(buffers.death[a], pen.width), xOf(buffers.birth[b], pen.width)), x1 = xOf(buffers.birth[b], pen.width);
    if (x1 < LEFT || x0 > pen.width - RIGHT) continue;
    paths.push([Math.max(LEFT, x0 - 7), end.from, x1 + 7, end.to]);
    heads.push([x1 + 3, end.to - 3.5, x1 + 7, end.to, x1 + 3, end.to + 3.5]);
  }
  const alpha = chosen !== null ? 1 : paths.length > 300 ? 0.55 : 0.85;
  pen.clipped(LEFT, 0, pen.width - LEFT - RIGHT, pen.height, () => {
    pen.lines(paths, colours.critical, { width: 1.5, alpha });
    pen.lines(heads, colours.critical, { width: 1.5, alpha });
  });
};
// The middles of the bytes that two regions share, in a partition that is shown.
const meeting = (a, b, shown) => {
  for (const p of shown.keys()) {
    const mine = placesIn(a, p), theirs = placesIn(b, p), line = shown.get(p);
    for (const [low, high] of mine)
      for (const [l, h] of theirs)
        if (Math.min(high, h) > Math.max(low, l)) {
          const y = yIn(line, (Math.min(high, h) + Math.max(low, l)) / 2);
          return { from: y, to: y };
        }
  }
  return null;
};
const placesIn = (b, partition) => {
  const where = buffers.where[b], found = [];
  for (let k = 0; k < where.length; k += 3) if (where[k] === partition) found.push([where[k + 1], where[k + 1] + where[k + 2]]);
  return found;
};

const mapAt = (x, y, sheet) => {
  const line = addressLines().find((l) => y >= l.top - 2 && y <= l.top + l.height + 2);
  if (!line || x < LEFT) return null;
  const t = timeAt(x, sheet.width), address = ((line.top + line.height - y) / line.height) * line.high;
  const reach = (2 / line.height) * line.high;
  let best = null, distance = Infinity;
  for (const { buffer, low, high } of partitionBuffers.get(line.partition)) {
    if (buffers.birth[buffer] > t) break;
    if (buffers.death[buffer] <= t) continue;
    const away = address < low ? low - address : address >= high ? address - high : 0;
    // In place two may own the byte: the later one is drawn above.
    if (away <= reach && away <= distance) [best, distance] = [buffer, away];
  }
  return best === null ? null : { kind: "buffer", index: best };
};

const mapStep = (key) => {
  const chosen = state.chosen && state.chosen.kind === "buffer" && state.chosen.index < placedCount ? state.chosen.index : null;
  const listed = shownPartitions().flatMap((p) => partitionBuffers.get(p).map((place) => place.buffer));
  if (!listed.length) return null;
  if (key === "End") return listed[listed.length - 1];
  if (chosen === null || key === "Home")
    return listed.find((b) => key === "Home" || (buffers.death[b] > state.from && buffers.birth[b] < state.until));
  const partition = buffers.where[chosen][0], line = partitionBuffers.get(partition);
  const at = line.findIndex((place) => place.buffer === chosen);
  if (key === "ArrowLeft" || key === "ArrowRight") {
    const linked = reuseOf(chosen).filter(([a, b]) => (key === "ArrowLeft" ? b === chosen : a === chosen)).sort((p, q) => q[2] - p[2])[0];
    if (linked) return key === "ArrowLeft" ? linked[0] : linked[1];
    const next = line[at + (key === "ArrowLeft" ? -1 : 1)];
    return next && next.buffer;
  }
  const up = key === "ArrowUp", mine = line[at];
  const beside = line.filter(
    ({ buffer, low, high }) =>
      buffer !== chosen && buffers.birth[buffer] < buffers.death[chosen] && buffers.birth[chosen] < buffers.death[buffer] && (up ? low >= mine.high : high <= mine.low),
  );
  beside.sort((p, q) => (up ? p.low - q.low : q.high - p.high));
  return beside.length ? beside[0].buffer : null;
};

// -- overview -----------------------------------------------------------------------------------------------------

const drawStrip = (pen) => {
  liveArea(pen, 0, END, 4, pen.height - 2, Math.max(1, live.peak) * 1.05, true);
  const a = xOf(state.from, pen.width, 0, END), b = xOf(state.until, pen.width, 0, END);
  pen.rect(LEFT, 0, Math.max(0, a - LEFT), pen.height, colours.panel, 0.6);
  pen.rect(b, 0, Math.max(0, pen.width - RIGHT - b), pen.height, colours.panel, 0.6);
  pen.frame(a + 0.5, 1, Math.max(2, b - a - 1), pen.height - 2, colours.accent, 1.5);
  pen.rect(a - 2, pen.height / 2 - 7, 4, 14, colours.accent);
  pen.rect(b - 2, pen.height / 2 - 7, 4, 14, colours.accent);
};

const stripDrag = (canvas) => {
  let grip = null;
  const at = (event) => ((event.offsetX - LEFT) / Math.max(1, canvas.clientWidth - LEFT - RIGHT)) * END;
  canvas.addEventListener("pointerdown", (event) => {
    const t = at(event), near = (8 / Math.max(1, canvas.clientWidth)) * END;
    const kind = Math.abs(t - state.from) < near ? "from" : Math.abs(t - state.until) < near ? "until" : t > state.from && t < state.until ? "both" : "new";
    grip = { kind, t, from: state.from, until: state.until };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const t = at(event);
    if (grip.kind === "from") setSpan(Math.min(t, grip.until - LEAST_SPAN), grip.until);
    else if (grip.kind === "until") setSpan(grip.from, Math.max(t, grip.from + LEAST_SPAN));
    else if (grip.kind === "both") setSpan(grip.from + t - grip.t, grip.until + t - grip.t);
    else if (Math.abs(t - grip.t) > END / 500) setSpan(Math.min(t, grip.t), Math.max(t, grip.t));
  });
  const release = () => {
    grip = null;
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
};

// -- the bands ----------------------------------------------------------------------------------------------------

const tip = byId("tip");
const hideTip = () => {
  tip.hidden = true;
};
const showTip = (event, item, lines = tipLines(item)) => {
  tip.replaceChildren(element("strong", {}, nameElement(nameOf(item), 200)), ...lines.map((line) => element("div", {}, line)));
  placeTip(event);
};
const placeTip = (event) => {
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, window.innerWidth - box.width - 8))}px`;
  tip.style.top = `${event.clientY + 18 + box.height > window.innerHeight ? Math.max(4, event.clientY - box.height - 12) : event.clientY + 18}px`;
};
const placeText = (b) => {
  const where = buffers.where[b], said = [];
  for (let k = 0; k < Math.min(where.length, 12); k += 3) said.push(`p${where[k]} at ${size(where[k + 1])}`);
  return said.join(", ") + (where.length > 12 ? ", \u2026" : "");
};
const tipLines = (item) => {
  const k = item.index;
  if (item.kind === "task") {
    const lines = [`${time(tasks.start[k])} to ${time(tasks.end[k])}, takes ${time(tasks.end[k] - tasks.start[k])}`];
    const written = tasks.out[k].reduce((sum, b) => sum + buffers.size[b], 0);
    lines.push(`reads ${plural(tasks.in[k].length, "buffer")}, writes ${size(written)}`);
    lines.push(`slack ${time(tasks.slack[k])}${inChain.has(k) ? ", in the critical chain" : ""}`);
    return lines;
  }
  if (k >= placedCount) return [`${size(buffers.size[k])}, outside the workspace`];
  return [
    `${size(buffers.size[k])}, ${placeText(k)}`,
    `${time(buffers.birth[k])} to ${time(buffers.death[k])}, pool ${cut(poolName[buffers.pool[k]], 40)}`,
    buffers.over[k].length ? `takes over bytes of ${plural(buffers.over[k].length / 2, "buffer")}` : "on fresh bytes",
  ];
};

const bandSheets = {};
const buildBands = () => {
  const panel = byId("bands");
  const cross = element("div", { class: "cross", hidden: true }, element("span"));
  const bands = element("div", { class: "bands" }, cross);
  panel.append(bands);
  const moved = (event, sheet) => {
    const t = timeAt(event.offsetX, sheet.width);
    cross.hidden = event.offsetX < LEFT || event.offsetX > sheet.width - RIGHT;
    cross.style.left = `${event.offsetX}px`;
    cross.className = event.offsetX > sheet.width - 160 ? "cross left" : "cross";
    const step = (state.until - state.from) / Math.max(1, sheet.width);
    cross.firstChild.textContent = `${time(t, Math.max(1, step))}, ${size(live.totals[liveAt(t)])} alive`;
  };
  const band = (name, title, aside, label, paint, height, hit, step) => {
    const canvas = element("canvas", { tabindex: "0", role: "application", "aria-roledescription": "chart", "aria-label": label, id: `${name}-chart` });
    const sheet = new Sheet(canvas, paint);
    bands.append(
      element("div", { class: "band" }, title ? element("h3", {}, title, element("span", { class: "aside" }, aside())) : null, canvas),
    );
    bandSheets[name] = { title: title ? `${title}${aside() ? `, ${aside()}` : ""}` : "", sheet };
    views.push({
      draw: () => {
        sheet.height = height();
        sheet.draw();
      },
    });
    if (name !== "strip") {
      steer(canvas, sheet, { hit, moved, left: () => (cross.hidden = true) });
      canvas.addEventListener("keydown", (event) => timeKeys(event, step));
    } else {
      stripDrag(canvas);
      canvas.addEventListener("keydown", (event) => timeKeys(event, null));
    }
  };
  const none = () => "";
  band("strip", "", none, "Overview of the whole plan. Arrow keys pan, plus and minus zoom.", drawStrip, () => 36, null, null);
  band(
    "gantt", "Who runs", () => `at most ${plural(data.trackCount, "task")} at once, ${plural(data.workers, "worker")}`,
    `Gantt chart of ${plural(taskCount, "task")} on ${plural(data.trackCount, "track")}. Arrow keys choose a task, plus and minus zoom, shift and arrows pan, Enter zooms to the selection, Escape clears it. The same figures stand in the table of tasks.`,
    drawGantt, () => AXIS + 8 + Math.max(1, data.trackCount) * rowHeight(Math.max(1, data.trackCount)), ganttAt, { kind: "task", step: ganttStep },
  );
  band(
    "live", "Bytes alive", () => {
      const above = data.ceiling > liveTop() ? `; ${data.target === null ? "capacity" : "ceiling"} ${size(data.ceiling)} is above the picture` : "";
      return `at most ${size(data.peak)}${above}`;
    },
    `Bytes alive over time, at most ${size(data.peak)}; footprint ${size(data.footprint)}, ${data.target === null ? "capacity" : "ceiling"} ${size(data.ceiling)}. Arrow keys pan, plus and minus zoom.`,
    drawLive, () => 130, () => null, null,
  );
  band(
    "map", "Memory", () => `${plural(usedPartitions.length, "partition")} in use, ${size(data.footprint)} high in all`,
    `Memory map of ${plural(placedCount, "buffer")}: time by address in each partition. Left and right follow the bytes to the owner before and after, up and down go to the neighbour in memory; plus and minus zoom. The same figures stand in the table of buffers.`,
    drawMap, mapHeight, mapAt, { kind: "buffer", step: mapStep },
  );
  views.push({ draw: () => undefined, reveal: (item) => revealTime(item) || revealPartition(item) });
  byId("colour").value = firstColouring();
  byId("partition").replaceChildren(...partitionChoices.map(({ said }, k) => element("option", { value: String(k) }, said)));
};

const revealPartition = (item) => {
  if (item.kind !== "buffer" || item.index >= placedCount) return;
  const partition = buffers.where[item.index][0];
  if (!shownPartitions().includes(partition)) byId("partition").value = String(partitionChoices.findIndex(({ shown }) => shown.includes(partition)));
};

// Pointer: move to look, click to choose, drag to pan, wheel with Ctrl (or pinch) to zoom, sideways to pan.
const steer = (canvas, sheet, { hit, moved, left, tips = () => null }) => {
  let press = null;
  canvas.addEventListener("pointermove", (event) => {
    if (press) {
      const dx = event.clientX - press.x;
      if (Math.abs(dx) > 3) press.dragged = true;
      if (press.dragged) {
        const step = (dx / Math.max(1, sheet.width - LEFT - RIGHT)) * (press.until - press.from);
        setSpan(press.from - step, press.until - step);
        hideTip();
        left();
      }
      return;
    }
    moved(event, sheet);
    const item = hit(event.offsetX, event.offsetY, sheet);
    if (!same(item, state.hover)) {
      state.hover = item;
      invalidate();
    }
    if (item) showTip(event, item, tips(event) || tipLines(item));
    else hideTip();
  });
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    press = { x: event.clientX, from: state.from, until: state.until, dragged: false };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointerup", (event) => {
    const clicked = press && !press.dragged;
    press = null;
    if (clicked) choose(hit(event.offsetX, event.offsetY, sheet));
  });
  canvas.addEventListener("pointercancel", () => {
    press = null;
  });
  canvas.addEventListener("pointerleave", () => {
    if (state.hover) {
      state.hover = null;
      invalidate();
    }
    hideTip();
    left();
  });
  canvas.addEventListener("dblclick", (event) => {
    const item = hit(event.offsetX, event.offsetY, sheet);
    if (item) zoomTo(item);
    else zoomTime(0.5, timeAt(event.offsetX, sheet.width));
  });
  canvas.addEventListener(
    "wheel",
    (event) => {
      if (event.ctrlKey || event.metaKey) zoomTime(Math.exp(event.deltaY * 0.004), timeAt(event.offsetX, sheet.width));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) panTime((event.deltaX || event.deltaY) / Math.max(1, sheet.width));
      else return;
      event.preventDefault();
      hideTip();
    },
    { passive: false },
  );
};

const ARROWS = ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"];
const timeKeys = (event, chooser) => {
  const { key } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (key === "+" || key === "=") zoomTime(0.6);
  else if (key === "-" || key === "_") zoomTime(1 / 0.6);
  else if (key === "0") setSpan(0, END);
  else if (key === "Enter" && state.chosen) zoomTo(state.chosen);
  else if (ARROWS.includes(key) && (event.shiftKey || !chooser)) {
    if (key === "ArrowLeft" || key === "ArrowRight") panTime(key === "ArrowLeft" ? -0.2 : 0.2);
    else return;
  } else if (chooser && (ARROWS.includes(key) || key === "Home" || key === "End")) {
    const index = chooser.step(key);
    if (index !== null && index !== undefined) choose({ kind: chooser.kind, index }, { reveal: true });
  } else return;
  event.preventDefault();
};
