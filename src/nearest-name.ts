/** Levenshtein's distance: edits that turn one word into the other. */
function editDistance(left: string, right: string): number {
  let previous = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let row = 1; row <= left.length; row++) {
    const next = [row];
    for (let column = 1; column <= right.length; column++) {
      const change = previous[column - 1]! + (left[row - 1] === right[column - 1] ? 0 : 1);
      next.push(Math.min(previous[column]! + 1, next[column - 1]! + 1, change));
    }
    previous = next;
  }
  return previous[right.length]!;
}

/** The candidate that a misspelled name most likely meant, if one is close; case, hyphens and underscores do not count. */
export function nearestName(name: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[_-]/g, "");
  let best: string | undefined;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(plain(name), plain(candidate));
    if (distance < least) [least, best] = [distance, candidate];
  }
  return best;
}

/** ` (did you mean "…"?)` where some name is close, for the middle of a message. */
export function didYouMean(name: string, candidates: readonly string[]): string {
  const near = nearestName(name, candidates);
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}
