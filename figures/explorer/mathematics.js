"use strict";
// What the formulas need and JavaScript has not. Accurate to about 1e-13.
const g = (() => {
  const power = (base, exponent) => (exponent === 2 ? base * base : base === 0 && exponent > 0 ? 0 : base === 1 ? 1 : Math.pow(base, exponent));

  // sum of r^s for s = 0 .. T-1
  const geometric = (r, T) => {
    if (T === 0) return 0;
    if (r === 1) return T;
    if (r > 0 && Math.abs(r - 1) < 0.5) return Math.expm1(T * Math.log1p(r - 1)) / (r - 1);
    return (1 - Math.pow(r, T)) / (1 - r);
  };

  // ln Gamma(x + q) - ln Gamma(x), by Stirling's series beyond 32.
  const stirling = x => (1 / 12 - (1 / 360 - (1 / 1260 - 1 / (1680 * x * x)) / (x * x)) / (x * x)) / x;
  const gammaStep = (x, q) => {
    let shift = 0;
    while (x < 32) shift += Math.log1p(q / x++);
    return (x - 0.5) * Math.log1p(q / x) + q * (Math.log(x + q) - 1) + stirling(x + q) - stirling(x) - shift;
  };
  // product of 1 + q/t for t = t0+1 .. T
  const growth = (q, t0, T) => {
    if (T - t0 <= 64 && Number.isInteger(T - t0)) {
      let log = 0;
      for (let t = t0 + 1; t <= T; t++) log += Math.log1p(q / t);
      return Math.exp(log);
    }
    return Math.exp(gammaStep(T + 1, q) - gammaStep(t0 + 1, q));
  };

  const erf = x => {
    const a = Math.abs(x);
    if (a > 6) return Math.sign(x);
    if (a < 2.5) {
      let term = x, sum = x;
      for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum) && k < 100; k++) {
        term *= -x * x / k;
        sum += term / (2 * k + 1);
      }
      return 2 / Math.sqrt(Math.PI) * sum;
    }
    let fraction = 0;
    for (let k = 60; k > 0; k--) fraction = k / 2 / (a + fraction);
    return Math.sign(x) * (1 - Math.exp(-a * a) / Math.sqrt(Math.PI) / (a + fraction));
  };

  // Least value over integers of a body that falls and then rises: bisection on its differences.
  const least = (low, high, body) => {
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (body(middle + 1) - body(middle) >= 0) high = middle;
      else low = middle + 1;
    }
    return body(low);
  };

  const rows = (arrays, body) => {
    const length = Math.max(...arrays.map(array => array.length));
    return Array.from({ length }, (_, k) => body(...arrays.map(array => array[array.length === 1 ? 0 : k])));
  };
  const total = (arrays, body) => rows(arrays, body).reduce((sum, value) => sum + value, 0);
  const largest = (arrays, body) => Math.max(...rows(arrays, body));
  const smallest = (arrays, body) => Math.min(...rows(arrays, body));
  const size = array => array.length;
  const element = (array, k) => (k >= 1 && k <= array.length ? array[k - 1] : NaN);
  const tail = array => array.slice(1);
  return { power, geometric, growth, erf, least, total, largest, smallest, size, element, tail };
})();
