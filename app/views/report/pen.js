// Two pens with the same strokes: one draws on a canvas, one writes SVG. What is drawn is told once and can be saved.

const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif';
const ruler = document.createElement("canvas").getContext("2d");
const widths = new Map();

const widthOf = (text, px, weight = 400) => {
  const key = `${px} ${weight} ${text}`;
  let width = widths.get(key);
  if (width === undefined) {
    ruler.font = `${weight} ${px}px ${FONT}`;
    width = ruler.measureText(text).width;
    if (widths.size > 60000) widths.clear();
    widths.set(key, width);
  }
  return width;
};

// In a name of several parts the last one tells most: "a.b.ALIGN_3" and "x/y/z.bam" are called by their ends.
const lastPart = (name) => {
  const separator = ["/", ":", "."].find((c) => name.includes(c));
  const part = separator ? name.slice(name.lastIndexOf(separator) + 1) : name;
  // What stands behind the last dot of a file's name is no part.
  return part.length >= (separator === "." ? 6 : 3) ? part : name;
};

// The label that fits into `room` pixels: whole, its last part, either of them cut in its middle, or none.
const fitting = (text, room, px, weight = 400) => {
  if (room < 3 * px) return "";
  if (text.length <= 400 && widthOf(text, px, weight) <= room) return text;
  const part = lastPart(text);
  if (part !== text && part.length <= 400 && widthOf(`\u2026${part}`, px, weight) <= room) return `\u2026${part}`;
  const short = cut(part, 200);
  let letters = Math.min(short.length, Math.floor(room / (px * 0.42)));
  while (letters >= 8) {
    const said = cut(short, letters);
    if (widthOf(said, px, weight) <= room) return said;
    letters -= Math.max(1, Math.round(letters * 0.08));
  }
  return "";
};

class CanvasPen {
  constructor(context, width, height) {
    Object.assign(this, { context, width, height });
  }
  fill(colour, alpha = 1) {
    this.context.globalAlpha = alpha;
    this.context.fillStyle = colour;
  }
  rect(x, y, w, h, colour, alpha = 1) {
    this.fill(colour, alpha);
    this.context.fillRect(x, y, w, h);
  }
  frame(x, y, w, h, colour, line = 1) {
    this.context.globalAlpha = 1;
    this.context.strokeStyle = colour;
    this.context.lineWidth = line;
    this.context.strokeRect(x, y, w, h);
  }
  hatch(x, y, w, h, colour, alpha = 1) {
    const c = this.context;
    c.save();
    c.beginPath();
    c.rect(x, y, w, h);
    c.clip();
    c.beginPath();
    for (let at = Math.floor((x - h) / 6) * 6; at < x + w; at += 6) {
      c.moveTo(at, y + h);
      c.lineTo(at + h, y);
    }
    c.globalAlpha = alpha;
    c.strokeStyle = colour;
    c.lineWidth = 1;
    c.stroke();
    c.restore();
  }
  // Each path is a list of numbers: x, y, then x, y of every further point.
  lines(paths, colour, { width = 1, alpha = 1, dash = [] } = {}) {
    const c = this.context;
    c.beginPath();
    for (const path of paths) {
      c.moveTo(path[0], path[1]);
      for (let k = 2; k < path.length; k += 2) c.lineTo(path[k], path[k + 1]);
    }
    this.ink(colour, width, alpha, dash);
  }
  // Smooth from point to point, level at every point.
  curves(paths, colour, { width = 1, alpha = 1, dash = [] } = {}) {
    const c = this.context;
    c.beginPath();
    for (const path of paths) {
      c.moveTo(path[0], path[1]);
      for (let k = 2; k < path.length; k += 2) {
        const middle = (path[k - 2] + path[k]) / 2;
        c.bezierCurveTo(middle, path[k - 1], middle, path[k + 1], path[k], path[k + 1]);
      }
    }
    this.ink(colour, width, alpha, dash);
  }
  ink(colour, width, alpha, dash) {
    const c = this.context;
    c.globalAlpha = alpha;
    c.strokeStyle = colour;
    c.lineWidth = width;
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
  }
  area(path, colour, alpha = 1) {
    const c = this.context;
    this.fill(colour, alpha);
    c.beginPath();
    c.moveTo(path[0], path[1]);
    for (let k = 2; k < path.length; k += 2) c.lineTo(path[k], path[k + 1]);
    c.closePath();
    c.fill();
  }
  // `halo`: a rim in the colour of the panel, for text upon a picture.
  text(text, x, y, { px = 11, colour = colours.ink, align = "left", weight = 400, alpha = 1, halo = false } = {}) {
    const c = this.context;
    this.fill(colour, alpha);
    c.font = `${weight} ${px}px ${FONT}`;
    c.textAlign = align;
    c.textBaseline = "middle";
    if (halo) {
      c.strokeStyle = colours.panel;
      c.lineWidth = 4;
      c.lineJoin = "round";
      c.strokeText(text, x, y);
    }
    c.fillText(text, x, y);
  }
  clipped(x, y, w, h, paint) {
    const c = this.context;
    c.save();
    c.beginPath();
    c.rect(x, y, w, h);
    c.clip();
    paint();
    c.restore();
  }
  moved(x, y, paint) {
    this.context.save();
    this.context.translate(x, y);
    paint();
    this.context.restore();
  }
}

const xml = (text) =>
  text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
const short = (value) => String(Math.round(value * 100) / 100);

class SvgPen {
  constructor(width, height) {
    Object.assign(this, { width, height, parts: [], clips: 0 });
  }
  rect(x, y, w, h, colour, alpha = 1) {
    this.parts.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(w)}" height="${short(h)}" fill="${colour}"${alpha < 1 ? ` fill-opacity="${short(alpha)}"` : ""}/>`);
  }
  frame(x, y, w, h, colour, line = 1) {
    this.parts.push(`<rect x="${short(x)}" y="${short(y)}" width="${short(w)}" height="${short(h)}" fill="none" stroke="${colour}" stroke-width="${line}"/>`);
  }
  hatch(x, y, w, h, colour, alpha = 1) {
    const paths = [];
    for (let at = Math.floor((x - h) / 6) * 6; at < x + w; at += 6) paths.push([at, y + h, at + h, y]);
    this.clipped(x, y, w, h, () => this.lines(paths, colour, { alpha }));
  }
  stroke(d, colour, width, alpha, dash) {
    if (!d) return;
    this.parts.push(`<path d="${d}" fill="none" stroke="${colour}" stroke-width="${short(width)}"${alpha < 1 ? ` stroke-opacity="${short(alpha)}"` : ""}${dash.length ? ` stroke-dasharray="${dash.join(" ")}"` : ""}/>`);
  }
  lines(paths, colour, { width = 1, alpha = 1, dash = [] } = {}) {
    this.stroke(paths.map((path) => "M" + path.map(short).join(" ")).join(""), colour, width, alpha, dash);
  }
  curves(paths, colour, { width = 1, alpha = 1, dash = [] } = {}) {
    const curve = (path) => {
      let d = `M${short(path[0])} ${short(path[1])}`;
      for (let k = 2; k < path.length; k += 2) {
        const middle = short((path[k - 2] + path[k]) / 2);
        d += `C${middle} ${short(path[k - 1])} ${middle} ${short(path[k + 1])} ${short(path[k])} ${short(path[k + 1])}`;
      }
      return d;
    };
    this.stroke(paths.map(curve).join(""), colour, width, alpha, dash);
  }
  area(path, colour, alpha = 1) {
    this.parts.push(`<path d="M${path.map(short).join(" ")}Z" fill="${colour}"${alpha < 1 ? ` fill-opacity="${short(alpha)}"` : ""}/>`);
  }
  text(text, x, y, { px = 11, colour = colours.ink, align = "left", weight = 400, alpha = 1, halo = false } = {}) {
    const rim = halo ? ` stroke="${colours.panel}" stroke-width="4" stroke-linejoin="round" paint-order="stroke"` : "";
    const anchor = { left: "start", center: "middle", right: "end" }[align];
    this.parts.push(`<text x="${short(x)}" y="${short(y)}" dy=".35em" font-size="${px}" text-anchor="${anchor}" fill="${colour}"${weight !== 400 ? ` font-weight="${weight}"` : ""}${alpha < 1 ? ` fill-opacity="${short(alpha)}"` : ""}${rim}>${xml(text)}</text>`);
  }
  clipped(x, y, w, h, paint) {
    this.clips += 1;
    const id = `c${this.clips}`;
    this.parts.push(`<clipPath id="${id}"><rect x="${short(x)}" y="${short(y)}" width="${short(w)}" height="${short(h)}"/></clipPath><g clip-path="url(#${id})">`);
    paint();
    this.parts.push("</g>");
  }
  moved(x, y, paint) {
    this.parts.push(`<g transform="translate(${short(x)} ${short(y)})">`);
    paint();
    this.parts.push("</g>");
  }
  document(title) {
    const font = xml(FONT);
    return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${short(this.width)} ${short(this.height)}" width="${short(this.width)}" height="${short(this.height)}" font-family="${font}" role="img"><title>${xml(title)}</title>\n${this.parts.join("\n")}\n</svg>\n`;
  }
}

// A canvas as sharp as the screen, as wide as its place. `paint(pen)` draws into CSS pixels.
class Sheet {
  constructor(canvas, paint) {
    Object.assign(this, { canvas, paint, width: 0, height: 0 });
  }
  draw() {
    const { canvas } = this;
    this.width = canvas.clientWidth;
    if (!this.width || !this.height) return;
    const ratio = Math.min(3, window.devicePixelRatio || 1);
    const w = Math.round(this.width * ratio), h = Math.round(this.height * ratio);
    if (canvas.width !== w || canvas.height !== h) {
      canvas.width = w;
      canvas.height = h;
      canvas.style.height = `${this.height}px`;
    }
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, this.width, this.height);
    this.paint(new CanvasPen(context, this.width, this.height));
  }
}

// -- saving -------------------------------------------------------------------------------------------------------

const fileStem = () => (visible(data.name).replace(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[-.]+|-+$/g, "").slice(0, 80) || "plan");

const save = (blob, name) => {
  const link = element("a", { download: name, href: URL.createObjectURL(blob) });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
};

// Sheets below each other with their titles, as one picture.
const TITLE = 22;
const composed = (pen, sheets) => {
  pen.rect(0, 0, pen.width, pen.height, colours.panel);
  let y = 8;
  for (const { title, sheet } of sheets) {
    if (title) pen.text(title, 12, y + TITLE / 2, { px: 12, weight: 600, colour: colours.soft });
    y += title ? TITLE : 0;
    pen.moved(12, y, () => sheet.paint(pen));
    y += sheet.height + 8;
  }
};
const extentOf = (sheets) => ({
  width: Math.max(...sheets.map(({ sheet }) => sheet.width)) + 24,
  height: sheets.reduce((sum, { title, sheet }) => sum + (title ? TITLE : 0) + sheet.height + 8, 12),
});

const svgOf = (sheets, title) => {
  const { width, height } = extentOf(sheets);
  const pen = new SvgPen(width, height);
  composed(pen, sheets);
  return pen.document(title);
};
const saveSvg = (sheets, part) =>
  save(new Blob([svgOf(sheets, `${visible(data.name)}: ${part}`)], { type: "image/svg+xml" }), `${fileStem()}-${part}.svg`);
const savePng = (sheets, part) => {
  const { width, height } = extentOf(sheets);
  const ratio = Math.min(2, 16000 / Math.max(width, height));
  const canvas = element("canvas", { width: Math.round(width * ratio), height: Math.round(height * ratio) });
  const context = canvas.getContext("2d");
  context.scale(ratio, ratio);
  composed(new CanvasPen(context, width, height), sheets);
  canvas.toBlob((blob) => blob && save(blob, `${fileStem()}-${part}.png`), "image/png");
};
