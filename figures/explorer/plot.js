// Curves as SVG.
const SVG = "http://www.w3.org/2000/svg";
const drawn = (name, attributes, text) => {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
};
const DASHES = ["", "9 4", "2 4", "12 4 2 4", "5 3", "14 4 2 4 2 4"];
const short = value => {
  if (!Number.isFinite(value)) return value === Infinity ? "∞" : "no value";
  const far = value !== 0 && (Math.abs(value) >= 1e5 || Math.abs(value) < 1e-3);
  return far ? value.toExponential(3).replace(/\.?0*e\+?/, "e") : String(+value.toPrecision(4));
};

const FRAME = { left: 74, right: 690, top: 14, bottom: 352 };
const scale = (low, high, from, to, log) => {
  const f = log ? Math.log10 : value => value;
  return value => from + (to - from) * ((f(value) - f(low)) / (f(high) - f(low) || 1));
};

const ticks = (low, high, log) => {
  if (log) {
    const [first, last] = [Math.ceil(Math.log10(low) - 1e-9), Math.floor(Math.log10(high) + 1e-9)];
    const step = Math.max(1, Math.ceil((last - first) / 7));
    const powers = [];
    for (let k = first; k <= last; k += step) powers.push(10 ** k);
    if (powers.length >= 2) return powers;
  }
  const raw = (high - low) / 5, unit = 10 ** Math.floor(Math.log10(raw || 1));
  const step = [1, 2, 5, 10].map(k => k * unit).find(k => k >= raw) ?? unit;
  const marks = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9 * step; value += step) marks.push(+value.toPrecision(12));
  return marks;
};

// series: [{points: [[x, y, admissible]], index}]; values that cannot be drawn are gaps.
const plotCurves = (svg, series, axis, here) => {
  const good = y => Number.isFinite(y) && (!axis.logy || y > 0);
  const ys = series.flatMap(one => one.points.map(point => point[1])).filter(good);
  let [low, high] = ys.length ? [Math.min(...ys), Math.max(...ys)] : [axis.logy ? 0.1 : 0, 1];
  if (axis.logy && high / low > 1e16) low = high / 1e16;
  if (low === high) [low, high] = axis.logy ? [low / 2, high * 2] : [low - 0.5 * (Math.abs(low) || 1), high + 0.5 * (Math.abs(high) || 1)];
  if (!axis.logy && low > 0 && low < 0.4 * high) low = 0;
  const x = scale(axis.low, axis.high, FRAME.left, FRAME.right, axis.logx), y = scale(low, high, FRAME.bottom, FRAME.top, axis.logy);
  svg.replaceChildren();
  for (const mark of ticks(axis.low, axis.high, axis.logx)) {
    svg.append(drawn("line", { x1: x(mark), x2: x(mark), y1: FRAME.top, y2: FRAME.bottom, class: "grid" }));
    svg.append(drawn("text", { x: x(mark), y: FRAME.bottom + 20, "text-anchor": "middle" }, short(mark)));
  }
  for (const mark of ticks(low, high, axis.logy)) {
    svg.append(drawn("line", { x1: FRAME.left, x2: FRAME.right, y1: y(mark), y2: y(mark), class: "grid" }));
    svg.append(drawn("text", { x: FRAME.left - 8, y: y(mark) + 4, "text-anchor": "end" }, short(mark)));
  }
  svg.append(drawn("text", { x: (FRAME.left + FRAME.right) / 2, y: 392, "text-anchor": "middle" }, axis.label));
  if (here >= axis.low && here <= axis.high) svg.append(drawn("line", { x1: x(here), x2: x(here), y1: FRAME.top, y2: FRAME.bottom, class: "here" }));
  for (const one of series)
    for (const inside of [true, false]) {
      let path = "", open = false;
      one.points.forEach(([px, py, ok], k) => {
        const near = one.points[k + 1];
        const fits = good(py) && py >= low / 1.001 && (ok === inside || (!inside && near && near[2] === false) || (!inside && k && one.points[k - 1][2] === false));
        path += fits ? `${open ? "L" : "M"}${x(px).toFixed(1)} ${y(py).toFixed(1)}` : "";
        open = fits;
      });
      const style = { d: path, stroke: `var(--c${one.index % 6})`, "stroke-dasharray": inside ? DASHES[one.index % 6] : "2 5" };
      if (path) svg.append(drawn("path", inside ? style : { ...style, class: "outside" }));
    }
};
