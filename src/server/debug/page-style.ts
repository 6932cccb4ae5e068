/** How the debug page looks: in light and dark, from 320 pixels up. */
export const pageStyle = `
:root {
  --back: #f6f7f9; --card: #fff; --line: #e3e6ea; --text: #1b2027; --soft: #667080; --faint: #98a1ae;
  --accent: #2f6fed; --good: #14804a; --good-back: #e0f5e9; --warn: #9a6200; --warn-back: #fdf0d5;
  --bad: #c22f3d; --bad-back: #fde7e9; --bar: #b9cdf8;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", Menlo, Consolas, monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #12151a; --card: #1a1f26; --line: #2b323c; --text: #e7ebf0; --soft: #9aa5b3; --faint: #6c7786;
    --accent: #7aa5ff; --good: #5fd39a; --good-back: #16372a; --warn: #f0bd62; --warn-back: #3a2e14;
    --bad: #ff8b95; --bad-back: #431d23; --bar: #35507f;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; max-width: 1240px; padding: 20px 24px 32px; background: var(--back); color: var(--text);
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif;
  font-variant-numeric: tabular-nums; -webkit-text-size-adjust: 100%;
}
[hidden] { display: none !important; }
header { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 12px; margin-bottom: 18px; }
h1 { margin: 0; font-size: 20px; font-weight: 650; letter-spacing: -0.01em; }
h2 { margin: 0; font-size: 15px; font-weight: 650; }
.pill { padding: 2px 10px; border-radius: 99px; font-size: 12px; font-weight: 600; background: var(--line); color: var(--soft); }
.pill.serving, .pill.registered { background: var(--good-back); color: var(--good); }
.pill.draining, .pill.starting, .pill.registering { background: var(--warn-back); color: var(--warn); }
.pill.lost, .pill.closed, .pill.failing, .pill.refused { background: var(--bad-back); color: var(--bad); }
#facts { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 0 0 0 auto; color: var(--soft); font-size: 13px; min-width: 0; }
#facts div { display: flex; gap: 6px; min-width: 0; }
#facts dt { color: var(--faint); }
#facts dd { margin: 0; font-family: var(--mono); font-size: 12px; line-height: 1.6; overflow-wrap: anywhere; }
#trouble { margin: 0 0 16px; padding: 10px 14px; border-radius: 10px; background: var(--bad-back); color: var(--bad); overflow-wrap: anywhere; }
#ask { display: flex; flex-wrap: wrap; gap: 8px; margin-bottom: 16px; }
input, button { font: inherit; color: inherit; padding: 6px 10px; border: 1px solid var(--line); border-radius: 8px; background: var(--card); }
button { background: var(--accent); border-color: var(--accent); color: var(--card); font-weight: 600; cursor: pointer; }
#tiles { display: grid; grid-template-columns: repeat(6, 1fr); gap: 12px; margin-bottom: 20px; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { padding: 12px 14px 10px; min-width: 0; }
.tile .name { color: var(--soft); font-size: 12px; }
.tile .value { font-size: 24px; font-weight: 600; letter-spacing: -0.02em; line-height: 1.3; white-space: nowrap; }
.tile .value small { font-size: 13px; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.tile .note { color: var(--faint); font-size: 12px; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; min-height: 17px; }
.tile svg { display: block; width: 100%; height: 28px; margin-top: 6px; }
.tile polyline { fill: none; stroke: var(--accent); stroke-width: 1.5; stroke-linejoin: round; vector-effect: non-scaling-stroke; }
.tile polygon { fill: var(--accent); opacity: 0.12; }
.tile.bad polyline { stroke: var(--bad); } .tile.bad polygon { fill: var(--bad); }
.card { margin-bottom: 16px; overflow: hidden; }
#around { display: grid; grid-template-columns: repeat(auto-fit, minmax(340px, 1fr)); gap: 0 16px; align-items: start; }
table.small td, table.small th { padding-top: 5px; padding-bottom: 5px; width: auto; }
table.small td:first-child { font-family: var(--mono); font-size: 13px; overflow-wrap: anywhere; }
#registries td:last-child { width: 130px; }
#registries .doc { font-family: system-ui, sans-serif; }
.card > .title { display: flex; align-items: baseline; gap: 10px; padding: 12px 16px; border-bottom: 1px solid var(--line); }
.title .note { color: var(--soft); font-size: 12px; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th, td { padding: 8px 12px; text-align: right; vertical-align: top; white-space: nowrap; }
th:first-child, td:first-child { padding-left: 16px; text-align: left; white-space: normal; width: 34%; }
th:last-child, td:last-child { padding-right: 16px; width: 140px; }
th { padding-top: 10px; padding-bottom: 4px; color: var(--faint); font-size: 12px; font-weight: 500; }
tbody tr + tr td { border-top: 1px solid var(--line); }
tbody tr:hover td { background: color-mix(in srgb, var(--accent) 4%, transparent); }
.signature { font-family: var(--mono); font-size: 13px; overflow-wrap: anywhere; }
.signature b { font-weight: 650; }
.types { font-family: var(--mono); font-size: 12px; color: var(--soft); overflow-wrap: anywhere; }
.doc { color: var(--soft); font-size: 12.5px; }
.chips { display: flex; flex-wrap: wrap; gap: 4px; margin-top: 3px; }
.chips:empty { display: none; }
.chip { padding: 0 7px; border-radius: 6px; font-size: 11.5px; line-height: 18px; background: var(--line); color: var(--soft); }
.chip.bad { background: var(--bad-back); color: var(--bad); }
td.zero { color: var(--faint); }
td.bad { color: var(--bad); font-weight: 600; }
.spread { display: block; width: 112px; height: 20px; margin-left: auto; }
.spread rect { fill: var(--bar); } .spread line { stroke: var(--line); }
.spread rect.tail { fill: var(--accent); }
details.card > summary { padding: 12px 16px; cursor: pointer; color: var(--soft); }
details.card[open] > summary { border-bottom: 1px solid var(--line); }
footer { display: flex; flex-wrap: wrap; gap: 4px 16px; color: var(--faint); font-size: 12.5px; }
footer a { color: var(--soft); } #updated { margin-left: auto; }
@media (max-width: 1000px) {
  #tiles { grid-template-columns: repeat(3, 1fr); }
  th { white-space: normal; vertical-align: bottom; }
  th:last-child, td:last-child { width: 124px; padding-left: 0; }
}
@media (max-width: 840px) {
  body { padding: 14px 14px 24px; }
  #facts { margin-left: 0; width: 100%; flex-direction: column; }
  #tiles { grid-template-columns: repeat(2, 1fr); gap: 10px; }
  .tile .value { font-size: 21px; }
  table:not(.small) thead { display: none; }
  #around { grid-template-columns: 1fr; }
  .card > table:not(.small), .card > table:not(.small) > tbody { display: block; }
  table:not(.small) tr { display: grid; grid-template-columns: repeat(4, 1fr); gap: 6px 10px; padding: 12px 16px; }
  table:not(.small) tr + tr { border-top: 1px solid var(--line); }
  table:not(.small) tr + tr td { border-top: 0; }
  table:not(.small) td { display: block; padding: 0; text-align: left; width: auto; }
  table:not(.small) td:first-child, td.wide { grid-column: 1 / -1; }
  td[data-name]::before { content: attr(data-name); display: block; color: var(--faint); font-size: 11px; font-weight: 400; }
  td.wide::before { display: none !important; }
  .spread { width: 100%; height: 24px; margin: 0; }
}
`
