"""The looks of a page, light, dark and on paper: one constant, so that the page needs nothing beside itself."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark; --s0: var(--mark);
  --ground: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --quiet: #57606a; --line: #d5d9de; --mark: #1f5fa8;
  --warn: #8a4b00; --darkest: 55%; --s1: #9a4a00; --s2: #116b4f; --s3: #7a3fb8; --s4: #57606a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1d2126; --ink: #e6e9ec; --quiet: #a0a8b2; --line: #343a42; --mark: #7db4f0;
    --warn: #f0b46a; --darkest: 40%; --s1: #f0b46a; --s2: #6fcf9f; --s3: #cfaeff; --s4: #a0a8b2;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif;
}
main { max-width: 62rem; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.75rem 0 0.75rem; padding-top: 1rem; border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 0; overflow-wrap: anywhere; }
p { max-width: 46rem; margin: 0.5rem 0; overflow-wrap: anywhere; }
.subtitle { color: var(--quiet); }
.note { border-left: 3px solid var(--warn); padding-left: 0.75rem; }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: 0.75rem; margin: 0 0 1rem; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; }
.figures dt { color: var(--quiet); font-size: 0.85rem; overflow-wrap: anywhere; }
.figures dd { margin: 0; overflow-wrap: anywhere; }
.figures .value { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.figures .remark { color: var(--quiet); font-size: 0.85rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; min-width: min(22rem, 100%); }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.4rem; }
caption span { display: inline-block; position: sticky; left: 0; max-width: min(100%, calc(100vw - 2.5rem)); }
th, td { padding: 0.3rem 0.8rem; border-bottom: 1px solid var(--line); text-align: left; font-weight: normal; }
thead th, thead td { color: var(--quiet); border-bottom-color: var(--quiet); vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead th { white-space: nowrap; }
thead .number { white-space: normal; }
tbody th, tbody td:first-child { white-space: nowrap; }
.shaded { background: color-mix(in srgb, var(--mark) calc(var(--shade) * var(--darkest)), transparent); }
figure { margin: 1rem 0; }
.wide { overflow-x: auto; }
.wide svg { min-width: 34rem; }
figcaption { color: var(--quiet); font-size: 0.9rem; margin-bottom: 0.4rem; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 13px; }
svg .rule { stroke: var(--line); stroke-width: 1; }
svg .bar { fill: var(--mark); }
svg .dot { fill: var(--look, var(--mark)); }
svg .range { stroke: var(--look, var(--mark)); stroke-width: 2; }
svg .course { fill: none; stroke: var(--look); stroke-width: 1.75; }
svg .s0 { --look: var(--s0); }
svg .s1 { --look: var(--s1); }
svg .s2 { --look: var(--s2); }
svg .s3 { --look: var(--s3); }
svg .s4 { --look: var(--s4); }
svg .s1.course { stroke-dasharray: 7 3; }
svg .s2.course { stroke-dasharray: 2 3; }
svg .s3.course { stroke-dasharray: 9 3 2 3; }
svg .s4.course { stroke-dasharray: 4 4; }
svg .band { fill: var(--mark); opacity: 0.16; }
svg .event { stroke: var(--warn); stroke-width: 1.5; stroke-dasharray: 3 3; }
.readings { list-style: none; padding: 0; display: grid; gap: 0.75rem; }
.readings li { border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; }
.readings dl { display: flex; flex-wrap: wrap; gap: 0.2rem 1.25rem; margin: 0.4rem 0 0; font-size: 0.9rem; }
.readings dl div { display: flex; gap: 0.4rem; overflow-wrap: anywhere; }
.readings dt { color: var(--quiet); }
.readings dd { margin: 0; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: 0 1.5rem; }
.plots figure { margin: 0.75rem 0; min-width: 0; }
.plots figure > svg { width: 100%; max-width: 32rem; }
.legend { list-style: none; margin: 0.25rem 0; padding: 0; display: flex; flex-wrap: wrap; gap: 0.1rem 1rem; }
.legend li { font-size: 0.85rem; overflow-wrap: anywhere; }
.legend svg { display: inline-block; vertical-align: middle; }
.says { color: var(--quiet); font-size: 0.85rem; margin: 0.25rem 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(26rem, 100%), 1fr)); gap: 0.75rem; }
.card { border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; min-width: 0; }
.card.loud { border-left: 5px solid var(--warn); }
.card .word { color: var(--quiet); font-size: 0.8rem; text-transform: uppercase; letter-spacing: 0.04em; }
.card.loud .word { color: var(--warn); font-weight: 700; }
.card dl { margin: 0.5rem 0 0; font-size: 0.9rem; }
.card dl div { display: flex; flex-wrap: wrap; gap: 0 0.75rem; padding: 0.15rem 0; }
.card dt { color: var(--quiet); overflow-wrap: anywhere; }
.card dd { margin: 0; overflow-wrap: anywhere; }
.evidence div { border-top: 1px solid var(--line); justify-content: space-between; }
.evidence dd { font-variant-numeric: tabular-nums; }
.held { color: var(--quiet); margin-left: 0.6rem; }
@media print {
  :root {
    --ground: #ffffff; --panel: #ffffff; --ink: #000000; --quiet: #3d444b; --line: #b8bdc4; --mark: #1f5fa8;
    --warn: #8a4b00; --s1: #9a4a00; --s2: #116b4f; --s3: #7a3fb8; --s4: #57606a;
  }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h1, h2, h3, caption { break-after: avoid; }
  .plots { grid-template-columns: 1fr 1fr; }
  .scroll, .wide { overflow: visible; }
  .wide svg { min-width: 0; }
  table { font-size: 8pt; }
  th, td, tbody th, tbody td:first-child, .number { white-space: normal; padding: 0.15rem 0.35rem; }
  tr, figure, .card, .figures div, .readings li { break-inside: avoid; }
}
"""
