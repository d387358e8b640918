/** Rows of the instruction table: AVX, AVX2, FMA and AVX-512 (F, BW, VL, DQ). Notation: see `parsePattern`. */
import { type FormOptions, type InstructionForm, makeForm } from "./instruction-form.ts";

type Lengths = readonly (128 | 256 | 512)[];
const narrow: Lengths = [128, 256];
const wide: Lengths = [128, 256, 512];
const from256: Lengths = [256, 512];

const vex = <Name extends string>(
  mnemonic: Name,
  space: string,
  opcode: number,
  roles: string,
  operands: string,
  lengths: Lengths = narrow,
  options?: FormOptions,
): InstructionForm<Name>[] =>
  lengths.map((bits) => makeForm(mnemonic, "vex", bits, space, opcode, roles, operands, options));
const evex = <Name extends string>(
  mnemonic: Name,
  space: string,
  opcode: number,
  roles: string,
  operands: string,
  lengths: Lengths = wide,
  options?: FormOptions,
): InstructionForm<Name>[] =>
  lengths.map((bits) => makeForm(mnemonic, "evex", bits, space, opcode, roles, operands, options));
/** VEX for 128 and 256 bits, EVEX for all three with the same opcode; VEX comes first, so it is chosen where it can encode the operands. */
const packed = <Name extends string>(
  mnemonic: Name,
  space: string,
  opcode: number,
  roles: string,
  operands: string,
  options?: FormOptions,
): InstructionForm<Name>[] => [
  ...vex(mnemonic, space, opcode, roles, operands, narrow, options),
  ...evex(mnemonic, space, opcode, roles, operands, wide, options),
];
/** Three operands, the last from memory or one broadcast f32/i32. */
const threeOperand = <Name extends string>(mnemonic: Name, space: string, opcode: number, options?: FormOptions) =>
  packed(mnemonic, space, opcode, "RVM", "v v v/mv/b32", options);
const fusedMultiply = <Name extends string>(mnemonic: Name, opcode: number) =>
  threeOperand(mnemonic, "66.0F38", opcode, { access: "both" });
/** Register or memory to register, and register to memory. */
const move = <Name extends string>(
  make: <N extends string>(
    n: N,
    space: string,
    opcode: number,
    roles: string,
    operands: string,
  ) => InstructionForm<N>[],
  mnemonic: Name,
  space: string,
  load: number,
  store: number,
): InstructionForm<Name>[] => [
  ...make(mnemonic, space, load, "RM", "v v/mv"),
  ...make(mnemonic, space, store, "MR", "mv v"),
];
const shiftByImmediate = <Name extends string>(mnemonic: Name, opcode: number, extension: number) => [
  ...vex(mnemonic, "66.0F", opcode, "VMI", "v v u8", narrow, { extension }),
  ...evex(mnemonic, "66.0F", opcode, "VMI", "v v/mv/b32 u8", wide, { extension }),
];
const scalar = <Name extends string>(mnemonic: Name, space: string, opcode: number, size: string) =>
  vex(mnemonic, space, opcode, "RVM", `x x x/${size}`, [128]);
/** One 128-bit form each in VEX and EVEX. */
const both128 = <Name extends string>(
  mnemonic: Name,
  space: string,
  opcode: number,
  roles: string,
  operands: string,
  evexSpace = space,
): InstructionForm<Name>[] => [
  ...vex(mnemonic, space, opcode, roles, operands, [128]),
  ...evex(mnemonic, evexSpace, opcode, roles, operands, [128]),
];
const maskOperation = <Name extends string>(mnemonic: Name, opcode: number) =>
  vex(mnemonic, "0F", opcode, "RVM", "k k k", [256]);

const tied = { access: "both" } as const;
const read = { access: "read" } as const;

export const vectorInstructions = [
  // moves
  ...move(packed, "vmovups", "0F", 0x10, 0x11),
  ...move(packed, "vmovaps", "0F", 0x28, 0x29),
  ...move(vex, "vmovdqu", "F3.0F", 0x6f, 0x7f),
  ...move(vex, "vmovdqa", "66.0F", 0x6f, 0x7f),
  ...move(evex, "vmovdqu32", "F3.0F", 0x6f, 0x7f),
  ...move(evex, "vmovdqa32", "66.0F", 0x6f, 0x7f),
  ...move(evex, "vmovdqu8", "F2.0F", 0x6f, 0x7f),
  ...packed("vmovntps", "0F", 0x2b, "MR", "mv v"),
  ...vex("vmovss", "F3.0F", 0x10, "RM", "x m32", [128]),
  ...vex("vmovss", "F3.0F", 0x11, "MR", "m32 x", [128]),
  ...evex("vmovss", "F3.0F", 0x10, "RM", "x m32", [128]),
  ...evex("vmovss", "F3.0F", 0x11, "MR", "m32 x", [128]),
  ...both128("vmovsd", "F2.0F", 0x10, "RM", "x m64", "F2.0F.W1"),
  ...both128("vmovsd", "F2.0F", 0x11, "MR", "m64 x", "F2.0F.W1"),
  ...vex("vmovd", "66.0F", 0x6e, "RM", "x r32/m32", [128]),
  ...vex("vmovd", "66.0F", 0x7e, "MR", "r32/m32 x", [128]),
  ...evex("vmovd", "66.0F", 0x6e, "RM", "x r32/m32", [128]),
  ...evex("vmovd", "66.0F", 0x7e, "MR", "r32/m32 x", [128]),
  ...vex("vmovq", "66.0F.W1", 0x6e, "RM", "x r64", [128]),
  ...vex("vmovq", "66.0F.W1", 0x7e, "MR", "r64 x", [128]),
  ...vex("vmovq", "F3.0F", 0x7e, "RM", "x m64", [128]),
  ...vex("vmovq", "66.0F", 0xd6, "MR", "m64 x", [128]),
  ...evex("vmovq", "66.0F.W1", 0x6e, "RM", "x r64", [128]),
  ...evex("vmovq", "66.0F.W1", 0x7e, "MR", "r64 x", [128]),
  ...vex("vmovmskps", "0F", 0x50, "RM", "r32 v"),
  ...vex("vpmovmskb", "66.0F", 0xd7, "RM", "r32 v"),
  ...vex("vmaskmovps", "66.0F38", 0x2c, "RVM", "v v mv"),
  ...vex("vmaskmovps", "66.0F38", 0x2e, "MVR", "mv v v"),
  ...vex("vpmaskmovd", "66.0F38", 0x8c, "RVM", "v v mv"),
  ...vex("vpmaskmovd", "66.0F38", 0x8e, "MVR", "mv v v"),
  // broadcasts
  ...packed("vbroadcastss", "66.0F38", 0x18, "RM", "v x/m32"),
  ...packed("vpbroadcastd", "66.0F38", 0x58, "RM", "v x/m32"),
  ...evex("vpbroadcastd", "66.0F38", 0x7c, "RM", "v r32"),
  ...vex("vbroadcastf128", "66.0F38", 0x1a, "RM", "v m128", [256]),
  ...evex("vbroadcastf32x4", "66.0F38", 0x1a, "RM", "v m128", from256),
  ...evex("vbroadcastf32x8", "66.0F38", 0x1b, "RM", "v m256", [512]),
  ...evex("vbroadcastf64x4", "66.0F38.W1", 0x1b, "RM", "v m256", [512]),
  // f32 arithmetic
  ...threeOperand("vaddps", "0F", 0x58),
  ...threeOperand("vmulps", "0F", 0x59),
  ...threeOperand("vsubps", "0F", 0x5c),
  ...threeOperand("vminps", "0F", 0x5d),
  ...threeOperand("vdivps", "0F", 0x5e),
  ...threeOperand("vmaxps", "0F", 0x5f),
  ...packed("vsqrtps", "0F", 0x51, "RM", "v v/mv/b32"),
  ...fusedMultiply("vfmadd132ps", 0x98),
  ...fusedMultiply("vfmadd213ps", 0xa8),
  ...fusedMultiply("vfmadd231ps", 0xb8),
  ...fusedMultiply("vfmsub132ps", 0x9a),
  ...fusedMultiply("vfmsub213ps", 0xaa),
  ...fusedMultiply("vfmsub231ps", 0xba),
  ...fusedMultiply("vfnmadd132ps", 0x9c),
  ...fusedMultiply("vfnmadd213ps", 0xac),
  ...fusedMultiply("vfnmadd231ps", 0xbc),
  ...fusedMultiply("vfnmsub231ps", 0xbe),
  ...vex("vroundps", "66.0F3A", 0x08, "RMI", "v v/mv u8"),
  ...evex("vrndscaleps", "66.0F3A", 0x08, "RMI", "v v/mv/b32 u8"),
  ...packed("vcvtdq2ps", "0F", 0x5b, "RM", "v v/mv/b32"),
  ...packed("vcvtps2dq", "66.0F", 0x5b, "RM", "v v/mv/b32"),
  ...packed("vcvttps2dq", "F3.0F", 0x5b, "RM", "v v/mv/b32"),
  ...scalar("vaddss", "F3.0F", 0x58, "m32"),
  ...scalar("vmulss", "F3.0F", 0x59, "m32"),
  ...scalar("vdivsd", "F2.0F", 0x5e, "m64"),
  ...scalar("vmulsd", "F2.0F", 0x59, "m64"),
  ...vex("vcvtsi2sd", "F2.0F", 0x2a, "RVM", "x x r32/m32", [128]),
  ...vex("vcvtsi2sd", "F2.0F.W1", 0x2a, "RVM", "x x r64/m64", [128]),
  ...vex("vcvtsi2ss", "F3.0F", 0x2a, "RVM", "x x r32/m32", [128]),
  ...vex("vcvtsi2ss", "F3.0F.W1", 0x2a, "RVM", "x x r64/m64", [128]),
  ...vex("vcvttsd2si", "F2.0F.W1", 0x2c, "RM", "r64 x/m64", [128]),
  ...vex("vcvttss2si", "F3.0F.W1", 0x2c, "RM", "r64 x/m32", [128]),
  // i32 arithmetic
  ...threeOperand("vpaddd", "66.0F", 0xfe),
  ...threeOperand("vpsubd", "66.0F", 0xfa),
  ...threeOperand("vpmulld", "66.0F38", 0x40),
  ...threeOperand("vpminsd", "66.0F38", 0x39),
  ...threeOperand("vpmaxsd", "66.0F38", 0x3d),
  ...threeOperand("vpminud", "66.0F38", 0x3b),
  ...threeOperand("vpmaxud", "66.0F38", 0x3f),
  ...packed("vpabsd", "66.0F38", 0x1e, "RM", "v v/mv/b32"),
  ...threeOperand("vpsllvd", "66.0F38", 0x47),
  ...threeOperand("vpsrlvd", "66.0F38", 0x45),
  ...threeOperand("vpsravd", "66.0F38", 0x46),
  ...shiftByImmediate("vpslld", 0x72, 6),
  ...shiftByImmediate("vpsrld", 0x72, 2),
  ...shiftByImmediate("vpsrad", 0x72, 4),
  ...packed("vpslld", "66.0F", 0xf2, "RVM", "v v x/m128"),
  ...packed("vpsrld", "66.0F", 0xd2, "RVM", "v v x/m128"),
  ...packed("vpsrad", "66.0F", 0xe2, "RVM", "v v x/m128"),
  ...vex("vpsrldq", "66.0F", 0x73, "VMI", "v v u8", narrow, { extension: 3 }),
  ...vex("vpslldq", "66.0F", 0x73, "VMI", "v v u8", narrow, { extension: 7 }),
  // bits
  ...threeOperand("vandps", "0F", 0x54),
  ...threeOperand("vandnps", "0F", 0x55),
  ...threeOperand("vorps", "0F", 0x56),
  ...threeOperand("vxorps", "0F", 0x57),
  ...vex("vpand", "66.0F", 0xdb, "RVM", "v v v/mv"),
  ...vex("vpandn", "66.0F", 0xdf, "RVM", "v v v/mv"),
  ...vex("vpor", "66.0F", 0xeb, "RVM", "v v v/mv"),
  ...vex("vpxor", "66.0F", 0xef, "RVM", "v v v/mv"),
  ...evex("vpandd", "66.0F", 0xdb, "RVM", "v v v/mv/b32"),
  ...evex("vpandnd", "66.0F", 0xdf, "RVM", "v v v/mv/b32"),
  ...evex("vpord", "66.0F", 0xeb, "RVM", "v v v/mv/b32"),
  ...evex("vpxord", "66.0F", 0xef, "RVM", "v v v/mv/b32"),
  ...evex("vpternlogd", "66.0F3A", 0x25, "RVMI", "v v v/mv/b32 u8", wide, tied),
  ...vex("vtestps", "66.0F38", 0x0e, "RM", "v v/mv", narrow, read),
  ...vex("vptest", "66.0F38", 0x17, "RM", "v v/mv", narrow, read),
  // comparison and choice
  ...vex("vcmpps", "0F", 0xc2, "RVMI", "v v v/mv u8"),
  ...evex("vcmpps", "0F", 0xc2, "RVMI", "k v v/mv/b32 u8"),
  ...vex("vpcmpeqd", "66.0F", 0x76, "RVM", "v v v/mv"),
  ...vex("vpcmpgtd", "66.0F", 0x66, "RVM", "v v v/mv"),
  ...evex("vpcmpeqd", "66.0F", 0x76, "RVM", "k v v/mv/b32"),
  ...evex("vpcmpgtd", "66.0F", 0x66, "RVM", "k v v/mv/b32"),
  ...evex("vpcmpd", "66.0F3A", 0x1f, "RVMI", "k v v/mv/b32 u8"),
  ...evex("vpcmpud", "66.0F3A", 0x1e, "RVMI", "k v v/mv/b32 u8"),
  ...evex("vptestmd", "66.0F38", 0x27, "RVM", "k v v/mv/b32"),
  ...evex("vptestnmd", "F3.0F38", 0x27, "RVM", "k v v/mv/b32"),
  ...vex("vblendvps", "66.0F3A", 0x4a, "RVMS", "v v v/mv v"),
  ...vex("vblendps", "66.0F3A", 0x0c, "RVMI", "v v v/mv u8"),
  ...evex("vblendmps", "66.0F38", 0x65, "RVM", "v v v/mv/b32"),
  ...evex("vpblendmd", "66.0F38", 0x64, "RVM", "v v v/mv/b32"),
  ...evex("vpmovm2d", "F3.0F38", 0x38, "RM", "v k"),
  ...evex("vpmovd2m", "F3.0F38", 0x39, "RM", "k v"),
  // mask registers
  ...vex("kmovw", "0F", 0x90, "RM", "k k/m16", [128]),
  ...vex("kmovw", "0F", 0x91, "MR", "m16 k", [128]),
  ...vex("kmovw", "0F", 0x92, "RM", "k r32", [128]),
  ...vex("kmovw", "0F", 0x93, "RM", "r32 k", [128]),
  ...vex("kortestw", "0F", 0x98, "RM", "k k", [128], read),
  ...vex("ktestw", "0F", 0x99, "RM", "k k", [128], read),
  ...vex("knotw", "0F", 0x44, "RM", "k k", [128]),
  ...maskOperation("kandw", 0x41),
  ...maskOperation("kandnw", 0x42),
  ...maskOperation("korw", 0x45),
  ...maskOperation("kxnorw", 0x46),
  ...maskOperation("kxorw", 0x47),
  ...vex("kshiftrw", "66.0F3A.W1", 0x30, "RMI", "k k u8", [128]),
  ...vex("kshiftlw", "66.0F3A.W1", 0x32, "RMI", "k k u8", [128]),
  // gathers: VEX takes a vector mask, EVEX a mask register on the target; both clear it
  ...[128, 256].flatMap((bits) => {
    const operands = bits === 128 ? "v gx v" : "v gy v";
    return [
      makeForm("vgatherdps", "vex", bits, "66.0F38", 0x92, "RMV", operands, tied),
      makeForm("vpgatherdd", "vex", bits, "66.0F38", 0x90, "RMV", operands, tied),
    ];
  }),
  ...[128, 256, 512].flatMap((bits) => {
    const address = bits === 128 ? "gx" : bits === 256 ? "gy" : "gz";
    return [
      makeForm("vgatherdps", "evex", bits, "66.0F38", 0x92, "RM", `v ${address}`, tied),
      makeForm("vpgatherdd", "evex", bits, "66.0F38", 0x90, "RM", `v ${address}`, tied),
      makeForm("vscatterdps", "evex", bits, "66.0F38", 0xa2, "MR", `${address} v`, read),
      makeForm("vpscatterdd", "evex", bits, "66.0F38", 0xa0, "MR", `${address} v`, read),
    ];
  }),
  // widening and narrowing
  ...packed("vpmovzxbd", "66.0F38", 0x31, "RM", "v q/mq"),
  ...packed("vpmovsxbd", "66.0F38", 0x21, "RM", "v q/mq"),
  ...packed("vpmovzxwd", "66.0F38", 0x33, "RM", "v h/mh"),
  ...evex("vpmovdb", "F3.0F38", 0x31, "MR", "q/mq v"),
  ...evex("vpmovdw", "F3.0F38", 0x33, "MR", "h/mh v"),
  ...packed("vpackusdw", "66.0F38", 0x2b, "RVM", "v v v/mv/b32"),
  ...packed("vpackssdw", "66.0F", 0x6b, "RVM", "v v v/mv/b32"),
  ...packed("vpackuswb", "66.0F", 0x67, "RVM", "v v v/mv"),
  ...packed("vpshufb", "66.0F38", 0x00, "RVM", "v v v/mv"),
  // permutations
  ...packed("vunpcklps", "0F", 0x14, "RVM", "v v v/mv/b32"),
  ...packed("vunpckhps", "0F", 0x15, "RVM", "v v v/mv/b32"),
  ...vex("vunpcklpd", "66.0F", 0x14, "RVM", "v v v/mv"),
  ...vex("vunpckhpd", "66.0F", 0x15, "RVM", "v v v/mv"),
  ...evex("vunpcklpd", "66.0F.W1", 0x14, "RVM", "v v v/mv/b64"),
  ...evex("vunpckhpd", "66.0F.W1", 0x15, "RVM", "v v v/mv/b64"),
  ...packed("vpunpckldq", "66.0F", 0x62, "RVM", "v v v/mv/b32"),
  ...packed("vpunpckhdq", "66.0F", 0x6a, "RVM", "v v v/mv/b32"),
  ...vex("vpunpcklqdq", "66.0F", 0x6c, "RVM", "v v v/mv"),
  ...vex("vpunpckhqdq", "66.0F", 0x6d, "RVM", "v v v/mv"),
  ...evex("vpunpcklqdq", "66.0F.W1", 0x6c, "RVM", "v v v/mv/b64"),
  ...evex("vpunpckhqdq", "66.0F.W1", 0x6d, "RVM", "v v v/mv/b64"),
  ...packed("vshufps", "0F", 0xc6, "RVMI", "v v v/mv/b32 u8"),
  ...packed("vpshufd", "66.0F", 0x70, "RMI", "v v/mv/b32 u8"),
  ...packed("vpermilps", "66.0F3A", 0x04, "RMI", "v v/mv/b32 u8"),
  ...packed("vpermilps", "66.0F38", 0x0c, "RVM", "v v v/mv/b32"),
  ...packed("vmovshdup", "F3.0F", 0x16, "RM", "v v/mv"),
  ...packed("vmovsldup", "F3.0F", 0x12, "RM", "v v/mv"),
  ...vex("vmovhlps", "0F", 0x12, "RVM", "x x x", [128]),
  ...vex("vmovlhps", "0F", 0x16, "RVM", "x x x", [128]),
  ...vex("vperm2f128", "66.0F3A", 0x06, "RVMI", "v v v/mv u8", [256]),
  ...vex("vperm2i128", "66.0F3A", 0x46, "RVMI", "v v v/mv u8", [256]),
  ...vex("vpermq", "66.0F3A.W1", 0x00, "RMI", "v v/mv u8", [256]),
  ...evex("vpermq", "66.0F3A.W1", 0x00, "RMI", "v v/mv/b64 u8", from256),
  ...vex("vpermpd", "66.0F3A.W1", 0x01, "RMI", "v v/mv u8", [256]),
  ...evex("vpermpd", "66.0F3A.W1", 0x01, "RMI", "v v/mv/b64 u8", from256),
  ...vex("vpermd", "66.0F38", 0x36, "RVM", "v v v/mv", [256]),
  ...evex("vpermd", "66.0F38", 0x36, "RVM", "v v v/mv/b32", from256),
  ...vex("vpermps", "66.0F38", 0x16, "RVM", "v v v/mv", [256]),
  ...evex("vpermps", "66.0F38", 0x16, "RVM", "v v v/mv/b32", from256),
  ...evex("vpermi2ps", "66.0F38", 0x77, "RVM", "v v v/mv/b32", wide, tied),
  ...evex("vpermt2ps", "66.0F38", 0x7f, "RVM", "v v v/mv/b32", wide, tied),
  ...evex("vpermt2d", "66.0F38", 0x7e, "RVM", "v v v/mv/b32", wide, tied),
  ...evex("valignd", "66.0F3A", 0x03, "RVMI", "v v v/mv/b32 u8"),
  ...evex("vshuff32x4", "66.0F3A", 0x23, "RVMI", "v v v/mv/b32 u8", from256),
  ...evex("vshuff64x2", "66.0F3A.W1", 0x23, "RVMI", "v v v/mv/b64 u8", from256),
  ...evex("vshufi32x4", "66.0F3A", 0x43, "RVMI", "v v v/mv/b32 u8", from256),
  // extract and insert
  ...vex("vextractf128", "66.0F3A", 0x19, "MRI", "x/m128 v u8", [256]),
  ...vex("vextracti128", "66.0F3A", 0x39, "MRI", "x/m128 v u8", [256]),
  ...evex("vextractf32x4", "66.0F3A", 0x19, "MRI", "x/m128 v u8", from256),
  ...evex("vextracti32x4", "66.0F3A", 0x39, "MRI", "x/m128 v u8", from256),
  ...evex("vextractf32x8", "66.0F3A", 0x1b, "MRI", "y/m256 v u8", [512]),
  ...evex("vextractf64x4", "66.0F3A.W1", 0x1b, "MRI", "y/m256 v u8", [512]),
  ...evex("vextracti64x4", "66.0F3A.W1", 0x3b, "MRI", "y/m256 v u8", [512]),
  ...vex("vinsertf128", "66.0F3A", 0x18, "RVMI", "v v x/m128 u8", [256]),
  ...vex("vinserti128", "66.0F3A", 0x38, "RVMI", "v v x/m128 u8", [256]),
  ...evex("vinsertf32x4", "66.0F3A", 0x18, "RVMI", "v v x/m128 u8", from256),
  ...evex("vinsertf32x8", "66.0F3A", 0x1a, "RVMI", "v v y/m256 u8", [512]),
  ...evex("vinsertf64x4", "66.0F3A.W1", 0x1a, "RVMI", "v v y/m256 u8", [512]),
  ...evex("vinserti64x4", "66.0F3A.W1", 0x3a, "RVMI", "v v y/m256 u8", [512]),
  ...both128("vpinsrb", "66.0F3A", 0x20, "RVMI", "x x r32/m8 u8"),
  ...both128("vpinsrw", "66.0F", 0xc4, "RVMI", "x x r32/m16 u8"),
  ...both128("vpinsrd", "66.0F3A", 0x22, "RVMI", "x x r32/m32 u8"),
  ...both128("vpinsrq", "66.0F3A.W1", 0x22, "RVMI", "x x r64/m64 u8"),
  ...both128("vpextrb", "66.0F3A", 0x14, "MRI", "r32/m8 x u8"),
  ...both128("vpextrw", "66.0F", 0xc5, "RMI", "r32 x u8"),
  ...both128("vpextrw", "66.0F3A", 0x15, "MRI", "m16 x u8"),
  ...both128("vpextrd", "66.0F3A", 0x16, "MRI", "r32/m32 x u8"),
  ...both128("vpextrq", "66.0F3A.W1", 0x16, "MRI", "r64/m64 x u8"),
  // state
  makeForm("vzeroupper", "vex", 128, "0F", 0x77, "", "", read),
];
