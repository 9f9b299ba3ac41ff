// The plotting library and what all charts share: when they are drawn, their colours, their layout.

// Told apart in both themes, and dark text can be read on each of them.
const OPERATOR_COLOURS = {
  CONV_2D: "#7fb0e8",
  DEPTHWISE_CONV_2D: "#f3b16a",
  FULLY_CONNECTED: "#8dce9b",
  ADD: "#bda7e6",
  AVERAGE_POOL_2D: "#74d0d6",
  MAX_POOL_2D: "#74d0d6",
  MEAN: "#74d0d6",
  SOFTMAX: "#eda5cf",
};
const OTHER_COLOURS = ["#e79a94", "#d8d670", "#d3b08b", "#a5c2a0", "#9fb4d8", "#e8c0b0"];
mcu.NEUTRAL = "#b9c2cc";
mcu.TEXT_ON_COLOUR = "#14181d";

mcu.operatorColour = (operator) => {
  if (OPERATOR_COLOURS[operator]) return OPERATOR_COLOURS[operator];
  let sum = 0;
  for (const character of operator) sum = (sum * 31 + character.charCodeAt(0)) % 9973;
  return OTHER_COLOURS[sum % OTHER_COLOURS.length];
};

// The library is by far the largest part of the page and lies at its end: it starts after everything else can be read.
let started = null;
mcu.library = () => {
  started ??= new Promise((done) => {
    const start = () =>
      setTimeout(() => {
        const script = document.createElement("script");
        script.textContent = document.getElementById("library").textContent;
        document.head.append(script);
        done(window.Plotly);
      }, 0);
    if (document.readyState === "loading") addEventListener("DOMContentLoaded", start);
    else start();
  });
  return started;
};

const charts = new Set();
const seen = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) if (entry.isIntersecting) entry.target.mcuChart?.draw();
  },
  { rootMargin: "200px" },
);

// Draws `describe(width)` -> { data, layout, label } into `box` once it comes near the window, and again when the
// theme or the width changes. Returns a handle with draw(now) and gone().
mcu.chart = (box, describe, drawn = () => {}) => {
  const chart = {
    async draw(anyway = false) {
      if (!anyway && chart.at === box.clientWidth) return;
      if (!box.isConnected || !box.clientWidth) return;
      chart.at = box.clientWidth;
      const Plotly = await mcu.library();
      const { data, layout, label } = describe(box.clientWidth);
      const whole = { ...mcu.layout(), ...layout, width: box.clientWidth };
      const first = !box.classList.contains("js-plotly-plot");
      await Plotly.react(box, data, whole, { displayModeBar: false, doubleClick: "reset", showTips: false });
      box.setAttribute("role", "img");
      if (label) box.setAttribute("aria-label", label);
      scalable(box, whole);
      drawn(Plotly, first);
    },
    gone() {
      charts.delete(chart);
      seen.unobserve(box);
      window.Plotly?.purge(box);
    },
  };
  box.mcuChart = chart;
  charts.add(chart);
  seen.observe(box);
  return chart;
};

// So that paper of any width shows all of a chart.
const scalable = (box, layout) => {
  box.style.setProperty("--ratio", `${layout.width} / ${layout.height}`);
  for (const svg of box.querySelectorAll("svg.main-svg")) {
    svg.setAttribute("viewBox", `0 0 ${layout.width} ${layout.height}`);
  }
};

mcu.redraw = () => {
  for (const chart of charts) if (chart.at) chart.draw(true);
};
mcu.onTheme(() => mcu.redraw());
mcu.drawAll = () => {
  for (const chart of charts) chart.draw();
};

let resized = 0;
addEventListener("resize", () => {
  clearTimeout(resized);
  resized = setTimeout(() => {
    for (const chart of charts) if (chart.at) chart.draw();
  }, 120);
});

mcu.layout = () => ({
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  font: { family: "system-ui, sans-serif", size: 12, color: mcu.colour("text") },
  margin: { l: 8, r: 8, t: 8, b: 8 },
  showlegend: false,
  dragmode: false,
  hoverlabel: { align: "left", bgcolor: mcu.colour("surface"), font: { color: mcu.colour("text") } },
});

mcu.axis = (more = {}) => ({
  gridcolor: mcu.colour("line"),
  linecolor: mcu.colour("line"),
  zerolinecolor: mcu.colour("line"),
  fixedrange: true,
  zeroline: false,
  automargin: true,
  ...more,
});
