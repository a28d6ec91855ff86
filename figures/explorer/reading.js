// Which reading of a bound is meant, its value, and its assumptions.
const model = JSON.parse(document.getElementById("model").textContent);
const compiled = new Map();
const compile = text => {
  if (!compiled.has(text)) compiled.set(text, new Function("g", `"use strict"; return (${text});`)(g));
  return compiled.get(text);
};

// What is given: what any bound here requires, and what is switched on; a flag that is 0 counts as not given.
const everywhere = new Set(Object.values(model.bounds).flatMap(bound => bound.required));
const isGiven = (name, state) => everywhere.has(name) || (Boolean(state.on[name]) && !(model.parameters[name].flag && !state.values[name]));
const givenOf = (bound, state) => [...bound.required, ...bound.optional.filter(name => isGiven(name, state))];

const readingOf = (bound, state, id) => {
  const given = new Set([...givenOf(bound, state), ...Object.keys(bound.defaults), state.forms[id] ?? bound.forms[0], state.readouts[id] ?? bound.readouts[0]]);
  return bound.readings[bound.switches.filter(word => given.has(word)).sort().join(" ")];
};

const pointOf = (bound, state) => {
  const p = { ...bound.defaults };
  for (const name of givenOf(bound, state)) p[name] = state.values[name];
  return p;
};

const valueOf = (bound, reading, p) => (reading.needs.every(name => name in p) ? compile(reading.value)(p) : NaN);

// Each assumption that matters here, with whether it holds: true, false, or null where a fact is missing.
const assumptionsOf = (bound, reading, p, form) =>
  reading.conditions
    .filter(one => (!one.forms.length || one.forms.includes(form)) && one.given.every(name => name in p) && !one.absent.some(name => name in p))
    .map(one => {
      if (!one.needs.every(name => name in p)) return { text: one.text, holds: null };
      const [left, right] = [compile(one.left)(p), compile(one.right)(p)];
      // As close as this they count as equal: both sides are rounded.
      const room = 1e-12 * Math.max(Math.abs(left), Math.abs(right));
      return { text: one.text, holds: one.relation === "<" ? left < right : left <= right + room };
    });
