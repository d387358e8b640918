/** Why a program was compiled: the first line in which its key differs from the nearest known key. */
export function explainNewKey(key: string, known: Iterable<string>): string {
  const lines = key.split("\n");
  let bestCommon = -1;
  let best: string[] | undefined;
  for (const other of known) {
    const otherLines = other.split("\n");
    let common = 0;
    while (common < lines.length && common < otherLines.length && lines[common] === otherLines[common]) common++;
    if (common > bestCommon) {
      bestCommon = common;
      best = otherLines;
    }
  }
  if (!best) return "first program of this engine";
  const was = best[bestCommon] ?? "(end)";
  const is = lines[bestCommon] ?? "(end)";
  return `differs from the nearest known program at node ${bestCommon} of ${lines.length}: was "${was}", is "${is}"`;
}
