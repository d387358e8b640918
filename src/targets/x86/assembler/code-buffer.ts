/** A growing byte buffer with the places in it that wait for a label. */
export class CodeBuffer {
  bytes = new Uint8Array(1024);
  length = 0;
  /** Triples: where the 32-bit displacement lies, the label, and the address it counts from. */
  readonly fixups: { readonly at: number; readonly label: number; from: number }[] = [];

  byte(value: number): void {
    if (this.length === this.bytes.length) this.grow(1);
    this.bytes[this.length++] = value;
  }
  int32(value: number): void {
    if (this.length + 4 > this.bytes.length) this.grow(4);
    const { bytes, length } = this;
    bytes[length] = value;
    bytes[length + 1] = value >>> 8;
    bytes[length + 2] = value >>> 16;
    bytes[length + 3] = value >>> 24;
    this.length = length + 4;
  }
  append(data: Uint8Array): void {
    if (this.length + data.length > this.bytes.length) this.grow(data.length);
    this.bytes.set(data, this.length);
    this.length += data.length;
  }
  /** Overwrites the 32-bit word at a place. */
  patch32(at: number, value: number): void {
    const { bytes } = this;
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  }

  private grow(needed: number): void {
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.length + needed));
    larger.set(this.bytes.subarray(0, this.length));
    this.bytes = larger;
  }
}
