// The arena over the layers: what lies where and when, and how much of it is in use.

mcu.arenaChart = (section) => {
  const box = section.querySelector("[data-chart='arena']");
  if (!box) return [];
  const { arena, layers } = mcu.dataOf(section);
  const count = layers.name.length;
  const describe = (width) => {
    const every = Math.ceil((count + 2) / Math.max(2, (width - 90) / 26)); // so that their numbers do not touch
    const ticks = ["in", ...layers.name.map((_, i) => String(i)), "out"].map((text, i) => [i - 1, text]);
    const blocks = {
      type: "bar",
      x: arena.first.map((first, i) => (first + arena.last[i]) / 2),
      width: arena.first.map((first, i) => arena.last[i] - first + 0.94),
      base: arena.offset,
      y: arena.nbytes,
      hovertext: arena.name.map((name, i) => {
        const where = `${mcu.bytes(arena.nbytes[i])} at ${mcu.count(arena.offset[i])}`;
        return `${mcu.inert(mcu.shorter(name, 70))}<br>${where}<br>layers ${arena.first[i]} to ${arena.last[i]}`;
      }),
      hoverinfo: "text",
      marker: {
        color: arena.kind.map((kind, i) => (kind === "scratch" ? "#d3b08b" : shades[i % shades.length])),
        line: { color: mcu.colour("surface"), width: width / (count + 2) > 8 ? 1 : 0 },
        opacity: 0.85,
      },
    };
    const live = {
      type: "scatter",
      mode: "lines",
      x: layers.arena.map((_, i) => i),
      y: layers.arena,
      line: { shape: "hvh", color: mcu.colour("text"), width: 2 },
      hovertext: layers.name.map((name, i) => `${mcu.inert(name)}<br>${mcu.bytes(layers.arena[i] ?? 0)} live`),
      hoverinfo: "text",
    };
    const size = arena.size[0];
    const layout = {
      height: 340,
      margin: { l: 8, r: 8, t: 24, b: 8 },
      barmode: "overlay",
      xaxis: mcu.axis({
        range: [-1.6, count + 0.6],
        showgrid: false,
        zeroline: false,
        tickvals: ticks.filter((_, i) => i % every === 0).map(([at]) => at),
        ticktext: ticks.filter((_, i) => i % every === 0).map(([, text]) => text),
        tickangle: 0,
        title: { text: "layer" },
      }),
      yaxis: mcu.axis({ title: { text: "bytes in the arena" }, rangemode: "tozero", tickformat: ",d" }),
      shapes: size
        ? [{ type: "line", x0: 0, x1: 1, xref: "paper", y0: size, y1: size, line: { color: mcu.colour("fail"), dash: "dash", width: 1.5 } }]
        : [],
      annotations: size
        ? [{
            text: `arena ${mcu.count(size)} B`, x: 1, xref: "paper", y: size, xanchor: "right", yanchor: "bottom",
            showarrow: false, font: { color: mcu.colour("fail") },
          }]
        : [],
    };
    const peak = Math.max(0, ...layers.arena.map((value) => value ?? 0));
    const label = `The arena of ${mcu.count(size ?? 0)} bytes over ${count} layers: rectangles are tensors, the line is what is live, at most ${mcu.bytes(peak)}; the table below lists them`;
    return { data: [blocks, live], layout, label };
  };
  return [mcu.chart(box, describe)];
};

const shades = ["#7fb0e8", "#8dce9b", "#bda7e6", "#74d0d6", "#eda5cf", "#9fb4d8"];
