import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  Assembler,
  instructionTable,
  type Mnemonic,
  memory,
  memoryAt,
  type Operand,
  printInstruction,
  r32,
  rax,
  rcx,
  rdi,
  xmm,
  ymm,
  zmm,
} from "../../../src/targets/x86/assembler/index.ts";
import { encoderCases, takesLabel } from "./encoder-cases.ts";

const golden = JSON.parse(readFileSync(new URL("../../goldens/x86-encodings.json", import.meta.url), "utf8")) as {
  encodings: Record<string, string>;
};
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function assemble(mnemonic: Mnemonic, ...operands: Operand[]): string {
  const assembler = new Assembler();
  assembler.emit(mnemonic, ...operands);
  return hex(assembler.finish());
}

describe("encoder", () => {
  const cases = encoderCases();

  it("encodes every case as GNU as does", () => {
    const wrong: string[] = [];
    for (const { form, operands } of cases) {
      const text = printInstruction(form.mnemonic, operands);
      const expected = golden.encodings[text];
      const bytes = assemble(form.mnemonic, ...operands);
      if (bytes !== expected) wrong.push(`${text}: ${bytes}, expected ${expected}`);
    }
    expect(wrong).toEqual([]);
    expect(cases.length).toBeGreaterThan(3000);
  });

  it("covers every row of the table", () => {
    const covered = new Set(cases.map(({ form }) => form));
    const missing = instructionTable.filter((form) => !covered.has(form) && !takesLabel(form));
    expect(missing.map((form) => `${form.mnemonic} ${form.encoding} ${form.length}`)).toEqual([]);
  });

  it("names what it cannot encode", () => {
    expect(() => assemble("vaddps", ymm(0), xmm(1), ymm(2))).toThrow("no encoding for: vaddps ymm0, xmm1, ymm2");
    expect(() => assemble("add", memory(rax), 1)).toThrow("no encoding for: add [rax], 1");
    expect(() => assemble("vblendvps", ymm(16), ymm(1), ymm(2), ymm(3))).toThrow("no encoding");
  });
});

describe("assembler", () => {
  it("resolves branches forwards and backwards, short where it can", () => {
    const assembler = new Assembler();
    const end = assembler.label();
    const top = assembler.here();
    assembler.emit("sub", r32(1), 1);
    assembler.emit("je", end);
    assembler.emit("jmp", top);
    assembler.bind(end);
    assembler.emit("ret");
    expect(hex(assembler.finish())).toBe("83e901" + "0f8402000000" + "ebf5" + "c3");
  });

  it("takes the long form beyond 128 bytes backwards", () => {
    const assembler = new Assembler();
    const top = assembler.here();
    for (let i = 0; i < 130; i++) assembler.emit("int3");
    assembler.jumpIf("ne", top);
    expect(hex(assembler.finish()).slice(260)).toBe("0f8578ffffff");
  });

  it("places constants behind the code, aligned to their size, once", () => {
    const assembler = new Assembler();
    const one = assembler.constantFloats([1]);
    const lanes = assembler.constantWords(Array.from({ length: 16 }, (_, i) => i));
    expect(assembler.constantFloats([1])).toBe(one);
    assembler.emit("vbroadcastss", zmm(0), memoryAt(one));
    assembler.emit("vpaddd", zmm(1), zmm(2), memoryAt(lanes));
    assembler.emit("vaddps", zmm(1), zmm(2), memoryAt(one, { broadcast: true }));
    assembler.emit("vcmpps", ymm(1), ymm(2), memoryAt(lanes), 1);
    const code = assembler.finish();
    const view = new DataView(code.buffer);
    expect(code.length).toBe(64 + 64 + 4);
    expect(view.getInt32(6, true) + 10).toBe(128); // the float follows the 64-byte entry
    expect(view.getInt32(16, true) + 20).toBe(64);
    expect(view.getInt32(26, true) + 30).toBe(128);
    expect(view.getInt32(34, true) + 39).toBe(64); // counted from behind the immediate
    expect(view.getFloat32(128, true)).toBe(1);
  });

  it("aligns with no-operations", () => {
    const assembler = new Assembler({ listing: true });
    assembler.emit("ret");
    assembler.align(16);
    expect(assembler.offset).toBe(16);
    assembler.emit("mov", rax, memory(rdi, 8, { index: rcx, scale: 8 }));
    expect(hex(assembler.finish())).toBe(`c3${"660f1f840000000000"}${"660f1f440000"}488b44cf08`);
    expect(assembler.listing()).toContain("  mov rax, qword ptr [rdi+rcx*8+8]");
  });

  it("refuses labels that are never bound or bound twice", () => {
    const assembler = new Assembler();
    const label = assembler.label();
    assembler.emit("jmp", label);
    expect(() => assembler.finish()).toThrow("never bound");
    assembler.bind(label);
    expect(() => assembler.bind(label)).toThrow("bound twice");
  });
});
