// Draws charts with uPlot; see src/chart.rs for what it is given.
export class Plot {
  constructor(host, options, axisText, onCursor) { this.host = host; }
  data() {}
  destroy() { this.host.replaceChildren(); }
}
