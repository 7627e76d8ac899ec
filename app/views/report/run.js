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
  if (BAD.has(attempts.outcome[k])) return colours["task-bad"];
  if (attempts.outcome[k] === "repaired") return colours["task-good"];
  return attempts.task[k] < 0 ? colours["task-load"] : taskColour(attempts.task[k]);
};

// Both bands zoom with the timeline: the same share of plan and run, or the same seconds.
const runSpans = () => {
  const one = byId("run-time").value === "clock", most = Math.max(1, data.makespan, run.length);
  const scaled = (length) => [(state.from / END) * length, (state.until / END) * length];
  return { plan: scaled(one ? most : END), own: scaled(one ? most : Math.max(1, run.length)) };
};
const bandRow = (rows) => Math.min(22, rowHeight(Math.max(1, rows)));
const BAND_TOP = 18 + AXIS;
const runLayout = () => {
  const planRow = bandRow(data.trackCount), ownRow = bandRow(run.trackCount);
  const planBottom = BAND_TOP + 4 + data.trackCount * planRow, top = planBottom + 16;
  return { planRow, ownRow, planBottom, top, bottom: top + BAND_TOP + 4 + run.trackCount * ownRow };
};
const runHeight = () => runLayout().bottom + 4;

const drawRun = (pen) => {
  const { plan, own } = runSpans(), { planRow, ownRow, planBottom, top, bottom } = runLayout();
  const inside = (paint) => pen.clipped(LEFT - 1, 0, pen.width - LEFT - RIGHT + 2, pen.height, paint);
  pen.text("planned", 4, 8, { weight: 600, colour: colours.soft });
  timeAxis(pen, 18, planBottom, ...plan);
  inside(() =>
    trackTasks.forEach((numbers, track) =>
      drawBoxes(pen, BAND_TOP + track * planRow, planRow, numbers, (t) => xOf(t, pen.width, ...plan), {
        spanFrom: plan[0], spanUntil: plan[1], box: (t) => ({ from: tasks.start[t], until: tasks.end[t] }), shade: taskColour,
        label: (t) => taskLabel[t], weightOf: (t) => emphasis("task", t),
      }),
    ),
  );
  pen.text("actual", 4, top + 8, { weight: 600, colour: colours.soft });
  timeAxis(pen, top + 18, bottom, ...own);
  const scale = (t) => xOf(t, pen.width, ...own), least = (own[1] - own[0]) / 4000;
  for (const at of run.resumed) {
    if (at < own[0] || at > own[1]) continue;
    pen.lines([[scale(at), top + 34, scale(at), bottom]], colours.ink, { dash: [3, 3] });
    pen.text("resumed", Math.min(scale(at) + 4, pen.width - 60), top + 8, { colour: colours.soft });
  }
  inside(() =>
    runTracks.forEach((numbers, track) =>
      drawBoxes(pen, top + BAND_TOP + track * ownRow, ownRow, numbers, scale, {
        spanFrom: own[0], spanUntil: own[1], box: (k) => ({ from: attempts.began[k], until: Math.max(endOf(k), attempts.began[k] + least) }),
        shade: attemptColour, label: attemptName,
        weightOf: (k) => {
          const item = itemOfAttempt(k);
          return item ? emphasis(item.kind, item.index) : 0;
        },
        mark: (p, k, x, y, w, h, alpha) => {
          if (BAD.has(attempts.outcome[k])) p.hatch(x, y, w, h, colours.bad, 0.8 * alpha);
          if (attempts.outcome[k] === "repaired") p.rect(x, y + h - 2, w, 2, colours.good, alpha);
        },
      }),
    ),
  );
};

// The task or buffer there, and the attempt if it is one.
const runAt = (x, y, sheet) => {
  const { plan, own } = runSpans(), { planRow, ownRow, top } = runLayout();
  if (x < LEFT - 3) return null;
  const planned = y < top, [from, until] = planned ? plan : own;
  const t = from + ((x - LEFT) / Math.max(1, sheet.width - LEFT - RIGHT)) * (until - from), slack = (until - from) * 0.003;
  if (planned) {
    const line = trackTasks[Math.floor((y - BAND_TOP) / planRow)];
    const k = line ? nearest(line, t, slack, (n) => tasks.start[n], (n) => tasks.end[n]) : null;
    return k === null ? null : { item: { kind: "task", index: k }, attempt: null };
  }
  const line = runTracks[Math.floor((y - top - BAND_TOP) / ownRow)];
  const k = line ? nearest(line, t, slack, (n) => attempts.began[n], endOf) : null;
  return k === null ? null : { item: itemOfAttempt(k), attempt: k };
};
const attemptTip = (found) => {
  const k = found.attempt, ended = attempts.ended[k] === null ? "\u2026" : time(attempts.ended[k]);
  const planned = attempts.task[k] >= 0 ? `, planned ${exactSeconds(run.expected[attempts.task[k]] * 1000)}` : "";
  return [
    `${attempts.outcome[k]}: ${time(attempts.began[k])} to ${ended}`,
    attempts.task_s[k] === null ? "" : `took ${exactSeconds(attempts.task_s[k] * 1000)}${planned}`,
    cut(visible(attempts.message[k]), 200),
  ].filter(Boolean);
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
  byId("run-panel").append(canvas, element("p", { class: "hint" }, "Red and hatched: an attempt that came to nothing. Green, with a bar below: bytes written again after damage. Grey: an external input is loaded."));
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
  steer(canvas, sheet, {
    hit: (x, y) => {
      const found = runAt(x, y, sheet);
      return found && found.item;
    },
    tips: (event) => {
      const found = runAt(event.offsetX, event.offsetY, sheet);
      return found && found.attempt !== null ? attemptTip(found) : null;
    },
    moved: () => undefined,
    left: () => undefined,
  });
  canvas.addEventListener("keydown", (event) => timeKeys(event, { kind: "task", step: ganttStep }));
  byId("run-time").addEventListener("change", invalidate);
  const sheets = () => [{ title: "", sheet }];
  byId("run-svg").addEventListener("click", () => saveSvg(sheets(), "run"));
  byId("run-png").addEventListener("click", () => savePng(sheets(), "run"));
  return sheet;
};
