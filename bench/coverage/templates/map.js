// The page: canvas, legend, controls, mouse, touch and keys.

(async () => {
  const $ = (id) => document.getElementById(id);
  const canvas = $("map"), stage = $("stage"), pen = canvas.getContext("2d");
  const [losses, heights, shade] = await Promise.all([unpacked(DATA.losses), unpacked(DATA.heights), inflated(DATA.shade)]);
  const state = { layer: "margin", placement: DATA.placements[0], offset: 0, on: DATA.gateways.map(() => true) };
  const view = { x: 0, y: 0, scale: 1, moved: false }, cursor = { row: DATA.rows >> 1, col: DATA.cols >> 1, shown: false };
  let picked = null, lookedAt = -1, found = null, values = null;

  const sheet = () => { const c = document.createElement("canvas"); c.width = DATA.cols; c.height = DATA.rows; return c; };
  const relief = sheet(), colours = sheet();
  {
    const pixels = new ImageData(DATA.cols, DATA.rows);
    for (let i = 0; i < COUNT; i++) { pixels.data.fill(shade[i], 4 * i, 4 * i + 3); pixels.data[4 * i + 3] = 255; }
    relief.getContext("2d").putImageData(pixels, 0, 0);
  }

  const bandsOf = () => state.layer === "best-server"
    ? DATA.gateways.map((g, i) => ({ low: i, label: g.id, colour: g.colour }))
    : DATA.layers.find((l) => l.key === state.layer).bands;
  const rgb = (colour) => [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));

  function recompute() {
    found = answers(losses, state);
    values = layerValues(state.layer, losses, found, state);
    const bands = bandsOf(), table = [...bands.map((b) => b.colour), DATA.unknown].map((c) => (c ? [...rgb(c), 255] : [0, 0, 0, 0]));
    const counts = new Uint32Array(bands.length + 1), pixels = new ImageData(DATA.cols, DATA.rows);
    for (let i = 0; i < COUNT; i++) {
      let band = bands.length;
      if (!Number.isNaN(values[i])) { band = 0; while (band + 1 < bands.length && values[i] >= bands[band + 1].low) band++; }
      counts[band]++;
      const c = table[band];
      for (let k = 0; k < 4; k++) pixels.data[4 * i + k] = c[k];
    }
    colours.getContext("2d").putImageData(pixels, 0, 0);
    legend(bands, counts);
    if (picked) showLink(picked.row, picked.col, lookedAt);
    draw();
  }

  function legend(bands, counts) {
    const layer = DATA.layers.find((l) => l.key === state.layer);
    $("legend-title").textContent = layer.title + (layer.unit ? ` (${layer.unit})` : "");
    const share = (n) => { const p = (100 * n) / COUNT; return n && p < 0.1 ? "< 0.1 %" : figure(p, 1, "%"); };
    const item = (colour, label, n) => `<li><span class="swatch" style="background:${colour || "transparent"}"></span><span>${escaped(label)}</span><span class="muted">${share(n)}</span></li>`;
    const shown = bands.map((b, i) => ({ ...b, n: counts[i] })).filter((b) => state.layer !== "best-server" || b.n > 0);
    const list = state.layer === "best-server" ? shown.sort((a, b) => b.n - a.n) : shown.reverse();
    $("legend").innerHTML = list.map((b) => item(b.colour, b.label, b.n)).join("") + (counts[bands.length] ? item(DATA.unknown, "unknown: no terrain", counts[bands.length]) : "");
  }

  const ratio = () => window.devicePixelRatio || 1;
  const toX = (col) => view.x + (col + 0.5) * view.scale, toY = (row) => view.y + (row + 0.5) * view.scale;
  const least = () => Math.min(stage.clientWidth / DATA.cols, (stage.clientHeight - 30) / DATA.rows);

  function fit() {
    view.moved = false;
    view.scale = least() * 0.97;
    view.x = (stage.clientWidth - view.scale * DATA.cols) / 2;
    view.y = (stage.clientHeight - 30 - view.scale * DATA.rows) / 2;
    draw();
  }

  function zoomAt(x, y, factor) {
    const scale = Math.min(Math.max(view.scale * factor, least() * 0.5), 40), by = scale / view.scale;
    view.moved = true;
    view.x = x - (x - view.x) * by; view.y = y - (y - view.y) * by; view.scale = scale;
    draw();
  }

  let waiting = false;
  function draw() {
    if (!waiting) { waiting = true; requestAnimationFrame(paint); }
  }

  function paint() {
    waiting = false;
    const r = ratio(), w = stage.clientWidth, h = stage.clientHeight;
    if (canvas.width !== Math.round(w * r) || canvas.height !== Math.round(h * r)) { canvas.width = Math.round(w * r); canvas.height = Math.round(h * r); }
    pen.setTransform(r, 0, 0, r, 0, 0);
    pen.clearRect(0, 0, w, h);
    const box = [view.x, view.y, view.scale * DATA.cols, view.scale * DATA.rows];
    pen.imageSmoothingEnabled = view.scale * r < 4;
    pen.drawImage(relief, ...box);
    pen.imageSmoothingEnabled = false;
    pen.globalAlpha = $("opacity").value / 100;
    pen.globalCompositeOperation = "multiply";
    pen.drawImage(colours, ...box);
    pen.globalCompositeOperation = "source-over";
    pen.globalAlpha = 1;
    if ($("show-discs").checked) discs();
    names();
    if (picked) line();
    if (cursor.shown && document.activeElement === canvas) cross(cursor.row, cursor.col, "#1d2327");
    if (picked) cross(picked.row, picked.col, "#a8330c");
    scaleBar(h);
    north(w);
  }

  function discs() {
    pen.setLineDash([5, 4]); pen.lineWidth = 1.2; pen.strokeStyle = "rgba(29,35,39,.7)";
    for (const c of DATA.communes) { pen.beginPath(); pen.arc(toX(c.middle[1]), toY(c.middle[0]), c.radius * view.scale, 0, 7); pen.stroke(); }
    pen.setLineDash([]);
  }

  function names() {
    const labels = [];
    if ($("show-gateways").checked) DATA.gateways.forEach((g, i) => labels.push({ x: toX(g.col), y: toY(g.row), text: g.id, font: "600 12px system-ui, sans-serif", mast: true, on: state.on[i] }));
    if ($("show-communes").checked) DATA.communes.forEach((c) => labels.push({ x: toX(c.col), y: toY(c.row), text: c.name, font: "italic 12px system-ui, sans-serif" }));
    const taken = labels.map((l) => [l.x - 7, l.y - 7, l.x + 7, l.y + 7]);
    for (const l of labels) {
      pen.beginPath();
      if (l.mast) { pen.moveTo(l.x, l.y - 8); pen.lineTo(l.x + 7.5, l.y + 6); pen.lineTo(l.x - 7.5, l.y + 6); pen.closePath(); } else pen.arc(l.x, l.y, 3, 0, 7);
      pen.fillStyle = l.mast && l.on ? "#1d2327" : "#fff"; pen.strokeStyle = l.mast && l.on ? "#fff" : "#1d2327"; pen.lineWidth = 1.6;
      pen.fill(); pen.stroke();
    }
    pen.textAlign = "center"; pen.textBaseline = "middle"; pen.lineJoin = "round";
    for (const l of labels) {
      pen.font = l.font;
      const w = pen.measureText(l.text).width / 2 + 2;
      for (const [dx, dy] of [[0, -15], [0, 15], [w + 10, 0], [-w - 10, 0], [w * 0.8, -15], [-w * 0.8, -15], [w * 0.8, 15], [-w * 0.8, 15]]) {
        const b = [l.x + dx - w, l.y + dy - 7, l.x + dx + w, l.y + dy + 7];
        if (taken.some((o) => b[0] < o[2] && o[0] < b[2] && b[1] < o[3] && o[1] < b[3])) continue;
        taken.push(b);
        pen.lineWidth = 3.5; pen.strokeStyle = "rgba(255,255,255,.88)"; pen.strokeText(l.text, l.x + dx, l.y + dy);
        pen.fillStyle = "#1d2327"; pen.fillText(l.text, l.x + dx, l.y + dy);
        break;
      }
    }
  }

  function line() {
    if (lookedAt < 0) return;
    const g = DATA.gateways[lookedAt];
    pen.beginPath(); pen.moveTo(toX(g.col), toY(g.row)); pen.lineTo(toX(picked.col), toY(picked.row));
    pen.lineWidth = 4; pen.strokeStyle = "rgba(255,255,255,.85)"; pen.stroke();
    pen.lineWidth = 1.8; pen.strokeStyle = "#a8330c"; pen.stroke();
  }

  function cross(row, col, colour) {
    const x = toX(col), y = toY(row);
    for (const [width, style] of [[4, "rgba(255,255,255,.9)"], [1.8, colour]]) {
      pen.beginPath(); pen.arc(x, y, 7, 0, 7);
      pen.moveTo(x - 12, y); pen.lineTo(x - 4, y); pen.moveTo(x + 4, y); pen.lineTo(x + 12, y);
      pen.moveTo(x, y - 12); pen.lineTo(x, y - 4); pen.moveTo(x, y + 4); pen.lineTo(x, y + 12);
      pen.lineWidth = width; pen.strokeStyle = style; pen.stroke();
    }
  }

  function scaleBar(h) {
    const most = (170 / view.scale) * DATA.pixel_m, power = 10 ** Math.floor(Math.log10(most));
    const m = [5, 2, 1].map((s) => s * power).find((s) => s <= most), w = (m / DATA.pixel_m) * view.scale, x = 16, y = h - 48;
    pen.fillStyle = "rgba(255,255,255,.85)"; pen.fillRect(x - 8, y - 20, w + 34, 34);
    for (let i = 0; i < 4; i++) { pen.fillStyle = i % 2 ? "#fff" : "#1d2327"; pen.fillRect(x + (i * w) / 4, y, w / 4, 6); }
    pen.strokeStyle = "#1d2327"; pen.lineWidth = 1; pen.strokeRect(x, y, w, 6);
    pen.font = "11px system-ui, sans-serif"; pen.fillStyle = "#1d2327"; pen.textBaseline = "bottom";
    pen.textAlign = "left"; pen.fillText("0", x - 3, y - 3);
    pen.textAlign = "right"; pen.fillText(m >= 1000 ? `${m / 1000} km` : `${m} m`, x + w + 22, y - 3);
  }

  function north(w) {
    const x = w - 29, y = 168;
    pen.fillStyle = "rgba(255,255,255,.85)"; pen.beginPath(); pen.arc(x, y, 17, 0, 7); pen.fill();
    pen.fillStyle = "#1d2327"; pen.beginPath(); pen.moveTo(x, y - 14); pen.lineTo(x + 5, y - 2); pen.lineTo(x - 5, y - 2); pen.closePath(); pen.fill();
    pen.font = "700 12px system-ui, sans-serif"; pen.textAlign = "center"; pen.textBaseline = "middle"; pen.fillText("N", x, y + 6);
  }

  const inside = (row, col) => row >= 0 && col >= 0 && row < DATA.rows && col < DATA.cols;
  const pixelAt = (x, y) => [Math.floor((y - view.y) / view.scale), Math.floor((x - view.x) / view.scale)];

  function tell(row, col) {
    if (!inside(row, col)) return;
    const i = row * DATA.cols + col, [lat, lon] = latLon(row, col), g = found.best[i], entry = state.placement.median_db;
    const place = `${lat.toFixed(5)}, ${lon.toFixed(5)}, ground ${figure(groundAt(heights, row, col), 0, "m")}`;
    if (g < 0) { $("under").textContent = `${place}: no loss is known here`; return; }
    const margin = found.top[i] - entry, snr = margin + DATA.floors_db[SLOWEST], sf = bestSf(snr);
    $("under").textContent = `${place}: ${DATA.gateways[g].id}, RSSI ${figure(snr + DATA.gateways[g].noise_dbm, 1, "dBm")}, SNR ${figure(snr, 1, "dB")}, margin ${figure(margin, 1, "dB")} at SF12, ${sf ? "SF" + sf : "out of reach"}, ${found.heard[i]} gateways`;
  }

  function showLink(row, col, wanted) {
    const told = linkHtml(losses, heights, state, row, col, wanted);
    picked = { row, col }; lookedAt = told.g;
    $("link").hidden = false;
    $("link-body").innerHTML = told.html;
    draw();
  }

  function pick(row, col) {
    if (!inside(row, col)) return;
    cursor.row = row; cursor.col = col;
    showLink(row, col, -1);
    tell(row, col);
    document.querySelector("aside").scrollTop = 0;
  }

  let held = null;
  const touches = new Map();
  const spot = (e) => { const b = canvas.getBoundingClientRect(); return [e.clientX - b.left, e.clientY - b.top]; };
  canvas.addEventListener("pointerdown", (e) => {
    canvas.setPointerCapture(e.pointerId); canvas.focus({ preventScroll: true }); cursor.shown = false;
    touches.set(e.pointerId, spot(e));
    held = { at: spot(e), x: view.x, y: view.y, moved: false };
  });
  canvas.addEventListener("pointermove", (e) => {
    const [x, y] = spot(e);
    if (touches.size === 2 && touches.has(e.pointerId)) {
      const [a, b] = [...touches.values()], before = Math.hypot(a[0] - b[0], a[1] - b[1]);
      touches.set(e.pointerId, [x, y]);
      const [c, d] = [...touches.values()];
      zoomAt((c[0] + d[0]) / 2, (c[1] + d[1]) / 2, Math.hypot(c[0] - d[0], c[1] - d[1]) / Math.max(before, 1));
      if (held) held.moved = true;
    } else if (held && touches.has(e.pointerId)) {
      if (Math.hypot(x - held.at[0], y - held.at[1]) > 4) held.moved = true;
      if (held.moved) { view.moved = true; view.x = held.x + x - held.at[0]; view.y = held.y + y - held.at[1]; draw(); }
    } else tell(...pixelAt(x, y));
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (e) => {
    touches.delete(e.pointerId);
    if (name === "pointerup" && held && !held.moved) pick(...pixelAt(...spot(e)));
    if (!touches.size) held = null;
  });
  canvas.addEventListener("wheel", (e) => { e.preventDefault(); zoomAt(...spot(e), Math.exp(-e.deltaY * 0.0015)); }, { passive: false });
  canvas.addEventListener("keydown", (e) => {
    const step = e.shiftKey ? 10 : 1, moves = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] };
    if (moves[e.key]) {
      cursor.shown = true;
      cursor.row = Math.min(Math.max(cursor.row + moves[e.key][0], 0), DATA.rows - 1);
      cursor.col = Math.min(Math.max(cursor.col + moves[e.key][1], 0), DATA.cols - 1);
      const x = toX(cursor.col), y = toY(cursor.row);
      view.x += x < 20 ? 20 - x : x > stage.clientWidth - 20 ? stage.clientWidth - 20 - x : 0;
      view.y += y < 20 ? 20 - y : y > stage.clientHeight - 50 ? stage.clientHeight - 50 - y : 0;
      tell(cursor.row, cursor.col); draw();
    } else if (e.key === "Enter" || e.key === " ") pick(cursor.row, cursor.col);
    else if (e.key === "+" || e.key === "=") zoomAt(toX(cursor.col), toY(cursor.row), 1.4);
    else if (e.key === "-") zoomAt(toX(cursor.col), toY(cursor.row), 1 / 1.4);
    else if (e.key === "0") fit();
    else if (e.key === "Escape") closeLink();
    else return;
    e.preventDefault();
  });
  canvas.addEventListener("focus", draw);
  canvas.addEventListener("blur", draw);

  function closeLink() { picked = null; lookedAt = -1; $("link").hidden = true; draw(); }
  const middle = () => [stage.clientWidth / 2, stage.clientHeight / 2];
  $("in").onclick = () => zoomAt(...middle(), 1.4);
  $("out").onclick = () => zoomAt(...middle(), 1 / 1.4);
  $("fit").onclick = fit;
  $("close").onclick = closeLink;
  $("link-body").addEventListener("click", (e) => {
    const button = e.target.closest("button[data-gateway]");
    if (!button) return;
    const wanted = button.dataset.gateway;
    showLink(picked.row, picked.col, Number(wanted));
    $("link-body").querySelector(`button[data-gateway="${wanted}"]`)?.focus();
  });
  for (const radio of document.querySelectorAll("input[name=layer]")) radio.onchange = () => { state.layer = radio.value; recompute(); };
  $("placement").onchange = (e) => { state.placement = DATA.placements[e.target.selectedIndex]; recompute(); };
  const told = () => {
    $("opacity-value").textContent = `${$("opacity").value} %`;
    $("offset-value").textContent = `${state.offset > 0 ? "+" : ""}${figure(state.offset, 0, "dB")}`;
  };
  $("opacity").oninput = () => { told(); draw(); };
  let later = 0;
  $("offset").oninput = (e) => { state.offset = Number(e.target.value); told(); clearTimeout(later); later = setTimeout(recompute, 60); };
  for (const id of ["show-gateways", "show-communes", "show-discs"]) $(id).onchange = draw;
  $("go").onsubmit = (e) => {
    e.preventDefault();
    const parts = $("where").value.trim().split(/[\s,;]+/).map(Number), ok = parts.length === 2 && parts.every(Number.isFinite);
    const [row, col] = ok ? rowCol(...parts).map(Math.round) : [-1, -1];
    $("go-error").textContent = !ok ? "Write latitude and longitude in degrees, such as 47.45, 0.87." : inside(row, col) ? "" : "That position is outside the map.";
    if (ok && inside(row, col)) {
      const seen = toX(col) > 40 && toX(col) < stage.clientWidth - 40 && toY(row) > 40 && toY(row) < stage.clientHeight - 70;
      if (!seen) { view.moved = true; view.x = stage.clientWidth / 2 - (col + 0.5) * view.scale; view.y = stage.clientHeight / 2 - (row + 0.5) * view.scale; }
      pick(row, col);
    }
  };
  $("gateways").innerHTML = DATA.gateways.map((g, i) => `<label class="gateway" title="${escaped(g.facts)}"><input type="checkbox" data-on="${i}" checked><span class="swatch" style="background:${g.colour}"></span><span>${escaped(g.id)} <span class="muted">${figure(g.height_m, 0, "m")}</span></span></label>`).join("");
  const counted = () => { $("on-count").textContent = `${state.on.filter(Boolean).length} of ${state.on.length} on`; };
  $("gateways").onchange = (e) => { state.on[Number(e.target.dataset.on)] = e.target.checked; counted(); recompute(); };

  new ResizeObserver(() => (view.moved ? draw() : fit())).observe(stage);
  // #layer=sf&placement=indoor&at=47.45,0.87 opens the page as it was meant.
  const asked = new URLSearchParams(location.hash.slice(1));
  const radio = document.querySelector(`input[name=layer][value="${CSS.escape(asked.get("layer") ?? "")}"]`);
  if (radio) { radio.checked = true; state.layer = radio.value; }
  const placed = DATA.placements.findIndex((p) => p.name === asked.get("placement"));
  if (placed >= 0) { $("placement").selectedIndex = placed; state.placement = DATA.placements[placed]; }
  told(); counted(); recompute(); fit();
  $("under").textContent = "Point at the map for its figures, click for the link budget. With the keyboard: arrows, Enter, + and −.";
  if (asked.get("at")) { $("where").value = asked.get("at"); $("go").requestSubmit(); }
})();
