"use strict";
(() => {
  const page = JSON.parse(document.getElementById("figures").textContent);
  const still = { displayModeBar: false, responsive: true };
  const zoomable = { displaylogo: false, responsive: true, scrollZoom: true, modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d"] };

  // Strings that name a CSS variable become its present value.
  const resolve = (node, style) => {
    if (typeof node === "string") return node.startsWith("--") ? style.getPropertyValue(node).trim() : node;
    if (Array.isArray(node)) return node.map((item) => resolve(item, style));
    if (node && typeof node === "object") return Object.fromEntries(Object.entries(node).map(([k, v]) => [k, resolve(v, style)]));
    return node;
  };

  const draw = (place, figure) => {
    if (!figure) return;
    const style = getComputedStyle(document.documentElement);
    const { data, layout } = resolve(figure, style);
    const colour = (name) => style.getPropertyValue(name).trim();
    for (const key of Object.keys(layout).filter((k) => /^[xy]axis/.test(k)))
      layout[key] = { gridcolor: colour("--line"), linecolor: colour("--line-strong"), zerolinecolor: colour("--line"), automargin: true, ...layout[key] };
    Object.assign(layout, {
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", autosize: true,
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: colour("--ink") },
      modebar: { orientation: "v", bgcolor: "rgba(0,0,0,0)", color: colour("--line-strong"), activecolor: colour("--ink") },
      hoverlabel: { bgcolor: colour("--paper"), bordercolor: colour("--line-strong"), font: { color: colour("--ink") }, align: "left" },
    });
    Plotly.react(place, data, layout, place.dataset.figure === "map" ? zoomable : still);
  };

  const drawAll = () => {
    for (const place of document.querySelectorAll("[data-run-figure]")) draw(place, page.run[place.dataset.runFigure]);
    for (const stage of document.querySelectorAll(".stage:not([hidden])"))
      for (const place of stage.querySelectorAll("[data-figure]")) draw(place, page.stages[stage.dataset.stage][place.dataset.figure]);
  };

  for (const input of document.querySelectorAll("input[name=stage]"))
    input.addEventListener("change", () => {
      for (const stage of document.querySelectorAll(".stage")) stage.hidden = stage.dataset.stage !== input.value;
      drawAll();
    });
  for (const query of ["(prefers-color-scheme: dark)", "print"]) matchMedia(query).addEventListener("change", drawAll);
  drawAll();
})();
