"use strict";
// What radio_sim.coverage computes, over the losses of this page: budgets, best gateway, spreading factor, probability.

const DATA = JSON.parse(document.getElementById("data").textContent);
const COUNT = DATA.rows * DATA.cols;
const MISSING = -32768;
const SLOWEST = 12;

async function inflated(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

async function unpacked(text) {
  const bytes = await inflated(text);
  const count = bytes.length / 2;
  const values = new Int16Array(count);
  let sum = 0;
  for (let i = 0; i < count; i++) {
    sum = (sum + bytes[i] + (bytes[count + i] << 8)) & 0xffff;
    values[i] = sum;  // an Int16Array takes the low 16 bits
  }
  return values;
}

// Φ by its table, as the probability needs it millions of times. Abramowitz and Stegun 7.1.26 for the error function.
const PHI_REACH = 6, PHI_STEPS = 3000;
const PHI = new Float64Array(PHI_STEPS + 2);
for (let i = 0; i < PHI.length; i++) {
  const x = ((i / PHI_STEPS) * 2 - 1) * PHI_REACH;
  const z = Math.abs(x) / Math.SQRT2, t = 1 / (1 + 0.3275911 * z);
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * Math.exp(-z * z);
  PHI[i] = x < 0 ? tail / 2 : 1 - tail / 2;
}

/** Margins above the SF12 floor without entry loss: what one loss in steps becomes for gateway g. */
function marginConstant(g, offset) {
  const gateway = DATA.gateways[g], t = DATA.terminal;
  return t.conducted_dbm + t.gain_dbi + gateway.gain_dbi - gateway.cable_db - gateway.noise_dbm - DATA.floors_db[SLOWEST] + offset;
}

/** Probability that one of the gateways hears: margins without entry loss, NaN for one that cannot be judged. */
function probability(margins, placement) {
  const own = Math.max(placement.own_sigma_db, 1e-6), perUnit = PHI_STEPS / (2 * PHI_REACH);
  let total = 0;
  for (let k = 0; k < placement.nodes_db.length; k++) {
    let missed = 1;
    for (let g = 0; g < margins.length; g++) {
      if (Number.isNaN(margins[g])) continue;
      const at = ((margins[g] - placement.nodes_db[k]) / own + PHI_REACH) * perUnit;
      if (at >= PHI_STEPS) { missed = 0; break; }
      if (at > 0) {
        const j = at | 0;
        missed *= 1 - (PHI[j] + (PHI[j + 1] - PHI[j]) * (at - j));
      }
    }
    total += placement.weights[k] * (1 - missed);
  }
  return Math.min(total, 1);
}

function bestSf(snr) {
  for (let sf = 7; sf <= SLOWEST; sf++) if (snr >= DATA.floors_db[sf] + DATA.sf_margin_db) return sf;
  return snr >= DATA.floors_db[SLOWEST] ? SLOWEST : 0;
}

/** Answers for every pixel: best gateway (−1 unknown), its margin without entry loss, how many hear. */
function answers(losses, state) {
  const best = new Int16Array(COUNT).fill(-1), top = new Float32Array(COUNT).fill(-1e9), heard = new Uint8Array(COUNT);
  const entry = state.placement.median_db;
  DATA.gateways.forEach((_, g) => {
    if (!state.on[g]) return;
    const constant = marginConstant(g, state.offset), start = g * COUNT;
    for (let i = 0; i < COUNT; i++) {
      const steps = losses[start + i];
      if (steps === MISSING) continue;
      const margin = constant - steps * DATA.loss_step_db;
      if (margin > top[i]) { top[i] = margin; best[i] = g; }
      if (margin >= entry) heard[i]++;
    }
  });
  return { best, top, heard };
}

/** The value of a layer at every pixel; NaN where unknown. */
function layerValues(key, losses, found, state) {
  const out = new Float32Array(COUNT), { best, top, heard } = found, t = DATA.terminal;
  const entry = state.placement.median_db, floor = DATA.floors_db[SLOWEST];
  const active = DATA.gateways.map((_, g) => g).filter((g) => state.on[g]);
  const constants = active.map((g) => marginConstant(g, state.offset)), margins = new Float64Array(active.length);
  for (let i = 0; i < COUNT; i++) {
    const g = best[i];
    if (g < 0) { out[i] = NaN; continue; }
    const margin = top[i] - entry, snr = margin + floor;
    switch (key) {
      case "rssi": out[i] = snr + DATA.gateways[g].noise_dbm; break;
      case "snr": out[i] = snr; break;
      case "margin": out[i] = margin; break;
      case "sf": { const sf = bestSf(snr); out[i] = sf ? -sf : -99; break; }
      case "gateways": out[i] = heard[i]; break;
      case "best-server": out[i] = g; break;
      case "downlink-rx1": {
        const loss = losses[g * COUNT + i] * DATA.loss_step_db - state.offset + entry;
        out[i] = rx1Eirp(g) - loss + t.gain_dbi - t.noise_dbm - floor;
        break;
      }
      case "probability": {
        for (let a = 0; a < active.length; a++) {
          const steps = losses[active[a] * COUNT + i];
          margins[a] = steps === MISSING ? NaN : constants[a] - steps * DATA.loss_step_db;
        }
        out[i] = 100 * probability(margins, state.placement);
      }
    }
  }
  return out;
}

function rx1Eirp(g) {
  return DATA.terminal.rx1_eirp_dbm === null ? DATA.gateways[g].eirp_dbm : DATA.terminal.rx1_eirp_dbm;
}

function terms(a, b) {
  return [1, a, b, a * a, a * b, b * b, a * a * a, a * a * b, a * b * b, b * b * b];
}
const dot = (u, v) => u.reduce((sum, x, i) => sum + x * v[i], 0);

function latLon(row, col) {
  const p = DATA.place, x = terms((row - p.pixel_middle[0]) / p.pixel_scale[0], (col - p.pixel_middle[1]) / p.pixel_scale[1]);
  return [dot(p.lat, x), dot(p.lon, x)];
}

function rowCol(lat, lon) {
  const p = DATA.place, x = terms((lat - p.degree_middle[0]) / p.degree_scale[0], (lon - p.degree_middle[1]) / p.degree_scale[1]);
  return [dot(p.row, x), dot(p.col, x)];
}

function figure(value, decimals, unit) {
  if (!Number.isFinite(value)) return "–";
  return value.toFixed(decimals).replace("-", "−") + (unit ? " " + unit : "");
}

function escaped(text) {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);
}
