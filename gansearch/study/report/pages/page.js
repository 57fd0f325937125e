"use strict";
const { figures, light, dark, details } = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const darkMode = matchMedia("(prefers-color-scheme: dark)");
const drawn = new Set();  // charts that are redrawn when the colours or the width change
const PRINT_WIDTH = 690;  // pixels that fit on A4 and on Letter paper
let printing = false;

// Figures have the colours of the light theme. In the dark theme each of them is replaced.
function themed(figure) {
  let text = JSON.stringify(figure);
  if (darkMode.matches && !printing)
    for (const name in light) text = text.replaceAll(light[name], dark[name]);
  return JSON.parse(text);
}

// The page has its own headings and legends, and puts fewer panels in a row where the width is too small.
function arrange(layout, width) {
  const { panels, columns, row, gap, least, above, between, below, head, up } = layout.meta;
  delete layout.title;
  layout.margin.t = 8;
  layout.height -= head;
  if (!panels) return;
  const most = Math.max(1, Math.min(columns, Math.floor((width + gap) / (least + gap))));
  const rows = Math.ceil(panels / most), fit = Math.ceil(panels / rows);
  const inner = rows * row + (rows - 1) * between + above;
  const across = gap / width, wide = (1 - across * (fit - 1)) / fit;
  for (let i = 0; i < panels; i++) {
    const x = (i % fit) * (wide + across);
    const y = (rows - 1 - Math.floor(i / fit)) * (row + between);
    layout["xaxis" + (i ? i + 1 : "")].domain = [x, Math.min(1, x + wide)];
    layout["yaxis" + (i ? i + 1 : "")].domain = [y / inner, (y + row) / inner];
    if (up) layout["yaxis" + (i ? i + 1 : "")].title.text = i % fit ? "" : up;
  }
  layout.height = inner + below;
}

function draw(element) {
  const chosen = document.querySelector(`select[data-chart="${element.id}"]`);
  const { data, layout } = themed(figures[chosen ? chosen.value : element.id]);
  const width = printing ? PRINT_WIDTH : element.clientWidth;
  arrange(layout, width);
  element.style.height = layout.height + "px";
  Object.assign(layout, { width, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)" });
  Plotly.react(element, data, layout, { displayModeBar: false });
  element.setAttribute("aria-label", layout.meta.text);
  if (noteOf(element).textContent !== layout.meta.drawn) noteOf(element).textContent = layout.meta.drawn;
  if (!drawn.has(element)) element.on("plotly_click", ({ points }) => {
    const trial = points.find(({ data }) => data.hovertemplate?.includes("trial %{customdata[0]}"));
    if (trial && document.getElementById("table") && !toRow(trial.customdata[0]))
      noteOf(element).textContent = `Trial ${trial.customdata[0]} is not among the rows of the table below; trials.parquet has it.`;
  });
  drawn.add(element);
  const key = document.querySelector(`[data-key="${element.id}"]`);
  if (key) key.replaceChildren(...layout.meta.key.map(keyOf));
}

// An entry of the legend of groups: its line, as it is drawn, and its name.
function keyOf([name, colour, dash]) {
  const item = document.createElement("li");
  item.innerHTML = '<svg viewBox="0 0 30 6" class="line" aria-hidden="true"><path d="M0 3h30" stroke-width="3" fill="none"/></svg>';
  const path = item.querySelector("path");
  path.setAttribute("stroke", colour);
  if (dash !== "solid") path.setAttribute("stroke-dasharray", dash.replaceAll("px", ""));
  item.append(name);
  return item;
}

const noteOf = element => element.nextElementSibling;  // what is said below a chart

// Goes to the row of a trial, which the address names and the style marks. Returns whether the table has it.
function toRow(number) {
  const row = document.getElementById(`trial-${number}`);
  if (!row) return false;
  location.hash = row.id;
  row.scrollIntoView({ block: "center" });
  row.querySelector("button")?.focus({ preventScroll: true });
  return true;
}

// Each chart is drawn when it comes near the window, so that a page of many charts opens at once.
const charts = document.querySelectorAll(".chart");
const near = new IntersectionObserver(entries => entries.forEach(entry => {
  if (entry.isIntersecting) { near.unobserve(entry.target); draw(entry.target); }
}), { rootMargin: "600px" });
charts.forEach(element => near.observe(element));
document.querySelectorAll("select[data-chart]").forEach(select =>
  select.addEventListener("change", () => document.querySelectorAll(`.chart#${select.dataset.chart}`).forEach(draw)));

const redraw = () => { drawn.forEach(draw); drawTrial(); };
darkMode.addEventListener("change", redraw);
let width = innerWidth;
addEventListener("resize", () => { if (innerWidth !== width && !printing) { width = innerWidth; redraw(); } });
addEventListener("beforeprint", () => { printing = true; root.classList.add("printing"); charts.forEach(draw); drawTrial(); });
addEventListener("afterprint", () => { printing = false; root.classList.remove("printing"); redraw(); });

// Of samples at several moments the page shows those that the slider chooses; printed, or without this script, all.
document.querySelectorAll(".course").forEach(course => {
  const moments = course.querySelectorAll(".strip figure"), slider = course.querySelector("input");
  const choose = () => {
    const chosen = moments[slider.value];
    moments.forEach(one => one.classList.toggle("now", one === chosen));
    slider.setAttribute("aria-valuetext", chosen.dataset.text);
    course.querySelector("output").textContent = chosen.dataset.text;
  };
  course.classList.add("live");
  course.querySelector(".moment").hidden = false;
  slider.addEventListener("input", choose);
  choose();
});

// A click on a heading sorts the table. Cells without a value go last in both directions.
document.querySelectorAll("#table th").forEach((head, column) => head.addEventListener("click", () => {
  const down = head.getAttribute("aria-sort") === "ascending";
  head.parentNode.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const body = document.querySelector("#table tbody");
  const infinite = { inf: Infinity, "-inf": -Infinity };
  const text = row => row.cells[column].dataset.v ?? row.cells[column].textContent.trim();
  const key = row => infinite[text(row)] ?? text(row);
  const rows = Array.from(body.rows, row => [key(row), row]);
  const numeric = rows.every(([a]) => a === "" || !isNaN(a));
  const order = numeric ? (a, b) => a - b : (a, b) => String(a).localeCompare(b, "en", { numeric: true });
  rows.sort(([a], [b]) => (a === "") - (b === "") || (down ? order(b, a) : order(a, b)));
  body.append(...rows.map(([, row]) => row));
}));

// A trial whose number is clicked is shown below the table: its curves, and its settings to copy.
const panel = document.getElementById("trial");
let shownTrial = null;
const constants = { null: "None", true: "True", false: "False" };
const python = value => Array.isArray(value) ? `[${value.map(python).join(", ")}]` : constants[JSON.stringify(value)] ?? JSON.stringify(value);
const settings = {
  yaml: ({ section, params }) => [`${section}:`, ...Object.entries(params).map(([k, v]) => `  ${k}: ${JSON.stringify(v)}`)].join("\n"),
  python: ({ params }) => `{${Object.entries(params).map(([k, v]) => `${JSON.stringify(k)}: ${python(v)}`).join(", ")}}`,
};

function drawTrial() {
  if (!details[shownTrial]) return;
  const plot = panel.querySelector(".plot"), { curves } = details[shownTrial];
  if (!curves.update) { plot.textContent = "It left no curves."; return; }
  const width = printing ? PRINT_WIDTH : plot.clientWidth;
  // The distance, if it was measured, is beside the other curves, or where there is little space below them.
  const measured = curves.distance.some(value => value !== null), beside = measured && width >= 520, below = measured && !beside;
  const line = (name, title, dash, more) => ({ x: curves.update, y: curves[name], name: title, mode: "lines", connectgaps: true,
    line: { dash, width: 1.8, color: light.ink }, ...more });
  const axis = { gridcolor: light.line, zeroline: false, automargin: true };
  const updates = { ...axis, title: { text: "update" }, rangemode: "tozero" };
  const distance = line("distance", "distance", "solid", { mode: "lines+markers", xaxis: "x2", yaxis: "y2", showlegend: false });
  const { data, layout } = themed({
    data: [line("p_real", "D(real)", "solid"), line("p_fake", "D(fake)", "dash"), line("separability", "separability", "dot"),
      ...(measured ? [distance] : [])],
    layout: { height: below ? 440 : 240, width, margin: { l: 8, r: 12, t: 8, b: 8 }, font: { color: light.muted, family: "system-ui, sans-serif" },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", legend: { orientation: "h", y: 1.02, yanchor: "bottom" },
      xaxis: { ...updates, domain: [0, beside ? .47 : 1] }, yaxis: { ...axis, range: [-.03, 1.03], domain: [below ? .6 : 0, 1] },
      xaxis2: { ...updates, domain: [beside ? .55 : 0, 1], anchor: "y2" },
      yaxis2: { ...axis, title: { text: "distance" }, domain: [0, below ? .4 : 1], anchor: "x2" } },
  });
  Plotly.react(plot, data, layout, { displayModeBar: false });
  plot.setAttribute("aria-label", `Curves of trial ${shownTrial}: D's answers, separability${measured ? " and distance" : ""}`);
}

document.querySelectorAll("button.open").forEach(button => button.addEventListener("click", () => {
  shownTrial = button.dataset.trial;
  const detail = details[shownTrial];
  panel.hidden = false;
  panel.querySelector("h3").textContent = `Trial ${shownTrial}`;
  panel.querySelector(".sentence").textContent = detail ? detail.sentence : "Its curves and settings are in its folder: the page has those of the first 300 rows.";
  panel.querySelector("pre").textContent = detail ? settings.yaml(detail) : "";
  panel.querySelector("[role=status]").textContent = "";
  Plotly.purge(panel.querySelector(".plot"));
  panel.querySelector(".plot").replaceChildren();
  drawTrial();
  panel.focus();
}));

document.querySelectorAll("button[data-copy]").forEach(button => button.addEventListener("click", async () => {
  const kind = button.dataset.copy;
  if (kind === "back") return toRow(shownTrial);
  const detail = details[shownTrial], said = panel.querySelector("[role=status]");
  if (!detail) return;
  panel.querySelector("pre").textContent = settings[kind](detail);
  try { await navigator.clipboard.writeText(settings[kind](detail)); said.textContent = "Copied."; }
  catch { getSelection().selectAllChildren(panel.querySelector("pre")); said.textContent = "Selected: press Ctrl+C."; }
}));
