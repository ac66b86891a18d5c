// Draws one chart with uPlot. src/chart.rs says what is drawn and in which words; this file knows
// pixels, fingers and keys. All colours come from the style sheet's tokens.
import uPlot from "./vendor/uPlot.esm.js";

const TONES = { usage: "--usage", grid: "--grid", solar: "--solar", battery: "--battery", export: "--export", ghost: "--ghost" };
const FONT = '12px system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';
const LABEL_GAP = 15;

export class Plot {
  /**
   * @param host element that the chart fills; focusable, takes the keys
   * @param options { bars, unit, lang, zone, series: [[name, tone], …] }
   * @param axisText (value) => text of a tick
   * @param onCursor (index | -1) => void
   */
  constructor(host, options, axisText, onCursor) {
    this.host = host;
    this.options = options;
    this.axisText = axisText;
    this.onCursor = onCursor;
    this.slots = null;
    this.columns = null;
    this.index = -1;
    this.byKey = false;
    this.stop = new AbortController();
    this.time = new Intl.DateTimeFormat(options.lang, { timeZone: options.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
    this.resize = new ResizeObserver(() => this.fit());
    this.resize.observe(host);
    this.listen();
  }

  data(columns, slots) {
    const first = !this.columns;
    const zoomed = this.isZoomed();
    this.slots = slots;
    this.columns = columns.map((c, i) => (i === 0 ? Array.from(c) : Array.from(c, (v) => (Number.isNaN(v) ? null : v))));
    if (first) this.draw();
    else if (this.plot) {
      this.plot.setData(this.columns, !zoomed);
      if (this.byKey) this.show(Math.min(this.index, this.last()));
    }
  }

  destroy() {
    this.stop.abort();
    this.resize.disconnect();
    this.plot?.destroy();
    this.plot = null;
  }

  // ---------------------------------------------------------------- drawing

  colour(token) {
    return getComputedStyle(this.host).getPropertyValue(token).trim() || "#808080";
  }

  size() {
    return { width: Math.max(this.host.clientWidth, 120), height: Math.max(this.host.clientHeight, 120) };
  }

  fit() {
    if (!this.plot) return;
    const { width, height } = this.size();
    if (this.plot.width !== width || this.plot.height !== height) this.plot.setSize({ width, height });
  }

  draw() {
    this.plot?.destroy();
    const { bars, series } = this.options;
    const muted = this.colour("--muted");
    const line = this.colour("--line");
    const lines = series.map(([name, tone]) => {
      const stroke = this.colour(TONES[tone]);
      const common = { label: name, stroke, points: { show: false } };
      return bars ? { ...common, paths: () => null } : { ...common, width: tone === "usage" ? 2 : 1.5, spanGaps: false };
    });
    this.plot = new uPlot(
      {
        ...this.size(),
        padding: [12, bars ? 4 : this.labelWidth(), 0, 0],
        legend: { show: false },
        tzDate: (s) => uPlot.tzDate(new Date(s * 1000), this.options.zone),
        cursor: {
          y: false,
          drag: { x: !bars, y: false, setScale: true, dist: 8 },
          points: { show: !bars, size: 7 },
          focus: { prox: -1 },
        },
        scales: {
          x: { time: !bars, range: bars ? (u, min, max) => [min - 0.5, max + 0.5] : undefined },
          y: { range: (u, min, max) => this.yRange(min, max) },
        },
        axes: [
          {
            stroke: muted, font: FONT, grid: { show: false }, ticks: { show: false }, size: 28, gap: 6,
            space: bars ? 4 : 96,
            splits: bars ? (u) => this.slotSplits(u) : undefined,
            values: bars
              ? (u, ticks) => ticks.map((i) => this.slots?.[i]?.label ?? "")
              : (u, ticks) => ticks.map((s) => this.time.format(s * 1000)),
          },
          {
            stroke: muted, font: FONT, size: (u, values) => this.axisWidth(values), gap: 6, space: 44,
            grid: { stroke: line, width: 1 }, ticks: { show: false },
            values: (u, ticks) => ticks.map((v) => this.axisText(v)),
          },
        ],
        series: [{}, ...lines],
        hooks: {
          // behind the cursor, above the grid lines
          drawAxes: [(u) => bars && this.drawBars(u)],
          draw: [(u) => this.drawMarks(u)],
          setCursor: [(u) => this.moved(u)],
        },
      },
      this.columns,
      this.host,
    );
  }

  yRange(min, max) {
    if (min == null || max == null) return [0, 1];
    const low = Math.min(0, min);
    const high = Math.max(0, max);
    const room = (high - low || 1) * 0.08;
    return [low < 0 ? low - room : 0, high > 0 ? high + room : room];
  }

  text(width) {
    const context = (this.ruler ??= document.createElement("canvas").getContext("2d"));
    context.font = FONT;
    return context.measureText(width).width;
  }

  axisWidth(values) {
    return Math.ceil(Math.max(24, ...(values ?? []).map((v) => this.text(v)))) + 12;
  }

  labelWidth() {
    return Math.ceil(Math.max(0, ...this.options.series.map(([name]) => this.text(name)))) + 14;
  }

  /** As many bar labels as fit, always the same ones for a width. */
  slotSplits(u) {
    const count = this.slots?.length ?? 0;
    const widest = Math.max(16, ...(this.slots ?? []).map((s) => this.text(s.label))) + 10;
    const room = (u.bbox?.width ?? this.size().width) / devicePixelRatio / Math.max(count, 1);
    const fits = Math.max(1, Math.ceil(widest / room));
    const step = [1, 2, 3, 4, 5, 6, 8, 12].find((s) => s >= fits) ?? fits;
    return Array.from({ length: Math.ceil(count / step) }, (_, i) => i * step);
  }

  drawBars(u) {
    const c = u.ctx;
    const dpr = devicePixelRatio;
    const slot = Math.abs(u.valToPos(1, "x", true) - u.valToPos(0, "x", true));
    const zero = u.valToPos(0, "y", true);
    const { series } = this.options;
    const ghostAt = series.findIndex(([, tone]) => tone === "ghost");
    const front = series.map((_, i) => i).filter((i) => i !== ghostAt);
    const width = Math.min(slot * 0.72, 56 * dpr);
    c.save();
    c.beginPath();
    c.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
    c.clip();
    const bar = (value, left, w, fill, mark) => {
      const top = u.valToPos(value, "y", true);
      const y = Math.min(top, zero);
      const h = Math.max(Math.abs(zero - top), value === 0 ? 0 : dpr);
      if (!h) return;
      const r = Math.min(3 * dpr, w / 3, h);
      c.beginPath();
      if (value >= 0) c.roundRect(left, y, w, h, [r, r, 0, 0]);
      else c.roundRect(left, y, w, h, [0, 0, r, r]);
      if (mark) {
        // what lies behind must not show through
        c.fillStyle = this.colour("--bg");
        c.fill();
      }
      if (mark === "outline") {
        c.lineWidth = 2 * dpr;
        c.strokeStyle = fill;
        c.setLineDash([4 * dpr, 3 * dpr]);
        c.stroke();
        c.setLineDash([]);
      } else {
        c.fillStyle = mark === "hatch" ? this.hatch(c, fill) : fill;
        c.fill();
        if (mark === "hatch") {
          c.lineWidth = dpr;
          c.strokeStyle = fill;
          c.stroke();
        }
      }
    };
    for (let i = 0; i < this.last() + 1; i++) {
      const middle = u.valToPos(i, "x", true);
      const ghost = ghostAt < 0 ? null : this.columns[ghostAt + 1][i];
      if (ghost != null) bar(ghost, middle - width / 2 - 4 * dpr, width + 8 * dpr, this.colour("--ghost"), "");
      const each = width / front.length;
      front.forEach((s, n) => {
        const value = this.columns[s + 1][i];
        const mark = this.slots?.[i]?.mark ?? "";
        const left = middle - width / 2 + n * each;
        if (mark === "gap") this.gap(c, middle, zero, dpr);
        else if (value != null) bar(value, left, each - (front.length > 1 ? dpr : 0), this.colour(TONES[series[s][1]]), mark);
      });
    }
    c.restore();
  }

  /** A time nothing is known of: a small ring on the zero line, never a bar of nothing. */
  gap(c, x, y, dpr) {
    c.beginPath();
    c.arc(x, y - 5 * dpr, 2.5 * dpr, 0, 7);
    c.lineWidth = dpr;
    c.strokeStyle = this.colour("--line-strong");
    c.stroke();
  }

  hatch(c, colour) {
    const key = colour + devicePixelRatio;
    if (this.hatched?.key !== key) {
      const size = 6 * devicePixelRatio;
      const tile = new OffscreenCanvas(size, size);
      const t = tile.getContext("2d");
      t.strokeStyle = colour;
      t.lineWidth = 2 * devicePixelRatio;
      t.beginPath();
      for (const d of [-size, 0, size]) {
        t.moveTo(d - 1, size + 1);
        t.lineTo(d + size + 1, -1);
      }
      t.stroke();
      this.hatched = { key, pattern: c.createPattern(tile, "repeat") };
    }
    return this.hatched.pattern;
  }

  drawMarks(u) {
    const c = u.ctx;
    const dpr = devicePixelRatio;
    const zero = Math.round(u.valToPos(0, "y", true)) + 0.5;
    c.save();
    c.strokeStyle = this.colour("--line-strong");
    c.lineWidth = dpr;
    c.beginPath();
    c.moveTo(u.bbox.left, zero);
    c.lineTo(u.bbox.left + u.bbox.width, zero);
    c.stroke();
    if (!this.options.bars) this.drawNames(u, c, dpr);
    c.restore();
  }

  /** Each line's name at its right end, pushed apart where they would meet. */
  drawNames(u, c, dpr) {
    const right = u.bbox.left + u.bbox.width;
    const names = [];
    this.options.series.forEach(([name, tone], s) => {
      const values = this.columns[s + 1];
      let i = u.valToIdx(u.scales.x.max);
      while (i > 0 && values[i] == null) i--;
      if (values[i] == null) return;
      names.push({ name, colour: this.colour(TONES[tone]), x: u.valToPos(this.columns[0][i], "x", true), end: u.valToPos(values[i], "y", true) });
    });
    names.sort((a, b) => a.end - b.end);
    const gap = LABEL_GAP * dpr;
    const bottom = u.bbox.top + u.bbox.height;
    names.forEach((n, i) => (n.y = Math.max(n.end, i ? names[i - 1].y + gap : u.bbox.top)));
    for (let i = names.length - 1; i >= 0; i--) {
      const limit = i === names.length - 1 ? bottom : names[i + 1].y - gap;
      names[i].y = Math.min(names[i].y, limit);
    }
    c.font = FONT.replace("12px", `${12 * dpr}px`);
    c.textBaseline = "middle";
    c.textAlign = "left";
    for (const n of names) {
      c.fillStyle = n.colour;
      if (n.x <= right + dpr) {
        c.beginPath();
        c.arc(n.x, n.end, 3 * dpr, 0, 7);
        c.fill();
      }
      c.fillText(n.name, right + 8 * dpr, n.y);
    }
  }

  // ---------------------------------------------------------------- cursor, zoom

  last() {
    return (this.columns?.[0].length ?? 1) - 1;
  }

  isZoomed() {
    const x = this.columns?.[0];
    if (!this.plot || !x || this.options.bars) return false;
    const { min, max } = this.plot.scales.x;
    return min != null && max - min < (x[x.length - 1] - x[0]) * 0.999;
  }

  moved(u) {
    const inside = u.cursor.left != null && u.cursor.left >= 0;
    const index = inside ? (u.cursor.idx ?? -1) : -1;
    if (index === this.index) return;
    this.index = index;
    this.onCursor(index);
  }

  show(index) {
    const u = this.plot;
    if (!u) return;
    this.index = -2; // whatever comes is news
    if (index < 0) return void u.setCursor({ left: -10, top: -10 });
    const x = this.columns[0][index];
    const { min, max } = u.scales.x;
    if (x < min || x > max) this.zoomTo(x - (max - min) / 2, x + (max - min) / 2);
    u.setCursor({ left: u.valToPos(x, "x"), top: u.over.clientHeight / 2 });
  }

  zoomTo(min, max) {
    if (this.options.bars) return;
    const x = this.columns[0];
    const [low, high] = [x[0], x[x.length - 1]];
    const step = x.length > 1 ? x[1] - x[0] : 1;
    let width = Math.min(Math.max(max - min, step * 8), high - low);
    const start = Math.min(Math.max(min, low), high - width);
    this.plot.setScale("x", { min: start, max: start + width });
  }

  zoom(factor, around) {
    const u = this.plot;
    if (!u || this.options.bars) return;
    const { min, max } = u.scales.x;
    const middle = around ?? (this.index >= 0 ? this.columns[0][this.index] : (min + max) / 2);
    this.zoomTo(middle - (middle - min) * factor, middle + (max - middle) * factor);
  }

  whole() {
    const x = this.columns[0];
    if (!this.options.bars) this.plot?.setScale("x", { min: x[0], max: x[x.length - 1] });
  }

  listen() {
    const options = { signal: this.stop.signal };
    const passive = { signal: this.stop.signal, passive: true };
    this.host.addEventListener("keydown", (e) => this.key(e), options);
    this.host.addEventListener("blur", () => { if (this.byKey) { this.byKey = false; this.show(-1); } }, options);
    const repaint = () => this.columns && this.draw();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint, options);
    const theme = new MutationObserver(repaint);
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.stop.signal.addEventListener("abort", () => theme.disconnect());

    // fingers: one moves the cursor, two zoom; up and down still scrolls the page
    const fingers = new Map();
    let spread = 0;
    this.host.addEventListener("pointerdown", (e) => {
      if (e.pointerType === "mouse") return;
      fingers.set(e.pointerId, e);
      spread = 0;
      this.touch(e);
    }, passive);
    this.host.addEventListener("pointermove", (e) => {
      if (!fingers.has(e.pointerId)) return;
      fingers.set(e.pointerId, e);
      if (fingers.size === 1) return this.touch(e);
      const [a, b] = [...fingers.values()];
      const now = Math.abs(a.clientX - b.clientX);
      if (spread > 20 && now > 20) {
        const left = this.plot.over.getBoundingClientRect().left;
        this.zoom(spread / now, this.plot.posToVal((a.clientX + b.clientX) / 2 - left, "x"));
      }
      spread = now;
    }, passive);
    for (const name of ["pointerup", "pointercancel"]) {
      this.host.addEventListener(name, (e) => fingers.delete(e.pointerId), passive);
    }
  }

  touch(e) {
    const box = this.plot?.over.getBoundingClientRect();
    if (box) this.plot.setCursor({ left: Math.min(Math.max(e.clientX - box.left, 0), box.width - 1), top: box.height / 2 });
  }

  key(e) {
    if (!this.plot || e.ctrlKey || e.metaKey || e.altKey) return;
    const last = this.last();
    const here = this.index < 0 ? last + 1 : this.index;
    const stride = e.shiftKey ? 10 : 1;
    const go = {
      ArrowLeft: () => this.show(Math.max(here - stride, 0)),
      ArrowRight: () => this.show(Math.min(here + stride, last)),
      ArrowDown: () => this.show(Math.max(here - stride, 0)),
      ArrowUp: () => this.show(Math.min(here + stride, last)),
      PageUp: () => this.show(Math.min(here + 10, last)),
      PageDown: () => this.show(Math.max(here - 10, 0)),
      Home: () => this.show(0),
      End: () => this.show(last),
      "+": () => this.zoom(0.5),
      "=": () => this.zoom(0.5),
      "-": () => this.zoom(2),
      Escape: () => { this.whole(); this.show(-1); this.byKey = false; },
    }[e.key];
    if (!go) return;
    e.preventDefault();
    this.byKey = true;
    go();
  }
}
