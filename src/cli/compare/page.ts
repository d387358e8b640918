/** The pieces of a self-contained HTML page: nothing on it is loaded from anywhere. */
import { curvesStyle, escapeXml } from "../curves-svg.ts";

const style = `
  :root { color-scheme: light dark; --page: #ffffff; --ink: #1b1f24; --quiet: #59636e; --line: #d8dee4; --soft: #f6f8fa; --accent: #0969da; --word: #8250df; --text: #0a6640; }
  @media (prefers-color-scheme: dark) {
    :root { --page: #0d1117; --ink: #e6edf3; --quiet: #9198a1; --line: #2a313c; --soft: #161b22; --accent: #58a6ff; --word: #d2a8ff; --text: #7ee787; }
  }
  body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", sans-serif }
  main { max-width: 1080px; margin: 0 auto; padding: 40px 24px 80px }
  h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px } h2 { font-size: 22px; margin: 56px 0 10px } h3 { font-size: 16px; margin: 30px 0 8px }
  p { margin: 10px 0; max-width: 76ch } .quiet { color: var(--quiet) } .lead { font-size: 18px }
  table { border-collapse: collapse; width: 100%; margin: 18px 0; font-variant-numeric: tabular-nums }
  th, td { text-align: left; padding: 7px 16px 7px 0; border-bottom: 1px solid var(--line); vertical-align: top }
  thead th { color: var(--quiet); font-weight: 600; font-size: 14px } tbody th { font-weight: 400; color: var(--quiet); width: 34% }
  figure { margin: 22px 0 } figure svg { width: 100%; height: auto; display: block } figcaption { color: var(--quiet); font-size: 14px; margin-top: 2px }
  .callout { border-left: 4px solid var(--accent); background: var(--soft); padding: 12px 18px; margin: 20px 0; border-radius: 0 6px 6px 0; max-width: 82ch } .callout p { margin: 4px 0 }
  details { border: 1px solid var(--line); border-radius: 8px; margin: 12px 0; background: var(--soft) } summary { cursor: pointer; padding: 10px 16px; font-weight: 600 }
  pre { margin: 0; padding: 4px 16px 16px; overflow-x: auto; font: 13px/1.5 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace }
  code { font: 0.9em ui-monospace, SFMono-Regular, Menlo, Consolas, monospace } .word { color: var(--word) } .text { color: var(--text) } .remark { color: var(--quiet) }
  .scroll { overflow-x: auto }
  @media print { details { break-inside: avoid } }`;

/** The whole document around a body. */
export function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(title)}</title>
<style>${style}${curvesStyle}
  /* in a figure the page is the surface */
  svg .quiet { fill: var(--quiet) }
</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}

/** Rows under column heads; the first cell of a row is its name. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const head = heads.map((text) => `<th>${escapeXml(text)}</th>`).join("");
  const body = rows.map(
    ([name, ...cells]) =>
      `<tr><th scope="row">${escapeXml(name)}</th>${cells.map((cell) => `<td>${escapeXml(cell)}</td>`).join("")}</tr>`,
  );
  return `<div class="scroll"><table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${body.join("\n")}\n</tbody>\n</table></div>`;
}

/** A drawing with what it shows below it. */
export function figure(svg: string, caption: string): string {
  return `<figure>\n${svg}\n<figcaption>${escapeXml(caption)}</figcaption>\n</figure>`;
}

const words =
  "async|await|class|const|extends|for|function|if|let|new|of|override|return|this|true|false|void|number|readonly";
const parts = new RegExp(`(//.*)|("[^"\\n]*")|\\b(${words})\\b`, "g");

/** TypeScript with its remarks, strings and keywords told apart. */
export function highlighted(code: string): string {
  let html = "";
  let from = 0;
  for (const match of code.matchAll(parts)) {
    const [text, remark, string] = match;
    const kind = remark ? "remark" : string ? "text" : "word";
    html += `${escapeXml(code.slice(from, match.index))}<span class="${kind}">${escapeXml(text)}</span>`;
    from = match.index + text.length;
  }
  return html + escapeXml(code.slice(from));
}

/** Code that can be folded away. */
export function listing(title: string, code: string, open = false): string {
  return `<details${open ? " open" : ""}>\n<summary>${escapeXml(title)}</summary>\n<pre>${highlighted(code)}</pre>\n</details>`;
}
