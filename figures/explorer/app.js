// The page: state, controls, and what follows from them.
const byId = id => document.getElementById(id);
const made = (name, properties = {}, ...children) => {
  const node = Object.assign(document.createElement(name), properties);
  node.append(...children);
  return node;
};
const start = () => ({
  values: Object.fromEntries(Object.entries(model.parameters).map(([name, one]) => [name, one.start])),
  on: {}, forms: {}, readouts: {}, graph: "ring", axis: model.parameters.T ? "T" : Object.keys(model.parameters)[0], logx: true, logy: true,
});
let state = start();
const controls = new Map();

const restore = () => {
  try {
    const kept = JSON.parse(decodeURIComponent(location.hash.slice(1)) || "{}");
    const known = Object.fromEntries(Object.entries(kept.values ?? {}).filter(([name]) => name in model.parameters));
    state = { ...start(), ...kept, values: { ...start().values, ...known } };
  } catch {
    state = start();
  }
  if (!(state.axis in model.parameters) || model.parameters[state.axis].rank) state.axis = start().axis;
};
const keep = () => history.replaceState(null, "", "#" + encodeURIComponent(JSON.stringify(state)));

const applyGraph = () => {
  const sizes = model.graphs[state.graph];
  if (!sizes) { byId("graph-note").textContent = "Gap and eigenvalues are set by hand."; return; }
  const wanted = state.values.m ?? 16, needed = "spectrum" in model.parameters;
  const usable = Object.keys(sizes).map(Number).filter(size => !needed || sizes[size].spectrum);
  const nodes = usable.reduce((best, size) => (Math.abs(Math.log(size / wanted)) < Math.abs(Math.log(best / wanted)) ? size : best), usable[0]);
  if ("m" in state.values) state.values.m = nodes;
  if ("gap" in state.values) state.values.gap = sizes[nodes].gap;
  if (needed) state.values.spectrum = sizes[nodes].spectrum;
  byId("graph-note").textContent = `${state.graph} of ${nodes} nodes: gap ${short(sizes[nodes].gap)}. The nearest size that the page knows is taken.`;
};

const shown = name => (Array.isArray(state.values[name]) ? state.values[name].map(short).join(", ") : short(state.values[name]));
const positionOf = (one, value) => (one.log ? Math.log(value / one.low) / Math.log(one.high / one.low) : (value - one.low) / (one.high - one.low)) * 1000;
const valueAt = (one, position) => {
  const share = position / 1000, value = one.log ? one.low * (one.high / one.low) ** share : one.low + (one.high - one.low) * share;
  return one.integer ? Math.round(value) : +value.toPrecision(4);
};

const change = (name, value) => {
  state.values[name] = value;
  if (name === "m" && state.graph !== "own") applyGraph();
  if (name === "gap" || name === "spectrum") { state.graph = "own"; byId("graph").value = "own"; applyGraph(); }
  update();
};

const parseText = (one, text) => {
  const numbers = text.split(",").map(Number);
  if (numbers.some(value => !Number.isFinite(value)) || !text.trim()) return undefined;
  return one.rank ? numbers : one.integer ? Math.round(numbers[0]) : numbers[0];
};

const buildParameter = name => {
  const one = model.parameters[name];
  const label = made("label", { className: "name", htmlFor: `text-${name}` });
  label.innerHTML = one.math;
  label.append(one.meaning + (one.unit === "-" ? "" : ` [${one.unit}]`));
  const text = made("input", { type: "text", id: `text-${name}`, inputMode: "decimal", autocomplete: "off" });
  text.addEventListener("change", () => { const value = parseText(one, text.value); value === undefined ? update() : change(name, value); });
  const box = made("div", { className: "parameter" }, label, text);
  const range = one.rank ? null : made("input", { type: "range", min: 0, max: 1000, step: one.integer && !one.log ? 1000 / (one.high - one.low) : 1, ariaLabel: one.meaning });
  if (range) { range.addEventListener("input", () => change(name, valueAt(one, +range.value))); box.append(range); }
  if (!everywhere.has(name)) {
    const given = made("input", { type: "checkbox", id: `on-${name}` });
    given.addEventListener("change", () => { state.on[name] = given.checked; update(); });
    label.prepend(given, " ");
    controls.set(`on ${name}`, given);
  }
  controls.set(name, { text, range, box, optional: !everywhere.has(name) });
  byId("sliders").append(box);
};

const choice = (id, words, kind, chosen) => {
  const select = made("select", { ariaLabel: `${kind} of ${id}` }, ...words.map(word => made("option", { value: word, textContent: word.replaceAll("_", " ") })));
  select.value = chosen;
  select.addEventListener("change", () => { state[kind][id] = select.value; update(); });
  return select;
};

const buildBound = (id, index) => {
  const bound = model.bounds[id];
  const key = drawn("svg", { width: 44, height: 10, "aria-hidden": "true" });
  key.append(drawn("line", { x1: 0, x2: 44, y1: 5, y2: 5, stroke: `var(--c${index % 6})`, "stroke-width": 2.6, "stroke-dasharray": DASHES[index % 6] }));
  const value = made("output"), math = made("div", { className: "formula" }), list = made("ul", { className: "conditions" });
  const head = made("h2", {}, key, made("span", { textContent: id }), value);
  const about = made("p", { className: "note", textContent: `${bound.title} (${bound.kind}; ${bound.source})` });
  const article = made("article", {}, head, about);
  for (const [kind, words] of [["forms", bound.forms], ["readouts", bound.readouts]])
    if (words.length > 1) article.append(made("label", { className: "note" }, choice(id, words, kind, state[kind][id] ?? words[0]), " "));
  article.append(math, list);
  byId("bounds").append(article);
  controls.set(`bound ${id}`, { value, math, list, reading: null });
};

const evaluated = (id, p) => {
  const bound = model.bounds[id], reading = readingOf(bound, state, id), form = state.forms[id] ?? bound.forms[0];
  return { reading, value: valueOf(bound, reading, p), assumptions: assumptionsOf(bound, reading, p, form) };
};

const updateBound = id => {
  const at = evaluated(id, pointOf(model.bounds[id], state)), parts = controls.get(`bound ${id}`);
  parts.value.textContent = short(at.value);
  if (parts.reading !== at.reading) parts.math.innerHTML = at.reading.math;
  parts.reading = at.reading;
  parts.list.replaceChildren(...at.assumptions.map(one => {
    const mark = one.holds === false ? "fails: " : one.holds === null ? "not known: " : "";
    return made("li", { className: one.holds === false ? "fails" : "", textContent: mark + one.text });
  }));
};

const POINTS = 160;
const curves = () => {
  const one = model.parameters[state.axis], logx = state.logx && one.low > 0;
  const places = Array.from({ length: POINTS + 1 }, (_, k) => (logx ? one.low * (one.high / one.low) ** (k / POINTS) : one.low + (one.high - one.low) * (k / POINTS)));
  const xs = [...new Set(one.integer ? places.map(Math.round) : places)];
  const series = Object.keys(model.bounds).map((id, index) => {
    const bound = model.bounds[id];
    if (!givenOf(bound, state).includes(state.axis)) return { points: [], index };
    const p = pointOf(bound, state);
    return { index, points: xs.map(x => { const at = evaluated(id, { ...p, [state.axis]: x }); return [x, at.value, at.assumptions.every(a => a.holds !== false)]; }) };
  });
  plotCurves(byId("plot"), series, { low: one.low, high: one.high, logx, logy: state.logy, label: `${one.meaning} (${state.axis})` }, state.values[state.axis]);
};

const update = () => {
  for (const [name, one] of Object.entries(model.parameters)) {
    const parts = controls.get(name);
    parts.text.value = shown(name);
    if (parts.range) parts.range.value = positionOf(one, state.values[name]);
    if (parts.optional) controls.get(`on ${name}`).checked = Boolean(state.on[name]);
    parts.box.classList.toggle("off", parts.optional && !state.on[name]);
  }
  byId("logx").checked = state.logx;
  byId("logy").checked = state.logy;
  Object.keys(model.bounds).forEach(updateBound);
  curves();
  keep();
};

const begin = () => {
  restore();
  byId("graph").append(...[...Object.keys(model.graphs), "own"].map(name => made("option", { value: name, textContent: name === "own" ? "by hand" : name })));
  byId("graph").value = state.graph;
  byId("graph").addEventListener("change", () => { state.graph = byId("graph").value; applyGraph(); update(); });
  if (!["gap", "spectrum"].some(name => name in model.parameters)) byId("network").hidden = true;
  Object.keys(model.parameters).forEach(buildParameter);
  const scalars = Object.entries(model.parameters).filter(([, one]) => !one.rank && !one.flag);
  byId("axis").append(...scalars.map(([name, one]) => made("option", { value: name, textContent: `${name}: ${one.meaning}` })));
  byId("axis").value = state.axis;
  byId("axis").addEventListener("change", () => { state.axis = byId("axis").value; update(); });
  for (const name of ["logx", "logy"]) byId(name).addEventListener("change", () => { state[name] = byId(name).checked; update(); });
  byId("link").addEventListener("click", () => navigator.clipboard?.writeText(location.href));
  Object.keys(model.bounds).forEach(buildBound);
  if (state.graph !== "own") applyGraph();
  update();
};
window.addEventListener("hashchange", () => { byId("sliders").querySelectorAll(".parameter").forEach(box => box.remove()); byId("bounds").replaceChildren(); for (const id of ["graph", "axis"]) byId(id).replaceChildren(); begin(); });
begin();
