/** The wire format of protocol buffers, as far as event files need it: writing messages field by field. */

/** Bytes that grow. */
export class ProtoWriter {
  private readonly chunks: Uint8Array[] = [];

  /** The message so far. */
  finish(): Uint8Array {
    return concatBytes(this.chunks);
  }
  private varint(value: bigint): void {
    const bytes: number[] = [];
    let rest = BigInt.asUintN(64, value);
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    this.chunks.push(Uint8Array.from(bytes));
  }
  private tag(field: number, wireType: 0 | 1 | 2 | 5): void {
    this.varint(BigInt((field << 3) | wireType));
  }
  /** int64, int32, enum. Zero is the default and not written. */
  integer(field: number, value: number): this {
    if (value === 0) return this;
    this.tag(field, 0);
    this.varint(BigInt(value));
    return this;
  }
  double(field: number, value: number): this {
    this.tag(field, 1);
    this.chunks.push(new Uint8Array(new Float64Array([value]).buffer));
    return this;
  }
  /** Bytes, a text, or another message. */
  bytes(field: number, value: Uint8Array | string | ProtoWriter): this {
    const data =
      typeof value === "string"
        ? new TextEncoder().encode(value)
        : value instanceof ProtoWriter
          ? value.finish()
          : value;
    this.tag(field, 2);
    this.varint(BigInt(data.length));
    this.chunks.push(data);
    return this;
  }
}

export function concatBytes(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((sum, chunk) => sum + chunk.length, 0));
  let offset = 0;
  for (const chunk of chunks) {
    whole.set(chunk, offset);
    offset += chunk.length;
  }
  return whole;
}
