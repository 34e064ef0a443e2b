"""The looks of a comparison's page, light and dark: one constant, so that the page needs nothing beside itself."""

from typing import Final

STYLE: Final = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --quiet: #57606a; --line: #d5d9de; --mark: #1f5fa8;
  --warn: #8a4b00; --darkest: 55%;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14171b; --panel: #1d2126; --ink: #e6e9ec; --quiet: #a0a8b2; --line: #343a42; --mark: #7db4f0;
    --warn: #f0b46a; --darkest: 40%;
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
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: 0.75rem; margin: 0 0 1rem; }
.figures div { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; }
.figures dt { color: var(--quiet); font-size: 0.85rem; overflow-wrap: anywhere; }
.figures dd { margin: 0; overflow-wrap: anywhere; }
.figures .value { font-size: 1.5rem; font-variant-numeric: tabular-nums; }
.figures .remark { color: var(--quiet); font-size: 0.85rem; }
.scroll { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; font-size: 0.9rem; min-width: min(22rem, 100%); }
caption { text-align: left; color: var(--quiet); padding-bottom: 0.4rem; }
th, td { padding: 0.3rem 0.8rem; border-bottom: 1px solid var(--line); text-align: left; font-weight: normal; }
thead th, thead td { color: var(--quiet); border-bottom-color: var(--quiet); vertical-align: bottom; }
.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
thead th { white-space: nowrap; }
thead .number { white-space: normal; }
tbody th { white-space: nowrap; }
.shaded { background: color-mix(in srgb, var(--mark) calc(var(--shade) * var(--darkest)), transparent); }
figure { margin: 1rem 0; }
figcaption { color: var(--quiet); font-size: 0.9rem; margin-bottom: 0.4rem; }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--ink); font-size: 13px; }
svg .bar, svg .dot { fill: var(--mark); }
svg .rule { stroke: var(--line); stroke-width: 1; }
svg .range { stroke: var(--mark); stroke-width: 2; }
.readings { list-style: none; padding: 0; display: grid; gap: 0.75rem; }
.readings li { border: 1px solid var(--line); border-radius: 6px; padding: 0.75rem 1rem; }
.readings dl { display: flex; flex-wrap: wrap; gap: 0.2rem 1.25rem; margin: 0.4rem 0 0; font-size: 0.9rem; }
.readings dl div { display: flex; gap: 0.4rem; overflow-wrap: anywhere; }
.readings dt { color: var(--quiet); }
.readings dd { margin: 0; }
@media print { main { max-width: none; padding: 0; } h2 { break-after: avoid; } }
"""
