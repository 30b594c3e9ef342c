// The account of one link: its budgets line by line, and the terrain under it.

function budgets(g, loss) {
  const gateway = DATA.gateways[g], t = DATA.terminal, floor = DATA.floors_db;
  const eirp = t.conducted_dbm + t.gain_dbi, up = eirp - loss + gateway.gain_dbi - gateway.cable_db;
  const upSnr = up - gateway.noise_dbm, sf = bestSf(upSnr) || SLOWEST;
  const fixed = gateway.gain_dbi - gateway.cable_db, one = rx1Eirp(g), two = t.rx2_eirp_dbm;
  const down = (sent) => sent - loss + t.gain_dbi;
  return {
    sf: bestSf(upSnr),
    uplink: [
      ["device conducted power", t.conducted_dbm, "dBm"], ["device antenna gain", t.gain_dbi, "dBi"], ["device EIRP", eirp, "dBm"],
      ["loss between the antennas", -loss, "dB"], ["gateway antenna gain", gateway.gain_dbi, "dBi"],
      ["gateway cable loss", -gateway.cable_db, "dB"], ["received power", up, "dBm"], ["gateway noise", gateway.noise_dbm, "dBm"],
      ["SNR", upSnr, "dB"], [`margin above the SF${sf} floor`, upSnr - floor[sf], "dB"],
    ],
    downlink: [
      ["gateway conducted power", one - fixed, two - fixed, "dBm"], ["gateway cable loss", -gateway.cable_db, -gateway.cable_db, "dB"],
      ["gateway antenna gain", gateway.gain_dbi, gateway.gain_dbi, "dBi"], ["gateway EIRP", one, two, "dBm"],
      ["loss between the antennas", -loss, -loss, "dB"], ["device antenna gain", t.gain_dbi, t.gain_dbi, "dBi"],
      ["received power", down(one), down(two), "dBm"], ["device noise", t.noise_dbm, t.noise_dbm, "dBm"],
      ["SNR", down(one) - t.noise_dbm, down(two) - t.noise_dbm, "dB"],
      [`margin above the SF${sf}, SF12 floor`, down(one) - t.noise_dbm - floor[sf], down(two) - t.noise_dbm - floor[SLOWEST], "dB"],
    ],
  };
}

function groundAt(heights, row, col) {
  const r = Math.min(Math.max(row, 0), DATA.rows - 1), c = Math.min(Math.max(col, 0), DATA.cols - 1);
  const r0 = Math.min(r | 0, DATA.rows - 2), c0 = Math.min(c | 0, DATA.cols - 2), fr = r - r0, fc = c - c0;
  let sum = 0, weights = 0;
  for (const [dr, dc, w] of [[0, 0, (1 - fr) * (1 - fc)], [0, 1, (1 - fr) * fc], [1, 0, fr * (1 - fc)], [1, 1, fr * fc]]) {
    const steps = heights[(r0 + dr) * DATA.cols + c0 + dc];
    if (w > 0 && steps !== MISSING) { sum += w * steps * DATA.height_step_m; weights += w; }
  }
  return weights > 0 ? sum / weights : NaN;
}

/** Distance, ground raised by the earth's bulge, line of sight, Fresnel radius along a link, in m. */
function pathTo(heights, g, row, col) {
  const gateway = DATA.gateways[g], dr = row - gateway.row, dc = col - gateway.col;
  const total = Math.max(Math.hypot(dr, dc) * DATA.pixel_m, 1), n = Math.min(Math.max(Math.ceil(Math.hypot(dr, dc) * 1.5), 12), 900);
  const start = gateway.ground_m + gateway.height_m, end = groundAt(heights, row, col) + DATA.terminal.height_m;
  const path = [];
  for (let i = 0; i <= n; i++) {
    const share = i / n, d = share * total;
    const ground = i === 0 ? gateway.ground_m : groundAt(heights, gateway.row + share * dr, gateway.col + share * dc);
    path.push({ d, raised: ground + (d * (total - d)) / (2 * DATA.earth_m), sight: start + (end - start) * share,
      zone: Math.sqrt((DATA.wavelength_m * d * (total - d)) / total) });
  }
  return { path, total };
}

function profileSvg(heights, g, row, col) {
  const { path, total } = pathTo(heights, g, row, col), known = path.filter((p) => Number.isFinite(p.raised));
  if (known.length < 2) return "";
  const W = 336, H = 176, left = 30, right = 6, top = 14, bottom = 22;
  const low = Math.min(...known.map((p) => Math.min(p.raised, p.sight - p.zone))) - 4, high = Math.max(...known.map((p) => Math.max(p.raised, p.sight + p.zone))) + 4;
  const x = (d) => left + (d / total) * (W - left - right), y = (h) => H - bottom - ((h - low) / (high - low)) * (H - top - bottom);
  const line = (value, list = known) => list.map((p) => `${x(p.d).toFixed(1)},${y(value(p)).toFixed(1)}`).join(" ");
  const zone = `${line((p) => p.sight + p.zone)} ${line((p) => p.sight - p.zone, [...known].reverse())}`;
  let worst = null;
  const touching = known.filter((p, i) => {
    if (i === 0 || i === known.length - 1) return false;
    const share = (p.sight - p.raised) / p.zone;
    if (worst === null || share < worst.share) worst = { ...p, share };
    return share < DATA.free_share;
  });
  const dots = touching.map((p) => `<circle cx="${x(p.d).toFixed(1)}" cy="${y(p.raised).toFixed(1)}" r="1.3" fill="var(--fail)"/>`).join("");
  const clear = worst ? worst.sight - worst.raised : 0, blocked = clear < 0;
  const told = touching.length ? `${figure(Math.abs(clear), 0, "m")} ${blocked ? "too high" : "clear"} at ${figure(worst.d / 1000, 2, "km")}` : `clear of ${DATA.free_share} of the first Fresnel zone`;
  const step = total / 1000 > 16 ? 5 : total / 1000 > 6 ? 2 : total / 1000 > 2 ? 1 : 0.5;
  let ticks = "";
  for (let km = 0; km * 1000 <= total * 0.93; km += step) ticks += `<text x="${x(km * 1000)}" y="${H - 8}" text-anchor="middle">${km}</text>`;
  const rise = (high - low) / 3, nice = rise > 60 ? 50 : rise > 25 ? 20 : 10;
  for (let h = Math.ceil(low / nice) * nice; h < high; h += nice) ticks += `<text x="${left - 4}" y="${y(h) + 3}" text-anchor="end">${h}</text><line x1="${left}" x2="${W - right}" y1="${y(h)}" y2="${y(h)}" stroke="var(--line)" stroke-width=".6"/>`;
  const sight = blocked ? "no line of sight" : "in line of sight";
  return `<svg viewBox="0 0 ${W} ${H}" role="img" aria-label="Terrain profile: ${sight}, ${told}">${ticks}
    <polygon points="${left},${H - bottom} ${line((p) => p.raised)} ${x(known[known.length - 1].d).toFixed(1)},${H - bottom}" fill="var(--earth)" opacity=".8"/>
    <polygon points="${zone}" fill="var(--zone)"/><polyline points="${line((p) => p.raised)}" fill="none" stroke="var(--earth-line)"/>
    <polyline points="${line((p) => p.sight)}" fill="none" stroke="var(--blue)" stroke-width="1.4"/>${dots}
    <text x="${W - right}" y="${H - 8}" text-anchor="end">km</text><text x="2" y="${top - 4}">m</text>
    <text x="${(W + left) / 2}" y="${top - 4}" text-anchor="middle" class="${touching.length ? "told" : ""}">${sight}: ${told}</text></svg>`;
}

function budgetTables(g, loss) {
  const told = budgets(g, loss);
  const strong = (name) => /^(received|SNR|margin)/.test(name) ? ' class="strong"' : "";
  const cell = (name, value, unit) => `<td${/^margin/.test(name) && value < 0 ? ' class="short"' : ""}>${figure(value, 2, unit)}</td>`;
  const up = told.uplink.map(([name, value, unit]) => `<tr${strong(name)}><td>${name}</td>${cell(name, value, unit)}</tr>`).join("");
  const down = told.downlink.map(([name, one, two, unit]) => `<tr${strong(name)}><td>${name}</td>${cell(name, one, unit)}${cell(name, two, unit)}</tr>`).join("");
  return `<table><thead><tr><th scope="col">Uplink</th><th scope="col">SF${told.sf || SLOWEST}</th></tr></thead><tbody>${up}</tbody></table>
    <table><thead><tr><th scope="col">Downlink</th><th scope="col">RX1</th><th scope="col">RX2, SF12</th></tr></thead><tbody>${down}</tbody></table>`;
}

/** The panel of a pixel: verdict, gateways by margin, profile and budgets of the one looked at. */
function linkHtml(losses, heights, state, row, col, wanted) {
  const i = row * DATA.cols + col, entry = state.placement.median_db, [lat, lon] = latLon(row, col);
  const margins = DATA.gateways.map((_, g) => state.on[g] && losses[g * COUNT + i] !== MISSING ? marginConstant(g, state.offset) - losses[g * COUNT + i] * DATA.loss_step_db : NaN);
  const order = margins.map((_, g) => g).filter((g) => !Number.isNaN(margins[g])).sort((a, b) => margins[b] - margins[a]);
  const head = `<p>${lat.toFixed(5)}, ${lon.toFixed(5)}, ${escaped(state.placement.label)}, ground ${figure(groundAt(heights, row, col), 0, "m")}</p>`;
  if (!order.length) return { g: -1, html: head + "<p>No loss is known here.</p>" };
  const g = order.includes(wanted) ? wanted : order[0], loss = losses[g * COUNT + i] * DATA.loss_step_db - state.offset + entry;
  const p = probability(margins, state.placement), sf = bestSf(margins[order[0]] - entry + DATA.floors_db[SLOWEST]);
  const rows = order.slice(0, 5).map((o) => `<tr${o === g ? ' aria-current="true"' : ""}><td><button type="button" data-gateway="${o}">${escaped(DATA.gateways[o].id)}</button></td>
    <td>${figure((Math.hypot(row - DATA.gateways[o].row, col - DATA.gateways[o].col) * DATA.pixel_m) / 1000, 2)}</td><td>${figure(margins[o] - entry + DATA.floors_db[SLOWEST] + DATA.gateways[o].noise_dbm, 1)}</td><td>${figure(margins[o] - entry, 1)}</td></tr>`).join("");
  return { g, html: `${head}<p class="verdict">${sf ? "SF" + sf : "SF12 out of reach"}, heard with ${figure(100 * p, p > 0.995 || p < 0.005 ? 1 : 0)} % probability</p>
    <table class="servers"><thead><tr><th scope="col">Gateway</th><th scope="col">km</th><th scope="col">RSSI (dBm)</th><th scope="col">margin (dB)</th></tr></thead><tbody>${rows}</tbody></table>
    ${profileSvg(heights, g, row, col)}
    <p class="muted">Loss ${figure(loss - entry, 1)} dB between the antennas + ${figure(entry, 1)} dB median entry loss.</p>${budgetTables(g, loss)}` };
}
