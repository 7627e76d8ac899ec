// Planned against actual: the plan's tracks above those of the run, and what happened as tables.

const attempts = run ? run.attempts : null;
const attemptCount = run ? attempts.task.length : 0;
const runTracks = run ? Array.from({ length: run.trackCount }, () => []) : [];
const lastAttempt = new Map();
if (run) {
  range(attemptCount)
    .sort((a, b) => attempts.began[a] - attempts.began[b] || a - b)
    .forEach((k) => attempts.tracks[k].forEach((track) => runTracks[track].push(k)));
  range(attemptCount).forEach((k) => {
    if (attempts.task[k] >= 0 && attempts.outcome[k] === "committed") lastAttempt.set(attempts.task[k], k);
  });
}
const bufferNumber = run ? new Map(buffers.id.map((id, k) => [id, k])) : null;
const taskNumber = run ? new Map(tasks.id.map((id, k) => [id, k])) : null;

const endOf = (k) => (attempts.ended[k] === null ? run.length : attempts.ended[k]);
const itemOfAttempt = (k) => {
  if (attempts.task[k] >= 0) return { kind: "task", index: attempts.task[k] };
  const b = bufferNumber.get(attempts.name[k].replace(/^load:/, ""));
  return b === undefined ? null : { kind: "buffer", index: b };
};
const attemptName = (k) => (attempts.task[k] >= 0 ? taskLabel[attempts.task[k]] : visible(attempts.name[k]));
const ratioOf = (t) => {
  const k = lastAttempt.get(t);
  return k === undefined || !run.expected[t] ? null : attempts.task_s[k] / run.expected[t];
};
const BAD = new Set(["failed", "returned"]);

const runFacts = (t) => {
  const k = lastAttempt.get(t);
  if (k === undefined) return [["In the run", "not committed"]];
  const ratio = ratioOf(t);
  return [
    ["Ran", `${time(attempts.began[k])} to ${time(endOf(k))}`],
    ["Took", `${exactSeconds(attempts.task_s[k] * 1000)}${ratio === null ? "" : `, ${ratio.toFixed(2)} of what was planned`}`],
    ["Attempts", count(attempts.task.filter((other) => other === t).length)],
  ];
};

const attemptColour = (k) => {
  if (BAD.has(attempts.outcome[k])) return colours.bad;
  if (attempts.outcome[k] === "repaired") return colours.good;
  return attempts.task[k] < 0 ? colours["task-load"] : taskColour(attempts.task[k]);
};

const drawRun = (pen) => {
  const one = byId("run-time").value === "clock";
  const most = Math.max(1, data.makespan, run.length);
  const planUntil = one ? most : Math.max(1, data.makespan), runUntil = one ? most : Math.max(1, run.length);
  const planHeight = Math.min(22, rowHeight(Math.max(1, data.trackCount))), ownHeight = Math.min(22, rowHeight(Math.max(1, run.trackCount)));
  const planned = { top: 18, bottom: 18 + AXIS + 4 + data.trackCount * planHeight };
  pen.text("planned", 4, 8, { weight: 600, colour: colours.soft });
  axisIn(pen, 18, planned.bottom, planUntil);
  trackTasks.forEach((numbers, track) =>
    drawBoxes(pen, planned.top + AXIS + track * planHeight, planHeight, numbers, (t) => xOf(t, pen.width, 0, planUntil), {
      spanFrom: 0, spanUntil: planUntil, box: (t) => ({ from: tasks.start[t], until: tasks.end[t] }), shade: taskColour,
      label: (t) => taskLabel[t], weightOf: (t) => emphasis("task", t),
    }),
  );
  const top = planned.bottom + 16;
  pen.text("actual", 4, top + 8, { weight: 600, colour: colours.soft });
  const bottom = top + 18 + AXIS + 4 + run.trackCount * ownHeight;
  axisIn(pen, top + 18, bottom, runUntil);
  const scale = (t) => xOf(t, pen.width, 0, runUntil);
  for (const at of run.resumed) {
    pen.lines([[scale(at), top + 34, scale(at), bottom]], colours.ink, { dash: [3, 3] });
    pen.text("resumed", Math.min(scale(at) + 4, pen.width - 60), top + 8, { colour: colours.soft });
  }
  runTracks.forEach((numbers, track) =>
    drawBoxes(pen, top + 18 + AXIS + track * ownHeight, ownHeight, numbers, scale, {
      spanFrom: 0, spanUntil: runUntil, box: (k) => ({ from: attempts.began[k], until: Math.max(endOf(k), attempts.began[k] + runUntil / 4000) }),
      shade: attemptColour, label: attemptName,
      weightOf: (k) => {
        const item = itemOfAttempt(k);
        return item ? emphasis(item.kind, item.index) : 0;
      },
      mark: (p, k, x, y, w, h, alpha) => {
        if (BAD.has(attempts.outcome[k])) p.hatch(x, y, w, h, colours.panel, 0.8 * alpha);
      },
    }),
  );
};
const axisIn = (pen, top, bottom, until) => {
  const step = timeStep(until, Math.max(2, (pen.width - LEFT - RIGHT) / 110));
  const grid = [];
  for (let t = 0; t <= until; t += step) {
    const x = xOf(t, pen.width, 0, until), label = time(t, step), half = widthOf(label, 11) / 2;
    grid.push([x, top + 15, x, bottom]);
    pen.text(label, Math.min(Math.max(x, LEFT - 8 + half), pen.width - half - 2), top + 7, { colour: colours.soft, align: "center" });
  }
  pen.lines(grid, colours.line);
};
const runHeight = () =>
  18 + AXIS + 4 + data.trackCount * Math.min(22, rowHeight(Math.max(1, data.trackCount))) + 16 + 18 + AXIS + 4 + run.trackCount * Math.min(22, rowHeight(Math.max(1, run.trackCount))) + 6;

const runAt = (x, y, sheet) => {
  const one = byId("run-time").value === "clock", most = Math.max(1, data.makespan, run.length);
  const planHeight = Math.min(22, rowHeight(Math.max(1, data.trackCount))), ownHeight = Math.min(22, rowHeight(Math.max(1, run.trackCount)));
  const top = 18 + AXIS + 4 + data.trackCount * planHeight + 16;
  const fraction = (x - LEFT) / Math.max(1, sheet.width - LEFT - RIGHT);
  if (fraction < 0) return null;
  if (y < top) {
    const until = one ? most : Math.max(1, data.makespan), line = trackTasks[Math.floor((y - 18 - AXIS) / planHeight)];
    const t = line ? nearest(line, fraction * until, until * 0.003, (k) => tasks.start[k], (k) => tasks.end[k]) : null;
    return t === null ? null : { item: { kind: "task", index: t }, attempt: null };
  }
  const until = one ? most : Math.max(1, run.length), line = runTracks[Math.floor((y - top - 18 - AXIS) / ownHeight)];
  const k = line ? nearest(line, fraction * until, until * 0.003, (n) => attempts.began[n], endOf) : null;
  return k === null ? null : { item: itemOfAttempt(k), attempt: k };
};

const attemptTable = () => ({
  caption: "Attempts",
  rows: range(attemptCount),
  itemOf: itemOfAttempt,
  columns: [
    figure("began", (k) => attempts.began[k], exactSeconds),
    { title: "execution", value: attemptName, cell: (k) => (attempts.task[k] >= 0 ? pick({ kind: "task", index: attempts.task[k] }) : nameElement(visible(attempts.name[k]))) },
    { title: "outcome", value: (k) => attempts.outcome[k], cell: (k) => attempts.outcome[k] },
    figure("planned", (k) => (attempts.task[k] >= 0 ? run.expected[attempts.task[k]] * 1000 : null), exactSeconds, { first: true }),
    figure("took", (k) => (attempts.task_s[k] === null ? null : attempts.task_s[k] * 1000), exactSeconds, { first: true }),
    figure("actual / planned", (k) => (attempts.task[k] >= 0 && attempts.task_s[k] !== null && run.expected[attempts.task[k]] ? attempts.task_s[k] / run.expected[attempts.task[k]] : null), (v) => v.toFixed(2), { first: true }),
    figure("sealing", (k) => (attempts.seal_s[k] === null ? null : attempts.seal_s[k] * 1000), exactSeconds, { first: true }),
    figure("verifying", (k) => (attempts.verify_s[k] === null ? null : attempts.verify_s[k] * 1000), exactSeconds, { first: true }),
    figure("bytes", (k) => attempts.written[k], size, { first: true }),
    { title: "message", value: (k) => attempts.message[k], cell: (k) => visible(attempts.message[k]), wrap: true },
  ],
});
const incidentTable = () => {
  const { incidents } = run;
  const subject = (k) => {
    const [, , kind, name] = incidents[k];
    const task = kind === "damaged" ? undefined : taskNumber.get(name), buffer = kind === "damaged" ? bufferNumber.get(name) : undefined;
    if (task !== undefined) return { kind: "task", index: task };
    return buffer === undefined ? null : { kind: "buffer", index: buffer };
  };
  return {
    caption: "What happened",
    rows: range(incidents.length),
    itemOf: subject,
    columns: [
      figure("at", (k) => incidents[k][0], exactSeconds),
      { title: "clock (UTC)", value: (k) => incidents[k][1], cell: (k) => incidents[k][1] },
      { title: "event", value: (k) => incidents[k][2], cell: (k) => incidents[k][2] },
      { title: "of", value: (k) => incidents[k][3], cell: (k) => (subject(k) ? pick(subject(k)) : nameElement(visible(incidents[k][3]))) },
      { title: "details", value: (k) => incidents[k][4], cell: (k) => visible(incidents[k][4]), wrap: true },
    ],
  };
};
const resultTable = () => ({
  caption: "Results",
  rows: range(run.results.length),
  itemOf: (k) => (run.results[k][0] < 0 ? null : { kind: "buffer", index: run.results[k][0] }),
  columns: [
    { title: "buffer", value: (k) => (run.results[k][0] < 0 ? "" : bufferName[run.results[k][0]]), cell: (k) => (run.results[k][0] < 0 ? "\u2013" : pick({ kind: "buffer", index: run.results[k][0] })) },
    figure("length", (k) => run.results[k][1], count, { first: true }),
    { title: "exported as", value: (k) => run.results[k][3], cell: (k) => nameElement(visible(run.results[k][3])) },
    { title: "sha256 of its content", value: (k) => run.results[k][2], cell: (k) => element("code", {}, run.results[k][2]) },
  ],
});

const buildRun = () => {
  if (!run) return null;
  const canvas = element("canvas", {
    id: "run-chart", tabindex: "0", role: "application", "aria-roledescription": "chart",
    "aria-label": `Planned against actual: ${plural(taskCount, "task")} planned, ${plural(attemptCount, "attempt")} made. Arrow keys choose a task. The same figures stand in the table of attempts.`,
  });
  byId("run-panel").append(canvas);
  const sheet = new Sheet(canvas, drawRun);
  const shown = tabbed(byId("run-tables"), "run", [
    { title: `What happened (${count(run.incidents.length)})`, key: "incidents", table: incidentTable() },
    { title: `Planned against actual (${count(attemptCount)})`, key: "attempts", table: attemptTable() },
    { title: `Results (${count(run.results.length)})`, key: "results", table: resultTable() },
  ]);
  views.push({
    draw: () => {
      sheet.height = runHeight();
      sheet.draw();
    },
    chosen: shown.render,
    sought: shown.render,
  });
  canvas.addEventListener("pointermove", (event) => {
    const found = runAt(event.offsetX, event.offsetY, sheet), item = found && found.item;
    if (!same(item, state.hover)) {
      state.hover = item;
      invalidate();
    }
    if (!found) return hideTip();
    const k = found.attempt;
    const lines = k === null ? tipLines(item) : [
      `${attempts.outcome[k]}: ${time(attempts.began[k])} to ${attempts.ended[k] === null ? "\u2026" : time(attempts.ended[k])}`,
      attempts.task_s[k] === null ? "" : `took ${exactSeconds(attempts.task_s[k] * 1000)}${attempts.task[k] >= 0 ? `, planned ${exactSeconds(run.expected[attempts.task[k]] * 1000)}` : ""}`,
      cut(visible(attempts.message[k]), 200),
    ].filter(Boolean);
    tip.replaceChildren(element("strong", {}, nameElement(k === null ? nameOf(item) : attemptName(k), 200)), ...lines.map((line) => element("div", {}, line)));
    placeTip(event);
    return undefined;
  });
  canvas.addEventListener("pointerleave", () => {
    hideTip();
    state.hover = null;
    invalidate();
  });
  canvas.addEventListener("click", (event) => {
    const found = runAt(event.offsetX, event.offsetY, sheet);
    choose(found && found.item, { reveal: true });
  });
  canvas.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(ARROWS.includes(event.key) || event.key === "Home" || event.key === "End")) return;
    const index = ganttStep(event.key);
    if (index !== null && index !== undefined) choose({ kind: "task", index }, { reveal: true });
    event.preventDefault();
  });
  byId("run-time").addEventListener("change", invalidate);
  const sheets = () => [{ title: "", sheet }];
  byId("run-svg").addEventListener("click", () => saveSvg(sheets(), "run"));
  byId("run-png").addEventListener("click", () => savePng(sheets(), "run"));
  return sheet;
};
