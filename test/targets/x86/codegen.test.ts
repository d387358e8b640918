import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CompileError } from "../../../src/errors.ts";
import { KernelBuilder } from "../../../src/kernel/builder.ts";
import type { Statement } from "../../../src/kernel/ir.ts";
import { compileKernel } from "../../../src/targets/x86/codegen/compile-kernel.ts";
import { randomKernel } from "./random-kernel.ts";

import { agree, standard } from "./standard-kernel.ts";
import { statementCases } from "./statement-cases.ts";

describe("every statement", () => {
  for (const name of Object.keys(statementCases) as Statement["op"][])
    it(name, () => {
      for (const kernel of statementCases[name]()) agree(kernel, [0, 3]);
    });
});

describe("registers", () => {
  it("spills in nested loops", () => {
    agree(
      standard("pressure", (k, a) => {
        const sums = Array.from({ length: 40 }, (_, i) => k.load(k.at(a[0], i * 32)));
        const ints = Array.from({ length: 24 }, (_, i) => k.intLoad(k.at(a[1], i * 8), "i64"));
        k.loop(0, 3, 1, (i) => {
          k.loop(0, 4, 1, (j) => {
            sums.forEach((sum, index) => {
              k.fma(sum, k.constant(index * 0.25), k.broadcast(k.at(a[0], j, 4, index * 4)));
            });
            ints.forEach((value, index) => {
              k.add(value, index % 2 === 0 ? i : j, value);
            });
          });
          sums.forEach((sum, index) => {
            k.fma(sum, sums[(index + 7) % 40], sums[(index + 3) % 40]);
          });
          ints.forEach((value, index) => {
            k.intBinary("min", ints[(index + 5) % 24], value, value);
          });
        });
        sums.forEach((sum, index) => {
          k.store(sum, k.at(a[3], index * 64));
        });
        ints.forEach((value, index) => {
          k.intStore(value, k.at(a[4], index * 8), "i64");
        });
        // More masks at once than there are mask registers.
        const x = k.load(k.at(a[1]), "i32");
        const masks = Array.from({ length: 12 }, (_, i) => k.binary("ilt", x, k.constant(i - 3, "i32")));
        masks.forEach((mask, i) => {
          k.store(k.select(mask, x, k.constant(i, "i32")), k.at(a[4], 2048 + i * 64), "i32");
        });
        masks.forEach((mask, i) => {
          k.store(x, k.at(a[4], 4096 + i * 64), "i32", { mask });
        });
      }),
    );
  });

  /** The register tile of a matrix product: rows × vectors accumulators. */
  const tile = (rows: number, vectors: number) =>
    standard("tile", (k, a) => {
      const [weights, input] = [k.intMove(a[0]), k.intMove(a[0])];
      const sums = Array.from({ length: rows * vectors }, () => k.constant(0));
      k.loop(0, 4, 1, () => {
        for (let unroll = 0; unroll < 2; unroll++) {
          const w = Array.from({ length: vectors }, (_, v) => k.load(k.at(weights, unroll * 64 * vectors + v * 64)));
          for (let row = 0; row < rows; row++) {
            const x = k.broadcast(k.at(input, row * 32 + unroll * 4));
            for (let v = 0; v < vectors; v++) k.fma(sums[row * vectors + v], x, w[v]);
          }
        }
        k.add(weights, 128 * vectors, weights);
        k.add(input, 8, input);
      });
      sums.forEach((sum, i) => {
        k.store(k.binary("fmax", sum, k.constant(0)), k.at(a[3], i * 64));
      });
    });
  it("holds the tiles of contractions without spilling", () => {
    for (const [features, rows, vectors] of [
      [{ avx512: true }, 14, 2],
      [{ avx512: true }, 9, 3],
      [{ avx512: true }, 28, 1],
      [{ avx512: false }, 6, 1],
    ] as const)
      expect(compileKernel(tile(rows, vectors), features).frameBytes, `${rows} x ${vectors}`).toBe(0);
    agree(tile(14, 2));
    agree(tile(6, 1));
  });
});

describe("code", () => {
  it("drops the upper half where only the lower lanes are stored", () => {
    const kernel = standard("half", (k, a) => {
      const sum = k.constant(0);
      k.loop(0, 8, 1, (i) => k.fma(sum, k.load(k.at(a[0], i, 4)), k.load(k.at(a[0], i, 8))));
      k.store(sum, k.at(a[3]), "f32", { lanes: 8 });
    });
    const { listing } = compileKernel(kernel, { avx512: false }, { listing: true });
    expect(listing.match(/vfmadd/g)).toHaveLength(1);
    agree(kernel);
  });
  it("is small for a simple loop", () => {
    const kernel = standard("scale", (k, a) => {
      const two = k.constant(2);
      k.loop(0, 512, 16, (i) => k.store(k.binary("fmul", k.load(k.at(a[0], i, 4)), two), k.at(a[3], i, 4)));
    });
    expect(compileKernel(kernel, { avx512: true }, { listing: true }).listing).toMatchInlineSnapshot(`
      "  mov rax, qword ptr [rdi]
        mov rcx, qword ptr [rdi+24]
        vbroadcastss zmm0, dword ptr [rip+C0]
        xor edx, edx
        .p2align 5
      L1:
        vmulps zmm1, zmm0, zmmword ptr [rax+rdx*4]
        vmovups zmmword ptr [rcx+rdx*4], zmm1
        add rdx, 16
        cmp rdx, 512
        jl L1
        vzeroupper
        ret
      C0: .byte 0, 0, 0, 64"
    `);
  });
  it("refuses a kernel that breaks the rules, with the kernel printed", () => {
    const k = new KernelBuilder("bad", 0);
    k.unary("move", k.vector());
    expect(() => compileKernel(k.build(), { avx512: false })).toThrowError(CompileError);
  });
});

describe("random kernels", () => {
  it("compute the same on the interpreter and as machine code", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1 << 20), { minLength: 40, maxLength: 900, size: "max" }), (decisions) => {
        agree(randomKernel(decisions), [0, 9]);
      }),
      { numRuns: Number(process.env.TRIVIUM_FUZZ_RUNS ?? 60) },
    );
  });
});
