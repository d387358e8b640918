/**
 * The operations of the machine code before registers are placed. Most are one instruction; a few (`fma`, `minimum`, `divide` …) leave the
 * choice of instruction to the emitter, which knows which inputs share a register with the target.
 */

import type { Mnemonic } from "../assembler/index.ts";

/** How the emitter writes an operation; operands are the fields of `MachineInstruction`. */
export type Shape =
  /** mnemonic target, first, second[, immediate] */
  | "binary"
  /** mnemonic target, second[, immediate] */
  | "unary"
  /** target = first·second + third (or − for fnma): one of the forms 132, 213, 231 */
  | "fma"
  /** mnemonic target, first, second, third */
  | "ternary"
  /** mnemonic [memory], first[, immediate] */
  | "store"
  /** mnemonic [memory], third, first */
  | "maskStore"
  /** mnemonic target, [base + vector index], third (AVX2) or target{mask}, [base + vector index] */
  | "gather"
  /** target = first op second or immediate, in place */
  | "intBinary"
  /** target = first op immediate, in place */
  | "intShift"
  /** mnemonic target, first, immediate */
  | "intImmediate"
  /** mnemonic first, second or immediate */
  | "compare"
  /** target = immediate */
  | "constant"
  /** target = second, or nothing where they share a register */
  | "move"
  | "minimum"
  | "maximum"
  | "quotient"
  | "remainder"
  /** target = 0 */
  | "zero"
  /** The incoming register number `immediate` of the ABI. */
  | "entry"
  | "label"
  | "jump"
  | "loopBegin"
  | "loopEnd"
  | "prefetch";

/** 0, 1, 2: xmm, ymm, zmm. */
export type Width = 0 | 1 | 2;

export interface Operation {
  readonly mnemonic: Mnemonic;
  /** Name of the EVEX instruction where it differs. */
  readonly evexMnemonic: Mnemonic;
  readonly shape: Shape;
  /** Has an effect besides its target (memory, flags, control), so it is never dead. */
  readonly effect: boolean;
  /** Reads its target too. */
  readonly updates: boolean;
  /** Writes its target before it has read everything, so they must not share a register. */
  readonly early: boolean;
  /** `first` and `second` may be exchanged. */
  readonly commutative: boolean;
  /** `second` may be memory of the vector's full length (64 bits for integer operations). */
  readonly folds: boolean;
  /** With EVEX that memory may be one 32-bit element for all lanes. */
  readonly broadcasts: boolean;
  readonly hasImmediate: boolean;
  /** Widths of vector operands that differ from the instruction's. */
  readonly targetWidth: Width | undefined;
  readonly sourceWidth: Width | undefined;
  /** Size of integer register operands. */
  readonly intBits: 8 | 32 | 64;
  /** Size of the memory access where no register operand tells it; 0 for none. */
  readonly memoryBits: number;
}

type Options = Partial<Omit<Operation, "mnemonic" | "shape">>;

function operation(mnemonic: Mnemonic, shape: Shape, options: Options = {}): Operation {
  return {
    mnemonic,
    evexMnemonic: options.evexMnemonic ?? mnemonic,
    shape,
    effect: options.effect ?? false,
    updates: options.updates ?? false,
    early: options.early ?? false,
    commutative: options.commutative ?? false,
    folds: options.folds ?? false,
    broadcasts: options.broadcasts ?? false,
    hasImmediate: options.hasImmediate ?? false,
    targetWidth: options.targetWidth,
    sourceWidth: options.sourceWidth,
    intBits: options.intBits ?? 64,
    memoryBits: options.memoryBits ?? 0,
  };
}

const lanewise = { folds: true, broadcasts: true } as const;
const commuting = { ...lanewise, commutative: true } as const;
const immediate = { hasImmediate: true } as const;
const effect = { effect: true } as const;

export const operations = {
  // ---- lane-wise arithmetic ----
  vaddps: operation("vaddps", "binary", commuting),
  vsubps: operation("vsubps", "binary", lanewise),
  vmulps: operation("vmulps", "binary", commuting),
  vdivps: operation("vdivps", "binary", lanewise),
  vminps: operation("vminps", "binary", lanewise),
  vmaxps: operation("vmaxps", "binary", lanewise),
  vpaddd: operation("vpaddd", "binary", commuting),
  vpsubd: operation("vpsubd", "binary", lanewise),
  vpmulld: operation("vpmulld", "binary", commuting),
  vpminsd: operation("vpminsd", "binary", commuting),
  vpmaxsd: operation("vpmaxsd", "binary", commuting),
  vpand: operation("vpand", "binary", { ...commuting, evexMnemonic: "vpandd" }),
  vpor: operation("vpor", "binary", { ...commuting, evexMnemonic: "vpord" }),
  vpxor: operation("vpxor", "binary", { ...commuting, evexMnemonic: "vpxord" }),
  vpandn: operation("vpandn", "binary", { ...lanewise, evexMnemonic: "vpandnd" }),
  vpsllvd: operation("vpsllvd", "binary", lanewise),
  vpsrlvd: operation("vpsrlvd", "binary", lanewise),
  vpsravd: operation("vpsravd", "binary", lanewise),
  vsqrtps: operation("vsqrtps", "unary", lanewise),
  vroundps: operation("vroundps", "unary", { ...lanewise, ...immediate, evexMnemonic: "vrndscaleps" }),
  vcvtdq2ps: operation("vcvtdq2ps", "unary", lanewise),
  vcvttps2dq: operation("vcvttps2dq", "unary", lanewise),
  vcvtps2dq: operation("vcvtps2dq", "unary", lanewise),
  vpslldImmediate: operation("vpslld", "unary", immediate),
  vpsrldImmediate: operation("vpsrld", "unary", immediate),
  vpsradImmediate: operation("vpsrad", "unary", immediate),
  fma: operation("vfmadd231ps", "fma", commuting),
  fnma: operation("vfnmadd231ps", "fma", commuting),

  // ---- comparison and choice ----
  vcmpps: operation("vcmpps", "binary", { ...lanewise, ...immediate }),
  vpcmpgtd: operation("vpcmpgtd", "binary", { folds: true }),
  vpcmpeqd: operation("vpcmpeqd", "binary", { folds: true, commutative: true }),
  /** AVX-512: a mask register = first op second, predicate in the immediate. */
  vpcmpd: operation("vpcmpd", "binary", { ...lanewise, ...immediate }),
  /** AVX2: target = third ? second : first. */
  vblendvps: operation("vblendvps", "ternary", { folds: true }),
  /** AVX-512: target = mask ? second : first. */
  vblendmps: operation("vblendmps", "binary", lanewise),
  vpmovd2m: operation("vpmovd2m", "unary"),
  vpmovm2d: operation("vpmovm2d", "unary"),
  vmovmskps: operation("vmovmskps", "unary", { intBits: 32 }),

  // ---- mask registers ----
  kmovFromInt: operation("kmovw", "unary", { intBits: 32 }),
  kmovToInt: operation("kmovw", "unary", { intBits: 32 }),
  kload: operation("kmovw", "unary", { memoryBits: 16 }),
  kstore: operation("kmovw", "store", { ...effect, memoryBits: 16 }),
  kand: operation("kandw", "binary"),
  kandn: operation("kandnw", "binary"),
  kor: operation("korw", "binary"),
  kxor: operation("kxorw", "binary"),
  knot: operation("knotw", "unary"),
  kortest: operation("kortestw", "compare", effect),

  // ---- moves, loads, stores ----
  zero: operation("vpxor", "zero", { evexMnemonic: "vpxord" }),
  vmove: operation("vmovaps", "move"),
  kmove: operation("kmovw", "move"),
  /** Load, or a register under a mask with the other lanes zero. */
  vmovups: operation("vmovups", "unary", { folds: true }),
  vmovss: operation("vmovss", "unary", { targetWidth: 0, memoryBits: 32 }),
  vmovsd: operation("vmovsd", "unary", { targetWidth: 0, memoryBits: 64 }),
  vmovd: operation("vmovd", "unary", { targetWidth: 0, memoryBits: 32, intBits: 32 }),
  vmovq: operation("vmovq", "unary", { targetWidth: 0, memoryBits: 64 }),
  vbroadcastss: operation("vbroadcastss", "unary", { sourceWidth: 0 }),
  vpbroadcastd: operation("vpbroadcastd", "unary", { sourceWidth: 0, intBits: 32 }),
  /** target = [memory] in the lanes of `first`, 0 elsewhere. */
  maskLoad: operation("vmaskmovps", "binary"),
  vpmovzxbd: operation("vpmovzxbd", "unary", { sourceWidth: 0 }),
  vpinsrb: operation("vpinsrb", "binary", { targetWidth: 0, ...immediate, memoryBits: 8, intBits: 32 }),
  vpinsrw: operation("vpinsrw", "binary", { targetWidth: 0, ...immediate, memoryBits: 16, intBits: 32 }),
  vpinsrd: operation("vpinsrd", "binary", { targetWidth: 0, ...immediate, memoryBits: 32, intBits: 32 }),
  gather: operation("vgatherdps", "gather", { updates: true }),
  storeVector: operation("vmovups", "store", effect),
  storeStreaming: operation("vmovntps", "store", effect),
  storeMasked: operation("vmaskmovps", "maskStore", effect),
  storeLane32: operation("vmovss", "store", { ...effect, sourceWidth: 0, memoryBits: 32 }),
  storeLane64: operation("vmovq", "store", { ...effect, sourceWidth: 0, memoryBits: 64 }),
  /** AVX-512: the low byte of each lane. */
  storeNarrow: operation("vpmovdb", "store", effect),
  storeExtractD: operation("vpextrd", "store", { ...effect, ...immediate, sourceWidth: 0, memoryBits: 32 }),
  storeExtractW: operation("vpextrw", "store", { ...effect, ...immediate, sourceWidth: 0, memoryBits: 16 }),
  storeExtractB: operation("vpextrb", "store", { ...effect, ...immediate, sourceWidth: 0, memoryBits: 8 }),

  // ---- shuffles ----
  vextract128: operation("vextracti128", "unary", {
    ...immediate,
    evexMnemonic: "vextracti32x4",
    targetWidth: 0,
  }),
  vextract256: operation("vextracti64x4", "unary", { ...immediate, targetWidth: 1 }),
  vpermilps: operation("vpermilps", "unary", immediate),
  vmovshdup: operation("vmovshdup", "unary"),
  vunpcklps: operation("vunpcklps", "binary", lanewise),
  vunpckhps: operation("vunpckhps", "binary", lanewise),
  vunpcklpd: operation("vunpcklpd", "binary", { folds: true }),
  vunpckhpd: operation("vunpckhpd", "binary", { folds: true }),
  vpunpckldq: operation("vpunpckldq", "binary", lanewise),
  vpunpcklqdq: operation("vpunpcklqdq", "binary", { folds: true }),
  vperm2f128: operation("vperm2f128", "binary", { folds: true, ...immediate }),
  vshuff32x4: operation("vshuff32x4", "binary", { ...lanewise, ...immediate }),
  vpshufb: operation("vpshufb", "binary", { folds: true }),

  // ---- integers ----
  add: operation("add", "intBinary", { commutative: true, folds: true }),
  sub: operation("sub", "intBinary", { folds: true }),
  /** Used for its flags. */
  countDown: operation("sub", "intBinary", effect),
  and: operation("and", "intBinary", { commutative: true, folds: true }),
  or: operation("or", "intBinary", { commutative: true, folds: true }),
  xor: operation("xor", "intBinary", { commutative: true, folds: true }),
  imul: operation("imul", "intBinary", { commutative: true, folds: true }),
  imulImmediate: operation("imul", "intImmediate", immediate),
  shl: operation("shl", "intShift", immediate),
  shr: operation("shr", "intShift", immediate),
  sar: operation("sar", "intShift", immediate),
  shlx: operation("shlx", "binary"),
  shrx: operation("shrx", "binary"),
  sarx: operation("sarx", "binary"),
  minimum: operation("cmovg", "minimum", { commutative: true }),
  maximum: operation("cmovl", "maximum", { commutative: true }),
  quotient: operation("div", "quotient"),
  remainder: operation("div", "remainder"),
  move: operation("mov", "move"),
  constant: operation("mov", "constant"),
  lea: operation("lea", "unary"),
  load64: operation("mov", "unary", { memoryBits: 64 }),
  load32: operation("movsxd", "unary", { memoryBits: 32 }),
  load8: operation("movzx", "unary", { memoryBits: 8, intBits: 32 }),
  store64: operation("mov", "store", { ...effect, memoryBits: 64 }),
  store32: operation("mov", "store", { ...effect, memoryBits: 32, intBits: 32 }),
  store8: operation("mov", "store", { ...effect, memoryBits: 8, intBits: 8 }),
  compare: operation("cmp", "compare", { ...effect, folds: true }),
  test: operation("test", "compare", effect),
  test32: operation("test", "compare", { ...effect, intBits: 32 }),
  entry: operation("mov", "entry"),

  // ---- control ----
  label: operation("jmp", "label", effect),
  loopBegin: operation("jmp", "loopBegin", effect),
  loopEnd: operation("jmp", "loopEnd", effect),
  jmp: operation("jmp", "jump", effect),
  je: operation("je", "jump", effect),
  jne: operation("jne", "jump", effect),
  jl: operation("jl", "jump", effect),
  jle: operation("jle", "jump", effect),
  jg: operation("jg", "jump", effect),
  jge: operation("jge", "jump", effect),
  prefetch1: operation("prefetcht0", "prefetch", effect),
  prefetch2: operation("prefetcht1", "prefetch", effect),
} as const satisfies Record<string, Operation>;
