/** Constants of a kernel that live behind its code. Entries with the same words are shared. */
export class ConstantPool {
  /** The 32-bit words of each entry: 1, 4, 8 or 16 of them. */
  readonly entries: (readonly number[])[] = [];
  private readonly known = new Map<string, number>();

  /** The number of the entry with these words. */
  entry(words: readonly number[]): number {
    const key = words.join();
    const known = this.known.get(key);
    if (known !== undefined) return known;
    this.entries.push(words);
    this.known.set(key, this.entries.length - 1);
    return this.entries.length - 1;
  }
  word(bits: number): number {
    return this.entry([bits | 0]);
  }
  splat(bits: number, words: number): number {
    return this.entry(new Array<number>(words).fill(bits | 0));
  }
}
