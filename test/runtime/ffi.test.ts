import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Arena } from "../../src/runtime/arena.ts";
import { ExecutableMemory } from "../../src/runtime/executable-memory.ts";
import { foreignFunctions } from "../../src/runtime/ffi.ts";
import { notePerfMap } from "../../src/runtime/perf-map.ts";
import { Assembler, memory, r32, rax, rdi, rsi } from "../../src/targets/x86/assembler/index.ts";
import { type CpuidResult, readCpu } from "../../src/targets/x86/cpu.ts";

const found = foreignFunctions();
if (!found.available) throw new Error(found.reason);
const { functions } = found;

const adder = () => {
  const assembler = new Assembler();
  assembler.emit("lea", rax, memory(rdi, 0, { index: rsi }));
  assembler.emit("ret");
  return assembler.finish();
};
const constantFunction = (value: number) => {
  const assembler = new Assembler();
  assembler.emit("mov", r32(0), value);
  assembler.emit("ret");
  return assembler.finish();
};

/** How /proc sees the page at an address, for example `r-xp`. */
function protectionOf(address: number): string | undefined {
  for (const line of readFileSync("/proc/self/maps", "utf8").split("\n")) {
    const match = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line);
    if (match && address >= Number.parseInt(match[1], 16) && address < Number.parseInt(match[2], 16)) return match[3];
  }
  return undefined;
}

describe("foreign functions", () => {
  it("map, protect, show and unmap memory", () => {
    const address = functions.mapMemory(8192);
    expect(protectionOf(address)).toBe("rw-p");
    const bytes = new Uint8Array(functions.view(address, 8192));
    expect(bytes.every((byte) => byte === 0)).toBe(true);
    bytes[5] = 9;
    functions.protect(address, 4096, "read");
    expect([protectionOf(address), protectionOf(address + 4096)]).toEqual(["r--p", "rw-p"]);
    functions.unmapMemory(address, 8192);
    expect(protectionOf(address)).toBeUndefined();
  });

  it("tell where an ArrayBuffer lies, quickly", () => {
    const buffer = new ArrayBuffer(4096);
    const address = functions.addressOf(buffer);
    new Uint8Array(buffer)[17] = 42;
    expect(new Uint8Array(functions.view(address, 4096))[17]).toBe(42);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 20; round++) {
      const start = performance.now();
      for (let i = 0; i < 1000; i++) functions.addressOf(buffer);
      best = Math.min(best, performance.now() - start);
    }
    expect(best).toBeLessThan(1); // 1 µs each; about 0.04 on a quiet machine
  });

  it("call by address, blocking and on another thread", async () => {
    const code = new ExecutableMemory(functions, 4096);
    const [address] = code.place([adder()]).addresses;
    const add = functions.callable(address, 2);
    expect(add(2 ** 40, -5)).toBe(2 ** 40 - 5);
    expect(await add.asynchronous(3, 4)).toBe(7);
    expect(functions.callable(functions.symbol("abs"), 1)(-3)).toBe(3);
    code.release();
  });
});

describe("executable memory", () => {
  it("is never writable and executable at once", () => {
    const memory = new ExecutableMemory(functions);
    const first = memory.place([constantFunction(1), constantFunction(2)]);
    const second = memory.place([constantFunction(3)]);
    expect(first.addresses[1] - first.addresses[0]).toBe(64);
    for (const { addresses } of [first, second]) expect(protectionOf(addresses[0])).toBe("r-xp");
    expect(functions.callable(first.addresses[1], 0)()).toBe(2);
    memory.remove(first.block);
    expect(protectionOf(first.addresses[0])).toBe("rw-p");
    expect(functions.callable(second.addresses[0], 0)()).toBe(3);
    const third = memory.place([constantFunction(4)]);
    expect(third.addresses[0]).toBe(first.addresses[0]);
    expect(functions.callable(third.addresses[0], 0)()).toBe(4);
    memory.release();
  });

  it("takes a program larger than a region", () => {
    const memory = new ExecutableMemory(functions, 4096);
    const codes = Array.from({ length: 1000 }, (_, i) => constantFunction(i));
    const { addresses } = memory.place(codes);
    expect(functions.callable(addresses[999], 0)()).toBe(999);
    expect(memory.mappedBytes).toBe(65536);
    memory.release();
  });
});

describe("arena", () => {
  it("grows and keeps its place while it is large enough", () => {
    const arena = new Arena(functions, "a test");
    arena.reserve(1000);
    const { address } = arena;
    arena.reserve(60_000);
    expect(arena.address).toBe(address);
    arena.reserve(3 * 2 ** 20);
    expect(arena.bytes).toBe(4 * 2 ** 20);
    expect(protectionOf(arena.address)).toBe("rw-p");
    expect(() => arena.reserve(2 ** 46)).toThrow("a test needs");
    expect(arena.bytes).toBe(4 * 2 ** 20);
    arena.release();
    expect(arena.bytes).toBe(0);
  });
});

describe("perf map", () => {
  it("names functions where it is asked to", () => {
    const path = `/tmp/perf-${process.pid}.map`;
    notePerfMap([{ address: 0x1000, bytes: 32, name: "quiet" }]);
    expect(existsSync(path)).toBe(false);
    process.env.TRIVIUM_PERF_MAP = "1";
    notePerfMap([{ address: 0x7f0000001000, bytes: 32, name: "conv2d" }]);
    delete process.env.TRIVIUM_PERF_MAP;
    expect(readFileSync(path, "utf8")).toBe("7f0000001000 20 trivium:conv2d\n");
    rmSync(path);
  });
});

describe("CPU description", () => {
  const zero: CpuidResult = { eax: 0, ebx: 0, ecx: 0, edx: 0 };
  const cpu = (answers: Record<string, Partial<CpuidResult>>, xcr0: number) =>
    readCpu({
      cpuid: (leaf, subleaf) => ({ ...zero, ...answers[`${leaf.toString(16)}.${subleaf}`] }),
      xgetbv: () => xcr0,
    });
  const basic = { ecx: (1 << 12) | (1 << 27) | (1 << 28) };
  const avx2Bits = (1 << 5) | (1 << 3) | (1 << 8);
  const avx512Bits = avx2Bits | (1 << 16) | (1 << 17) | (1 << 30) | (1 << 31);
  const answers = (ebx: number) => ({ "0.0": { eax: 7 }, "1.0": basic, "7.0": { ebx } });

  it("needs the instructions and the operating system's support", () => {
    expect(cpu(answers(avx512Bits), 0xe7)).toMatchObject({ avx2: true, avx512: true });
    expect(cpu(answers(avx512Bits), 0x07)).toMatchObject({ avx2: true, avx512: false });
    expect(cpu(answers(avx512Bits), 0x03)).toMatchObject({ avx2: false, avx512: false });
    expect(cpu(answers(avx2Bits), 0xe7)).toMatchObject({ avx2: true, avx512: false });
    expect(cpu({ "0.0": { eax: 7 }, "1.0": { ecx: 1 << 28 } }, 0xe7)).toMatchObject({ avx2: false });
  });

  it("reads cache sizes and the brand", () => {
    const way = (ways: number) => ((ways - 1) << 22) | 63;
    const described = cpu(
      {
        "0.0": { eax: 4 },
        "80000000.0": { eax: 0x80000008 },
        "80000002.0": { eax: 0x74736554, ebx: 0x20202020, ecx: 0x00555043 },
        "4.0": { eax: 1 | (1 << 5), ebx: way(12), ecx: 63 },
        "4.1": { eax: 2 | (1 << 5), ebx: way(8), ecx: 63 },
        "4.2": { eax: 3 | (2 << 5), ebx: way(16), ecx: 2047 },
      },
      0,
    );
    expect(described).toMatchObject({ brand: "Test CPU", l1Bytes: 48 * 1024, l2Bytes: 2 * 2 ** 20, l3Bytes: 0 });
  });

  it("says why there is no machine code without the optional dependency", () => {
    const script = `
      import Module from "node:module";
      const original = Module._load;
      Module._load = function (name, ...rest) {
        if (name === "koffi") throw new Error("Cannot find module 'koffi'");
        return original.call(this, name, ...rest);
      };
      const { x86Availability } = await import("./src/targets/x86/platform.ts");
      console.log(JSON.stringify(x86Availability()));`;
    const child = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      encoding: "utf8",
    });
    expect(JSON.parse(child.stdout)).toEqual({
      available: false,
      reason:
        "the optional dependency \"koffi\" cannot be loaded (Cannot find module 'koffi'); install it with: npm install koffi",
    });
  });
});
